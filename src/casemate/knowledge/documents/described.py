"""What the bringer of a document says of it later on: other attributes than those with which it came.

A description is a record at exactly the acting label, laid over whatever of the document lies at or above it, in the
same manner as a removal (`gone`). Shards keep the attributes that a document came with; what a question is filtered by
are those of the latest description that the shard's own label sees, so that it holds from the next question on.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import msgspec

from casemate.access import Flow
from casemate.errors import BadInput
from casemate.labels import Label
from casemate.objects import Found, Kind
from casemate.words import say

__all__ = ["DESCRIBED", "Attribute", "Described", "DescribedRecord", "checked", "described", "described_of"]

Attribute = str | float | bool
MOST = 16
KEY = 64
VALUE = 512


class DescribedRecord(msgspec.Struct, frozen=True):
    """The attributes of a document, all of them; the document's id is its own."""

    by: str
    at: int
    attributes: dict[str, Attribute]


def _of(id: str, said: DescribedRecord) -> tuple[tuple[str, str], ...]:
    del said
    return (("document", id), ("document.part", id))


DESCRIBED = Kind("document.described", DescribedRecord, sources=_of)


class Described:
    """The descriptions of one flow's visible world."""

    def __init__(self, found: Iterable[Found[DescribedRecord]]) -> None:
        self._found: dict[str, list[Found[DescribedRecord]]] = {}
        for each in found:
            self._found.setdefault(each.id, []).append(each)

    def __bool__(self) -> bool:
        return bool(self._found)

    def of(self, label: Label) -> Mapping[str, dict[str, Attribute]]:
        """What is said of documents, for a class of that label."""
        said = ((id, self._ruling(id, label)) for id in self._found)
        return {id: record.attributes for id, record in said if record is not None}

    def attributes(self, id: str, label: Label, came_with: dict[str, Attribute]) -> dict[str, Attribute]:
        """What is said of one, at the label at which a piece of it lies."""
        record = self._ruling(id, label)
        return came_with if record is None else record.attributes

    def _ruling(self, id: str, label: Label) -> DescribedRecord | None:
        seen = [each for each in self._found.get(id, ()) if each.label <= label]
        return max(seen, key=lambda each: (each.value.at, each.label.text)).value if seen else None


async def described(flow: Flow) -> Described:
    """All descriptions that the flow sees."""
    return Described(await flow.every(DESCRIBED))


async def described_of(flow: Flow, id: str) -> Described:
    """The visible descriptions of one document."""
    return Described(await flow.read_each(DESCRIBED, id))


def checked(attributes: Mapping[str, Attribute], language: str = "en") -> dict[str, Attribute]:
    """The attributes, if they are such. Raises BadInput."""
    good = len(attributes) <= MOST and all(0 < len(key) <= KEY and _good(value) for key, value in attributes.items())
    if not good:
        raise BadInput(what=say("knowledge.attributes.detail", language, most=MOST, key=KEY, value=VALUE))
    return dict(attributes)


def _good(value: Attribute) -> bool:
    if isinstance(value, str):
        return len(value) <= VALUE
    return isinstance(value, bool) or math.isfinite(value)
