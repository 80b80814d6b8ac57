"""What lies in a class's folder, in stretches, by name; what was left there; whether one of it is whole."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

from casemate.engines.files_frames import Opener
from casemate.errors import Damaged
from casemate.store import Lying, Sealer

__all__ = ["lying", "tidied", "whole"]

_LONG = 96
_DRAFT = re.compile(r"\.[0-9a-f]{16}(-[0-9]+)?")  # of `files_publish` and `blob_share`


def lying(folder: Path, after: str, limit: int) -> list[Lying]:
    """At most `limit` blobs behind that name. Drafts are not among them."""
    found: list[Lying] = []
    for shelf in _names(folder, 2, after[:2]):
        for name in _names(folder / shelf, _LONG, after if shelf == after[:2] else ""):
            if name == after:
                continue
            if len(found) == limit:
                return found
            try:
                told = (folder / shelf / name).stat()
            except FileNotFoundError:
                continue
            found.append(Lying(name, told.st_size, told.st_mtime_ns // 1000))
    return found


def _names(folder: Path, long: int, first: str) -> list[str]:
    try:
        return sorted(each.name for each in folder.iterdir() if len(each.name) == long and each.name >= first)
    except (FileNotFoundError, NotADirectoryError):
        return []


def tidied(folder: Path, before: int) -> None:
    """Remove the drafts below a class's folder that nobody has written since `before` (microseconds).

    A writer who is so slow as to be taken for dead is told that his file is not there, and names nothing.
    """
    for path in folder.rglob(".*"):
        if _DRAFT.fullmatch(path.name):
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime_ns // 1000 < before:
                    path.unlink()


def whole(sealer: Sealer, class_id: str, name: str, path: Path) -> bool:
    """Whether that file is the blob of this name, from the first frame to the last."""
    try:
        with path.open("rb") as file:
            for _ in Opener(sealer, class_id, name, file).pieces():
                pass
    except (OSError, Damaged):
        return False
    return True
