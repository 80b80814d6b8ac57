"""A watch: what has a mission run again by itself, and the notice that a run of it found what somebody waits for.

The watch's row is all that is remembered: what was taken (`taken`), the run that is under way (`job`), and when the
next one may begin (`due`). It changes in the commit that submits the job, so that nothing is lost and nothing runs
twice. What must never happen: that a watch reads or writes at another label than that of its row.
"""

from __future__ import annotations

import hashlib
import operator
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from casemate.errors import BadInput
from casemate.missions.host.mission import RunRequest
from casemate.objects import Kind

__all__ = [
    "ANNOUNCED",
    "NOTICE",
    "WATCH",
    "Announced",
    "Condition",
    "Notice",
    "Watch",
    "WatchRequest",
    "condition",
    "told",
]

_CONDITION = re.compile(r"\s*([A-Za-z0-9_.-]{1,80})\s*(>=|<=|==|!=|>|<)\s*(-?[0-9]{1,15}(?:\.[0-9]{1,15})?)\s*")
_CHANGES = re.compile(r"\s*([A-Za-z0-9_.-]{1,80})\s+changes\s*")
_LONG = 96
_HOLDS = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}


class WatchRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`source`: object:BUCKET/PREFIX, dataset:NAME, or "" for a schedule alone. What is new there goes into `role`.

    `every_s`: the least seconds from one run to the next. `cron`: instead, when one may begin, as a cron line in
    UTC. `most`: new objects of one run. `whole`: as soon as something is new, a run takes all that lies there. `clear`:
    what a run took and succeeded with is removed from its bucket, where it lies at the watch's own label. `when`:
    conditions on figures, any of which makes a notice. `sinks`: where notices go, as the settings name them. `run`: the
    rest of the form.
    """

    name: str
    mission: str
    source: str = ""
    role: str = ""
    every_s: int = 0
    most: int = 50
    when: tuple[str, ...] = ()
    sinks: tuple[str, ...] = ()
    run: RunRequest = RunRequest()
    cron: str = ""
    clear: bool = False
    whole: bool = False


class Watch(msgspec.Struct, frozen=True):
    """`digest`: of the mission that is run, and `mission_at` the class where it lies.

    `taken`: 16 bytes for each object that lies at the source and has been run over. `why`: what prevented the last run,
    or what is wrong with what it left. `faults`: how often in a row none could begin. `seen`: what the last run that
    had them found for the figures of which somebody waits for a change. `paused`: no run begins.
    """

    name: str
    mission: str
    mission_at: str
    digest: str
    owner: str
    person: str
    language: str
    source: str
    role: str
    every_s: int
    most: int
    when: tuple[str, ...]
    sinks: tuple[str, ...]
    run: RunRequest
    at: int
    taken: bytes = b""
    job: str = ""
    due: int = 0
    runs: int = 0
    last: str = ""
    why: str = ""
    faults: int = 0
    cron: str = ""
    clear: bool = False
    whole: bool = False
    seen: dict[str, bool | int | float | str] = {}
    paused: bool = False


class Notice(msgspec.Struct, frozen=True):
    """That a run's `figures` met the watch's conditions. `sinks`: what became of it at each; "" where it is to go.

    sent: all of it; announced: that there is one; folded: that was said within the hour; else why it did not go.
    """

    watch: str
    name: str
    mission: str
    job: str
    owner: str
    at: int
    figures: dict[str, bool | int | float | str]
    sinks: dict[str, str] = {}
    open: str = "no"
    tried: int = 0
    due: int = 0


class Announced(msgspec.Struct, frozen=True):
    """When a sink was last told, from this class, no more than that there is something."""

    at: int


class Condition(msgspec.Struct, frozen=True):
    """A figure, how it is compared, and with what; `changes` compares it with what the last run found."""

    figure: str
    holds: str
    value: float = 0.0

    def met(self, figures: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
        """Whether it is true of a number; or of a figure that the last run found otherwise."""
        found = figures.get(self.figure)
        if self.holds == "changes":
            return found is not None and self.figure in before and told(found) != before.get(self.figure)
        return isinstance(found, int | float) and bool(_HOLDS[self.holds](found, self.value))


def condition(text: str) -> Condition:
    """What `alerts > 0` or `answer changes` says. Raises BadInput."""
    if changes := _CHANGES.fullmatch(text):
        return Condition(changes[1], "changes")
    match = _CONDITION.fullmatch(text)
    if match is None:
        raise BadInput(what="A condition is FIGURE, one of > >= < <= == !=, and a number; or FIGURE changes.")
    return Condition(match[1], match[2], float(match[3]))


def told(figure: bool | int | float | str) -> bool | int | float | str:
    """As a row keeps it: of a long text, its SHA-384, hexadecimal."""
    long = isinstance(figure, str) and len(figure) > _LONG
    return hashlib.sha384(str(figure).encode()).hexdigest() if long else figure


WATCH = Kind("mission-watch", Watch)
NOTICE = Kind("mission-notice", Notice, indexed=("open", "job"))
ANNOUNCED = Kind("mission-announced", Announced)
