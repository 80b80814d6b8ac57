"""What leaves: BEGIN before anything is made, lends to engines, and the release to the caller with its END.

BEGIN is on its way to the disk while an engine inside the region works. Nothing leaves the region, and nothing reaches
the caller, before it is durable: `lend` to the outside and `release` wait for it, and so does whoever sends the head
of a stream (`Flow.durable`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from casemate.access.record import Note, facts_of
from casemate.access.rows import ref_text
from casemate.access.state import State
from casemate.access.withheld import stands, still
from casemate.labels import Label, Labelled
from casemate.labels.unseal import unseal
from casemate.objects import Ref
from casemate.policy import Refuse, Target, decide, originators

__all__ = ["Ceiling", "Released", "announce", "begin", "lend", "release"]

T = TypeVar("T")
NOBODY: frozenset[str] = frozenset()
UNSAID = ("failed", "cancelled")


@dataclass(frozen=True, slots=True)
class Ceiling:
    """What a value may be lent to: its name, its accreditation, and whether it lies outside the region."""

    name: str
    label: Label
    outside: bool = False


@dataclass(frozen=True, slots=True)
class Released:
    """Bytes that may go to the caller, with their label, marking and ledger entry."""

    body: bytes
    label: Label
    marking: str
    entry: str


async def begin(flow: State, request: bytes, facts: dict[str, Any]) -> str:
    """BEGIN in the log of the acting label, with the label of what was brought; what happens later refers to it.

    It need not be durable when this returns.
    """
    note = Note(flow.action.name, "begin", facts=facts_of({**facts, "floor": flow.floor.text}), content=request)
    flow.begun = flow.append(note)
    flow.gate.running.add(flow.begun)
    return flow.begun


async def lend(flow: State, value: Labelled[T], to: Ceiling) -> T:
    """The value, where the borrower's accreditation dominates its label.

    Outside the region, BEGIN and the lend are durable before it goes, in one sync.
    """
    asked = originators(value.label) if to.outside else NOBODY
    target = Target(lends=value.label, ceiling=to.label, outside=to.outside, originators=asked)
    decision = decide(flow.session, flow.acting, flow.action, target)
    if isinstance(decision, Refuse):
        await flow.refuse(decision)
    if to.name not in flow.lent:
        flow.lent.append(to.name)
    if to.outside:
        facts = facts_of({"begin": flow.begun, "engine": to.name, "label": value.label.text})
        note = Note(flow.action.name, "lent", facts=facts)
        flow.append(note)
        await flow.durable()
    return unseal(value)


async def announce(flow: State, value: Labelled[T], to: Ceiling, known: Label | None) -> T | None:
    """The value, where what is outside may have it; None where it may be told no more than that there is one.

    `known`: the highest label of which that much may be told there. Either is an entry that is durable first. Raises
    Refused (`accreditation`, `orcon`).
    """
    target = Target(lends=value.label, ceiling=to.label, outside=True, originators=originators(value.label))
    decision = decide(flow.session, flow.acting, flow.action, target)
    low = known is not None and value.label <= known
    if isinstance(decision, Refuse) and decision.rule == "accreditation" and low:
        facts = facts_of({"engine": to.name, "label": value.label.text, "told": "existence"})
        flow.append(Note(flow.action.name, "lent", facts=facts))
        await flow.durable()
        return None
    return await lend(flow, value, replace(to, outside=True))


async def release(
    flow: State, body: bytes, outcome: str, facts: dict[str, Any], subjects: Sequence[Ref], sent: bool = False
) -> Released:
    """END: digest of the response, what it used, how it ended; durable before the bytes may go.

    Where something that it used has been frozen meanwhile, nothing goes (Conflict), and of what had been `sent` before
    that nothing is kept.
    """
    if not sent and outcome not in UNSAID:
        still(flow)
    body = body if stands(flow) else b""
    facts = {**facts, **flow.facts}
    if flow.lent:
        facts["engines"] = ", ".join(flow.lent)
    note = Note(
        flow.action.name,
        outcome if flow.begun else "done",
        facts=facts_of(facts),
        subjects=tuple([ref_text(s) for s in dict.fromkeys((*subjects, *flow.used))]),
        content=body,
        ref=flow.begun,
    )
    entry = flow.append(note)
    await flow.durable()
    flow.gate.running.end(flow.begun)
    marking = flow.gate.vault.region.policies.banner(flow.label, flow.session.language)
    return Released(body, flow.label, marking, flow.begun or entry)
