"""What is frozen: objects that nobody is served any more, since they turned out to be higher than they said.

A frozen object is named by a row of kind `frozen` at its own access class. Whoever reads, lists or opens what lies in
that class asks here first, and is told what he would be told of an object that never was: from the moment at which the
row is durable, in every process. Whether anything is frozen is one question of the store's tides, and where nothing is
there is nothing more to ask.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from casemate.access.rows import Rows
from casemate.access.vault import Vault
from casemate.crypto import digest
from casemate.objects import Kind, Ref

__all__ = ["FROZEN", "Frozen", "FrozenRecord", "Held", "frozen_id"]

PAGE = 500


class FrozenRecord(msgspec.Struct, frozen=True):
    """One object that is frozen, or was: `kind` and `id` are its own, `blobs` the bytes that go with it.

    `case`: why. `settled`: it has been raised or destroyed, and only its name is kept from coming back.
    """

    kind: str
    id: str
    case: str
    at: int
    blobs: tuple[str, ...] = ()
    settled: bool = False


FROZEN = Kind("frozen", FrozenRecord, indexed=("case",), withholds=True)


def frozen_id(kind: str, id: str) -> str:
    """The id of the row that freezes that object, at the object's own class."""
    return digest(f"{kind}/{id}".encode()).hex()


@dataclass(frozen=True, slots=True)
class Held:
    """What is frozen in the classes that somebody sees. `ids`: of what has not been raised or destroyed yet."""

    refs: frozenset[Ref]
    blobs: frozenset[tuple[str, str]]
    ids: frozenset[str]


NOTHING = Held(frozenset(), frozenset(), frozenset())


class Frozen:
    """One per process. What it keeps is kept for each label domain by itself: one must not feel what another asked."""

    def __init__(self, vault: Vault, rows: Rows) -> None:
        self._vault = vault
        self._rows = rows
        self._kept: dict[tuple[str, str], tuple[int, Held]] = {}

    def of(self, classes: Sequence[str], domain: str) -> Held:
        """What is frozen in these classes; `domain` is the one for which it is kept."""
        tides = self._vault.reader.tides((FROZEN.name,), classes)
        if not any(tides):
            return NOTHING
        held = [self._class(domain, id, tide) for id, tide in zip(classes, tides, strict=True) if tide]
        if len(held) == 1:
            return held[0]
        return Held(
            frozenset().union(*(each.refs for each in held)),
            frozenset().union(*(each.blobs for each in held)),
            frozenset().union(*(each.ids for each in held)),
        )

    def ever(self, classes: Sequence[str]) -> bool:
        """Whether anything is frozen in these classes, or was."""
        return any(self._vault.reader.tides((FROZEN.name,), classes))

    def _class(self, domain: str, class_id: str, tide: int) -> Held:
        kept = self._kept.get((domain, class_id))
        if kept is None or kept[0] != tide:
            kept = self._kept[domain, class_id] = (tide, self._read(class_id))
        return kept[1]

    def _read(self, class_id: str) -> Held:
        found: list[FrozenRecord] = []
        after: str | None = None
        while True:
            rows, after = self._vault.reader.scan(FROZEN.name, [], [class_id], after, PAGE)
            found += [each.value for each in self._rows.whole(FROZEN, rows)]
            if after is None:
                break
        return Held(
            frozenset(Ref(each.kind, each.id, class_id) for each in found),
            frozenset((class_id, blob) for each in found if not each.settled for blob in each.blobs),
            frozenset(each.id for each in found if not each.settled),
        )
