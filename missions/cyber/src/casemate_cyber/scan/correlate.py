"""Correlation rules over hits in the order of time, with bounded memory.

Kinds (source: Sigma specification 2, correlation rules): event_count, value_count, temporal, temporal_ordered. A window
is `timespan` seconds; a group is the values of `group-by`. When a group has met its condition it tells one alert and
begins anew, so that a flood of hits is one alert each window and not one each hit. What is held at most is GROUPS
groups of a rule and EVENTS events of a group; the oldest go first and are counted in `dropped`.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from casemate_cyber.match.leaf import ordered
from casemate_cyber.rules.pack import Correlation

GROUPS, EVENTS = 10_000, 10_000


class Seen(NamedTuple):
    """One hit of a rule that is correlated. `at`: seconds since 1970; `fields`: what the correlation asks for."""

    rule: str
    at: float
    time: str
    host: str
    user: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Met:
    """A condition that was met: first and last time, the group's values, what was counted."""

    first: str
    last: str
    host: str
    user: str
    group: tuple[tuple[str, str], ...]
    value: int


def seconds(time: str) -> float | None:
    """Seconds since 1970 of a time as events write it; None where it is none. Without a zone it is UTC."""
    try:
        moment = datetime.fromisoformat(time.strip().removesuffix(" UTC"))
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def asked(correlation: Correlation, rule: str) -> set[str]:
    """The fields that a hit of `rule` must bring along."""
    names = {*correlation.by, *([correlation.field] if correlation.field else [])}
    return {correlation.aliases.get(name, {}).get(rule, name) for name in names}


@dataclass(slots=True)
class Watch:
    """One correlation at work. Hits come in the order of time."""

    rule: Correlation
    dropped: int = 0
    groups: OrderedDict[tuple[str, ...], deque[Seen]] = field(default_factory=OrderedDict)

    def see(self, seen: Seen) -> Met | None:
        """One hit; what it completes, if anything. A hit without a value of `group-by` belongs to no group."""
        rule = self.rule
        if seen.rule not in rule.rules:
            return None
        found = [self._value(seen, name) for name in rule.by]
        group = tuple(value for value in found if value is not None)
        if len(group) < len(found):
            return None
        held = self.groups.get(group)
        if held is None:
            held = self.groups[group] = deque()
            if len(self.groups) > GROUPS:
                self.dropped += len(self.groups.popitem(last=False)[1])
        self.groups.move_to_end(group)
        held.append(seen)
        while held and seen.at - held[0].at > rule.timespan:
            held.popleft()
        if len(held) > EVENTS:
            held.popleft()
            self.dropped += 1
        value = self._counted(held)
        if not (ordered(rule.operator, value, rule.count) and self._complete(held)):
            return None
        first, last = held[0], held[-1]
        del self.groups[group]
        return Met(first.time, last.time, last.host, last.user, tuple(zip(rule.by, group, strict=True)), value)

    def _value(self, seen: Seen, name: str) -> str | None:
        return seen.fields.get(self.rule.aliases.get(name, {}).get(seen.rule, name))

    def _counted(self, held: deque[Seen]) -> int:
        match self.rule.kind:
            case "event_count":
                return len(held)
            case "value_count":
                return len({value for seen in held if (value := self._value(seen, self.rule.field)) is not None})
        return len({seen.rule for seen in held})

    def _complete(self, held: deque[Seen]) -> bool:
        """Of temporal_ordered: the rules came in the order in which the correlation names them."""
        if self.rule.kind != "temporal_ordered":
            return True
        wanted = list(self.rule.rules)
        for seen in held:
            if wanted and seen.rule == wanted[0]:
                wanted.pop(0)
        return not wanted
