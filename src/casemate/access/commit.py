"""Writing: changes and the entry that records them, durable together in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from casemate.access.filled import GIVES_BACK
from casemate.access.record import Note, facts_of
from casemate.access.records import Enrol
from casemate.access.rows import ref_text
from casemate.access.state import State
from casemate.errors import Absent, BadInput, Conflict
from casemate.ids import fresh
from casemate.labels import Label
from casemate.objects import Change, Delete, Put, Ref
from casemate.policy import Refuse, Target, decide
from casemate.store import Batch, Receipt

__all__ = ["commit", "deposit"]


async def commit(
    flow: State, changes: Sequence[Change | Enrol], key: str, at: Label | None, facts: dict[str, Any]
) -> Receipt:
    """An ordinary write lands exactly at the acting label of the whole request, not at a rung's below it.

    `at` says what the caller asked for, and may only agree. Parents are visible ones.
    """
    asked = flow.acting if at is None else at
    if asked is not flow.domain:
        await flow.refuse(Refuse("no-write-down", {"acting": flow.domain.text, "asked": asked.text}))
    parents = [parent for change in changes if isinstance(change, Put) for parent in change.parents]
    visible = {access.id for access in flow.classes()} if parents else set()
    for parent in parents:
        if parent.class_id not in visible:
            raise Absent(kind=parent.kind, id=parent.id)
    return await _land(flow, flow.acting, changes, key, facts)


async def deposit(flow: State, to: Label, changes: Sequence[Change], key: str) -> Receipt:
    """Upward delivery: blind, with one entry in the log of the depositor.

    It only adds, under identifiers of the gate's own: what lies above can be neither replaced, removed nor tried out.
    """
    decision = decide(flow.session, flow.domain, flow.action, Target(writes=to))
    if isinstance(decision, Refuse):
        await flow.refuse(decision)
    added: list[Put] = []
    for change in changes:
        if not isinstance(change, Put) or change.expect is not None or change.parents:
            raise BadInput(what="A deposit adds objects; it expects, removes and refers to nothing.")
        id = fresh("dep", flow.gate.vault.entropy, f"deposit/{flow.access.id}/{flow.session.id}")
        added.append(replace(change, id=id))
    await _land(flow, to, added, key, {"deposit": to.text})
    return Receipt()


async def _land(
    flow: State, label: Label, changes: Sequence[Change | Enrol], key: str, facts: dict[str, Any]
) -> Receipt:
    gate = flow.gate
    await flow.durable()  # no change stands without the BEGIN of the request that made it
    access = gate.classes.of(label)
    own = tuple(c for c in changes if isinstance(c, Put | Delete))
    puts, deletes = gate.rows.split(access, own)
    enrolled = tuple(c.change for c in changes if isinstance(c, Enrol))
    classes = [gate.classes.row(access), gate.classes.row(flow.access)]
    directory = gate.directory.access
    if enrolled:
        more_puts, more_deletes = gate.rows.split(directory, enrolled)
        puts, deletes = puts + more_puts, deletes + more_deletes
        classes.append(gate.classes.row(directory))
    note = Note(
        flow.action.name,
        "done",
        facts=facts_of(facts | ({"begin": flow.begun} if flow.begun else {})),
        subjects=tuple(ref_text(Ref(c.kind.name, c.id, access.id)) for c in own),
    )
    _, entry = gate.recorder.entry(flow.asker, flow.access, note)
    domain = flow.access.id
    spares = [directory.id] if enrolled else []
    if access.id != domain or flow.action.verb in GIVES_BACK:
        spares.append(access.id)  # how full it is above tells nobody anything here
    batch = Batch(domain, gate.rows.key(domain, key), puts, deletes, [entry], classes, spares=spares)
    try:
        receipt = await gate.vault.committer.commit(batch)
    except Conflict as conflict:
        said = [(access, c) for c in own] + [(gate.directory.access, c) for c in enrolled]
        raise gate.rows.told(conflict, said) from None
    flow.landed = True
    return receipt
