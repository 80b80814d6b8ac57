"""Who could read this, and why not: a question about labels, answered from what the asker sees.

The answer is a flow like any other. Officers and auditors are told of the principals whose records their acting label
sees; everybody else of himself alone. What is asked about is the asker's own text, or an object that he sees.
"""

from __future__ import annotations

from typing import Any

import msgspec

from casemate.access import CEILING
from casemate.accounts import people
from casemate.assistants import KEPT
from casemate.doors.frame import Call, Reply, Route
from casemate.doors.native.rooms import Rooms, marked, reply
from casemate.errors import BadInput
from casemate.identity import ROLES, Principal
from casemate.knowledge import opened
from casemate.labels import Label
from casemate.policy import ACTIONS, Action, Need, authorizations
from casemate.policy.explain import Explained, Why, explain
from casemate.words import say

__all__ = ["TryRequest", "routes"]

TRY = Action("try", "policy")
FIELDS = 64  # authorizations and roles of a clearance that is tried


class TryRequest(msgspec.Struct, frozen=True):
    """What is asked about: a `label` or marking with a `need`, or the `id` of a document or kept answer.

    `action` is what would be done. With a `clearance` (and `authorizations`, `roles`) somebody is tried who need not
    exist.
    """

    label: str = ""
    need: str = ""
    id: str = ""
    action: str = "document.read"
    clearance: str = ""
    authorizations: tuple[str, ...] = ()
    roles: tuple[str, ...] = ("user",)


def routes(rooms: Rooms) -> list[Route]:
    """The one question."""
    del rooms
    return [Route("POST", "/api/policy/try", "native", TRY, _try, TryRequest, dict[str, Any])]


async def _try(call: Call) -> Reply:
    """For each principal that the asker sees: yes, or every rule that says no."""
    request: TryRequest = call.body
    if request.action not in ACTIONS:
        raise BadInput(what=f"There is no action {request.action[:60]!r}.")
    label, need = await _asked(call, request)
    tried = [*([_imagined(call, request)] if request.clearance else []), *await _seen(call)]
    told = [_told(call, explain(principal, label, need, request.action)) for principal in tried]
    data = {
        "asked": {**marked(call.flow, label), "need": need.text, "needs": sorted(label.needs), "id": request.id},
        "action": request.action,
        "imagined": bool(request.clearance),
        "principals": told,
    }
    return reply(call.flow, data)


async def _asked(call: Call, request: TryRequest) -> tuple[Label, Need]:
    """The label and the need to know in question. Raises BadInput, MarkingError, Absent."""
    if bool(request.id) is bool(request.label) or (request.id and request.need):
        raise BadInput(what="Ask about a label (and a need to know), or about the id of something that you see.")
    if not request.id:
        needs, rest = Need.parse(request.need).split()
        label = call.gate.vault.region.label(request.label)
        return label.with_needs(label.needs | needs), rest
    if request.id.startswith("ans_"):
        found = await call.flow.read(KEPT, request.id)
        return found.label, _need(call, found.ref.class_id)
    whole, parts = await opened(call.flow, request.id)
    lies = whole or parts[0]
    return lies.label, _need(call, lies.ref.class_id)


def _need(call: Call, class_id: str) -> Need:
    return Need.parse(call.gate.classes.by_id(class_id).need)


async def _seen(call: Call) -> list[Principal]:
    """The principals of whom this asker may be told, by name."""
    me, region = call.flow.session.principal, call.gate.vault.region
    if not me.roles & {"officer", "auditor"}:
        return [me]
    listed = [found.value for found in await people(call.flow)]
    return [
        Principal(
            person.id,
            person.name,
            region.ceiling if person.clearance == CEILING else region.policies.parse(person.clearance),
            frozenset(person.roles),
        )
        for person in sorted(listed, key=lambda person: person.name)
    ]


def _imagined(call: Call, request: TryRequest) -> Principal:
    """Somebody with that clearance, those authorizations and those roles."""
    if set(request.roles) - set(ROLES) or max(len(request.roles), len(request.authorizations)) > FIELDS:
        raise BadInput(what=f"Roles are {', '.join(ROLES)}.")
    clearance = call.gate.vault.region.reach(request.clearance)
    held = clearance.with_needs(clearance.needs | authorizations(request.authorizations))
    return Principal("", "", held, frozenset(request.roles))


def _told(call: Call, explained: Explained) -> dict[str, Any]:
    language = call.flow.session.language
    return {
        "principal": explained.principal,
        "reads": explained.reads,
        "rule": explained.rule,
        "why": [
            {**_plain(why), "said": say(f"policy.why.{why.what}", language, **_plain(why))} for why in explained.why
        ],
    }


def _plain(why: Why) -> dict[str, str]:
    return {name: getattr(why, name) for name in why.__slots__}
