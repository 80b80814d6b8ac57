"""What custody does with its own hands, class by class, when an object has to be held back, raised or destroyed.

An officer who orders it reads no content and writes at no label but his own. What is done to an object is done at the
object's own class, by a service of that class, as one commit with one entry in that class's log: whoever looks there
finds that an object is no longer there, and no more. Nothing here ever puts anything lower than it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from casemate.access.core import Core
from casemate.access.flow import Flow
from casemate.access.gate import Gate
from casemate.access.record import Note, facts_of
from casemate.access.rows import ref_text
from casemate.errors import Damaged, Refused
from casemate.identity import Principal, Session
from casemate.labels import AccessClass, Label
from casemate.ledger import Entry
from casemate.objects import Change, Put, Ref
from casemate.policy import Action, Need
from casemate.store import Batch, Forget, Receipt, StoredEntry

__all__ = [
    "CONTAIN",
    "Logged",
    "Onward",
    "destroy",
    "everything",
    "land",
    "logged",
    "pour",
    "said",
    "seen_from",
    "summit",
]

CONTAIN = Action("hold", "spill")
ROOM = "custody"
PAGE = 200


@dataclass(frozen=True, slots=True)
class Logged:
    """An entry of a log, and where it stands."""

    access: AccessClass
    entry: Entry
    stored: StoredEntry | None = None


@dataclass(frozen=True, slots=True)
class Onward:
    """What is put at a higher class in the same commit."""

    access: AccessClass
    puts: Sequence[Put]


async def seen_from(gate: Gate, label: Label) -> Flow:
    """Custody's own view from a label: what an officer who acts there may be told, and what may be done on his word
    while he waits."""
    principal = Principal(f"service:{ROOM}", f"service:{ROOM}", label, frozenset({"service"}))
    return await gate.open(Session(ROOM, principal, label, label), CONTAIN, label)


async def everything(gate: Gate) -> Flow:
    """Custody's own view of all classes, whoever may see them. Nobody waits for what is done from here."""
    return await seen_from(gate, summit(gate))


def summit(gate: Gate) -> Label:
    """The label that dominates every class, with every authorization that any of them asks for."""
    classes = [each for each in gate.classes.everything() if not each.originator]
    needs = {name for each in classes for name in (*each.label.needs, *Need.parse(each.need).names)}
    return gate.vault.region.ceiling.with_needs(needs)


async def land(
    gate: Gate,
    access: AccessClass,
    changes: Sequence[Change],
    facts: dict[str, Any],
    onward: Onward | None = None,
    forgets: Sequence[int] = (),
) -> Receipt:
    """Changes at one class, what moves up from it, and which contents of its log are forgotten; all of it or nothing.

    Raises Conflict, and Refused (`no-write-down`) where something would not come to lie above where it was.
    """
    session = gate.service(ROOM, access)
    await gate.open(session, CONTAIN)
    if onward is not None and not access.label <= onward.access.label:
        raise Refused(rule="no-write-down", acting=access.label.text, asked=onward.access.label.text)
    puts, deletes = gate.rows.split(access, tuple(changes))
    above = [gate.rows.put(onward.access, put) for put in onward.puts] if onward is not None else []
    subjects = tuple(ref_text(Ref(each.kind.name, each.id, access.id)) for each in changes)
    _, entry = gate.recorder.entry(session, access, Note(CONTAIN.name, "done", "", facts_of(facts), subjects))
    classes = [gate.classes.row(access), *([gate.classes.row(onward.access)] if onward is not None else [])]
    return await gate.vault.committer.commit(
        Batch(
            domain=access.id,
            puts=[*above, *puts],
            deletes=deletes,
            entries=[entry],
            classes=classes,
            forgets=[Forget(access.id, seq) for seq in forgets],
            spares=[row.id for row in classes],
        )
    )


async def pour(gate: Core, access: AccessClass, data: bytes) -> str:
    """Keep bytes at a class; their name there."""
    return await gate.vault.blobs.write(access.id, data)


async def destroy(gate: Core, access: AccessClass, blob: str) -> None:
    """Those bytes are gone from the disk. What is absent is no error."""
    await gate.vault.blobs.delete(access.id, blob)


def logged(flow: Flow, newest: int = 0) -> Iterator[Logged]:
    """The entries of the visible logs, oldest first in each; `newest`: so many of each at most, 0 for all.

    An entry that cannot be opened is passed over: `ledger verify` says of it what there is to say.
    """
    sizes = flow.gate.vault.reader.sizes()
    for access in flow.classes():
        size = sizes.get(access.id, 0)
        for start in range(max(0, size - newest) if newest else 0, size, PAGE):
            for stored in flow.gate.vault.reader.entries(access.id, start, min(size, start + PAGE)):
                try:
                    yield Logged(access, flow.gate.recorder.open(access.id, stored), stored)
                except Damaged:
                    continue


def said(flow: Flow, found: Logged) -> bytes:
    """What was said at that entry, b"" where it is no longer kept."""
    try:
        return b"" if found.stored is None else flow.gate.recorder.content(found.access.id, found.stored) or b""
    except Damaged:
        return b""
