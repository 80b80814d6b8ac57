"""The region itself: health, what it is, what it lists, and what its officers may change."""

from __future__ import annotations

from typing import Any

import msgspec

from casemate import __version__
from casemate.access import STATE, Enrol, StateRecord
from casemate.doors.frame import Call, Reply, Route
from casemate.doors.native.rooms import Check, Rooms, marked, reply
from casemate.errors import Refused
from casemate.objects import Put
from casemate.policy import Action

__all__ = ["routes"]

READ = Action("read", "region")
WHOLE = frozenset({"disk", "records"})  # checks of what sessions of all labels use up or break together


class PolicyName(msgspec.Struct, frozen=True):
    """The policy to list."""

    name: str


def routes(rooms: Rooms) -> list[Route]:
    """Region routes."""
    return [
        Route("GET", "/api/health", "native", Action("health", "region"), _health, gives=dict[str, str], public=True),
        Route("GET", "/api/region", "native", READ, _About(rooms).about, gives=dict[str, Any]),
        Route("GET", "/api/doctor", "native", READ, _About(rooms).doctor, gives=list[Check]),
        Route(
            "POST",
            "/api/region/policies",
            "native",
            Action("configure", "region"),
            _About(rooms).add_policy,
            takes=PolicyName,
            gives=dict[str, Any],
        ),
        Route(
            "POST",
            "/api/region/two-person",
            "native",
            Action("configure", "region"),
            _two_person,
            gives=dict[str, Any],
        ),
    ]


async def _health(call: Call) -> Reply:
    del call
    return Reply(msgspec.json.encode({"status": "ok", "version": __version__}))


async def _two_person(call: Call) -> Reply:
    """From now on, and for good, clearances and policies take two officers."""
    if call.gate.directory.holders("officer") < 2:
        raise Refused(rule="two-officers")
    record = StateRecord(two_person=True)
    await call.flow.commit(Enrol(Put(STATE, "region", record)), facts={"two_person": "on"})
    return reply(call.flow, {"two_person": True})


class _About:
    """Handlers that need the rooms."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    async def about(self, call: Call) -> Reply:
        """What this region is, as far as the caller's acting label knows."""
        region, flow = call.gate.vault.region, call.flow
        reads = "user" in flow.session.principal.roles  # what a knowledge base is called is content
        embedder = self._rooms.library.embedder
        data = {
            "name": region.name,
            "agency": region.agency,
            "version": __version__,
            "policies": list(region.policies.names),
            "floor": marked(flow, region.floor),
            "two_person": call.gate.directory.two_person(),
            "release": self._rooms.release.stands(),
            "keys": call.gate.vault.sealer.describe(),
            "embedder": embedder.name if embedder is not None else "",
            "models": [c.name for c in self._rooms.catalogue.visible(flow) if "chat" in c.tasks],
            "knowledge": await self._rooms.library.bases(flow) if reads else [],
        }
        return reply(flow, data)

    async def doctor(self, call: Call) -> Reply:
        """Is everything that the region stands on in order? What all labels share is told at the ceiling alone."""
        seen = {access.id for access in call.gate.classes.visible(call.flow.acting)}
        checks = self._rooms.checks(call.flow.session.language, seen)
        whole = call.flow.acting is call.gate.vault.region.ceiling
        return reply(call.flow, [check for check in checks if whole or check.name not in WHOLE])

    async def add_policy(self, call: Call) -> Reply:
        """List another policy; it is read at the next start. The entry is durable before the file is written."""
        if call.gate.directory.two_person():
            raise Refused(rule="two-person")
        write = self._rooms.add_policy(call.body.name)
        await call.flow.commit(facts={"policy": call.body.name})
        write()
        return reply(call.flow, {"policy": call.body.name, "restart": True})
