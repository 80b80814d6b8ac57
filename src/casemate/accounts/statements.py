"""Attribute files installed: what a named authority has signed of people outside becomes what admission believes.

All of a file counts or nothing does. A file replaces the one before of the same authority, and only by a higher number,
so that nobody brings back a clearance that was taken away.
"""

from __future__ import annotations

import hashlib

import msgspec

from casemate.access import ATTRIBUTE, STATEMENT, AttributeRecord, Authority, Enrol, Flow, StatementRecord
from casemate.accounts.agreed import agreed
from casemate.clock import parse_iso
from casemate.errors import Absent, BadInput, Conflict, MarkingError, Refused
from casemate.identity.attributes import Statement, Subject, opened
from casemate.identity.outsider import Outsider
from casemate.labels import Label
from casemate.objects import Delete, Kind, Put
from casemate.policy import authorizations

__all__ = ["Installed", "install", "installed"]

LONGEST = 366 * 86_400_000_000  # microseconds that a statement may hold


class Installed(msgspec.Struct, frozen=True):
    """The statement that holds: its number, how many people it speaks of, and its end in microseconds."""

    authority: str
    number: int
    subjects: int
    ends: int


LISTED = Kind("statement", Installed)


async def install(flow: Flow, name: str, raw: bytes) -> Installed | None:
    """Believe the file from now on; None where a second officer has to install the same.

    Raises Absent for an authority that casemate.toml does not name, BadInput, Conflict for a number that is not higher,
    and Refused where the authority says more than it may, or the officer acts below what it says.
    """
    authority = flow.gate.vault.trust.authorities().get(name)
    if authority is None:
        raise Absent(kind="authority", id=name)
    found = opened(raw, authority.key)
    ends = _checked(flow, name, found)
    outsiders = flow.gate.directory.outsiders
    before = outsiders.statement(name)
    if before is not None and found.number <= before.number:
        raise Conflict(what=f"Statement {before.number} of {name}")
    records = dict(_record(flow, authority, each, ends) for each in found.subjects)
    digest = hashlib.sha384(raw).hexdigest()
    done = await agreed(flow, f"attributes {name} {digest}")
    if done is None:
        return None
    gone = set(before.ids if before is not None else ()) - records.keys()
    made = Installed(name, found.number, len(records), ends)
    await flow.commit(
        Put(LISTED, name, made),
        *done,
        *(Enrol(Delete(ATTRIBUTE, id)) for id in sorted(gone)),
        *(Enrol(Put(ATTRIBUTE, id, record)) for id, record in records.items()),
        Enrol(Put(STATEMENT, name, StatementRecord(found.number, digest, ends, tuple(records)))),
        facts={"authority": name, "number": found.number, "subjects": len(records), "digest": digest},
    )
    return made


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


def _record(flow: Flow, authority: Authority, subject: Subject, ends: int) -> tuple[str, AttributeRecord]:
    outsider = Outsider(subject.scheme, subject.issuer, subject.subject)
    clearance, floor = _labels(flow, subject)
    for asked, most in ((clearance, authority.ceiling), (clearance.without_needs, flow.gives)):
        if not asked <= most:
            raise Refused(rule="clearance", asked=asked.text, clearance=most.text)
    if not floor <= clearance:
        raise BadInput(what=f"The floor of {subject.subject} is not dominated by its clearance.")
    if not set(subject.roles) <= authority.roles:
        raise Refused(rule="authority-roles", authority=authority.name)
    id = flow.gate.directory.outsiders.id(outsider, authority.name)
    name = f"{authority.name}:{subject.subject[:64]} {id[:16]}"  # a local principal's name has no colon
    roles = tuple(sorted(set(subject.roles)))
    return id, AttributeRecord(authority.name, authority.fingerprint, name, floor.text, clearance.text, roles, ends)


def _labels(flow: Flow, subject: Subject) -> tuple[Label, Label]:
    """Clearance and floor. Nothing is added but the agencies that are named: without ours nothing is seen here."""
    policies = flow.gate.vault.region.policies
    try:
        clearance = policies.clearance(subject.clearance, subject.agencies).with_needs(authorizations(subject.needs))
        floor = policies.parse(subject.floor, ()) | flow.gate.vault.region.floor if subject.floor else clearance
    except MarkingError as error:
        raise BadInput(what=f"{subject.subject}: {error.facts.get('marking')}: {error.facts.get('why')}.") from None
    return clearance, floor
