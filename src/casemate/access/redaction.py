"""Destroying what was said, before its time: the entry, its digest and the tree stay, and an entry says who and why.

It is done at the label of the log, and nowhere else: whoever acts above and took something away below would tell those
below that he is there.
"""

from __future__ import annotations

from collections.abc import Sequence

from casemate.access.record import Note
from casemate.access.state import State
from casemate.errors import Absent
from casemate.objects import Delete
from casemate.policy import Refuse
from casemate.store import Batch, Forget

__all__ = ["redact"]


async def redact(flow: State, id: str, reason: str, changes: Sequence[Delete] = ()) -> bool:
    """Destroy what was said in an entry, with an entry beside it; whether there was anything left.

    `changes` are made with it. Raises Absent, and Refused (`no-write-down`) where the log lies below the acting label.
    """
    gate = flow.gate
    found = gate.recorder.find(id)
    visible = {access.id: access for access in flow.classes()}
    if found is None or found[0] not in visible:
        raise Absent(kind="entry", id=id)
    log, stored = found
    if log != flow.access.id:
        await flow.refuse(Refuse("no-write-down", {"acting": flow.acting.text, "asked": visible[log].label.text}))
    if not stored.content:
        return False
    note = Note("ledger.redact", "redacted", facts=(("entry", id), ("reason", reason), ("seq", stored.seq)))
    _, entry = gate.recorder.entry(flow.asker, flow.access, note)
    _, deletes = gate.rows.split(flow.access, tuple(changes))
    batch = Batch(
        domain=log,
        deletes=deletes,
        entries=[entry],
        classes=[gate.classes.row(flow.access)],
        forgets=[Forget(log, stored.seq)],
    )
    await gate.vault.committer.commit(batch)
    return True
