"""Reading the ledger: an auditor reads the logs that his acting label dominates; anyone else his own sessions' entries.

Nothing here is decided per entry of another log: a log that is not visible is not opened at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

from casemate.access.destroyed import last_head
from casemate.access.record import Note
from casemate.access.state import State
from casemate.access.tree_files import with_files
from casemate.errors import Absent, Damaged, Destroyed
from casemate.labels import AccessClass, Label
from casemate.ledger import (
    Checkpoint,
    Entry,
    Head,
    Record,
    Verdict,
    verify,
    write_export,
)
from casemate.objects import Kind
from casemate.store import StoredEntry

__all__ = [
    "CHECKPOINT",
    "Seen",
    "checkpoints",
    "entries",
    "entry",
    "export",
    "floor_of",
    "heads",
    "judged",
    "known",
    "open_content",
    "own_content",
    "records",
    "verdicts",
]

CHECKPOINT = Kind("checkpoint", Checkpoint)
PAGE = 100
LOOKED = 5000


@dataclass(frozen=True, slots=True)
class Seen:
    """An entry, the class of its log and its place in it."""

    entry: Entry
    access: AccessClass
    seq: int
    kept: bool


def entries(flow: State, limit: int = 200) -> list[Seen]:
    """The newest visible entries, newest first, at most `limit` of each log and in all.

    Whoever is no auditor finds his own among the last `LOOKED` of each log: nobody can make the gate read all of it.
    """
    sizes = flow.gate.vault.reader.sizes()
    found: list[Seen] = []
    for access in flow.classes():
        found.extend(_newest(flow, access, sizes.get(access.id, 0), limit))
    return sorted(found, key=lambda seen: (-seen.entry.at, seen.access.id, -seen.seq))[:limit]


def _newest(flow: State, access: AccessClass, size: int, limit: int) -> list[Seen]:
    """The newest of one log, page by page from its end: a page holds what was said, too."""
    found: list[Seen] = []
    auditor = _auditor(flow)
    stop, least = size, max(0, size - (limit if auditor else LOOKED))
    while stop > least and len(found) < limit:
        start = max(least, stop - PAGE)
        page = [_seen(flow, access, item) for item in flow.gate.vault.reader.entries(access.id, start, stop)]
        own = [seen for seen in page if auditor or seen.entry.principal == flow.session.principal.name]
        found.extend(reversed(own))
        stop = start
    return found


def entry(flow: State, id: str) -> Seen:
    """One visible entry, or Absent."""
    found = flow.gate.recorder.find(id)
    visible = {c.id: c for c in flow.classes()}
    if found is None or found[0] not in visible:
        raise Absent(kind="entry", id=id)
    seen = _seen(flow, visible[found[0]], found[1])
    if not _auditor(flow) and seen.entry.principal != flow.session.principal.name:
        raise Absent(kind="entry", id=id)
    return seen


def known(flow: State, id: str) -> None:
    """Raises Absent unless that entry stands in a visible log."""
    found = flow.gate.recorder.find(id)
    if found is None or found[0] not in {access.id for access in flow.classes()}:
        raise Absent(kind="entry", id=id)


async def open_content(flow: State, id: str, reason: str) -> bytes | None:
    """What was said, to an auditor with a reason; the opening is itself an entry, durable first."""
    seen = entry(flow, id)
    note = Note("ledger.open", "opened", facts=(("entry", id), ("reason", reason)))
    await flow.note(note)
    found = flow.gate.recorder.find(id)
    return None if found is None else flow.gate.recorder.content(seen.access.id, found[1])


async def own_content(flow: State, id: str) -> bytes | None:
    """What the caller himself said in one of his own entries. Raises Absent for anybody else's."""
    try:
        seen = entry(flow, id)
    except Absent:  # it may be so new that it has not been folded
        await flow.gate.folded()
        seen = entry(flow, id)
    found = flow.gate.recorder.find(id)
    if found is None or seen.entry.principal != flow.session.principal.name:
        raise Absent(kind="entry", id=id)
    return flow.gate.recorder.content(seen.access.id, found[1])


def floor_of(flow: State, seen: Seen) -> Label:
    """The label of what was brought at a BEGIN; that of its log where the entry does not say."""
    said = seen.entry.facts.get("floor")
    return flow.gate.vault.region.policies.parse(str(said)) if said else seen.access.label


def checkpoints(flow: State, log: str) -> list[Checkpoint]:
    """The checkpoints of a visible log, oldest first."""
    rows: list[Checkpoint] = []
    after: str | None = None
    while True:
        page, after = flow.gate.vault.reader.scan(CHECKPOINT.name, [], [log], after, PAGE)
        rows.extend(flow.gate.rows.open(CHECKPOINT, row).value for row in page)
        if after is None:
            return rows


async def judged(flow: State, heads: list[Head]) -> list[tuple[AccessClass, Verdict]]:
    """The verdict on every visible log, with everything in it that was durable before. Raises Unavailable, Damaged."""
    with flow.gate.running.held():
        await flow.gate.folded()
        return await asyncio.to_thread(verdicts, flow, heads)


def verdicts(flow: State, heads: list[Head]) -> list[tuple[AccessClass, Verdict]]:
    """The verdict on every visible log as it is folded now; of one whose key was destroyed, on its leaves."""
    public = flow.gate.vault.signer.public
    result = []
    gone = flow.gate.classes.gone(flow.acting)
    for access in [*flow.classes(), *gone]:
        remembered = [h for h in heads if h.log == access.id]
        points = last_head(flow.gate, access) if access in gone else checkpoints(flow, access.id)
        verdict = verify(access.id, records(flow, access), points, public, remembered, flow.gate.running)
        result.append((access, with_files(flow.gate, verdict, remembered)))
    return result


def heads(flow: State) -> list[Head]:
    """The newest signed head of every visible log."""
    newest = [checkpoints(flow, access.id)[-1:] for access in flow.classes()]
    return [points[0].head for points in newest if points]


def export(flow: State, access: AccessClass) -> bytes:
    """A visible log as one file that can be checked alone."""
    return write_export(access.id, records(flow, access), checkpoints(flow, access.id), flow.gate.vault.signer.public)


def records(flow: State, access: AccessClass, begin: int = 0, end: int | None = None) -> Iterator[Record]:
    """A visible log, or a part of it, page by page: what was said is not kept in memory beside it.

    An entry that cannot be opened is given as nothing, which is not what its leaf says.
    """
    size = flow.gate.vault.reader.sizes().get(access.id, 0) if end is None else end
    for start in range(begin, size, PAGE):
        for item in flow.gate.vault.reader.entries(access.id, start, min(size, start + PAGE)):
            yield Record(item.seq, item.leaf, _plain(flow, access, item))


def _plain(flow: State, access: AccessClass, stored: StoredEntry) -> bytes | None:
    try:
        return flow.gate.recorder.plain(access.id, stored)
    except Destroyed:
        return None
    except Damaged:
        return b""


def _seen(flow: State, access: AccessClass, stored: StoredEntry) -> Seen:
    return Seen(flow.gate.recorder.open(access.id, stored), access, stored.seq, bool(stored.content))


def _auditor(flow: State) -> bool:
    return "auditor" in flow.session.principal.roles
