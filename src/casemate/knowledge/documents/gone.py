"""Documents that were removed: which of them are gone at which label.

A removal is a record at exactly the acting label of whoever removed, and it rules every class whose label dominates
that one: information flows up, so what lies below or beside it stays. Whatever reads documents, passages, shards,
near-duplicates or lineage asks here first, so that a removal holds from the next question on; that rows and shards are
then rewritten (`forget`) changes no answer. A record stays for good: which classes above still have to hear of it is
not known here, and may not be.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from casemate.access import Flow
from casemate.labels import Label
from casemate.objects import Found, Kind

__all__ = ["GONE", "Gone", "GoneRecord", "gone", "gone_of"]


class GoneRecord(msgspec.Struct, frozen=True):
    """A document's removal; the document's id is its own. `by` is whoever brought it, and so removed it."""

    by: str
    at: int
    base: str = ""


GONE = Kind("gone", GoneRecord, indexed=("base",), withholds=True)


class Gone:
    """The removals of one flow's visible world."""

    def __init__(self, found: Iterable[Found[GoneRecord]]) -> None:
        self._found: dict[str, list[tuple[Label, str]]] = {}
        self._bases: dict[str, set[Label]] = {}
        for each in found:
            self._found.setdefault(each.id, []).append((each.label, each.value.by))
            self._bases.setdefault(each.value.base, set()).add(each.label)

    def __bool__(self) -> bool:
        return bool(self._found)

    def of(self, label: Label) -> frozenset[str]:
        """The documents that are gone for a class of that label: what its shards leave out."""
        return frozenset(id for id, several in self._found.items() if any(at <= label for at, _ in several))

    def bases(self, label: Label) -> frozenset[str]:
        """The bases from which something is gone for a class of that label."""
        return frozenset(base for base, labels in self._bases.items() if any(at <= label for at in labels))

    def rules(self, id: str, label: Label, by: str) -> bool:
        """Whether a piece of a document, brought by him, is gone at the label at which it lies."""
        return any(at <= label and who == by for at, who in self._found.get(id, ()))


async def gone(flow: Flow) -> Gone:
    """All removals that the flow sees."""
    return Gone(await flow.every(GONE))


async def gone_of(flow: Flow, id: str) -> Gone:
    """The visible removals of one document."""
    return Gone(await flow.read_each(GONE, id))
