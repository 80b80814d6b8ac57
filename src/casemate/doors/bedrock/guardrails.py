"""Guardrails as objects: make, change, version, list, look up, remove; and their tags.

A guardrail lies at the acting label of the request that made it and can be used from there upwards. Whoever made it
changes it, at that label, and so does a security officer.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from casemate.access import Flow
from casemate.clock import iso
from casemate.doors.bedrock.arns import arn, page
from casemate.doors.bedrock.guarding import found
from casemate.doors.bedrock.parts import malformed
from casemate.doors.bedrock.rules import Request, policies_of, read, rules_of
from casemate.doors.frame import Call, Reply
from casemate.errors import BadInput
from casemate.ids import short
from casemate.models.guardrail import GUARDRAIL, GUARDRAIL_VERSION, Guardrail
from casemate.objects import Delete, Found, Put, Where
from casemate.policy import Refuse
from casemate.words import say

__all__ = ["change", "create", "listing", "one", "remove", "tag", "tags", "untag", "version"]

_ACCEPTED = 202
_MOST, _MOST_TAGS = 100, 200


class Described(msgspec.Struct, rename="camel"):
    """CreateGuardrailVersion."""

    description: str = ""
    client_request_token: str = ""


class Tagged(msgspec.Struct):
    """TagResource, UntagResource and ListTagsForResource."""

    resource: str = msgspec.field(name="resourceARN")
    tags: list[dict[str, str]] = []
    keys: list[str] = msgspec.field(name="tagKeys", default_factory=list)


async def create(call: Call) -> Reply:
    """A new guardrail, as a draft."""
    flow, language = call.flow, call.flow.session.language
    request = read(call.body, language)
    own = [one for one in await flow.every(GUARDRAIL) if one.ref.class_id == flow.access.id]
    if len(own) >= _MOST:
        raise BadInput(what=say("bedrock.many", language, most=_MOST))
    now = flow.gate.vault.clock.now()
    tags = _tagged({}, [{"key": tag.key, "value": tag.value} for tag in request.tags or ()], language)
    guardrail = _written(request, language, now, Guardrail(
        name="", rules=(), blocked_input="", blocked_output="", owner=flow.session.principal.id,
        created=now, updated=now, tags=tags,
    ))  # fmt: skip
    id = short(flow.gate.vault.entropy.draw(f"guardrail/{flow.access.id}/{flow.session.id}"))
    await flow.commit(Put(GUARDRAIL, id, guardrail, expect=0), facts={"guardrail": id})
    return _accepted(_named(flow, id) | {"version": "DRAFT", "createdAt": iso(now)})


async def change(call: Call) -> Reply:
    """Another draft in the place of this one; versions stay what they are."""
    flow, language = call.flow, call.flow.session.language
    was = await _mine(call, call.path["guardrail"])
    now = flow.gate.vault.clock.now()
    guardrail = _written(read(call.body, language), language, now, was.value)
    await _put(flow, was, guardrail)
    return _accepted(_named(flow, was.id) | {"version": "DRAFT", "updatedAt": iso(now)})


async def version(call: Call) -> Reply:
    """The draft as it stands, under the next number."""
    flow = call.flow
    was = await _mine(call, call.path["guardrail"])
    try:
        described = msgspec.convert(call.body, Described)
    except msgspec.ValidationError as error:
        raise malformed(error, flow.session.language) from None
    number = was.value.versions + 1
    now = flow.gate.vault.clock.now()
    text = described.description[:200] or was.value.description
    frozen = replace(was.value, of=was.id, version=str(number), description=text, created=now, updated=now)
    kept = Put(GUARDRAIL_VERSION, f"{was.id}.{number}", frozen, parents=(was.ref,), expect=0)
    await _put(flow, was, replace(was.value, versions=number), kept)
    return _accepted({"guardrailId": was.id, "version": str(number)})


async def remove(call: Call) -> Reply:
    """One version, or the guardrail with all of them."""
    flow = call.flow
    was = await _mine(call, call.path["guardrail"])
    numbered = await flow.every(GUARDRAIL_VERSION, Where((("of", was.id),)))
    only = call.query.get("guardrailVersion")
    gone = [one for one in numbered if only in (None, one.value.version)]
    if only is not None and not gone:
        await flow.absent(GUARDRAIL_VERSION, f"{was.id}.{only[:20]}")
    changes = [Delete(GUARDRAIL_VERSION, one.id, expect=one.version) for one in gone]
    if only is None:
        changes.append(Delete(GUARDRAIL, was.id, expect=was.version))
    await flow.commit(*changes, at=was.label, facts={"removed": was.id})
    return _accepted({})


async def one(call: Call) -> Reply:
    """A guardrail: its draft, or the version that was asked for."""
    guardrail = await found(call.flow, call.path["guardrail"], call.query.get("guardrailVersion", ""))
    told = _summary(call.flow, guardrail)
    told["guardrailId"], told["guardrailArn"] = told.pop("id"), told.pop("arn")
    told |= {
        "blockedInputMessaging": guardrail.blocked_input,
        "blockedOutputsMessaging": guardrail.blocked_output,
        **policies_of(guardrail),
    }
    return Reply(msgspec.json.encode(told))


async def listing(call: Call) -> Reply:
    """The drafts of all; or, of one, draft and versions."""
    flow = call.flow
    wanted = call.query.get("guardrailIdentifier")
    if wanted is None:
        every = [replace(g.value, of=g.id) for g in await flow.every(GUARDRAIL)]
        every.sort(key=lambda g: (g.created, g.of))
    else:
        draft = await found(flow, wanted, "DRAFT")
        numbered = [g.value for g in await flow.every(GUARDRAIL_VERSION, Where((("of", draft.of),)))]
        every = [draft, *sorted(numbered, key=lambda g: int(g.version))]
    shown, more = page(call, [_summary(flow, guardrail) for guardrail in every])
    return Reply(msgspec.json.encode({"guardrails": shown, **more}))


async def tag(call: Call) -> Reply:
    """Set tags; those that stand there under other names stay."""
    was, asked = await _asked(call)
    tags = _tagged(was.value.tags, asked.tags, call.flow.session.language)
    await _put(call.flow, was, replace(was.value, tags=tags))
    return Reply(b"{}")


async def untag(call: Call) -> Reply:
    """Take tags away."""
    was, asked = await _asked(call)
    left = {name: value for name, value in was.value.tags.items() if name not in asked.keys}
    await _put(call.flow, was, replace(was.value, tags=left))
    return Reply(b"{}")


async def tags(call: Call) -> Reply:
    """The tags of a guardrail; nothing else here bears any."""
    asked = _request(call)
    was = await call.flow.read(GUARDRAIL, _id(asked.resource))
    told = [{"key": name, "value": value} for name, value in sorted(was.value.tags.items())]
    return Reply(msgspec.json.encode({"tags": told}))


def _written(request: Request, language: str, now: int, was: Guardrail) -> Guardrail:
    return replace(
        was,
        name=request.name,
        description=request.description[:200],
        rules=rules_of(request, language),
        blocked_input=request.blocked_input_messaging,
        blocked_output=request.blocked_outputs_messaging,
        updated=now,
    )


async def _asked(call: Call) -> tuple[Found[Guardrail], Tagged]:
    asked = _request(call)
    return await _mine(call, asked.resource), asked


def _request(call: Call) -> Tagged:
    try:
        return msgspec.convert(call.body, Tagged)
    except msgspec.ValidationError as error:
        raise malformed(error, call.flow.session.language) from None


async def _mine(call: Call, identifier: str) -> Found[Guardrail]:
    """The draft, for whoever may change it. Raises Absent and Refused (`owner`)."""
    was = await call.flow.read(GUARDRAIL, _id(identifier))
    person = call.flow.session.principal
    if was.value.owner != person.id and "officer" not in person.roles:
        await call.flow.refuse(Refuse("owner", {"action": call.flow.action.name}))
    return was


def _id(identifier: str) -> str:
    """The id in an ARN of a guardrail; an ARN of anything else is nobody's."""
    if identifier.startswith("arn:") and ":guardrail/" not in identifier:
        return "none"
    return identifier.rpartition("/")[2][:200]


def _tagged(was: dict[str, str], given: list[dict[str, str]], language: str) -> dict[str, str]:
    now = {**was, **{one.get("key", ""): one.get("value", "") for one in given}}
    if len(now) > _MOST_TAGS or not all(0 < len(k) <= 128 and len(v) <= 256 for k, v in now.items()):
        raise BadInput(what=say("bedrock.tags", language, most=_MOST_TAGS))
    return now


async def _put(flow: Flow, was: Found[Guardrail], now: Guardrail, *more: Put) -> None:
    """At the label at which it lies. Raises Refused (`no-write-down`) where that is below the acting label."""
    await flow.commit(Put(GUARDRAIL, was.id, now, expect=was.version), *more, at=was.label, facts={"guardrail": was.id})


def _named(flow: Flow, id: str) -> dict[str, Any]:
    return {"guardrailId": id, "guardrailArn": arn(flow, "guardrail", id)}


def _summary(flow: Flow, guardrail: Guardrail) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": guardrail.of,
        "arn": arn(flow, "guardrail", guardrail.of),
        "status": "READY",
        "name": guardrail.name,
        "version": guardrail.version,
        "createdAt": iso(guardrail.created),
        "updatedAt": iso(guardrail.updated),
    }
    return {**told, "description": guardrail.description} if guardrail.description else told


def _accepted(told: dict[str, Any]) -> Reply:
    return Reply(msgspec.json.encode(told), status=_ACCEPTED)
