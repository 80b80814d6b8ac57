"""Principals: name, clearance, roles. Kept where the officer acts, and in the gate's directory."""

from __future__ import annotations

import msgspec

from casemate.access import CEILING, PRINCIPAL, Enrol, Flow, Gate, PrincipalRecord
from casemate.errors import BadInput, Conflict, Refused
from casemate.identity import ROLES, Principal, Session
from casemate.ids import fresh
from casemate.objects import Delete, Found, Kind, Put
from casemate.policy import Action, authorizations

__all__ = [
    "PERSON",
    "Person",
    "PersonRequest",
    "add_person",
    "change_person",
    "confirm",
    "found_owner",
    "people",
    "proposals",
    "withdraw",
]

NAME_LIMIT = 64
OURS = frozenset({"casemate init", "stranger"})  # whom entries name that no principal made


class PersonRequest(msgspec.Struct, frozen=True):
    """What an officer asks for: `clearance` as a label or marking, `uid` of a local user or none.

    `needs` are authorizations beside the clearance: an officer says who needs to know, and need not know it himself.
    """

    name: str
    clearance: str
    roles: tuple[str, ...] = ("user",)
    uid: str = ""
    needs: tuple[str, ...] = ()


class Person(msgspec.Struct, frozen=True):
    """A principal as listed: `clearance` is canonical text, `at` when it was granted."""

    id: str
    name: str
    clearance: str
    roles: tuple[str, ...]
    uid: str = ""
    granted_by: str = ""
    at: int = 0


class Proposal(msgspec.Struct, frozen=True):
    """A grant that waits for a second officer."""

    person: Person
    proposed_by: str


PERSON = Kind("principal", Person, indexed=("name",))
PROPOSAL = Kind("principal.proposal", Proposal)


def _checked(flow: Flow, request: PersonRequest) -> PersonRequest:
    if not request.name.isprintable() or not 0 < len(request.name) <= NAME_LIMIT or ":" in request.name:
        raise BadInput(what=f"A principal's name has 1 to {NAME_LIMIT} printable characters and no colon.")
    unknown = sorted(set(request.roles) - set(ROLES))
    if unknown or not request.roles:
        raise BadInput(what=f"Roles are {', '.join(ROLES)}.")
    region = flow.gate.vault.region
    clearance = region.reach(request.clearance)
    clearance = clearance.with_needs(authorizations([*clearance.needs, *request.needs]))
    if not clearance.without_needs <= flow.gives:
        raise Refused(rule="clearance", asked=clearance.text, clearance=flow.gives.text)
    return PersonRequest(request.name, clearance.text, tuple(sorted(set(request.roles))), request.uid)


async def add_person(flow: Flow, request: PersonRequest) -> Person | None:
    """A new principal, or None where the region wants a second officer first.

    A name and a local user belong to one principal: a second one would be a way to grant to oneself.
    """
    request = _checked(flow, request)
    if request.name in OURS or flow.gate.directory.named(request.name) is not None:
        raise Conflict(what=f"Principal {request.name}")
    if request.uid and flow.gate.directory.local(request.uid) is not None:
        raise Conflict(what=f"A principal of the local user {request.uid}")
    id = fresh("prn", flow.gate.vault.entropy, f"principal/{flow.access.id}")
    return await _grant(flow, _person(flow, id, request))


async def change_person(flow: Flow, id: str, request: PersonRequest) -> Person | None:
    """Another clearance or other roles; never one's own."""
    found = await flow.read(PERSON, id)
    if id == flow.session.principal.id:
        raise Refused(rule="self-grant")
    request = msgspec.structs.replace(_checked(flow, request), name=found.value.name, uid=found.value.uid)
    return await _grant(flow, _person(flow, id, request))


def _person(flow: Flow, id: str, request: PersonRequest) -> Person:
    by, at = flow.session.principal.name, flow.gate.vault.clock.now()
    return Person(id, request.name, request.clearance, request.roles, request.uid, by, at)


async def _grant(flow: Flow, person: Person) -> Person | None:
    if not flow.gate.directory.two_person():
        await _commit(flow, person)
        return person
    proposal = Proposal(person, flow.session.principal.id)
    await flow.commit(Put(PROPOSAL, person.id, proposal, expect=0), facts={"proposed": person.name})
    return None


async def confirm(flow: Flow, id: str) -> Person:
    """The second officer says yes, once, to what stands there. Raises Refused (`two-person`) for the one who proposed.

    A proposal that waits is never replaced, so that nobody says yes to something else than he has read.
    """
    found = await _waiting(flow, id)
    if found.value.proposed_by == flow.session.principal.id or found.value.person.id == flow.session.principal.id:
        raise Refused(rule="two-person")
    await _commit(flow, found.value.person, Delete(PROPOSAL, id, expect=found.version))
    return found.value.person


async def withdraw(flow: Flow, id: str) -> None:
    """Take a proposal back; any officer may say no."""
    found = await _waiting(flow, id)
    gone = Delete(PROPOSAL, id, expect=found.version)
    await flow.commit(gone, facts={"withdrawn": found.value.person.name})


async def _waiting(flow: Flow, id: str) -> Found[Proposal]:
    """The proposal at the acting label: only there can it be taken away, and one that stays could be used twice."""
    here = [found for found in await flow.read_each(PROPOSAL, id) if found.ref.class_id == flow.access.id]
    if not here:
        await flow.absent(PROPOSAL, id)
    return here[0]


async def _commit(flow: Flow, person: Person, *more: Delete) -> None:
    record = PrincipalRecord(person.name, person.clearance, person.roles, person.uid)
    directory = flow.gate.directory
    new = directory.principal(person.id) is None
    await flow.commit(
        Put(PERSON, person.id, person),
        *more,
        Enrol(Put(PRINCIPAL, person.id, record)),
        *(Enrol(put) for put in (directory.taken(person.id, person.name, person.uid) if new else ())),
        facts={"name": person.name, "clearance": person.clearance, "roles": ", ".join(person.roles)},
    )


async def people(flow: Flow) -> list[Found[Person]]:
    """The principals that this officer's acting label sees.

    Officers who acted at different labels have left a record at each; the newest that is seen counts.
    """
    newest: dict[str, Found[Person]] = {}
    for found in await flow.every(PERSON):
        known = newest.setdefault(found.id, found)
        if known.value.at < found.value.at:
            newest[found.id] = found
    return list(newest.values())


async def proposals(flow: Flow) -> list[Found[Proposal]]:
    """Grants that wait for a second officer."""
    return await flow.every(PROPOSAL)


async def found_owner(gate: Gate, name: str, uid: str) -> Person:
    """The first entry of a region: its owner, cleared to the ceiling, user, operator, officer and auditor."""
    roles = ("auditor", "officer", "operator", "user")
    region = gate.vault.region
    id = fresh("prn", gate.vault.entropy, "principal/owner")
    founder = Principal(id, "casemate init", region.ceiling, frozenset({"officer"}))
    session = Session("init", founder, region.floor, region.ceiling)
    flow = await gate.open(session, Action("add", "principal"))
    person = Person(id, name, CEILING, roles, uid, "casemate init", gate.vault.clock.now())
    await _commit(flow, person)
    return person
