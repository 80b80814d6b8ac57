"""The face of watches: a person has a mission run by itself over what is new at a place, or again and again.

A watch lies at the acting label and belongs to whoever made it; it runs in his name as long as he may act there.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

import msgspec
from msgspec.structs import replace as changed

from casemate.access import Flow
from casemate.clock import SECOND
from casemate.errors import BadInput, QuotaExceeded
from casemate.ids import fresh
from casemate.missions.form import filled
from casemate.missions.host.cron import cron
from casemate.missions.host.host import Missions
from casemate.missions.host.mission import MISSION, Described
from casemate.missions.host.watch import NOTICE, WATCH, Notice, Watch, WatchRequest, condition
from casemate.objects import Delete, Found, Put, Ref
from casemate.policy import Refuse, Target, decide

__all__ = ["Watches", "parents_of"]

MOST = 50
"""Watches of one person at one label."""
INPUTS = 90
"""Of one run, the program beside them."""
CONDITIONS = 8
LATER = 3600
LEAST, LONGEST = 60, 366 * 86_400
TOLD = 100
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(slots=True)
class Watches:
    """What doors speak to. `sinks`: the names that the settings know."""

    missions: Missions
    sinks: Collection[str] = ()

    async def add(self, flow: Flow, asked: WatchRequest) -> Found[Watch]:
        """A watch at the acting label. Raises BadInput, Absent, QuotaExceeded."""
        if flow.access.need or flow.access.originator:
            raise BadInput(what="A job runs at a label alone: act without authorizations and originators.")
        self._checked(asked)
        found = await self.missions.named(flow, asked.mission)
        _fits(found.value.described, asked)
        filled(msgspec.to_builtins(found.value.described.parameters), asked.run.parameters)
        if not asked.source:  # everything that will be read is there now
            await self.missions.estimate(flow, found.value.digest, asked.run)
        who, now = flow.session.principal, flow.gate.vault.clock.now()
        own = [one for one in await self.every(flow) if one.ref.class_id == flow.access.id]
        if sum(one.value.owner == who.id for one in own) >= MOST:
            raise QuotaExceeded(limit="watches", of="principal", retry_after=LATER)
        value = Watch(
            name=asked.name,
            mission=found.id,
            mission_at=found.ref.class_id,
            digest=found.value.digest,
            owner=who.id,
            person=who.name,
            language=flow.session.language,
            source=asked.source,
            role=asked.role,
            every_s=asked.every_s,
            most=asked.most,
            when=asked.when,
            sinks=tuple(dict.fromkeys(asked.sinks)),
            run=asked.run,
            whole=asked.whole,
            at=now,
            due=cron(asked.cron).after(now) if asked.cron else 0 if asked.source else now + asked.every_s * SECOND,
            cron=asked.cron,
            clear=asked.clear,
        )
        id = fresh("watch", flow.gate.vault.entropy, f"watch/{flow.access.id}/{flow.session.id}")
        await flow.commit(Put(WATCH, id, value, parents_of(value), expect=0), facts={"watch": id})
        return await self.named(flow, id)

    async def every(self, flow: Flow) -> list[Found[Watch]]:
        """The visible ones, by name."""
        return sorted(await flow.every(WATCH), key=lambda one: (one.value.name, one.id))

    async def named(self, flow: Flow, id: str) -> Found[Watch]:
        """The visible watch of that id. Raises Absent."""
        found = await flow.read(WATCH, id[:128])
        flow.use(found.ref)
        return found

    async def remove(self, flow: Flow, id: str) -> str:
        """No run of it begins any more; one that is under way goes on. Raises Absent, also for another's."""
        found = await self._own(flow, id)
        await flow.commit(Delete(WATCH, found.id, found.version), facts={"watch": found.id})
        return found.id

    async def pause(self, flow: Flow, id: str, paused: bool) -> Found[Watch]:
        """No run begins until it goes on; what comes meanwhile is new then. Raises Absent, also for another's."""
        found = await self._own(flow, id)
        if found.value.paused is not paused:
            # whoever has it go on wants it to be tried at once
            value = changed(found.value, paused=paused, faults=0, due=_due(found.value, flow, paused))
            put = Put(WATCH, found.id, value, parents_of(value), expect=found.version)
            await flow.commit(put, facts={"watch": found.id, "paused": "yes" if paused else "no"})
        return await self.named(flow, found.id)

    async def _own(self, flow: Flow, id: str) -> Found[Watch]:
        found = await self.named(flow, id)
        decision = decide(flow.session, flow.acting, flow.action, Target(owner=found.value.owner))
        if isinstance(decision, Refuse) or found.ref.class_id != flow.access.id:
            await flow.absent(WATCH, id[:128])
        return found

    async def notices(self, flow: Flow) -> list[Found[Notice]]:
        """The visible ones, newest first, at most 100."""
        found = sorted(await flow.every(NOTICE), key=lambda one: (-one.value.at, one.id))[:TOLD]
        flow.use(*(one.ref for one in found))
        return found

    def _checked(self, asked: WatchRequest) -> None:
        """Raises BadInput, naming what is wrong."""
        if not _NAME.fullmatch(asked.name):
            raise BadInput(what="A watch's name has at most 64 letters, digits and '._-'.")
        if asked.cron and asked.every_s:
            raise BadInput(what="A watch has an interval or a cron line, and not both.")
        if asked.clear and not asked.source.startswith("object:"):
            raise BadInput(what="Only what lies in a bucket is removed when it has been run over.")
        least = 0 if asked.source or asked.cron else LEAST
        if not least <= asked.every_s <= LONGEST:
            raise BadInput(what=f"A schedule is {LEAST} seconds to a year; at a source 0 is whenever something is new.")
        if not 1 <= asked.most <= INPUTS - sum(map(len, asked.run.inputs.values())):
            raise BadInput(what=f"A run takes at least one new object, and at most {INPUTS} inputs in all.")
        if asked.whole and not asked.source.startswith("object:"):
            raise BadInput(what="A run over all that lies there has a source of objects.")
        if asked.run.key:
            raise BadInput(what="A watch has no key: each of its runs is a job of its own.")
        if len(asked.when) > CONDITIONS:
            raise BadInput(what=f"A watch has at most {CONDITIONS} conditions.")
        for text in asked.when:
            condition(text)
        if asked.sinks and not asked.when:
            raise BadInput(what="Notices are made where a condition says when.")
        if unknown := [name for name in asked.sinks if name not in self.sinks]:
            raise BadInput(what=f"{unknown[0][:40]} is no sink of this region's settings.")


def _due(value: Watch, flow: Flow, paused: bool) -> int:
    """A schedule keeps its beat; at a source the next step looks."""
    return value.due if paused or not value.source else min(value.due, flow.gate.vault.clock.now())


def parents_of(value: Watch) -> tuple[Ref, ...]:
    """What a watch was made from."""
    return (Ref(MISSION.name, value.mission, value.mission_at),)


def _fits(told: Described, asked: WatchRequest) -> None:
    """Raises BadInput where source and roles do not fit the mission."""
    scheme, _, place = asked.source.partition(":")
    if asked.source and (scheme not in ("object", "dataset") or not place.partition("/")[0]):
        raise BadInput(what="A watch's source is object:BUCKET/PREFIX or dataset:NAME.")
    if bool(asked.source) is not bool(asked.role):
        raise BadInput(what="A source goes into a role, and a schedule has neither.")
    known = {role.name: role for role in told.roles}
    for name in (*asked.run.inputs, *([asked.role] if asked.role else ())):
        if name not in known:
            raise BadInput(what=f"{name[:80]} is no role of this mission.")
    if asked.role and asked.role in asked.run.inputs:
        raise BadInput(what=f"The role {asked.role} is filled by what is new.")
    if asked.role and not known[asked.role].many and asked.most != 1:
        raise BadInput(what=f"The role {asked.role} takes one input: a run takes one new object.")
