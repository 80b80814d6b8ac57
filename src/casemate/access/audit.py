"""Reading the ledger: an auditor reads the logs that his acting label dominates; anyone else his own sessions' entries.

Nothing here is decided per entry of another log: a log that is not visible is not opened at all.
"""

from __future__ import annotations

from dataclasses import dataclass

from casemate.access.record import Note
from casemate.access.state import State
from casemate.errors import Absent
from casemate.labels import AccessClass
from casemate.ledger import Checkpoint, Entry, Head, Record, Verdict, verify, write_export
from casemate.objects import Kind
from casemate.store import StoredEntry

__all__ = [
    "CHECKPOINT",
    "Seen",
    "checkpoints",
    "entries",
    "entry",
    "export",
    "heads",
    "open_content",
    "own_content",
    "verdicts",
]

CHECKPOINT = Kind("checkpoint", Checkpoint)
PAGE = 500


@dataclass(frozen=True, slots=True)
class Seen:
    """An entry, the class of its log and its place in it."""

    entry: Entry
    access: AccessClass
    seq: int
    kept: bool


def entries(flow: State, limit: int = 200) -> list[Seen]:
    """The newest visible entries, newest first, at most `limit` of each log and in all."""
    sizes = flow.gate.vault.reader.sizes()
    found: list[Seen] = []
    for access in flow.classes():
        size = sizes.get(access.id, 0)
        start = max(0, size - limit) if _auditor(flow) else 0
        stored = flow.gate.vault.reader.entries(access.id, start, size)
        found.extend(_seen(flow, access, item) for item in stored)
    own = [seen for seen in found if _auditor(flow) or seen.entry.principal == flow.session.principal.name]
    return sorted(own, key=lambda seen: (-seen.entry.at, seen.access.id, -seen.seq))[:limit]


def entry(flow: State, id: str) -> Seen:
    """One visible entry, or Absent."""
    found = flow.gate.vault.reader.entry(id)
    visible = {c.id: c for c in flow.classes()}
    if found is None or found[0] not in visible:
        raise Absent(kind="entry", id=id)
    seen = _seen(flow, visible[found[0]], found[1])
    if not _auditor(flow) and seen.entry.principal != flow.session.principal.name:
        raise Absent(kind="entry", id=id)
    return seen


async def open_content(flow: State, id: str, reason: str) -> bytes | None:
    """What was said, to an auditor with a reason; the opening is itself an entry, durable first."""
    seen = entry(flow, id)
    note = Note("ledger.open", "opened", facts=(("entry", id), ("reason", reason)))
    await flow.gate.record(flow.session, flow.access, note)
    found = flow.gate.vault.reader.entry(id)
    return None if found is None else flow.gate.recorder.content(seen.access.id, found[1])


async def own_content(flow: State, id: str) -> bytes | None:
    """What the caller himself said in one of his own entries. Raises Absent for anybody else's."""
    seen = entry(flow, id)
    found = flow.gate.vault.reader.entry(id)
    if found is None or seen.entry.principal != flow.session.principal.name:
        raise Absent(kind="entry", id=id)
    return flow.gate.recorder.content(seen.access.id, found[1])


def checkpoints(flow: State, log: str) -> list[Checkpoint]:
    """The checkpoints of a visible log, oldest first."""
    rows: list[Checkpoint] = []
    after: str | None = None
    while True:
        page, after = flow.gate.vault.reader.scan(CHECKPOINT.name, [], [log], after, PAGE)
        rows.extend(flow.gate.rows.open(CHECKPOINT, row).value for row in page)
        if after is None:
            return rows


def verdicts(flow: State, heads: list[Head]) -> list[tuple[AccessClass, Verdict]]:
    """The verdict on every visible log."""
    public = flow.gate.vault.signer.public
    result = []
    for access in flow.classes():
        remembered = [h for h in heads if h.log == access.id]
        running = [flow.begun] if flow.begun else []
        points = checkpoints(flow, access.id)
        result.append((access, verify(access.id, _records(flow, access), points, public, remembered, running)))
    return result


def heads(flow: State) -> list[Head]:
    """The newest signed head of every visible log."""
    newest = [checkpoints(flow, access.id)[-1:] for access in flow.classes()]
    return [points[0].head for points in newest if points]


def export(flow: State, access: AccessClass) -> bytes:
    """A visible log as one file that can be checked alone."""
    return write_export(access.id, _records(flow, access), checkpoints(flow, access.id), flow.gate.vault.signer.public)


def _records(flow: State, access: AccessClass) -> list[Record]:
    size = flow.gate.vault.reader.sizes().get(access.id, 0)
    stored = flow.gate.vault.reader.entries(access.id, 0, size)
    return [Record(item.seq, item.leaf, flow.gate.recorder.plain(access.id, item)) for item in stored]


def _seen(flow: State, access: AccessClass, stored: StoredEntry) -> Seen:
    return Seen(flow.gate.recorder.open(access.id, stored), access, stored.seq, bool(stored.content))


def _auditor(flow: State) -> bool:
    return "auditor" in flow.session.principal.roles
