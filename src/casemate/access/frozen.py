"""What is frozen: objects that nobody is served any more, since they turned out to be higher than they said.

A frozen object is named by a row of kind `frozen` at its own access class. Whoever reads, lists or opens what lies in
that class asks here first, and is told what he would be told of an object that never was: from the moment at which the
row is durable, in every process. Whether anything is frozen is one question of the store's tides, and where nothing is
there is nothing more to ask.

Custody alone sees what it has frozen. What was used by an answer that had begun before is looked at again when the
answer is to leave (`stands`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from casemate.access.rows import Rows
from casemate.access.vault import Vault
from casemate.crypto import digest
from casemate.errors import Conflict
from casemate.objects import Found, Kind, Ref

if TYPE_CHECKING:
    from casemate.access.state import State

__all__ = [
    "CUSTODY",
    "FROZEN",
    "Frozen",
    "FrozenRecord",
    "frozen_id",
    "held_back",
    "open_to",
    "sees_all",
    "stands",
    "still",
]

CUSTODY = "service:custody"
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

    def of(self, flow: State) -> Held:
        """What is frozen in the visible classes."""
        classes = [each.id for each in flow.classes()]
        tides = self._vault.reader.tides((FROZEN.name,), classes)
        if not any(tides):
            return NOTHING
        domain = flow.gate.classes.of(flow.domain).id
        held = [self._class(domain, id, tide) for id, tide in zip(classes, tides, strict=True) if tide]
        if len(held) == 1:
            return held[0]
        return Held(
            frozenset().union(*(each.refs for each in held)),
            frozenset().union(*(each.blobs for each in held)),
            frozenset().union(*(each.ids for each in held)),
        )

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


def sees_all(flow: State) -> bool:
    """Whether this is custody itself."""
    return flow.session.principal.id == CUSTODY


def open_to(flow: State, kind: str, found: Iterable[Found[Any]]) -> list[Found[Any]]:
    """Of these objects of a kind, those that are not frozen."""
    items = list(found)
    if not items or kind == FROZEN.name or sees_all(flow):
        return items
    refs = flow.gate.frozen.of(flow).refs
    return [each for each in items if each.ref not in refs] if refs else items


def held_back(flow: State, class_id: str, digest: str) -> bool:
    """Whether those bytes are frozen for this flow."""
    if sees_all(flow):
        return False
    return (class_id, digest) in flow.gate.frozen.of(flow).blobs


def stands(flow: State) -> bool:
    """Whether nothing that this request has used was frozen meanwhile."""
    if not flow.used or sees_all(flow):
        return True
    held = flow.gate.frozen.of(flow)
    return not held.refs or not any(ref in held.refs or ref.id in held.ids for ref in flow.used)


def still(flow: State) -> None:
    """Raises Conflict where something that an answer was made of has been frozen since it began."""
    if not stands(flow):
        raise Conflict(what="answer")
