"""Where datasets may lie that are recorded in place, and how large they may be."""

from __future__ import annotations

from pathlib import PurePath

import msgspec

from casemate.errors import Misconfigured

__all__ = ["DatasetSettings", "rooted"]


class DatasetSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`roots`: absolute folders beneath which a dataset may be registered; none may be where there is none.

    The region's own processes read there, as the user that they run as. `files`: how many a dataset may have.
    """

    roots: tuple[str, ...] = ()
    files: int = 200_000


def rooted(datasets: DatasetSettings) -> None:
    """Raises Misconfigured where datasets could not lie."""
    for root in datasets.roots:
        path = PurePath(root)
        if not path.is_absolute() or ".." in path.parts or len(path.parts) < 2:
            raise Misconfigured(setting="datasets.roots", why="each is an absolute folder, and not the root of all")
    if not 1 <= datasets.files <= 1_000_000:
        raise Misconfigured(setting="datasets.files", why="it is 1 to 1000000")
