"""The release door: ask, look, approve, refuse, carry out; and the keys with which approvers sign.

All of it at the label of the request. Nothing here is answered below, and a request that is not the caller's business
is as if it were not there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from casemate.access import ReleaseAsk, ReleaseQuota, ReleaseRequest, Viewed
from casemate.accounts import (
    ApprovalKey,
    ApprovalKeyRequest,
    ReleaseQuotaRequest,
    approval_keys,
    drop_key,
    offer_key,
    register_key,
    release_today,
    set_release_quota,
)
from casemate.doors.frame import Call, Reply, Route
from casemate.doors.native.rooms import Rooms, marked, reply
from casemate.identity.release import Approval, Release
from casemate.objects import Found
from casemate.policy import Action
from casemate.transfer.dispatch import Dispatch, DispatchRequest, dispatches, keep_dispatch

__all__ = ["ApproveRequest", "EndRequest", "OfferRequest", "routes"]


class ApproveRequest(msgspec.Struct, frozen=True):
    """The id of the approver's key, and its signature (hex) over his statement."""

    key: str
    signature: str


class EndRequest(msgspec.Struct, frozen=True):
    """Why it is refused or withdrawn."""

    why: str = ""


class OfferRequest(msgspec.Struct, frozen=True):
    """The public half of a key, and the proof that the private half is held; both in hex."""

    public: str
    proof: str


def routes(rooms: Rooms) -> list[Route]:
    """Routes of the release door, and of approval keys."""
    at = _Releases(rooms)
    one = "/api/releases/{id}"
    return [
        Route("POST", "/api/releases", "native", _act("request"), at.ask, ReleaseAsk, dict[str, Any], texts=_reason),
        Route("GET", "/api/releases", "native", _act("list"), at.listing, gives=dict[str, Any]),
        Route("GET", one, "native", _act("show"), at.show, gives=dict[str, Any]),
        Route("POST", f"{one}/approve", "native", _act("approve"), at.approve, ApproveRequest, Approval),
        Route("POST", f"{one}/refuse", "native", _act("refuse"), at.end, EndRequest, ReleaseRequest, texts=_why),
        Route("POST", f"{one}/carry", "native", _act("carry"), at.carry, gives=Release),
        Route("GET", "/api/release-keys", "native", _act("keys"), _keys, gives=list[dict[str, Any]]),
        Route("POST", "/api/release-keys", "native", _act("offer"), _offer, OfferRequest, ApprovalKey),
        Route(
            "POST", "/api/release-keys/{id}/register", "native", _act("register"), _register, ApprovalKeyRequest,
            ApprovalKey,
        ),
        Route("DELETE", "/api/release-keys/{id}", "native", _act("revoke"), _revoke, gives=dict[str, str]),
        Route("GET", "/api/release-quota", "native", _act("quota"), _quota, gives=dict[str, Any]),
        Route(
            "PUT", "/api/release-quota", "native", Action("allow", "release"), _set_quota, ReleaseQuotaRequest,
            ReleaseQuota,
        ),
        Route(
            "POST", "/api/dispatches", "native", Action("keep", "dispatch"), _keep, DispatchRequest, Dispatch,
            texts=_dispatched,
        ),
        Route("GET", "/api/dispatches", "native", Action("list", "dispatch"), _dispatches, gives=list[Dispatch]),
    ]  # fmt: skip


def _act(verb: str) -> Action:
    return Action(verb, "release")


def _reason(ask: ReleaseAsk) -> Iterable[str]:
    return (ask.reason,)


def _why(request: EndRequest) -> Iterable[str]:
    return (request.why,)


def _dispatched(request: DispatchRequest) -> Iterable[str]:
    return (request.text,)


class _Releases:
    def __init__(self, rooms: Rooms) -> None:
        self._door = rooms.release

    async def ask(self, call: Call) -> Reply:
        """A request that waits for two people."""
        found = await self._door.ask(call.flow, call.body)
        return reply(call.flow, _told(call, found), status=201, release=found.id)

    async def listing(self, call: Call) -> Reply:
        """The requests that are the caller's business, and whether there is a release door here at all."""
        found = await self._door.asked(call.flow)
        data = {
            "door": self._door.stands(),
            "kinds": self._door.kinds,
            "formats": self._door.formats,
            "requests": [_told(call, each) for each in found],
        }
        return reply(call.flow, data)

    async def show(self, call: Call) -> Reply:
        """The request, exactly what would leave, and the statement that this caller would sign."""
        viewed = await self._door.view(call.flow, call.path["id"])
        return reply(call.flow, _viewed(call, viewed), release=viewed.request.id)

    async def approve(self, call: Call) -> Reply:
        """One approver's yes."""
        request: ApproveRequest = call.body
        given = await self._door.approve(call.flow, call.path["id"], request.key, request.signature)
        return reply(call.flow, given, status=201)

    async def end(self, call: Call) -> Reply:
        """A releaser's no, or the requester's change of mind."""
        return reply(call.flow, await self._door.end(call.flow, call.path["id"], call.body.why))

    async def carry(self, call: Call) -> Reply:
        """What was carried out, now or before."""
        return reply(call.flow, await self._door.carry(call.flow, call.path["id"]), release=call.path["id"])


def _told(call: Call, found: Found[ReleaseRequest]) -> dict[str, Any]:
    parse, request = call.gate.vault.region.policies.parse, found.value
    return {
        "id": found.id,
        "request": request,
        "source": marked(call.flow, parse(request.source)),
        "target": marked(call.flow, parse(request.target)),
        **marked(call.flow, found.label),
    }


def _viewed(call: Call, viewed: Viewed) -> dict[str, Any]:
    found, flow = viewed.request, call.flow
    statement = found.value.statement(call.gate.vault.region.name, found.id, flow.session.principal.id)
    return {
        **_told(call, found),
        "text": viewed.text,
        "approvals": viewed.approvals,
        "statement": statement,
        "release": viewed.release,
    }


async def _keys(call: Call) -> Reply:
    """A releaser's own keys; officers and auditors see all that the acting label sees."""
    found = await approval_keys(call.flow)
    return reply(call.flow, [{"key": each.value, **marked(call.flow, each.label)} for each in found])


async def _offer(call: Call) -> Reply:
    """The caller's own key, waiting for an officer."""
    return reply(call.flow, await offer_key(call.flow, call.body.public, call.body.proof), status=201)


async def _register(call: Call) -> Reply:
    """The officer's act; null where a second officer has to say the same."""
    key = await register_key(call.flow, call.path["id"], call.body)
    return reply(call.flow, key, status=202 if key is None else 200)


async def _revoke(call: Call) -> Reply:
    """From now on the key counts nowhere."""
    await drop_key(call.flow, call.path["id"])
    return reply(call.flow, {"revoked": call.path["id"]})


async def _quota(call: Call) -> Reply:
    """How much may leave in a day from the acting label, and how much has left today."""
    day = await release_today(call.flow)
    return reply(call.flow, {"quota": day.quota, "count": day.spent.count, "size": day.spent.size})


async def _set_quota(call: Call) -> Reply:
    """The officer's act; null where a second officer has to say the same."""
    quota = await set_release_quota(call.flow, call.body)
    return reply(call.flow, quota, status=202 if quota is None else 200)


async def _keep(call: Call) -> Reply:
    """A text for the enclave below, in the one form of its purpose; it goes down by a release alone."""
    found = await keep_dispatch(call.flow, call.body)
    return reply(call.flow, {"id": found.id, "dispatch": found.value, **marked(call.flow, found.label)}, status=201)


async def _dispatches(call: Call) -> Reply:
    """The dispatches that the acting label sees, oldest first."""
    found = await dispatches(call.flow)
    told = [{"id": each.id, "dispatch": each.value, **marked(call.flow, each.label)} for each in found]
    return reply(call.flow, told)
