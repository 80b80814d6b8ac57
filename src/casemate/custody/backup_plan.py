"""What is to be brought back to which state, worked out from the titles of a chain's links. Pure.

A state is that after a commit: so many commits of the chain are carried into the records, and the files are those that
were there at the points around it. A key that was destroyed before the later of the two points stays destroyed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from casemate.custody.backup import Member, Title, inventory
from casemate.errors import BadInput

__all__ = ["Log", "Plan", "Taken", "plan"]


@dataclass(frozen=True, slots=True)
class Log:
    """One run of the write-ahead log: links in order, and how many frames of it are taken in all."""

    header: bytes
    page: int
    links: tuple[int, ...]
    frames: int


@dataclass(frozen=True, slots=True)
class Taken:
    """A file, the link that holds it and its place in it."""

    link: int
    place: int
    member: Member


@dataclass(frozen=True, slots=True)
class Plan:
    """The base's link, the runs of the log to carry into it, and the files by link. `commit`: the state after it."""

    base: int
    commit: int
    at: int
    logs: tuple[Log, ...]
    files: tuple[Taken, ...]


def plan(titles: Sequence[Title], after: int | None = None, at: int | None = None) -> Plan:
    """The way to the state after a commit, to the last one at or before a moment, or to the end.

    Raises BadInput where the chain does not reach there.
    """
    base = titles[0].base
    assert base is not None  # whoever judged the chain has seen to it
    ends = _commits(titles)
    wanted = _wanted(ends, after, at)
    if wanted < base.least or wanted > len(ends):
        raise BadInput(what=f"This backup reaches from commit {base.least} to commit {len(ends)}.")
    moment = ends[wanted - 1] if wanted else titles[0].at
    return Plan(0, wanted, moment, _logs(titles, wanted), _files(titles, wanted))


def _commits(titles: Sequence[Title]) -> list[int]:
    """When each commit was, in order; time never runs back here, whatever a clock did."""
    found: list[int] = []
    for title in titles:
        for commit in title.wal.commits if title.wal is not None else ():
            found.append(max(commit.at, found[-1] if found else 0))
    return found


def _wanted(ends: list[int], after: int | None, at: int | None) -> int:
    if after is not None and at is not None:
        raise BadInput(what="A state is named by a commit or by a time, and not by both.")
    if after is not None:
        return after
    return len(ends) if at is None else sum(1 for end in ends if end <= at)


def _logs(titles: Sequence[Title], wanted: int) -> tuple[Log, ...]:
    """The spans as far as that commit, run by run."""
    found: list[Log] = []
    for title in titles:
        span = title.wal
        if span is None or span.before >= wanted:
            continue
        last = span.last if span.upto <= wanted else span.commits[wanted - span.before - 1].frame
        if found and found[-1].header == span.header:
            run = found.pop()
            found.append(Log(run.header, run.page, (*run.links, title.number), last))
        else:
            found.append(Log(span.header, span.page, (title.number,), last))
    return tuple(found)


def _files(titles: Sequence[Title], wanted: int) -> tuple[Taken, ...]:
    """What was there at the last point at or before the state, and at the first behind it: the newer form counts."""
    points = [title for title in titles if title.point is not None]
    before = [title.number for title in points if title.point is not None and title.point.commit <= wanted]
    behind = [title.number for title in points if title.point is not None and title.point.commit >= wanted]
    there = inventory(titles[: (before[-1] if before else 0) + 1])
    there |= inventory(titles[: (behind[0] if behind else titles[-1].number) + 1])
    members = {title.number: title.files for title in titles}
    taken = [Taken(link, place, members[link][place]) for link, place in there.values()]
    return tuple(sorted(taken, key=lambda each: (each.link, each.place)))
