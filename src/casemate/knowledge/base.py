"""Knowledge bases: what a base is called, which embedder serves it, and how finely its documents are labelled.

A base needs no record: whoever adds to a name has it, with the region's settings. A record lies at the label at which
it was written and rules what lies at or above it: for a passage at L it is the record of that name, among those that L
dominates, whose label is lowest (equals by canonical text).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from casemate.errors import BadInput
from casemate.labels import Label
from casemate.objects import Found, Kind

__all__ = ["BASE", "Base", "finely", "named", "ruling"]

NAME_LIMIT = 64


class Base(msgspec.Struct, frozen=True):
    """`name` is its id. `embedder` "" is the region's. Times in microseconds; `expires_after` in seconds, 0 never.

    `asked`: when another embedder was last asked for; 0 where none ever was.
    """

    name: str
    title: str = ""
    embedder: str = ""
    granularity: Literal["portion", "document"] = "portion"
    metadata: dict[str, str] = {}
    expires_after: int = 0
    by: str = ""
    at: int = 0
    asked: int = 0


BASE = Kind("knowledge.base", Base, indexed=("name",))


def ruling(records: Iterable[Found[Base]], label: Label) -> Base | None:
    """The record that rules at a label, or None: then the region's settings do."""
    seen = [found for found in records if found.label <= label]
    lowest = [
        one for one in seen if not any(other.label <= one.label and other.label is not one.label for other in seen)
    ]
    return min(lowest, key=lambda found: found.label.text).value if lowest else None


def finely(records: Iterable[Found[Base]], label: Label) -> Literal["portion", "document"]:
    """How finely a base is labelled at a label: by whole documents where any record that is seen there says so.

    Otherwise whoever writes a lower record would bring parts of others' documents down.
    """
    seen = (found.value.granularity for found in records if found.label <= label)
    return "document" if "document" in seen else "portion"


def named(name: str) -> str:
    """The name, if a base can be called so. Raises BadInput."""
    if not name.replace("-", "").replace("_", "").isalnum() or len(name) > NAME_LIMIT or name in ("all", "none"):
        raise BadInput(what=f"A knowledge base's name has 1 to {NAME_LIMIT} letters, digits, - or _; not all or none.")
    return name
