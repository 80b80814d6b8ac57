"""Where datasets may lie that are recorded in place, and how large they may be."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

import msgspec

from casemate.errors import Misconfigured

__all__ = ["DatasetSettings", "RootSettings", "rooted"]

_NAME = re.compile(r"[A-Za-z0-9-]{1,40}")


class RootSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A folder of the machine, with the label of what lies there.

    `label` is a marking, and has no default: whoever dominates it may register datasets there, and none lies below it.
    """

    path: str
    label: str


class DatasetSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`roots`: beneath which a dataset may be registered; none may be where there is none.

    The region's own processes read there, as the user that they run as. `files`: how many a dataset may have.
    """

    roots: dict[str, RootSettings] = {}
    files: int = 200_000


def rooted(datasets: DatasetSettings) -> None:
    """Raises Misconfigured where datasets could not lie."""
    if not 1 <= datasets.files <= 1_000_000:
        raise Misconfigured(setting="datasets.files", why="it is 1 to 1000000")
    for name, root in datasets.roots.items():
        setting, path = f"datasets.roots.{name}", PurePosixPath(root.path)
        if not _NAME.fullmatch(name):
            raise Misconfigured(setting=setting, why="a name has letters, digits and hyphens")
        if not root.label:
            raise Misconfigured(setting=f"{setting}.label", why="it says what lies there")
        if not path.is_absolute() or ".." in path.parts or len(path.parts) < 2:
            raise Misconfigured(setting=f"{setting}.path", why="it is an absolute folder, and not the root of all")
        for other, beside in datasets.roots.items():
            if other != name and path.is_relative_to(PurePosixPath(beside.path)):
                raise Misconfigured(setting=f"{setting}.path", why=f"it lies in {other}, and each root has one label")
