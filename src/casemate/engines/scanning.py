"""Where a scan of rows goes on: the class and the place of the last row that was given, in every dialect alike."""

from __future__ import annotations

from collections.abc import Sequence

from casemate.errors import BadInput
from casemate.store import Row

__all__ = ["begin", "behind"]


def begin(class_ids: Sequence[str], after: str | None) -> tuple[int, int]:
    """The index of the class, and the place in it. Raises BadInput where `after` is not of this scan."""
    if after is None:
        return 0, 0
    class_id, _, place = after.rpartition(":")
    if class_id not in class_ids or not place.isascii() or not place.isdigit():
        raise BadInput(what="after")
    return list(class_ids).index(class_id), int(place)


def behind(rows: Sequence[Row], after: str | None) -> str | None:
    """What continues a scan that has given these rows, of which there are more; it was continued at `after`."""
    return f"{rows[-1].class_id}:{rows[-1].seq}" if rows else after
