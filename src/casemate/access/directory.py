"""Who may come in: principals and credentials, sealed in a class that no request scans.

What admission answers depends on the credential shown and on nothing that a caller could not know: an unknown key, a
wrong secret and a revoked key look alike. Rooms list their own records (`accounts`); the truth for admission is here,
and only commits whose action names a principal, key or session may change it.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from casemate.access.classes import Classes
from casemate.access.rows import Rows
from casemate.access.vault import Vault
from casemate.errors import Expired, Unauthenticated
from casemate.identity import Bearer, Credential, KeyText, Peer, Principal, Session, Signed, digest_of, split_key
from casemate.identity.sigv4 import parse_authorization, verify
from casemate.labels import AccessClass, Label, access_class, make_label
from casemate.objects import Delete, Kind, Put

__all__ = [
    "CEILING",
    "CREDENTIAL",
    "PRINCIPAL",
    "STATE",
    "CredentialRecord",
    "Directory",
    "Enrol",
    "PrincipalRecord",
    "StateRecord",
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


class Directory:
    """Looks credentials up. Everything here runs before there is a session."""

    def __init__(self, vault: Vault, classes: Classes, rows: Rows) -> None:
        self._vault = vault
        self._classes = classes
        self._rows = rows
        self.access: AccessClass = classes.learn(access_class(make_label({}), originator="casemate:directory"))

    def admit(self, credential: Credential) -> Session:
        """The session of a credential. Raises Unauthenticated, Expired or Skewed."""
        if isinstance(credential, Peer):
            return self._peer(credential)
        if isinstance(credential, Signed):
            return self._signed(credential)
        return self._bearer(credential)

    def sigv4_secret(self, key_id: str, generation: int) -> str:
        """The SigV4 secret of a key: derived, never stored (40 characters of URL-safe text)."""
        return self._vault.sealer.blind("", "sigv4", f"{key_id}/{generation}").hex()[:40]

    def principal(self, id: str) -> Principal | None:
        """The principal of that id, as he stands now."""
        record = self._get(PRINCIPAL, id)
        return None if record is None else self._principal(id, record)

    def named(self, name: str) -> Principal | None:
        """The principal of that name."""
        return self._by("name", name)

    def local(self, uid: str) -> Principal | None:
        """The principal of a local user."""
        return self._by("uid", uid)

    def holders(self, role: str) -> int:
        """How many principals hold a role."""
        count, after = 0, None
        while True:
            rows, after = self._vault.reader.scan(PRINCIPAL.name, [], [self.access.id], after, PAGE)
            count += sum(role in self._rows.open(PRINCIPAL, row).value.roles for row in rows)
            if after is None:
                return count

    def credential(self, id: str) -> CredentialRecord | None:
        """The key or console session of that id."""
        return self._get(CREDENTIAL, id)

    def keyless(self, principal: str) -> bool:
        """Whether that principal has neither a key nor a console session."""
        blind = self._rows.blind(self.access.id, f"{CREDENTIAL.name}.principal", principal)
        rows, _ = self._vault.reader.scan(CREDENTIAL.name, [("principal", blind)], [self.access.id], None, 1)
        return not rows

    def taken(self, principal: str, name: str, uid: str) -> list[Put]:
        """What makes a new principal's name and local user his alone; a Conflict where they are another's already."""
        texts = [f"name/{name}", *([f"uid/{uid}"] if uid else [])]
        record = NameRecord(principal)
        return [Put(NAME, self._rows.blind(self.access.id, NAME.name, text).hex(), record, expect=0) for text in texts]

    def two_person(self) -> bool:
        """Whether clearances, roles and policies take two officers here; otherwise the region is solo."""
        state = self._get(STATE, "region")
        return state is not None and state.two_person

    def _peer(self, credential: Peer) -> Session:
        found = self._by("uid", str(credential.uid))
        if found is None:
            raise Unauthenticated
        floor = self._vault.region.floor
        return Session(f"uid{credential.uid}", found, floor, found.clearance, credential.language)

    def _bearer(self, credential: Bearer) -> Session:
        key: KeyText = split_key(credential.secret)
        record = self._get(CREDENTIAL, key.id)
        stored = record.digest if record is not None else "0" * 96
        right = hmac.compare_digest(digest_of(key.secret), stored)
        if record is None or not right or record.use != credential.use:
            raise Unauthenticated
        return self._session(key.id, record)

    def _signed(self, credential: Signed) -> Session:
        signed = parse_authorization(credential.authorization)
        record = self._get(CREDENTIAL, credential.key_id)
        generation = record.generation if record is not None else 0
        secret = self.sigv4_secret(credential.key_id, generation)
        verify(credential, signed, secret, self._vault.clock.now())
        if record is None or record.use != "sigv4":
            raise Unauthenticated
        return self._session(credential.key_id, record)

    def _session(self, id: str, record: CredentialRecord) -> Session:
        if record.under and self._get(CREDENTIAL, record.under) is None:
            raise Unauthenticated
        if self._vault.clock.now() >= record.expires:
            raise Expired
        found = self.principal(record.principal)
        floor, ceiling = self._label(record.floor), self._label(record.ceiling)
        if found is None or not floor <= ceiling <= found.clearance:
            raise Unauthenticated
        return Session(id, found, floor, ceiling, record.language)

    def _label(self, text: str) -> Label:
        return self._vault.region.policies.parse(text)

    def _principal(self, id: str, record: PrincipalRecord) -> Principal:
        clearance = self._vault.region.ceiling if record.clearance == CEILING else self._label(record.clearance)
        return Principal(id, record.name, clearance, frozenset(record.roles))

    def _get(self, kind: Kind[T], id: str) -> T | None:
        rows = self._vault.reader.get(kind.name, id, [self.access.id])
        return self._rows.open(kind, rows[0]).value if rows else None

    def _by(self, field: str, text: str) -> Principal | None:
        blind = self._rows.blind(self.access.id, f"{PRINCIPAL.name}.{field}", text)
        rows, _ = self._vault.reader.scan(PRINCIPAL.name, [(field, blind)], [self.access.id], None, 1)
        for row in rows if text else ():
            return self._principal(row.id, self._rows.open(PRINCIPAL, row).value)
        return None
