"""Writing: changes and the entry that records them, durable together in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from casemate.access.directory import Enrol
from casemate.access.record import Note, facts_of
from casemate.access.rows import ref_text
from casemate.access.state import State
from casemate.labels import Label
from casemate.objects import Change, Delete, Put, Ref
from casemate.policy import Refuse, Target, decide
from casemate.store import Batch, Receipt

__all__ = ["commit", "deposit"]


async def commit(
    flow: State, changes: Sequence[Change | Enrol], key: str, at: Label | None, facts: dict[str, Any]
) -> Receipt:
    """An ordinary write lands exactly at the acting label; `at` says what the caller asked for, and may only agree."""
    if at is not None and at is not flow.acting:
        refusal = Refuse("no-write-down", {"acting": flow.acting.text, "asked": at.text})
        await flow.gate.refuse(flow.session, flow.acting, flow.action, refusal)
    return await _land(flow, flow.acting, changes, key, facts)


async def deposit(flow: State, to: Label, changes: Sequence[Change], key: str) -> Receipt:
    """Upward delivery: blind, with one entry in the log of the depositor."""
    decision = decide(flow.session, flow.acting, flow.action, Target(writes=to))
    if isinstance(decision, Refuse):
        await flow.gate.refuse(flow.session, flow.acting, flow.action, decision)
    await _land(flow, to, changes, key, {"deposit": to.text})
    return Receipt()


async def _land(
    flow: State, label: Label, changes: Sequence[Change | Enrol], key: str, facts: dict[str, Any]
) -> Receipt:
    gate = flow.gate
    access = gate.classes.of(label)
    own = tuple(c for c in changes if isinstance(c, Put | Delete))
    puts, deletes = gate.rows.split(access, own)
    enrolled = tuple(c.change for c in changes if isinstance(c, Enrol))
    classes = [gate.classes.row(access), gate.classes.row(flow.access)]
    if enrolled:
        directory = gate.directory.access
        more_puts, more_deletes = gate.rows.split(directory, enrolled)
        puts, deletes = puts + more_puts, deletes + more_deletes
        classes.append(gate.classes.row(directory))
    note = Note(
        flow.action.name,
        "done",
        facts=facts_of(facts | ({"begin": flow.begun} if flow.begun else {})),
        subjects=tuple(ref_text(Ref(c.kind.name, c.id, access.id)) for c in own),
    )
    _, entry = gate.recorder.entry(flow.session, flow.access, note)
    return await gate.vault.committer.commit(
        Batch(key=key, puts=puts, deletes=deletes, entries=[entry], classes=classes, domain=flow.access.id)
    )
