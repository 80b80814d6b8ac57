"""What carries notices out of the region: all of one where the sink may have it, else that there is one, or nothing.

What the sink may be told is the gate's decision, by the label of the notice (`Flow.announce`). That there is something
is itself told downwards only where the settings say so, and at most once an hour from each class to each sink: how
often something is found above is no message that can be written below. A sink may get a notice twice, after the region
was started anew; the second has the same id. What must never happen: that a sink is told a figure, a name or an id of
what its accreditation does not dominate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import msgspec
from msgspec.structs import replace as changed

from casemate.access import Ceiling, Flow, Gate, Lanes
from casemate.clock import SECOND, Loop
from casemate.errors import CasemateError, Refused, Unavailable
from casemate.ids import fresh
from casemate.labels import AccessClass, Label, Labelled
from casemate.missions.host.watch import ANNOUNCED, NOTICE, Announced, Notice
from casemate.objects import Change, Found, Put, Ref, Where
from casemate.policy import Action

__all__ = ["HOUR", "Notices", "Outlet", "Sink"]

SEND = Action("send", "mission-notice")
HOUR = 3600 * SECOND
TRIES = 8
WAIT = 60
"""Seconds until what did not arrive is sent again; twice as many each time."""


class Outlet(Protocol):
    """A folder or a web hook."""

    async def send(self, partition: str, id: str, body: bytes) -> None:
        """Have it there. Raises Unavailable, EngineFailed."""
        ...


@dataclass(frozen=True, slots=True)
class Sink:
    """`ceiling`: of what may go whole. `known`: the highest label of which it may be told that something is there."""

    ceiling: Ceiling
    known: Label | None
    outlet: Outlet


@dataclass(slots=True)
class Notices:
    """The loop. `patience`: seconds that a step waits for its lanes; None waits for all of them."""

    gate: Gate
    sinks: Mapping[str, Sink]
    region: str
    patience: float | None = 0.5
    _lanes: Lanes = field(init=False)

    def __post_init__(self) -> None:
        self._lanes = Lanes(self.gate, self.lane, self.patience)

    def loops(self) -> list[Loop]:
        return [Loop("missions.notify", 2.0, self.step, steady=True)]

    async def step(self) -> int:
        """Carry what waits, each class in its own lane; how many notices went on."""
        return await self._lanes.step()

    async def stop(self) -> None:
        await self._lanes.stop()

    async def lane(self, access: AccessClass) -> int:
        """The share of one class in a step. Nothing that happens here leaves the lane."""
        moved, now = 0, self.gate.vault.clock.now()
        try:
            flow = await self.gate.open(self.gate.service("missions", access), SEND)
            waiting = await flow.every(NOTICE, Where((("open", "yes"),)))
            due = [one for one in waiting if one.ref.class_id == access.id and one.value.due <= now]
        except CasemateError:
            return moved
        for found in due:
            try:
                await self._carry(flow, found, now)
                moved += 1
            except CasemateError:
                continue  # the store has no room for what became of it: it goes again
        return moved

    async def _carry(self, flow: Flow, found: Found[Notice], now: int) -> None:
        notice, told, announced = found.value, dict(found.value.sinks), list[Change]()
        for name in [each for each, went in told.items() if not went]:
            told[name] = await self._to(flow, found, name, now)
            if told[name] == "announced":
                announced.append(Put(ANNOUNCED, name, Announced(now)))
        waits = [name for name, went in told.items() if not went]
        tried = notice.tried + 1
        if tried >= TRIES:
            told.update(dict.fromkeys(waits, "failed"))
            waits = []
        value = changed(
            notice, sinks=told, tried=tried, due=now + (WAIT << tried) * SECOND, open="yes" if waits else "no"
        )
        parent = Ref("job", notice.job, found.ref.class_id)
        put = Put(NOTICE, found.id, value, (parent,), expect=found.version)
        await flow.commit(put, *announced, facts={"notice": found.id})

    async def _to(self, flow: Flow, found: Found[Notice], name: str, now: int) -> str:
        """What became of it at one sink; "" where it is to be tried again."""
        sink = self.sinks.get(name)
        if sink is None:
            return "absent"  # the settings know it no longer
        try:
            whole = await flow.announce(Labelled(flow.acting, self._whole(flow, found)), sink.ceiling, sink.known)
        except Refused as refused:
            return str(refused.facts.get("rule", refused.slug))
        try:
            if whole is not None:
                await sink.outlet.send(flow.access.id, found.id, whole)
                return "sent"
            last = [one for one in await flow.read_each(ANNOUNCED, name) if one.ref.class_id == flow.access.id]
            if last and now - last[0].value.at < HOUR:
                return "folded"
            id = fresh("notice", self.gate.vault.entropy, f"announced/{flow.access.id}")
            await sink.outlet.send(flow.access.id, id, self._bare())
        except Unavailable:
            return ""
        return "announced"

    def _bare(self) -> bytes:
        """A function of the region alone."""
        return msgspec.json.encode({"format": 1, "notice": f"An alert exists at {self.region}."})

    def _whole(self, flow: Flow, found: Found[Notice]) -> bytes:
        value = found.value
        told = {
            "format": 1,
            "notice": f"An alert exists at {self.region}.",
            "marking": flow.gate.vault.region.policies.banner(found.label, flow.session.language),
            "label": found.label.text,
            "id": found.id,
            "at": value.at,
            "watch": value.name,
            "mission": value.mission,
            "run": value.job,
            "figures": value.figures,
        }
        return msgspec.json.encode(told)
