"""What a log's records, checkpoints and remembered heads say together: one verdict, computed from bytes alone.

In order of weight, the first that holds:

    tampered      a leaf is not its entry's hash, an entry is not in canonical form or names another log, entries are
                  out of order, a signature is not the key's, or a root is not the one that a checkpoint names
    forked        a remembered head is no beginning of this log, or two checkpoints of one size differ: there were
                  two histories
    incomplete    entries are missing: a gap, or fewer than a checkpoint or a remembered head names
    interrupted   a begin has no end and is not said to be running; the tree itself is whole
    ok            none of these, up to entry `entries` at time `at`; `beyond` later ones are under no checkpoint yet

Without a remembered head from outside, a rollback of the whole folder to an earlier state could not be seen: then
`witnessed` is false, and whoever shows the verdict says so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Literal

from casemate.crypto import same
from casemate.errors import Damaged
from casemate.ledger.checkpoint import Checkpoint, Head, verify_checkpoint
from casemate.ledger.entry import Entry, parse
from casemate.ledger.tree import Frontier, leaf_hash

__all__ = ["Record", "State", "Verdict", "verify"]

State = Literal["ok", "incomplete", "interrupted", "tampered", "forked"]


@dataclass(frozen=True, slots=True)
class Record:
    """An entry as given to `verify`: its place from 0, its leaf hash, its canonical bytes where they can be read."""

    seq: int
    leaf: bytes
    data: bytes | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What can be said of a log.

    `entries` counts those proved by a checkpoint or a remembered head (none where the log is tampered or forked), and
    `at` is the time of the last of them that could be read. `beyond` counts the others: consistent, but under no
    checkpoint yet. `why` is a slug, `seq` the place where it was seen. `interrupted` are the ids of begins without an
    end. `unread` counts entries whose text was not given.
    """

    state: State
    log: str
    entries: int = 0
    at: int | None = None
    beyond: int = 0
    why: str = ""
    seq: int | None = None
    interrupted: tuple[str, ...] = ()
    unread: int = 0
    witnessed: bool = False
    solo: bool = False


@dataclass(slots=True)
class _Reading:
    """What reading the records once has gathered."""

    log: str
    watched: frozenset[int]
    frontier: Frontier = field(default_factory=Frontier)
    roots: dict[int, str] = field(default_factory=dict)
    times: dict[int, int] = field(default_factory=dict)
    begun: dict[str, int] = field(default_factory=dict)
    last: int = -1
    at: int | None = None
    unread: int = 0
    fault: tuple[str, int] | None = None
    gap: int | None = None

    def take(self, record: Record) -> None:
        """One more record; the first fault and the first gap are kept."""
        if record.seq <= self.last:
            self._blame("order", record.seq)
            return
        if record.seq != self.last + 1 and self.gap is None:
            self.gap = self.last + 1
        self.last = record.seq
        if record.data is None:
            self.unread += 1
        else:
            self._entry(record.seq, record.leaf, record.data)
        if self.gap is None:
            self._grow(record.leaf)

    def note(self) -> None:
        """Remember root and time where somebody will ask for them."""
        if self.frontier.size in self.watched:
            self.roots[self.frontier.size] = self.frontier.root().hex()
            if self.at is not None:
                self.times[self.frontier.size] = self.at

    def _entry(self, seq: int, leaf: bytes, data: bytes) -> None:
        if not same(leaf_hash(data), leaf):
            self._blame("leaf", seq)
            return
        try:
            entry = parse(data)
        except Damaged:
            self._blame("entry", seq)
            return
        if entry.log != self.log:
            self._blame("log", seq)
        self.at = entry.at
        self._pair(entry, seq)

    def _pair(self, entry: Entry, seq: int) -> None:
        if entry.outcome == "begin":
            self.begun[entry.id] = seq
        elif entry.ref:
            self.begun.pop(entry.ref, None)

    def _grow(self, leaf: bytes) -> None:
        self.frontier.append(leaf)
        self.note()

    def _blame(self, why: str, seq: int) -> None:
        if self.fault is None:
            self.fault = (why, seq)


def verify(
    log: str,
    records: Iterable[Record],
    checkpoints: Iterable[Checkpoint],
    public: bytes,
    heads: Iterable[Head] = (),
    running: Collection[str] = (),
) -> Verdict:
    """The verdict on one log.

    `public` is the key that its checkpoints must bear; `heads` are remembered from outside; `running` are the ids of
    begins that are known to be at work still. Heads of other logs are passed over; a checkpoint of another log does
    not belong here, and is tampering.
    """
    signed = list(checkpoints)
    remembered = [head for head in heads if head.log == log]
    watched = frozenset([point.size for point in signed] + [head.size for head in remembered])
    reading = _Reading(log, watched)
    reading.note()
    for record in records:
        reading.take(record)
    state, why, seq = _judge(reading, signed, remembered, public)
    interrupted = tuple(each for each in reading.begun if each not in running)
    if state == "ok" and interrupted:
        state, why, seq = "interrupted", "begin", reading.begun[interrupted[0]]
    proved = 0
    if state not in ("tampered", "forked"):
        proved = max((size for size in watched if size <= reading.frontier.size), default=0)
    return Verdict(
        state=state,
        log=log,
        entries=proved,
        at=reading.times.get(proved),
        beyond=reading.frontier.size - proved,
        why=why,
        seq=seq,
        interrupted=interrupted,
        unread=reading.unread,
        witnessed=bool(remembered),
        solo=any(point.solo for point in signed),
    )


def _judge(
    reading: _Reading, signed: list[Checkpoint], remembered: list[Head], public: bytes
) -> tuple[State, str, int | None]:
    """State, reason and place, before the pairs of begin and end are looked at."""
    if reading.fault is not None:
        return "tampered", *reading.fault
    for point in signed:
        if point.log != reading.log or not verify_checkpoint(point, public):
            return "tampered", "signature", point.size
    named: dict[int, str] = {}
    for point in signed:
        if named.setdefault(point.size, point.root) != point.root:
            return "forked", "checkpoints", point.size
    held = reading.roots
    for size, root in named.items():
        if size in held and held[size] != root:
            return "tampered", "root", size
    for head in remembered:
        known = held.get(head.size, named.get(head.size))
        if known is not None and known != head.root.lower():
            return "forked", "head", head.size
    if reading.gap is not None:
        return "incomplete", "gap", reading.gap
    most = max([*named, *(head.size for head in remembered)], default=0)
    if reading.frontier.size < most:
        return "incomplete", "missing", reading.frontier.size
    return "ok", "", None
