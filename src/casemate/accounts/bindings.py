"""Bindings: whom a name outside is in this region. An officer says it; where two must, the second says the same again.

A binding lets its holder act as the principal, so it is granted like a clearance: never above what the officer acts at,
and with two people neither of whom is the principal himself.
"""

from __future__ import annotations

import msgspec

from casemate.access import BINDING, BindingRecord, Enrol, Flow
from casemate.accounts.agreed import agreed
from casemate.accounts.principals import PERSON
from casemate.errors import Absent, BadInput, Refused
from casemate.identity.certificate import from_pem
from casemate.identity.outsider import Outsider
from casemate.ids import fresh
from casemate.labels import Label
from casemate.objects import Delete, Found, Kind, Put

__all__ = ["Binding", "BindingRequest", "bind", "bindings", "unbind"]


class BindingRequest(msgspec.Struct, frozen=True):
    """A `certificate` in PEM, or `scheme` (oidc, certificate), `issuer` and `subject`. Floor and ceiling as markings:
    without a ceiling it is the principal's clearance, without a floor the ceiling."""

    certificate: str = ""
    scheme: str = ""
    issuer: str = ""
    subject: str = ""
    floor: str = ""
    ceiling: str = ""


class Binding(msgspec.Struct, frozen=True):
    """A binding as listed; floor and ceiling as canonical text, "" as in the request."""

    id: str
    principal: str
    name: str
    scheme: str
    issuer: str
    subject: str
    floor: str
    ceiling: str
    granted_by: str
    at: int


LISTED = Kind("binding", Binding)


async def bind(flow: Flow, principal: str, request: BindingRequest) -> Binding | None:
    """The binding, or None where a second officer has to ask for the same. Raises Conflict where the name is bound."""
    person = (await flow.read(PERSON, principal)).value
    outsider = _outsider(request)
    floor, ceiling = _range(flow, principal, request)
    asked = f"bind {principal} {outsider.text} {floor} {ceiling}"
    done = await agreed(flow, asked, about=principal)
    if done is None:
        return None
    directory = flow.gate.directory
    id = fresh("bnd", flow.gate.vault.entropy, f"binding/{flow.access.id}")
    by, at = flow.session.principal.name, flow.gate.vault.clock.now()
    made = Binding(
        id, principal, person.name, outsider.scheme, outsider.issuer, outsider.subject, floor, ceiling, by, at
    )
    await flow.commit(
        Put(LISTED, id, made, expect=0),
        *done,
        Enrol(Put(BINDING, directory.outsiders.id(outsider), BindingRecord(principal, floor, ceiling), expect=0)),
        facts={"bound": id, "principal": person.name, "scheme": outsider.scheme},
    )
    return made


async def bindings(flow: Flow) -> list[Found[Binding]]:
    """The bindings that this officer's acting label sees."""
    return await flow.every(LISTED)


async def unbind(flow: Flow, id: str) -> None:
    """From now on the name is nobody here; one officer may say so."""
    found = await flow.read(LISTED, id)
    if found.ref.class_id != flow.access.id:
        raise Absent(kind="binding", id=id)
    bound = found.value
    record = flow.gate.directory.outsiders.id(Outsider(bound.scheme, bound.issuer, bound.subject))
    await flow.commit(Delete(LISTED, id, expect=found.version), Enrol(Delete(BINDING, record)), facts={"unbound": id})


def _outsider(request: BindingRequest) -> Outsider:
    if request.certificate:
        if request.scheme or request.issuer or request.subject:
            raise BadInput(what="A binding is to a certificate, or to an issuer and a subject.")
        return from_pem(request.certificate.encode()).outsiders()[0]
    if request.scheme not in ("oidc", "certificate"):
        raise BadInput(what="A binding is of oidc or certificate.")
    return Outsider(request.scheme, request.issuer, request.subject)


def _range(flow: Flow, id: str, request: BindingRequest) -> tuple[str, str]:
    """Floor and ceiling as they are kept. Raises Refused where they lie above the officer or the principal."""
    principal = flow.gate.directory.principal(id)
    if principal is None:
        raise Absent(kind="principal", id=id)
    region = flow.gate.vault.region
    ceiling = region.reach(request.ceiling) if request.ceiling else principal.clearance
    floor = region.label(request.floor) if request.floor else ceiling
    most: Label = flow.gives.with_needs(principal.clearance.needs) & principal.clearance
    for asked in (ceiling, floor):
        if not asked <= most:
            raise Refused(rule="clearance", asked=asked.text, clearance=most.text)
    if not floor <= ceiling:
        raise BadInput(what="A binding's floor must be dominated by its ceiling.")
    return (floor.text if request.floor else "", ceiling.text if request.ceiling else "")
