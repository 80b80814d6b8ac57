"""What admission believes, and where it finds it: in the store, or in a snapshot of it (`publish`).

The records lie sealed in a class that no request scans. Only commits whose action names a principal, key or session
change them. Whatever stands behind `Records`, admission asks the same questions in the same order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

import msgspec

from casemate.access.classes import Classes
from casemate.access.rows import Rows
from casemate.access.vault import Vault
from casemate.labels import AccessClass, access_class, make_label
from casemate.objects import Delete, Kind, Put

__all__ = [
    "CEILING",
    "CREDENTIAL",
    "NAME",
    "PRINCIPAL",
    "STATE",
    "CredentialRecord",
    "Enrol",
    "NameRecord",
    "PrincipalRecord",
    "Records",
    "StateRecord",
    "StoredRecords",
]

T = TypeVar("T")


class PrincipalRecord(msgspec.Struct, frozen=True):
    """A principal as admission knows him; `clearance` is a label's canonical text."""

    name: str
    clearance: str
    roles: tuple[str, ...]
    uid: str = ""


class CredentialRecord(msgspec.Struct, frozen=True):
    """A key or console session. `digest` of the secret; empty for SigV4, whose secret is derived from `generation`.

    `under` is the key that signed a console session in: it is worth nothing without it.
    """

    principal: str
    use: str
    digest: str
    floor: str
    ceiling: str
    expires: int
    generation: int = 0
    language: str = "en"
    under: str = ""


class NameRecord(msgspec.Struct, frozen=True):
    """Whose a name or a local user is: two principals of one name would read each other's entries."""

    principal: str


class StateRecord(msgspec.Struct, frozen=True):
    """What a region has decided for good. Two people for clearances and policies, once on, stays on."""

    two_person: bool = False


CEILING = "ceiling"  # the clearance of an owner: the region's ceiling, also after a policy has been added
STATE = Kind("directory.state", StateRecord)
PRINCIPAL = Kind("directory.principal", PrincipalRecord, indexed=("name", "uid"))
CREDENTIAL = Kind("directory.credential", CredentialRecord, indexed=("principal",))
NAME = Kind("directory.name", NameRecord)
PAGE = 500


@dataclass(frozen=True, slots=True)
class Enrol:
    """A change of the directory, committed beside the room's own changes."""

    change: Put | Delete


class Records(Protocol):
    """The questions that admission asks of whoever keeps the records."""

    def principal(self, id: str) -> PrincipalRecord | None: ...

    def credential(self, id: str) -> CredentialRecord | None: ...

    def by(self, field: Literal["name", "uid"], text: str) -> tuple[str, PrincipalRecord] | None:
        """The principal who bears that name, or is that local user: his id and record. "" is nobody."""
        ...

    def principals(self) -> dict[str, PrincipalRecord]:
        """All of them, by id."""
        ...

    def keyless(self, principal: str) -> bool:
        """Whether that principal has neither a key nor a console session."""
        ...

    def two_person(self) -> bool: ...


class StoredRecords:
    """The records as they are committed, at this moment."""

    def __init__(self, vault: Vault, classes: Classes, rows: Rows) -> None:
        self._vault = vault
        self._rows = rows
        self.access: AccessClass = classes.learn(access_class(make_label({}), originator="casemate:directory"))

    def principal(self, id: str) -> PrincipalRecord | None:
        return self._get(PRINCIPAL, id)

    def credential(self, id: str) -> CredentialRecord | None:
        return self._get(CREDENTIAL, id)

    def by(self, field: Literal["name", "uid"], text: str) -> tuple[str, PrincipalRecord] | None:
        blind = self._rows.blind(self.access.id, f"{PRINCIPAL.name}.{field}", text)
        rows, _ = self._vault.reader.scan(PRINCIPAL.name, [(field, blind)], [self.access.id], None, 1)
        for row in rows if text else ():
            found = self._rows.open(PRINCIPAL, row)
            return found.id, found.value
        return None

    def principals(self) -> dict[str, PrincipalRecord]:
        return self._all(PRINCIPAL)

    def credentials(self) -> dict[str, CredentialRecord]:
        """All of them, by id: what a snapshot is made of."""
        return self._all(CREDENTIAL)

    def keyless(self, principal: str) -> bool:
        blind = self._rows.blind(self.access.id, f"{CREDENTIAL.name}.principal", principal)
        rows, _ = self._vault.reader.scan(CREDENTIAL.name, [("principal", blind)], [self.access.id], None, 1)
        return not rows

    def two_person(self) -> bool:
        state = self._get(STATE, "region")
        return state is not None and state.two_person

    def _get(self, kind: Kind[T], id: str) -> T | None:
        rows = self._rows.get(kind.name, id, [self.access.id])
        return self._rows.open(kind, rows[0]).value if rows else None

    def _all(self, kind: Kind[T]) -> dict[str, T]:
        found: dict[str, T] = {}
        after: str | None = None
        while True:
            rows, after = self._vault.reader.scan(kind.name, [], [self.access.id], after, PAGE)
            found |= {each.id: each.value for each in self._rows.whole(kind, rows)}  # who is unreadable is nobody
            if after is None:
                return found
