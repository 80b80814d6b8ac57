"""Whether something may go down: the rules of the release door, in this order; the first that says no is the answer.

    asked ──approve──▶ asked (one approval) ──approve──▶ asked (two) ──carry──▶ carried
      └────────────────────────────── refuse, withdraw, or its time ends ──────▶ never

Of the request:
1. `release-door`: the region has at least three principals.
2. `release-target`: the target lies strictly below the source, and at or above the region's floor.
3. `release-expired`: the request's time has not ended.
4. `release-changed`: what lies there now is what the request names, and what would leave is what it shows.

Of each approval; one that has ceased to stand does not count, and does not stand in the way of two others:
5. `release-self`: its approver is not the requester.
6. `release-approver`: he is a releaser now, cleared for the source and for where the request lies, and needs to know.
7. `release-key`: its key is registered to him now, has not ended, and may release as low as the target.
8. `release-signature`: the key has signed exactly this request.

Of all of them:
9. `release-two-people`: no approver and no key counts twice.
10. `release-registrar`: no approver has registered one of the keys.
11. `release-approvals`: two of them stand.
12. `release-originator`: every originator of the source has a key among them that speaks for it.

Of the day:
13. `release-quota`: what may leave in a day from where the request lies has room for it.

Pure: who signs, who is cleared and what lies where are found out elsewhere and told here as values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from casemate.identity import Principal
from casemate.labels import Label
from casemate.policy.decision import Decision, Permit, Refuse
from casemate.policy.need import Need

__all__ = ["APPROVERS", "PRINCIPALS", "Approving", "Leaving", "Room", "may_approve", "may_leave"]

APPROVERS = 2
EVERYBODY = Need()
PRINCIPALS = 3  # two approvers, neither of them the requester


@dataclass(frozen=True, slots=True)
class Room:
    """What may still leave today: releases and bytes; and how many of both there are for a day."""

    count: int
    size: int
    of_count: int
    of_size: int


@dataclass(frozen=True, slots=True)
class Leaving:
    """What is asked to go down. `lies` is the label of the request itself; `changed`: it is not what was asked for.

    `size` is that of what would leave, in bytes; `room` what the day has left for it.
    `originators` are the agencies without whose yes it goes nowhere, `need` what one needs to know beside the label.
    """

    source: Label
    target: Label
    lies: Label
    requester: str
    expires: int
    size: int
    room: Room
    originators: frozenset[str] = frozenset()
    need: Need = EVERYBODY
    changed: bool = False


@dataclass(frozen=True, slots=True)
class Approving:
    """One approval as it counts now: None, "" and False where what it needs is gone.

    `approver` is he as he stands now; `owner` whose the key is, `lowest` the lowest label to which it may release,
    `ends` its end, `registrar` the officer who registered it, `speaks` the agencies in whose name it approves.
    """

    id: str
    key: str
    approver: Principal | None
    owner: str
    lowest: Label | None
    ends: int
    registrar: str
    signed: bool
    speaks: frozenset[str] = frozenset()


def may_leave(asked: Leaving, approvals: Sequence[Approving], principals: int, floor: Label, now: int) -> Decision:
    """Whether it may be carried out, now, with these approvals."""
    refusal = _asked(asked, principals, floor, now)
    if refusal is not None:
        return refusal
    standing: list[Approving] = []
    for each in approvals:
        why = _stands(asked, each, now) or _beside(each, standing)
        if why is None:
            standing.append(each)
        refusal = refusal or why
    if len(standing) < APPROVERS:
        return refusal or Refuse("release-approvals", {"have": str(len(standing)), "need": str(APPROVERS)})
    silent = asked.originators.difference(*(each.speaks for each in standing))
    if silent:
        return Refuse("release-originator", {"originator": ", ".join(sorted(silent))})
    if asked.room.count < 1 or asked.room.size < asked.size:
        return Refuse("release-quota", {"count": str(asked.room.of_count), "size": str(asked.room.of_size)})
    return Permit("release")


def may_approve(
    asked: Leaving, given: Approving, others: Sequence[Approving], principals: int, floor: Label, now: int
) -> Decision:
    """Whether this approval may be given, beside those that have been given already."""
    refusal = _asked(asked, principals, floor, now) or _stands(asked, given, now) or _beside(given, others)
    return Permit("release") if refusal is None else refusal


def _asked(asked: Leaving, principals: int, floor: Label, now: int) -> Refuse | None:
    if principals < PRINCIPALS:
        return Refuse("release-door", {"need": str(PRINCIPALS)})
    if not (floor <= asked.target <= asked.source) or asked.target is asked.source:
        return Refuse("release-target", {"source": asked.source.text, "target": asked.target.text})
    if now >= asked.expires:
        return Refuse("release-expired")
    return Refuse("release-changed") if asked.changed else None


def _stands(asked: Leaving, each: Approving, now: int) -> Refuse | None:
    him = each.approver
    if each.id == asked.requester:
        return Refuse("release-self")
    if him is None or "releaser" not in him.roles or not _knows(asked, him):
        return Refuse("release-approver")
    if each.owner != each.id or each.lowest is None or now >= each.ends or not each.lowest <= asked.target:
        return Refuse("release-key")
    return None if each.signed else Refuse("release-signature")


def _knows(asked: Leaving, him: Principal) -> bool:
    return (asked.source | asked.lies) <= him.clearance and asked.need.allows(him.clearance.needs)


def _beside(each: Approving, others: Sequence[Approving]) -> Refuse | None:
    if any(each.id == other.id or each.key == other.key for other in others):
        return Refuse("release-two-people")
    for one in (each, *others):
        if each.id == one.registrar or one.id == each.registrar:
            return Refuse("release-registrar")
    return None
