"""The one writer of a region's records in PostgreSQL: a group of batches in one call, one transaction, one round trip.

    commit() -> queue of its domain -> [thread] commit_group(...) -> synced commit -> receipts

Who writes holds a session's advisory lock on the very connection that it writes through: where that is gone, so is the
lock, and nothing more goes through it. A number in `meta` rises with each writer and is named in each call, so that one
that lost its lock without noticing (behind a proxy that lends connections) is refused by the server. Whoever comes back
and finds that another has written meanwhile is broken: it must be started again.
"""

from __future__ import annotations

import contextlib
import struct
import time
from dataclasses import dataclass

from casemate.engines.group_writer import GroupWriter, Outcome
from casemate.engines.postgres_apply import apply, refused
from casemate.engines.postgres_link import Failed, Link, Lost, Target, told
from casemate.engines.postgres_schema import open_writer, take_lock
from casemate.errors import BadInput, CasemateError, Conflict, Internal, Misconfigured, Occupied, Unavailable
from casemate.store import Batch, Share

__all__ = ["PostgresLimits", "PostgresWriter"]

_FENCED = "CM423"
_PAUSE = 0.05


@dataclass(frozen=True, slots=True)
class PostgresLimits:
    """`bound`: batches that may wait per domain. `share`: batches of one domain in one group. `size`: bytes that go to
    the server in one call, where there are several batches. `lock`: seconds that a lock is waited for at the start."""

    bound: int = 1024
    share: int = 64
    size: int = 32 << 20
    lock: float = 10.0


class PostgresWriter(GroupWriter):
    """The Committer port over PostgreSQL. One per region: a second one is refused by a lock in the database."""

    def __init__(
        self, target: Target, limits: PostgresLimits | None = None, share: Share = lambda _class_id: 0
    ) -> None:
        """Raises Unavailable, Misconfigured, NewerSchema, Damaged, and Occupied where another writes.

        `share`: what a class may take.
        """
        self._limits = limits or PostgresLimits()
        super().__init__(self._limits.bound, self._limits.share)
        self.target = target
        self._share = share
        self._epoch = 0
        self._link: Link | None = self._connected(self._limits.lock)
        self._thread.start()

    def _connected(self, patience: float) -> Link:
        """A connection that holds the lock, under a number of its own."""
        link = open_writer(self.target)
        try:
            take_lock(link, patience)
            if link.run("SELECT 1 FROM meta WHERE name = 'moving'"):
                raise Misconfigured(setting="store.dbname", why="a move into this database has not come to its end")
            (found,) = link.run("SELECT value FROM meta WHERE name = 'epoch'")[0]
            if self._epoch and int(found) != self._epoch:
                self.broken = True
                raise Occupied(what="records")
            ((risen,),) = link.run(
                "UPDATE meta SET value = (value::int8 + 1)::text WHERE name = 'epoch' RETURNING value"
            )
        except BaseException as error:
            link.close()
            if isinstance(error, Failed | Lost):
                raise Unavailable(what="records") from None
            raise
        self._epoch = int(risen)
        return link

    def _together(self, group: list[Batch]) -> list[Outcome] | None:
        outcomes: list[Outcome | None] = [refused(batch) for batch in group]
        good = [batch for batch, outcome in zip(group, outcomes, strict=True) if outcome is None]
        written: list[Outcome] = []
        for part in _parts(good, self._limits.size):
            try:
                written += self._call(part)
            except (Failed, ValueError, TypeError, struct.error):
                if len(part) == 1:
                    written.append(self._single(part[0]))
                    continue
                written += [self._single(batch) for batch in part]
        rest = iter(written)
        return [next(rest) if outcome is None else outcome for outcome in outcomes]

    def _alone(self, batch: Batch) -> Outcome:
        return refused(batch) or self._single(batch)

    def _single(self, batch: Batch) -> Outcome:
        try:
            return self._call([batch])[0]
        except Failed as error:
            return Conflict(what="batch") if error.state.startswith("23") else told(error)
        except UnicodeEncodeError:
            return Internal()
        except ValueError:
            return BadInput(what="name")
        except (TypeError, struct.error):
            return Internal()

    def _call(self, batches: list[Batch]) -> list[Outcome]:
        """Raises what keeps the whole transaction from being written; who is cut off is told that nobody knows."""
        link = self._again()
        if link is None or not batches:
            return [Unavailable(what="store") for _ in batches]
        try:
            return apply(link, self._epoch, batches, self._share)
        except Lost:
            self._drop()
        except Failed as error:
            if error.state != _FENCED:
                raise
            self.broken = True
            self._drop()
        return [Unavailable(what="store") for _ in batches]

    def _again(self) -> Link | None:
        """The connection, sought anew where it is lost; None where there is none for now, or never again."""
        if self._link is not None and self._link.lost:
            self._drop()
        if self._link is None and not self.broken:
            until = time.monotonic() + self.target.seconds
            while self._link is None and not self.broken:
                with contextlib.suppress(CasemateError):
                    self._link = self._connected(max(0.0, until - time.monotonic()))
                if self._link is None:
                    if self._stopping or time.monotonic() >= until:
                        break
                    time.sleep(_PAUSE)
        return None if self.broken else self._link

    def _drop(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.close()

    def _release(self) -> None:
        self._drop()


def _parts(group: list[Batch], size: int) -> list[list[Batch]]:
    """The group in its order, in parts of about so many bytes."""
    parts: list[list[Batch]] = []
    room = 0
    for batch in group:
        weight = sum(len(put.sealed) for put in batch.puts)
        weight += sum(len(entry.sealed) + len(entry.content) for entry in batch.entries)
        if not parts or weight > room:
            parts.append([])
            room = size
        parts[-1].append(batch)
        room -= weight
    return parts
