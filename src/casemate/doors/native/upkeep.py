"""What becomes of a document: removed, raised, described, reviewed; where it comes from, and its file."""

from __future__ import annotations

from typing import Any

import msgspec

from casemate.doors.frame import Call, Reply, Route
from casemate.doors.native.rooms import Rooms, marked, reply
from casemate.knowledge.documents.described import Attribute
from casemate.knowledge.documents.lineage import Lineage, lineage, source
from casemate.knowledge.documents.relabel import Relabelled, relabel
from casemate.knowledge.documents.remove import Removed, describe, remove
from casemate.knowledge.documents.review import Decision, review, under_review
from casemate.labels import Label
from casemate.policy import Action
from casemate.words import say

__all__ = ["routes"]


class LabelRequest(msgspec.Struct, frozen=True):
    """The label to which a document is raised, as a marking or canonical text."""

    label: str


class AttributesRequest(msgspec.Struct, frozen=True):
    """All attributes of a document, from now on."""

    attributes: dict[str, Attribute]


class ReviewRequest(msgspec.Struct, frozen=True):
    """What is done with a document that was put aside; `label` where it is read again."""

    decision: Decision
    label: str = ""


def routes(rooms: Rooms) -> list[Route]:
    """The routes of one document, and of those under review."""
    del rooms
    read, at = Action("read", "document"), "/api/documents/{id}"
    looks, told = Action("review", "document"), dict[str, Any]
    raises, says = Action("relabel", "document"), Action("describe", "document")
    return [
        Route("DELETE", at, "native", Action("remove", "document"), _remove, gives=Removed),
        Route("PUT", f"{at}/label", "native", raises, _relabel, takes=LabelRequest, gives=Relabelled),
        Route("PUT", f"{at}/attributes", "native", says, _describe, takes=AttributesRequest, gives=told, texts=_said),
        Route("GET", f"{at}/lineage", "native", read, _lineage, gives=Lineage),
        Route("GET", f"{at}/source", "native", read, _source),
        Route("GET", "/api/review", "native", looks, _aside, gives=told),
        Route("POST", f"{at}/review", "native", looks, _review, takes=ReviewRequest, gives=told),
    ]


def _said(request: AttributesRequest) -> tuple[str, ...]:
    return tuple(value for value in request.attributes.values() if isinstance(value, str))


async def _remove(call: Call) -> Reply:
    """Gone at the acting label and above; what lies below stays, and is named as far as it is visible."""
    return reply(call.flow, await remove(call.flow, call.path["id"]))


async def _relabel(call: Call) -> Reply:
    """Brought anew at a higher label, gone at the acting one."""
    label = call.gate.vault.region.label(call.body.label)
    return reply(call.flow, await relabel(call.flow, call.path["id"], label), status=202)


async def _describe(call: Call) -> Reply:
    """Other attributes for what lies at the acting label and above."""
    attributes = await describe(call.flow, call.path["id"], call.body.attributes)
    return reply(call.flow, {"id": call.path["id"], "attributes": attributes})


async def _lineage(call: Call) -> Reply:
    """Where it comes from and what was made of it, as far as the acting label sees."""
    return reply(call.flow, await lineage(call.flow, call.path["id"]))


async def _source(call: Call) -> Reply:
    """The file itself; whether it may be had is decided anew."""
    whole, data = await source(call.flow, call.path["id"])
    headers = (("Content-Disposition", "attachment"), ("X-Content-Type-Options", "nosniff"))
    return Reply(data, "application/octet-stream", headers=headers, facts={"bytes": len(data)}, subjects=(whole.ref,))


async def _aside(call: Call) -> Reply:
    """What was put aside and what bears no mark, with the reason and what may be done."""
    flow = call.flow
    aside, unmarked = await under_review(flow)
    found = [_put_aside(call, each.id, each.value, each.label) for each in aside]
    waits = [
        {
            "id": each.id,
            "name": each.value.name,
            "base": each.value.base,
            "state": "unmarked",
            "added_by": each.value.principal,
            "mine": each.value.principal == flow.session.principal.name,
            "at": each.value.at,
            **marked(flow, each.label),
        }
        for each in unmarked
    ]
    return reply(flow, {"quarantined": found, "unmarked": waits})


def _put_aside(call: Call, id: str, value: Any, label: Label) -> dict[str, Any]:
    slug, language = f"knowledge.quarantine.{value.reason}", call.flow.session.language
    return {
        "id": id,
        "name": value.name,
        "base": value.base,
        "state": value.state,
        "banner": str(value.facts.get("banner", value.facts.get("stated", ""))),
        "found": str(value.facts.get("marking", "")),
        "page": int(value.facts.get("page", 0)),
        "rule": value.reason,
        "reason": say(f"{slug}.detail", language, **value.facts),
        "remedy": say(f"{slug}.remedy", language, **value.facts),
        "added_by": value.added_by,
        "mine": value.added_by == call.flow.session.principal.name,
        "at": value.at,
        **marked(call.flow, label),
    }


async def _review(call: Call) -> Reply:
    """The decision of whoever brought it."""
    id = await review(call.flow, call.path["id"], call.body.decision, call.body.label)
    return reply(call.flow, {"id": id, "decision": call.body.decision})
