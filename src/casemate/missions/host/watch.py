"""A watch: what has a mission run again by itself, and the notice that a run of it found what somebody waits for.

The watch's row is all that is remembered: what was taken (`taken`), the run that is under way (`job`), and when the
next one may begin (`due`). It changes in the commit that submits the job, so that nothing is lost and nothing runs
twice. What must never happen: that a watch reads or writes at another label than that of its row.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from casemate.errors import BadInput
from casemate.missions.host.mission import RunRequest
from casemate.objects import Kind

__all__ = ["ANNOUNCED", "NOTICE", "WATCH", "Announced", "Condition", "Notice", "Watch", "WatchRequest", "condition"]

_CONDITION = re.compile(r"\s*([A-Za-z0-9_.-]{1,80})\s*(>=|<=|==|!=|>|<)\s*(-?[0-9]{1,15}(?:\.[0-9]{1,15})?)\s*")
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
    UTC. `most`: new objects of one run. `clear`: what a run took and succeeded with is removed from its bucket, where
    it lies at the watch's own label. `when`: conditions on figures, any of which makes a notice. `sinks`: where notices
    go, as the settings name them. `run`: the rest of the form.
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


class Watch(msgspec.Struct, frozen=True):
    """`digest`: of the mission that is run, and `mission_at` the class where it lies.

    `taken`: 16 bytes for each object that lies at the source and has been run over. `why`: what prevented the last run,
    or what is wrong with what it left. `faults`: how often in a row none could begin.
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
    figures: dict[str, bool | int | float]
    sinks: dict[str, str] = {}
    open: str = "no"
    tried: int = 0
    due: int = 0


class Announced(msgspec.Struct, frozen=True):
    """When a sink was last told, from this class, no more than that there is something."""

    at: int


class Condition(msgspec.Struct, frozen=True):
    """A figure, how it is compared, and with what."""

    figure: str
    holds: str
    value: float

    def met(self, figures: Mapping[str, Any]) -> bool:
        """Whether the figure is a number of which it is true."""
        found = figures.get(self.figure)
        return isinstance(found, int | float) and bool(_HOLDS[self.holds](found, self.value))


def condition(text: str) -> Condition:
    """What `alerts > 0` says. Raises BadInput."""
    match = _CONDITION.fullmatch(text)
    if match is None:
        raise BadInput(what="A condition is FIGURE, one of > >= < <= == !=, and a number.")
    return Condition(match[1], match[2], float(match[3]))


WATCH = Kind("mission-watch", Watch)
NOTICE = Kind("mission-notice", Notice, indexed=("open", "job"))
ANNOUNCED = Kind("mission-announced", Announced)
