"""Whom somebody outside is here: by a binding to a principal, else by what an attribute authority has signed.

    who is shown (`tokens`, `certificates`)  ->  Outsider  ->  binding? principal : attributes? : Unauthenticated

Nothing of a token or certificate but the name is looked at. Names are keyed digests in the store, so that whoever reads
the folder learns nobody's. Each name costs the same questions, whatever is found.

A record that nobody can read says nothing, and so neither does what would only count were it not there: a binding may
be narrower than what an authority says, and one authority's word than the next one's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

import msgspec

from casemate.access.rows import Rows
from casemate.access.vault import Vault
from casemate.errors import MarkingError, Unauthenticated
from casemate.identity import Principal, Session
from casemate.identity.outsider import Outsider
from casemate.labels import AccessClass, Label
from casemate.objects import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "ATTRIBUTE",
    "BINDING",
    "STATEMENT",
    "AttributeRecord",
    "BindingRecord",
    "Outsiders",
    "StatementRecord",
    "is_outside",
]

T = TypeVar("T")
PREFIXES = ("tok_", "crt_")  # of the ids of sessions that somebody outside has; no key's id has an underscore
PAGE = 500


class BindingRecord(msgspec.Struct, frozen=True):
    """The principal whom a name outside is. `ceiling` "" is his clearance, `floor` "" is the ceiling."""

    principal: str
    floor: str = ""
    ceiling: str = ""


class AttributeRecord(msgspec.Struct, frozen=True):
    """What an authority said, signed with the key of that fingerprint: labels as canonical text, good from `begins` on
    and before `ends`."""

    authority: str
    key: str
    name: str
    floor: str
    clearance: str
    roles: tuple[str, ...]
    ends: int
    begins: int = 0


class StatementRecord(msgspec.Struct, frozen=True):
    """The last statement of an authority: the next one has a higher number. `ids` are its subjects' records."""

    number: int
    digest: str
    ends: int
    ids: tuple[str, ...]


BINDING = Kind("directory.binding", BindingRecord)
ATTRIBUTE = Kind("directory.attribute", AttributeRecord)
STATEMENT = Kind("directory.statement", StatementRecord)


class Known(msgspec.Struct, frozen=True, array_like=True):
    """All bindings and attributes that can be read, by the ids of their records; whether some of either cannot."""

    bindings: dict[str, BindingRecord]
    attributes: dict[str, AttributeRecord]
    bindings_lost: bool = False
    attributes_lost: bool = False


class _People(Protocol):
    def principal(self, id: str) -> Principal | None: ...


def is_outside(session: Session) -> bool:
    """Whether the session is of a token or certificate: it makes no key or cookie that would outlive these."""
    return session.id.startswith(PREFIXES)


class Outsiders:
    """The records of names outside: in the store, or where a snapshot has been taken, in it alone."""

    def __init__(self, vault: Vault, rows: Rows, access: AccessClass) -> None:
        self._vault = vault
        self._rows = rows
        self._access = access
        self._known: Known | None = None

    def id(self, outsider: Outsider, authority: str = "") -> str:
        """The id of a name's record, of its binding or of what an authority says of it."""
        return self._rows.blind(self._access.id, "outsider", f"{authority}\x00{outsider.text}").hex()

    def binding(self, id: str) -> BindingRecord | None:
        return self._get(BINDING, id) if self._known is None else self._known.bindings.get(id)

    def attribute(self, id: str) -> AttributeRecord | None:
        return self._get(ATTRIBUTE, id) if self._known is None else self._known.attributes.get(id)

    def statement(self, authority: str) -> StatementRecord | None:
        """The last statement of an authority, as it is committed."""
        return self._get(STATEMENT, authority)

    def session(self, people: _People, named: Iterable[Outsider], shown: str) -> Session:
        """The session of the first of these names that is somebody here. `shown` is what was shown, "tok_" or "crt_"
        before it; the session's id is derived from it and says nothing of it. Raises Unauthenticated."""
        found: Session | None = None
        doubt = False
        id = shown[:4] + self._vault.sealer.blind("", "session", shown).hex()[:40]
        authorities = sorted(self._vault.trust.authorities())
        for outsider in named:
            asked = [self._bound(people, outsider, id), *(self._told(name, outsider, id) for name in authorities)]
            for session, sure in asked:
                found = found or (None if doubt else session)
                doubt = doubt or not sure
        if found is None:
            raise Unauthenticated
        return found

    def _bound(self, people: _People, outsider: Outsider, id: str) -> tuple[Session | None, bool]:
        """By a binding; and whether one that cannot be read could have said something else."""
        record = self.binding(self.id(outsider))
        sure = record is not None or self._known is None or not self._known.bindings_lost
        principal = None if record is None else people.principal(record.principal)
        if record is None or principal is None:
            return None, sure
        ceiling = self._label(record.ceiling) if record.ceiling else principal.clearance
        return _within(Session(id, principal, self._label(record.floor) if record.floor else ceiling, ceiling)), sure

    def _told(self, name: str, outsider: Outsider, id: str) -> tuple[Session | None, bool]:
        """By what an authority said; and whether what cannot be read could have said something else."""
        record_id = self.id(outsider, name)
        record = self.attribute(record_id)
        sure = record is not None or self._known is None or not self._known.attributes_lost
        return (None if record is None else self._said(name, record_id, record, id)), sure

    def _said(self, name: str, record_id: str, record: AttributeRecord, id: str) -> Session | None:
        """As far as the authority still may say so: its key, its ceiling, its roles and its end."""
        authority = self._vault.trust.authorities()[name]
        if record.key != authority.fingerprint or not record.begins <= self._vault.clock.now() < record.ends:
            return None
        try:
            clearance, floor = self._label(record.clearance), self._label(record.floor)
        except MarkingError:
            return None
        roles = frozenset(record.roles)
        if not clearance <= authority.ceiling or not roles <= authority.roles:
            return None
        principal = Principal(f"out_{record_id[:32]}", record.name, clearance, roles)
        session = Session(id, principal, floor, clearance)
        return _within(session) if self._vault.region.floor <= floor else None

    def _label(self, text: str) -> Label:
        return self._vault.region.policies.parse(text)

    # ---- as a section of the snapshot -----------------------------------------------------------------------------

    def write(self) -> bytes:
        """All of it that can be read, as it is committed."""
        bindings, bindings_lost = self._all(BINDING)
        attributes, attributes_lost = self._all(ATTRIBUTE)
        return msgspec.msgpack.encode(Known(bindings, attributes, bindings_lost, attributes_lost))

    @staticmethod
    def read(raw: bytes) -> Known:
        """The records in the bytes of a section. Raises msgspec.DecodeError."""
        return msgspec.msgpack.decode(raw, type=Known)

    def take(self, known: Known) -> None:
        """From now on by these records and by nothing in the store."""
        self._known = known

    def _get(self, kind: Kind[T], id: str) -> T | None:
        rows = self._rows.get(kind.name, id, [self._access.id])
        return self._rows.open(kind, rows[0]).value if rows else None

    def _all(self, kind: Kind[T]) -> tuple[dict[str, T], bool]:
        """What can be read, and whether there is something that cannot."""
        found: dict[str, T] = {}
        lost = False
        after: str | None = None
        while True:
            rows, after = self._vault.reader.scan(kind.name, [], [self._access.id], after, PAGE)
            whole = {each.id: each.value for each in self._rows.whole(kind, rows)}
            lost = lost or len(whole) < len(rows)
            found |= whole
            if after is None:
                return found, lost


def _within(session: Session) -> Session | None:
    """A session that its principal's clearance does not hold is nobody's."""
    return session if session.floor <= session.ceiling <= session.principal.clearance else None
