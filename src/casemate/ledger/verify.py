"""What a log's records, checkpoints and remembered heads say together: one verdict, computed from bytes alone.

In order of weight, the first that holds:

    tampered      a leaf is not its entry's hash, an entry is not in canonical form or names another log, entries are
                  out of order, a signature is not the key's, or a root is not the one that a checkpoint names
    forked        a remembered head is no beginning of this log, or two checkpoints of one size differ: there were
                  two histories
    incomplete    entries are missing: a gap, or fewer than a checkpoint or a remembered head names
    interrupted   a begin has no end and is not said to be running; the tree itself is whole
    ok            none of these, up to entry `entries` at time `at`; `beyond` later ones are under no checkpoint yet

A `Part` of a log is judged by itself: what came before it is not missing, and a begin whose end may lie behind it is
not interrupted. Where no signed head covers it, or none of the remembered ones can be compared, it is incomplete.

Without a remembered head from outside, a rollback of the whole folder to an earlier state could not be seen: then
`witnessed` is false, and whoever shows the verdict says so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Final, Literal

from casemate.crypto import same
from casemate.errors import Damaged
from casemate.ledger.checkpoint import Checkpoint, Head, verify_checkpoint
from casemate.ledger.entry import Entry, parse
from casemate.ledger.part import WHOLE, Part
from casemate.ledger.proof import verify_consistency
from casemate.ledger.tree import Frontier, Profile, leaf_hash

__all__ = ["WEIGHT", "Record", "State", "Verdict", "verify", "worst"]

State = Literal["ok", "incomplete", "interrupted", "tampered", "forked"]
WEIGHT: Final[tuple[State, ...]] = ("ok", "interrupted", "incomplete", "forked", "tampered")


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
    part: Part
    frontier: Frontier
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
        if not same(leaf_hash(data, self.part.profile), leaf):
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
    part: Part = WHOLE,
) -> Verdict:
    """The verdict on one log, or on a part of it whose records begin at its start. Raises ValueError for no part.

    `public` is the key that its checkpoints must bear; `heads` are remembered from outside; `running` are the ids of
    begins that are known to be at work still. Heads of other logs are passed over; a checkpoint of another log does
    not belong here, and is tampering.
    """
    signed = list(checkpoints)
    remembered = [head for head in heads if head.log == log]
    watched = frozenset([each.size for each in (*_heads(signed, part), *remembered)] + [part.start, part.stop or 0])
    reading = _Reading(log, watched, part, Frontier(part.start, part.peaks, part.profile), last=part.start - 1)
    reading.note()
    for record in records:
        reading.take(record)
    state, why, seq = _judge(reading, signed, remembered, public)
    named = [each.size for each in (*_heads(signed, part), *remembered)]
    interrupted = tuple(each for each in reading.begun if each not in running)
    if part.stop is not None and max(named, default=0) > part.stop:
        interrupted = ()  # what ends them may lie behind the part
    if state == "ok" and interrupted:
        state, why, seq = "interrupted", "begin", reading.begun[interrupted[0]]
    proved = _proved(reading, named, state)
    return Verdict(
        state=state,
        log=log,
        entries=proved,
        at=reading.times.get(proved),
        beyond=reading.frontier.size - max(proved, part.start),
        why=why,
        seq=seq,
        interrupted=interrupted,
        unread=reading.unread,
        witnessed=any(_known(reading, signed, head) for head in remembered) if part.start else bool(remembered),
        solo=any(point.solo for point in signed),
    )


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """That of several verdicts on one log which weighs most; the first of its weight."""
    return max(verdicts, key=lambda verdict: WEIGHT.index(verdict.state))


def _proved(reading: _Reading, named: list[int], state: State) -> int:
    """How many entries stand under a signed or remembered head, directly or by the proof behind a part."""
    if state in ("tampered", "forked"):
        return 0
    if reading.part.stop is not None and state in ("ok", "interrupted"):
        return reading.part.stop
    return max((each for each in named if reading.part.start < each <= reading.frontier.size), default=0)


def _heads(signed: list[Checkpoint], part: Part) -> list[Head]:
    return [*(point.head for point in signed), *part.signed]


def _known(reading: _Reading, signed: list[Checkpoint], head: Head) -> str | None:
    """The root that this log has, or says that it has, at the size of a head; None where nothing is known of it."""
    named = {each.size: each.root for each in _heads(signed, reading.part)}
    return reading.roots.get(head.size, named.get(head.size))


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
    for each in _heads(signed, reading.part):
        if named.setdefault(each.size, each.root) != each.root:
            return "forked", "checkpoints", each.size
    held = reading.roots
    for size, root in named.items():
        if size in held and held[size] != root:
            return "tampered", "root", size
    unproved = _tied(reading, named)
    if unproved is not None and unproved[0] == "tampered":
        return unproved
    for head in remembered:
        known = held.get(head.size, named.get(head.size))
        if known is not None and known != head.root.lower():
            return "forked", "head", head.size
    if reading.gap is not None:
        return "incomplete", "gap", reading.gap
    stop = reading.part.stop
    most = max([*named, *(head.size for head in remembered)], default=0) if stop is None else stop
    if reading.frontier.size < most:
        return "incomplete", "missing", reading.frontier.size
    if unproved is not None:
        return unproved
    if reading.part.start and remembered and not any(_known(reading, signed, head) for head in remembered):
        return "incomplete", "unlinked", reading.part.start
    return "ok", "", None


def _tied(reading: _Reading, named: dict[int, str]) -> tuple[State, str, int | None] | None:
    """Whether a part hangs together with the signed heads before and behind it; None where it does."""
    part, held = reading.part, reading.roots
    if part.stop is None:
        return None
    if reading.frontier.size > part.stop:
        return "tampered", "order", part.stop
    first = max((size for size in named if size < part.start), default=0)
    if first and not _grew(first, named[first], part.start, held[part.start], part.before, part.profile):
        return "tampered", "proof", part.start
    last = min((size for size in named if size > part.stop), default=0)
    if last and part.stop in held and not named.keys() & {part.stop}:
        if not _grew(part.stop, held[part.stop], last, named[last], part.after, part.profile):
            return "tampered", "proof", part.stop
        return None
    if not any(part.start < size <= part.stop for size in named):
        return "incomplete", "unproved", part.start
    return None


def _grew(old: int, old_root: str, size: int, root: str, proof: tuple[bytes, ...], profile: Profile) -> bool:
    try:
        return verify_consistency(old, bytes.fromhex(old_root), size, bytes.fromhex(root), proof, profile)
    except ValueError:  # signed, and yet no hash
        return False
