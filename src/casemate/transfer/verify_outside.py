"""The judgement of what stands outside: signature, then sequence, then expiry. No key is needed for it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from casemate.crypto import same
from casemate.transfer.bundle.face import Face, Outside, Role
from casemate.transfer.bundle.roles import Trust
from casemate.transfer.state import State
from casemate.transfer.verdict import Alarm

__all__ = ["Before", "believed", "judged_outside"]


@dataclass(frozen=True, slots=True)
class Before:
    """What the outside comes to: the rule that ends it, or "" and the time that counts for the rest."""

    rule: str = ""
    time: int = 0
    alarms: tuple[Alarm, ...] = ()
    gap: tuple[int, int] | None = None


def judged_outside(outside: Outside, frames: bytes, state: State, trust: Trust, now: int) -> Before:
    """In the order of the rules."""
    face = outside.face
    if face.channel.hex() != state.channel or trust.channel != face.channel:
        return Before("channel")
    if not outside.stands():
        return Before("signature")
    if not same(frames, face.frames):
        return Before("frames")
    rule = _signed(outside, state, trust)
    if rule:
        return Before(rule)
    return _timely(face, state, now)


def believed(state: State, now: int) -> tuple[int, tuple[Alarm, ...]]:
    """The time that counts, and whether the clock was not believed: it must be near what others have attested."""
    if state.attested and now < state.attested:
        return state.attested, ("clock-behind",)
    if state.attested and now > state.attested + state.window:
        return state.attested, ("clock-ahead",)
    return now, ()


def _signed(outside: Outside, state: State, trust: Trust) -> str:
    """The rule by which its signatures are not enough; "" where they are."""
    revoked = frozenset(state.revoked)
    asked: tuple[tuple[Role, tuple[bytes, ...], int], ...] = (
        ("signer", trust.signers, trust.signers_needed),
        ("approver", trust.approvers, trust.approvers_needed),
    )
    enough = every = True
    for role, keys, needed in asked:
        theirs = [each for each in outside.signatures if each.role == role and each.public in keys]
        every = every and len(theirs) >= needed
        enough = enough and sum(each.key not in revoked for each in theirs) >= needed
    return "" if enough else "key-revoked" if every else "threshold"


def _timely(face: Face, state: State, now: int) -> Before:
    time, alarms = believed(state, now)
    if face.id.hex() == state.bundle:
        return Before("seen", alarms=alarms)
    if face.sequence <= state.sequence:
        return Before("rollback", alarms=alarms)
    if face.expires <= time:
        return Before("expired", alarms=alarms)
    if face.expires <= now:
        alarms = (*alarms, "clock-expired")
    last = max(state.sequence, state.skip)
    if face.sequence > last + 1:
        return Before("gap", alarms=alarms, gap=(last + 1, face.sequence - 1))
    if face.sequence > state.sequence + 1:
        alarms = (*alarms, "gap-skipped")
    return Before("", time, alarms)
