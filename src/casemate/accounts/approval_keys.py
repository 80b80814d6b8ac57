"""Approval keys: what a releaser signs with. He makes it and offers its public half; an officer registers it.

So it takes both: nobody signs with a key that another made for him, and nobody makes himself an approver. The private
half never comes here. Where clearances take two people, a second officer registers the same again; a key is good to a
lowest label, for a time, and in the name of the agencies that the officer says.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from casemate.access import APPROVAL_KEY, ApprovalKeyRecord, Enrol, Flow
from casemate.accounts.agreed import agreed
from casemate.clock import SECOND
from casemate.crypto import key_id
from casemate.errors import BadInput, Conflict, Refused
from casemate.identity.approval import held_by
from casemate.objects import Delete, Found, Kind, Put

__all__ = ["ApprovalKey", "ApprovalKeyRequest", "approval_keys", "drop_key", "offer_key", "register_key"]

DAY = 86_400 * SECOND
LONGEST_DAYS = 366
AGENCIES = 16


class ApprovalKeyRequest(msgspec.Struct, frozen=True):
    """What an officer says of a key: the lowest label that it may release to, its days, whose originators' voice."""

    lowest: str
    days: int = 365
    speaks: tuple[str, ...] = ()


class ApprovalKey(msgspec.Struct, frozen=True):
    """A key as listed; `public` in hex, `lowest` as canonical text, `ends` in microseconds (0: not registered yet)."""

    id: str
    principal: str
    name: str
    public: str
    at: int
    state: Literal["offered", "registered"] = "offered"
    lowest: str = ""
    ends: int = 0
    speaks: tuple[str, ...] = ()
    registered_by: str = ""


LISTED = Kind("approval-key", ApprovalKey, indexed=("principal",))


async def offer_key(flow: Flow, public: str, proof: str) -> ApprovalKey:
    """The caller's own key, waiting for an officer at this acting label. Raises BadInput, Conflict."""
    me = flow.session.principal
    if not held_by(flow.gate.vault.region.name, me.name, public, proof):
        raise BadInput(what="An approval key is offered by whoever holds its private half (`casemate release offer`).")
    id = key_id(bytes.fromhex(public))
    offered = ApprovalKey(id, me.id, me.name, public, flow.gate.vault.clock.now())
    await flow.commit(Put(LISTED, id, offered, expect=0), facts={"key": id})
    return offered


async def register_key(flow: Flow, id: str, request: ApprovalKeyRequest) -> ApprovalKey | None:
    """The key counts from now on, or None where a second officer has to say the same. Never an officer's own."""
    found = await _here(flow, id)
    key, region = found.value, flow.gate.vault.region
    if key.principal == flow.session.principal.id:
        raise Refused(rule="self-grant")
    if key.state == "registered":
        raise Conflict(what=f"Approval key {id}")
    lowest, speaks = region.label(request.lowest), tuple(sorted(set(request.speaks)))
    if not region.floor <= lowest <= flow.acting:
        raise Refused(rule="clearance", asked=lowest.text, clearance=flow.acting.text)
    if not 0 < request.days <= LONGEST_DAYS or len(speaks) > AGENCIES or set(speaks) - flow.acting.agencies:
        raise BadInput(what=f"An approval key lives 1 to {LONGEST_DAYS} days and speaks for agencies that you hold.")
    done = await agreed(flow, f"approve {id} {lowest.text} {request.days} {','.join(speaks)}", about=key.principal)
    if done is None:
        return None
    me, ends = flow.session.principal, flow.gate.vault.clock.now() + request.days * DAY
    registered = msgspec.structs.replace(
        key, state="registered", lowest=lowest.text, ends=ends, speaks=speaks, registered_by=me.name
    )
    record = ApprovalKeyRecord(key.principal, key.public, lowest.text, me.id, ends, speaks)
    await flow.commit(
        Put(LISTED, id, registered, expect=found.version),
        *done,
        Enrol(Put(APPROVAL_KEY, id, record, expect=0)),
        facts={"key": id, "principal": key.name, "lowest": lowest.text, "speaks": ", ".join(speaks)},
    )
    return registered


async def approval_keys(flow: Flow) -> list[Found[ApprovalKey]]:
    """The keys that this caller's acting label sees: a releaser his own, officers and auditors all."""
    every = await flow.every(LISTED)
    whole = flow.session.principal.roles & {"officer", "auditor"}
    return [each for each in every if whole or each.value.principal == flow.session.principal.id]


async def drop_key(flow: Flow, id: str) -> None:
    """From now on nothing that this key has signed counts, also what waits. Its owner's act, or an officer's."""
    found = await _here(flow, id)
    gone = (Delete(LISTED, id, expect=found.version), Enrol(Delete(APPROVAL_KEY, id)))
    await flow.commit(*gone, facts={"revoked": id})


async def _here(flow: Flow, id: str) -> Found[ApprovalKey]:
    me = flow.session.principal
    every = await flow.read_each(LISTED, id)
    here = [each for each in every if each.ref.class_id == flow.access.id]
    if not here or not ("officer" in me.roles or here[0].value.principal == me.id):
        await flow.absent(LISTED, id)
    return here[0]
