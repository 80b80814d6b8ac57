"""Services: a job that runs until it is stopped is changed, and a model is given one that answers for it.

A service is submitted, listed, shown and ended like any job (`jobs`). What is said here comes to rest with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from casemate.doors.frame import Call, Reply, Route
from casemate.doors.native.jobs_told import told, written
from casemate.doors.native.rooms import Rooms, marked, reply
from casemate.jobs import Spec
from casemate.models.deploy import Deployment, deploy, undeploy
from casemate.models.record import ModelRecord
from casemate.policy import Action

__all__ = ["Change", "Undeployment", "routes"]


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole spec that a service has from now on."""

    spec: Spec


class Undeployment(msgspec.Struct, frozen=True):
    """A model by name."""

    model: str


def routes(rooms: Rooms) -> list[Route]:
    """Routes of services."""
    at, data = _Services(rooms), dict[str, Any]
    update, on, off = Action("update", "job"), Action("deploy", "model"), Action("undeploy", "model")
    return [
        Route("POST", "/api/jobs/{id}/update", "native", update, at.update, takes=Change, gives=data, texts=_said),
        Route("POST", "/api/models/deploy", "native", on, at.deploy, takes=Deployment, gives=data, texts=_deployed),
        Route("POST", "/api/models/undeploy", "native", off, at.undeploy, takes=Undeployment, gives=data),
    ]


def _said(request: Change) -> Iterable[str]:
    return tuple(written(request.spec))


def _deployed(request: Deployment) -> Iterable[str]:
    described = request.described
    pairs = (text for pair in request.env.items() for text in pair)
    texts = (request.model, request.served, request.health, *request.command, *pairs)
    return (*texts, described.vendor, described.licence, *described.languages, *described.aliases)


class _Services:
    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    async def update(self, call: Call) -> Reply:
        """Another spec for a service: its replicas are replaced one by one, new ones healthy first."""
        found = await self._rooms.jobs.update(call.flow, call.path["id"], call.body.spec)
        return reply(call.flow, told(call.flow, found), status=202, job=found.id)

    async def deploy(self, call: Call) -> Reply:
        """A model with a service that answers for it, once an officer has accredited it."""
        taken = {card.name for card in self._rooms.catalogue.cards.values() if card.label is None}
        record, job = await deploy(call.flow, self._rooms.jobs, call.body, taken)
        self._rooms.registry.put(call.flow.access.label, record)
        data = {**_record(record), "service": told(call.flow, job)}
        return reply(call.flow, {**data, **marked(call.flow, call.flow.access.label)}, status=201, job=job.id)

    async def undeploy(self, call: Call) -> Reply:
        """Its service ends, and nobody answers for it any more."""
        record = await undeploy(call.flow, self._rooms.jobs, call.body.model)
        self._rooms.registry.put(call.flow.access.label, record)
        answer = reply(call.flow, {**_record(record), **marked(call.flow, call.flow.access.label)})
        await call.gate.directory.published()
        return answer


def _record(record: ModelRecord) -> dict[str, Any]:
    return {
        "name": record.name,
        "engine": msgspec.to_builtins(record.engine),
        "proposed": record.proposed,
        "accreditation": record.accreditation,
        "retired": record.retired,
    }
