"""Hits grouped: one alert for a rule, a host and a user, with its count, first and last time, and the reasons.

Groups are kept in a file of SQLite in scratch, through a window in memory: memory stays flat however many there are.
A baseline is what a benign period gave: an alert whose rule, host, user and reasons stand in it is suppressed, and
counted.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from casemate_cyber.rules.pack import Pack
from casemate_cyber.scan.correlate import Seen, Watch, seconds

LEVELS = ("critical", "high", "medium", "low", "informational", "")
HELD = 20_000
_SCHEMA = """
CREATE TABLE alerts (rule INTEGER, host TEXT, user TEXT, count INTEGER, first TEXT, last TEXT, place INTEGER,
  file INTEGER, record TEXT, example BLOB, PRIMARY KEY (rule, host, user)) WITHOUT ROWID;
CREATE TABLE marks (at REAL, rule TEXT, time TEXT, host TEXT, user TEXT, fields BLOB);
CREATE TABLE hours (hour TEXT, level TEXT, count INTEGER, PRIMARY KEY (hour, level)) WITHOUT ROWID;
"""
_UPSERT = """
INSERT INTO alerts VALUES (?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET count = count + excluded.count,
  first = min(first, excluded.first), last = max(last, excluded.last), example = coalesce(example, excluded.example)
"""


class Shown(msgspec.Struct):
    """What was kept of one hit: why, and the event as it came."""

    why: list[tuple[str, str, str]] = []
    source: str = ""
    event: dict[str, Any] = {}


class Alert(msgspec.Struct, kw_only=True):
    """A group of hits. `why`: (field, pattern, value); `event` is the example that it was read from, as it came."""

    key: str
    rule: str
    title: str
    level: str
    author: str
    tags: tuple[str, ...]
    host: str
    user: str
    count: int
    first: str
    last: str
    file: str
    record: str = ""
    source: str = ""
    why: list[tuple[str, str, str]] = []
    example: bool = True
    event: dict[str, Any] = {}
    falsepositives: tuple[str, ...] = ()


class Alerts:
    """The groups of one run. Fill it with the hits of all units in their order, then read it."""

    def __init__(self, pack: Pack, names: Sequence[str], path: Path, lost: Callable[[str], None]) -> None:
        self.pack, self.names, self.lost = pack, names, lost
        self.untimed = 0
        self._held: OrderedDict[tuple[int, str, str], list[Any]] = OrderedDict()
        self._examples: dict[int, bytes] = {}
        self._marked = {rule for correlation in pack.correlations for rule in correlation.rules}
        self._hours: dict[tuple[str, str], int] = {}
        self._base = sqlite3.connect(path, isolation_level=None)
        self._base.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-8192;" + _SCHEMA)
        self._base.execute("BEGIN")

    def add(self, hits: Path) -> None:
        """The hits of one unit, line by line."""
        rules = self.pack.rules
        decode = msgspec.json.Decoder().decode
        with hits.open("rb") as file:
            for line in file:
                number, time, host, user, place, at, record, fields, example = decode(line)
                rule = rules[number]
                if fields is not None or rule.id in self._marked:
                    self._mark(rule.id, time, host, user, fields or {})
                if not rule.silent:
                    kept = msgspec.json.encode(example) if example else None
                    self._count((number, host, user), [1, time, time, at, place, str(record), kept])
                    hour = (time[:13], rule.level)
                    if hour in self._hours or len(self._hours) < HELD:
                        self._hours[hour] = self._hours.get(hour, 0) + 1

    def _count(self, key: tuple[int, str, str], one: list[Any]) -> None:
        held = self._held.get(key)
        if held is None:
            if len(self._held) >= HELD:
                self._write([self._held.popitem(last=False) for _ in range(HELD // 10)])
            self._held[key] = one
        else:
            held[0] += 1
            held[1], held[2] = min(held[1], one[1]), max(held[2], one[2])
            held[6] = held[6] or one[6]
        if one[6] and key[0] not in self._examples:
            self._examples[key[0]] = one[6]

    def _write(self, groups: Iterable[tuple[tuple[int, str, str], list[Any]]]) -> None:
        self._base.executemany(_UPSERT, [(*key, *one) for key, one in groups])

    def _mark(self, rule: str, time: str, host: str, user: str, fields: dict[str, str]) -> None:
        at = seconds(time)
        if at is None:
            self.untimed += 1
            return
        self._base.execute(
            "INSERT INTO marks VALUES (?,?,?,?,?,?)", (at, rule, time, host, user, msgspec.json.encode(fields))
        )

    def correlate(self) -> None:
        """Every correlation over the marks, in the order of time; ties in the order of the inputs."""
        watches = [(len(self.pack.rules) + n, Watch(rule)) for n, rule in enumerate(self.pack.correlations)]
        if watches:
            marks = self._base.execute("SELECT * FROM marks ORDER BY at, rowid")
            for at, rule, time, host, user, fields in marks:
                seen = Seen(rule, at, time, host, user, msgspec.json.decode(fields))
                for number, watch in watches:
                    if (met := watch.see(seen)) is not None:
                        why = [(name, "group-by", value) for name, value in met.group]
                        why.append((watch.rule.kind, f"{watch.rule.operator} {watch.rule.count}", str(met.value)))
                        example = msgspec.json.encode({"why": why, "source": "correlation", "event": {}})
                        self._count((number, met.host, met.user), [1, met.first, met.last, 0, -1, "", example])
        for _, watch in watches:
            if watch.dropped:
                self.lost(f"{watch.rule.title}: {watch.dropped} hits fell out of its bounded windows")
        if self.untimed:
            self.lost(f"{self.untimed} hits bear no time that is read here: no correlation counts them")

    def close(self) -> None:
        """What is held goes to the file; read only after this."""
        self._write(self._held.items())
        self._held.clear()
        self._base.executemany("INSERT INTO hours VALUES (?,?,?)", [(*k, v) for k, v in self._hours.items()])
        self._base.execute("COMMIT")

    def hours(self) -> list[tuple[str, str, int]]:
        """(hour, level, hits) in order."""
        return list(self._base.execute("SELECT * FROM hours ORDER BY hour, level"))

    def each(self) -> Iterator[Alert]:
        """Alerts: the severest first, then by first time, rule, host and user."""
        total = len(self.pack.rules)
        rules: list[Any] = [*self.pack.rules, *self.pack.correlations]
        rank = {level: place for place, level in enumerate(LEVELS)}
        self._base.create_function("rank", 1, lambda n: rank.get(rules[n].level, len(LEVELS)), deterministic=True)
        query = "SELECT * FROM alerts ORDER BY rank(rule), first, rule, host, user"
        for number, host, user, count, first, last, _at, file, record, example in self._base.execute(query):
            rule = rules[number]
            raw = example or self._examples.get(number)
            held = msgspec.json.decode(raw, type=Shown) if raw else Shown()
            yield Alert(
                key=key_of(rule.id, host, user),
                rule=rule.id,
                title=rule.title,
                level=rule.level,
                author=rule.author,
                tags=rule.tags,
                host=host,
                user=user,
                count=count,
                first=first,
                last=last,
                file="" if number >= total else self.names[file],
                record=record,
                source=held.source,
                why=held.why,
                example=example is not None,
                event=held.event,
                falsepositives=rule.falsepositives,
            )


def telling(why: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """One reason for each field, without channel and event id, which every rule of a log asks for; or all there are."""
    kept = {one[0]: one for one in reversed(why) if one[0] not in ("Channel", "EventID")}
    return list(kept.values())[::-1] or why


def key_of(rule: str, host: str, user: str) -> str:
    """By what an alert is known again in a baseline: rule, host and user, no time and no content."""
    return hashlib.sha256(msgspec.json.encode([rule, host.lower(), user.lower()])).hexdigest()[:32]
