"""What can be said of a bundle, and by which rule: the words that two verifiers must agree on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

__all__ = ["ACCEPTED", "ALARMS", "RULES", "Alarm", "Came", "Verdict", "VerdictState", "verdict_of"]

VerdictState = Literal["accept", "hold", "refuse", "quarantine"]
Alarm = Literal["clock-behind", "clock-ahead", "clock-expired", "gap-skipped"]

# In the order in which they are asked: the first that holds is the verdict.
RULES: Final[dict[str, VerdictState]] = {
    "bounds": "refuse",
    "channel": "refuse",
    "signature": "refuse",
    "frames": "refuse",
    "key-revoked": "refuse",
    "threshold": "refuse",
    "seen": "refuse",
    "rollback": "refuse",
    "expired": "refuse",
    "gap": "hold",
    "sealed": "hold",
    "inside": "refuse",
    "roots": "refuse",
    "metadata": "refuse",
    "metadata-rollback": "refuse",
    "metadata-expired": "refuse",
    "release-signature": "refuse",
    "release": "refuse",
    "previous": "refuse",
    "label-channel": "quarantine",
    "banner": "quarantine",
    "label-missing": "quarantine",
    "label-unknown": "quarantine",
    "label-high": "quarantine",
    "label-range": "quarantine",
    "label-downgraded": "quarantine",
    "digests": "refuse",
    "guard-missing": "quarantine",
    "guard-refused": "quarantine",
    "guard-differs": "quarantine",
    "accepted": "accept",
}
ACCEPTED: Final = "accepted"
ALARMS: Final[tuple[Alarm, ...]] = ("clock-behind", "clock-ahead", "clock-expired", "gap-skipped")


@dataclass(frozen=True, slots=True)
class Came:
    """What an accepted bundle makes of its channel: the values that its state goes on with. Digests in hexadecimal."""

    sequence: int
    bundle: str
    previous: str
    root: str = field(repr=False)
    timestamp: int
    snapshot: int
    targets: int
    issued: int
    labels: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`gap`: the first and last sequence that is missing before it, where that is why it is held.

    `came` is there where it is accepted, and nowhere else.
    """

    state: VerdictState
    rule: str
    alarms: tuple[Alarm, ...] = ()
    gap: tuple[int, int] | None = None
    came: Came | None = None


def verdict_of(rule: str, alarms: tuple[Alarm, ...] = (), gap: tuple[int, int] | None = None) -> Verdict:
    """The verdict by that rule. `accepted` is not made here: it comes with what the channel goes on with."""
    return Verdict(RULES[rule], rule, alarms, gap)
