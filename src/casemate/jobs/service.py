"""How a service goes on: from what its replicas say to what is begun, taken out of service and ended. Pure.

    starting ──> healthy <──> failing          a replica that is no longer wanted, or fails for too long:
        │           │            │             draining (nothing new) ──> stopping (asked to end) ──> gone
        └───────────┴────────────┘

A new revision takes over one by one: one more than wanted runs meanwhile, and an old one goes only when a new one is
healthy in its place. Where there is no room for one more, one of several old ones goes first. A replica that ends by
itself is replaced, after a pause that doubles while none becomes healthy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from casemate.clock import SECOND
from casemate.jobs.job import Replica, Service, Serving, Spec

__all__ = ["Course", "Seen", "onward", "revised"]

FAILING = 30 * SECOND
"""For how long one that was healthy may fail before it is ended."""
SETTLE = SECOND
"""A replica that drains may still be asked by who chose it before it was taken out: it is not ended sooner."""
ROOM = 10 * SECOND
"""For how long a new revision waits for room beside the old one before one of several old replicas makes it."""
PAUSE, LONGEST = SECOND, 300 * SECOND


@dataclass(frozen=True, slots=True)
class Seen:
    """A replica's job now. `runs`: its program has begun; `ended`: how it ended, "" while it has not."""

    runs: bool = False
    healthy: bool = False
    connections: int = 0
    ended: str = ""


@dataclass(frozen=True, slots=True)
class Course:
    """The next value; indexes of children that are to be made, and of those that are to end now."""

    serving: Serving
    begin: tuple[int, ...] = ()
    stop: tuple[int, ...] = ()

    @property
    def doors(self) -> tuple[int, ...]:
        """Which replicas are asked."""
        return tuple(one.index for one in self.serving.replicas if one.state == "healthy")


def onward(serving: Serving, told: Service, seen: Mapping[int, Seen], now: int, stop: bool = False) -> Course:
    """One step. `seen`: every replica of `serving` by its index; one that is missing has ended."""
    after = [one for each in serving.replicas if (one := _looked(each, told, seen.get(each.index), now)) is not None]
    for each in serving.replicas:
        how = seen.get(each.index, Seen(ended="LOST"))
        gone = next((one for one in after if one.index == each.index), None)
        if each.state in ("draining", "stopping") or (gone is not None and gone.state != "stopping"):
            continue
        why = how.ended or ("START" if each.state == "starting" else "HEALTH")
        serving = _failed(serving, why, now)
    wanted = 0 if stop else told.replicas
    well = [one for one in after if one.state == "healthy" and now - one.since > FAILING]
    if serving.failures and sum(one.revision == serving.revision for one in well) >= wanted:
        serving = replace(serving, failures=0)
    after = _roomier(_fewer(after, serving.revision, wanted, now), serving.revision, wanted, seen, now)
    ending = tuple(one.index for one in after if one.state == "stopping" and not _was(serving.replicas, one))
    new = [] if stop or now < serving.again else _more(after, serving, wanted, now)
    return Course(
        replace(serving, replicas=(*after, *new), made=serving.made + len(new)),
        tuple(one.index for one in new),
        ending,
    )


def revised(serving: Serving, before: Spec, spec: Spec) -> Serving:
    """After another spec: a new revision, unless nothing but the number of replicas and the patience changed."""
    old, new = before.service or Service(), spec.service or Service()
    alike = replace(old, replicas=new.replicas, start_s=new.start_s, drain_s=new.drain_s)
    if replace(before, service=alike) == spec:
        return serving
    return replace(serving, revision=serving.revision + 1, failures=0, again=0)


def _looked(one: Replica, told: Service, seen: Seen | None, now: int) -> Replica | None:
    """The replica after what was seen of it; None where it is no more."""
    if seen is None or seen.ended:
        return None
    if one.state == "starting":
        if seen.healthy:
            return replace(one, state="healthy", since=now)
        if not seen.runs:
            return (
                replace(one, since=now) if now - one.since > max(told.start_s * SECOND // 2, 2 * ROOM) else one
            )  # it has no room yet
        return replace(one, state="stopping", since=now) if now - one.since > told.start_s * SECOND else one
    if one.state == "healthy":
        return one if seen.healthy else replace(one, state="failing", since=now)
    if one.state == "failing":
        if seen.healthy:
            return replace(one, state="healthy", since=now)
        return replace(one, state="stopping", since=now) if now - one.since > FAILING else one
    if one.state == "draining":
        idle = not seen.connections and now - one.since > SETTLE
        return replace(one, state="stopping", since=now) if idle or now - one.since > told.drain_s * SECOND else one
    return one


def _failed(serving: Serving, why: str, now: int) -> Serving:
    pause = min(PAUSE << min(serving.failures, 16), LONGEST)
    return replace(serving, failures=serving.failures + 1, again=now + pause, why=why[:256])


def _fewer(replicas: Sequence[Replica], revision: int, wanted: int, now: int) -> list[Replica]:
    """Those that are too many are taken out: old ones that a healthy new one replaces, then new ones beyond."""
    asked = [one for one in replicas if one.state in ("starting", "healthy", "failing")]
    rank = {"starting": 0, "failing": 1, "healthy": 2}
    new = sorted((one for one in asked if one.revision == revision), key=lambda one: (rank[one.state], -one.index))
    old = sorted((one for one in asked if one.revision != revision), key=lambda one: (rank[one.state], one.index))
    healthy = sum(one.state == "healthy" for one in new)
    going = {one.index for one in old[: max(len(old) - max(wanted - healthy, 0), 0)]}
    going |= {one.index for one in new[: max(len(new) - wanted, 0)]}
    return [
        replace(one, state="stopping" if one.state == "starting" else "draining", since=now)
        if one.index in going
        else one
        for one in replicas
    ]


def _roomier(
    replicas: Sequence[Replica], revision: int, wanted: int, seen: Mapping[int, Seen], now: int
) -> list[Replica]:
    """An old one is taken out where a new one has no room and all that are wanted, more than one, are well."""
    well = [one for one in replicas if one.state == "healthy"]
    waits = [one for one in replicas if one.revision == revision and one.state == "starting"]
    stuck = any(now - one.since > ROOM and not seen.get(one.index, Seen()).runs for one in waits)
    old = min((one.index for one in well if one.revision != revision), default=-1)
    if not stuck or old < 0 or len(well) < max(wanted, 2):
        return list(replicas)
    return [replace(one, state="draining", since=now) if one.index == old else one for one in replicas]


def _more(replicas: Sequence[Replica], serving: Serving, wanted: int, now: int) -> list[Replica]:
    """New ones: as many as are wanted where there are no old ones, else one beyond what is wanted at a time."""
    asked = [one for one in replicas if one.state in ("starting", "healthy", "failing")]
    new = sum(one.revision == serving.revision for one in asked)
    room = wanted + (1 if len(asked) > new else 0) - len(asked)
    many = max(min(wanted - new, room), 0)
    return [Replica(serving.made + place, serving.revision, "starting", now) for place in range(many)]


def _was(replicas: Sequence[Replica], one: Replica) -> bool:
    return any(each.index == one.index and each.state == "stopping" for each in replicas)
