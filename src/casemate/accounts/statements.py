"""Attribute files installed: what a named authority has signed of people becomes what admission believes.

All of a file counts or nothing does. A file replaces the one before of the same authority, and only by a higher number,
so that nobody brings back a clearance that was taken away. Whom it revokes has no clearance and no role from the commit
on: his sessions are nobody's, his jobs do not begin, and what is bound to him ends. An officer may clear him again.

A file is installed by officers, or comes by a bundle: kept in the region that sends it, and applied where it comes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import msgspec

from casemate.access import (
    ATTRIBUTE,
    PRINCIPAL,
    STATEMENT,
    AttributeRecord,
    Authority,
    Enrol,
    Flow,
    PrincipalRecord,
    StatementRecord,
)
from casemate.accounts.agreed import agreed
from casemate.accounts.principals import PERSON, Person
from casemate.clock import parse_iso
from casemate.errors import Absent, BadInput, Conflict, MarkingError, Refused
from casemate.identity.attributes import Statement, Subject, opened, shown
from casemate.identity.outsider import Outsider
from casemate.ids import fresh
from casemate.labels import Label
from casemate.objects import Change, Delete, Found, Kind, Put
from casemate.policy import authorizations

__all__ = ["CARRIED", "Carried", "Installed", "Stated", "carried", "install", "installed", "keep", "stated"]

LONGEST = 366 * 86_400_000_000  # microseconds that a statement may hold


class Installed(msgspec.Struct, frozen=True):
    """The statement that holds: its number, how many people it speaks of, and its end in microseconds."""

    authority: str
    number: int
    subjects: int
    ends: int


class Carried(msgspec.Struct, frozen=True):
    """A signed attribute file that waits to be sent to the region for which it is; `raw` as it was signed."""

    authority: str
    region: str
    number: int
    raw: bytes
    by: str
    at: int


LISTED = Kind("statement", Installed)
CARRIED = Kind("statement.carried", Carried)


@dataclass(frozen=True, slots=True)
class Stated:
    """What a statement changes: `changes` of the flow's class, `enrolled` of what admission believes."""

    made: Installed
    changes: tuple[Change, ...]
    enrolled: tuple[Enrol, ...]
    facts: dict[str, Any]


async def install(flow: Flow, name: str, raw: bytes) -> Installed | None:
    """Believe the file from now on; None where a second officer has to install the same.

    Raises Absent for an authority that casemate.toml does not name, BadInput, Conflict for a number that is not higher,
    and Refused where the authority says more than it may, or the officer acts below what it says.
    """
    found = stated(flow, name, raw, flow.gives)
    done = await agreed(flow, f"attributes {name} {found.facts['digest']}")
    if done is None:
        return None
    await flow.commit(*found.changes, *done, *found.enrolled, facts=found.facts)
    return found.made


def stated(flow: Flow, name: str, raw: bytes, most: Label) -> Stated:
    """What the file would change here, and nothing is changed. `most`: the highest that whoever brings it may give.

    Raises as `install`.
    """
    authority = flow.gate.vault.trust.authorities().get(name)
    if authority is None:
        raise Absent(kind="authority", id=name)
    found = opened(raw, authority.key)
    ends = _checked(flow, name, found)
    before = flow.gate.directory.outsiders.statement(name)
    if before is not None and found.number <= before.number:
        raise Conflict(what=f"Statement {before.number} of {name}")
    records = dict(_record(flow, authority, each, ends, most) for each in found.subjects)
    digest = hashlib.sha384(raw).hexdigest()
    gone = set(before.ids if before is not None else ()) - records.keys()
    made = Installed(name, found.number, len(records), ends)
    people, revoked = _revoked(flow, authority, found, most)
    enrolled = (
        *(Enrol(Delete(ATTRIBUTE, id)) for id in sorted(gone)),
        *(Enrol(Put(ATTRIBUTE, id, record)) for id, record in records.items()),
        *revoked,
        Enrol(Put(STATEMENT, name, StatementRecord(found.number, digest, ends, tuple(records)))),
    )
    facts = {"authority": name, "number": found.number, "subjects": len(records), "digest": digest}
    facts |= {"revoked": ", ".join(each.value.name for each in people)} if people else {}
    return Stated(made, (Put(LISTED, name, made), *people), enrolled, facts)


async def keep(flow: Flow, raw: bytes) -> tuple[str, Carried]:
    """A file for another region, at the acting label; its id. Who signed it is judged there. Raises BadInput."""
    found = shown(raw)
    vault = flow.gate.vault
    if found.region == vault.region.name:
        raise BadInput(what="The statement is for this region: install it.")
    id = fresh("stm", vault.entropy, f"statement/{flow.access.id}/{flow.session.id}")
    by = flow.session.principal.name
    kept = Carried(found.authority[:64], found.region[:64], found.number, raw, by, vault.clock.now())
    await flow.commit(Put(CARRIED, id, kept, expect=0), facts={"authority": kept.authority, "number": kept.number})
    return id, kept


async def carried(flow: Flow) -> list[Found[Carried]]:
    """The files for other regions, oldest first."""
    return sorted(await flow.every(CARRIED), key=lambda found: (found.value.at, found.id))


async def installed(flow: Flow) -> list[Installed]:
    """The newest statement of each authority that was installed where this officer's acting label sees."""
    newest: dict[str, Installed] = {}
    for found in await flow.every(LISTED):
        known = newest.setdefault(found.value.authority, found.value)
        if known.number < found.value.number:
            newest[found.value.authority] = found.value
    return [newest[name] for name in sorted(newest)]


def _checked(flow: Flow, name: str, found: Statement) -> int:
    """The end of a statement that is of this authority, for this region, and holds now."""
    vault = flow.gate.vault
    if found.authority != name or found.region != vault.region.name:
        raise BadInput(what=f"The statement is not of {name} for the region {vault.region.name}.")
    try:
        ends = parse_iso(found.not_after)
    except ValueError:
        raise BadInput(what="`not_after` of the statement is no moment (RFC 3339).") from None
    if not vault.clock.now() < ends <= vault.clock.now() + LONGEST:
        raise BadInput(what="The statement's end is past, or more than a year away.")
    return ends


def _revoked(flow: Flow, authority: Authority, found: Statement, highest: Label) -> tuple[list[Put], list[Enrol]]:
    """Whom it revokes, as officers list them and as admission knows them. Whoever is unknown here is nobody anyway."""
    directory, region, now = flow.gate.directory, flow.gate.vault.region, flow.gate.vault.clock.now()
    people: list[Put] = []
    enrolled: list[Enrol] = []
    for name in sorted(set(found.revoked)):
        principal = directory.named(name)
        record = None if principal is None else directory.stored.principal(principal.id)
        if principal is None or record is None or not record.roles:
            continue
        for most in (authority.ceiling, highest):
            if not principal.clearance.without_needs <= most:
                raise Refused(rule="clearance", asked=principal.clearance.text, clearance=most.text)
        by = f"{authority.name} {found.number}"
        people.append(Put(PERSON, principal.id, Person(principal.id, name, region.floor.text, (), record.uid, by, now)))
        nobody = PrincipalRecord(name, region.floor.text, (), record.uid)
        enrolled.append(Enrol(Put(PRINCIPAL, principal.id, nobody)))
    return people, enrolled


def _record(
    flow: Flow, authority: Authority, subject: Subject, ends: int, highest: Label
) -> tuple[str, AttributeRecord]:
    outsider = Outsider(subject.scheme, subject.issuer, subject.subject)
    clearance, floor = _labels(flow, subject)
    for asked, most in ((clearance, authority.ceiling), (clearance.without_needs, highest)):
        if not asked <= most:
            raise Refused(rule="clearance", asked=asked.text, clearance=most.text)
    if not floor <= clearance:
        raise BadInput(what=f"The floor of {subject.subject} is not dominated by its clearance.")
    if not set(subject.roles) <= authority.roles:
        raise Refused(rule="authority-roles", authority=authority.name)
    begins, until = _moment(subject.not_before, 0), _moment(subject.not_after, ends)
    id = flow.gate.directory.outsiders.id(outsider, authority.name)
    name = f"{authority.name}:{subject.subject[:64]} {id[:16]}"  # a local principal's name has no colon
    roles = tuple(sorted(set(subject.roles)))
    key, ends = authority.fingerprint, min(ends, until)
    return id, AttributeRecord(authority.name, key, name, floor.text, clearance.text, roles, ends, begins)


def _moment(text: str, default: int) -> int:
    try:
        return parse_iso(text) if text else default
    except ValueError:
        raise BadInput(what="`not_before` or `not_after` of a subject is no moment (RFC 3339).") from None


def _labels(flow: Flow, subject: Subject) -> tuple[Label, Label]:
    """Clearance and floor. Nothing is added but the agencies that are named: without ours nothing is seen here."""
    policies = flow.gate.vault.region.policies
    try:
        clearance = policies.clearance(subject.clearance, subject.agencies).with_needs(authorizations(subject.needs))
        floor = policies.parse(subject.floor, ()) | flow.gate.vault.region.floor if subject.floor else clearance
    except MarkingError as error:
        raise BadInput(what=f"{subject.subject}: {error.facts.get('marking')}: {error.facts.get('why')}.") from None
    return clearance, floor
