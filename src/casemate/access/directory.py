"""Who may come in: a credential becomes a session here, by records that lie in the store or in a snapshot of it.

What admission answers depends on the credential shown and on nothing that a caller could not know: an unknown key, a
wrong secret and a revoked key look alike. Rooms list their own records (`accounts`); the truth for admission is here.

From the store (control, or a region in one process) a change counts at once. From a snapshot (data and answer
processes) it counts with the next one: admission is then a look into dictionaries and reads nothing else. A snapshot
that is too old fails closed: first for whoever may go above the region's floor, then for everybody.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from casemate.access import certificates, tokens
from casemate.access.classes import Classes
from casemate.access.outsiders import Outsiders
from casemate.access.records import (
    CEILING,
    NAME,
    CredentialRecord,
    NameRecord,
    PrincipalRecord,
    Records,
    StoredRecords,
)
from casemate.access.rows import Rows
from casemate.access.vault import Vault
from casemate.errors import ControlAway, Expired, Stale, Unauthenticated
from casemate.identity import (
    Bearer,
    Certificate,
    Credential,
    KeyText,
    Peer,
    Principal,
    Session,
    Signed,
    SignedHead,
    digest_of,
    sigv4_s3,
    split_key,
)
from casemate.identity.jws import looks_like
from casemate.identity.outsider import Outsider
from casemate.identity.sigv4 import parse_authorization, verify
from casemate.identity.sigv4_chunks import Chain
from casemate.labels import AccessClass, Label
from casemate.objects import Put

__all__ = ["RETRY_SECONDS", "Directory", "Term"]

RETRY_SECONDS = 10  # what a caller is told to wait for a control process that is being started again
FRESH_RATES = 5  # so many rates without a snapshot, and control is taken to be away
_NOBODY = "0" * 96


@dataclass(frozen=True, slots=True)
class Term:
    """How long a snapshot is believed: microseconds, the times since the epoch. Fields as in `store.Snapshot`."""

    made_at: int
    rate: int
    not_after: int
    ends: int


class Directory:
    """Looks credentials up. Everything here runs before there is a session."""

    def __init__(self, vault: Vault, classes: Classes, rows: Rows) -> None:
        self._vault = vault
        self._rows = rows
        self.stored = StoredRecords(vault, classes, rows)
        self.access: AccessClass = self.stored.access
        self._records: Records = self.stored
        self._term: Term | None = None
        self._kept: dict[str, Session] = {}
        self.published: Callable[[], Awaitable[None]] = _at_once
        self.outsiders = Outsiders(vault, rows, self.access)

    def serve(self, records: Records, term: Term) -> None:
        """From now on admit by these records and by nothing in the store. One assignment each, on the loop's thread."""
        self._records, self._term, self._kept = records, term, {}

    def admit(self, credential: Credential) -> Session:
        """The session of a credential. Raises Unauthenticated, Expired, Skewed or Stale."""
        if self._term is not None and self._vault.clock.now() >= self._term.ends:
            raise Stale(retry_after=RETRY_SECONDS)
        if isinstance(credential, Bearer):
            if looks_like(credential.secret) and credential.use == "api":
                return self._outside(*tokens.named(self._vault, credential.secret))
            return self._bearer(credential)
        if isinstance(credential, Certificate):
            return self._outside(*certificates.named(self._vault, credential))
        if isinstance(credential, Signed):
            return self._signed(credential)
        if isinstance(credential, SignedHead):
            return self._signed_head(credential)
        return self._peer(credential)

    def fresh(self) -> bool:
        """Whether what is granted now can be heard of here: always from the store; else if control publishes still."""
        term = self._term
        return term is None or self._vault.clock.now() < term.made_at + FRESH_RATES * term.rate

    def granting(self) -> None:
        """Raises ControlAway where nothing new can be granted: what exists goes on, what would be new waits."""
        if not self.fresh():
            raise ControlAway(retry_after=RETRY_SECONDS)

    def sigv4_secret(self, key_id: str, generation: int) -> str:
        """The SigV4 secret of a key: derived, never stored (40 characters of URL-safe text)."""
        return self._vault.sealer.blind("", "sigv4", f"{key_id}/{generation}").hex()[:40]

    def principal(self, id: str) -> Principal | None:
        """The principal of that id, as he stands now."""
        record = self._records.principal(id)
        return None if record is None else self._principal(id, record)

    def named(self, name: str) -> Principal | None:
        """The principal of that name."""
        found = self._records.by("name", name)
        return None if found is None else self._principal(*found)

    def local(self, uid: str) -> Principal | None:
        """The principal of a local user."""
        found = self._records.by("uid", uid)
        return None if found is None else self._principal(*found)

    def holders(self, role: str) -> int:
        """How many principals hold a role."""
        return sum(role in record.roles for record in self._records.principals().values())

    def credential(self, id: str) -> CredentialRecord | None:
        """The key or console session of that id."""
        return self._records.credential(id)

    def keyless(self, principal: str) -> bool:
        """Whether that principal has neither a key nor a console session."""
        return self._records.keyless(principal)

    def taken(self, principal: str, name: str, uid: str) -> list[Put]:
        """What makes a new principal's name and local user his alone; a Conflict where they are another's already."""
        texts = [f"name/{name}", *([f"uid/{uid}"] if uid else [])]
        record = NameRecord(principal)
        return [Put(NAME, self._rows.blind(self.access.id, NAME.name, text).hex(), record, expect=0) for text in texts]

    def two_person(self) -> bool:
        """Whether clearances, roles and policies take two officers here; otherwise the region is solo."""
        return self._records.two_person()

    def _peer(self, credential: Peer) -> Session:
        found = self.local(str(credential.uid))
        if found is None:
            raise Unauthenticated
        self._believed(found.clearance, self._vault.clock.now())
        floor = self._vault.region.floor
        return Session(f"uid{credential.uid}", found, floor, found.clearance, credential.language)

    def _bearer(self, credential: Bearer) -> Session:
        key: KeyText = split_key(credential.secret)
        record = self._records.credential(key.id)
        stored = record.digest if record is not None else _NOBODY
        right = hmac.compare_digest(digest_of(key.secret), stored)
        if record is None or not right or record.use != credential.use:
            raise Unauthenticated
        return self._session(key.id, record)

    def _outside(self, shown: str, named: tuple[Outsider, ...]) -> Session:
        session = self.outsiders.session(self, named, shown)
        self._believed(session.ceiling, self._vault.clock.now())
        return session

    def _signed(self, credential: Signed) -> Session:
        signed = parse_authorization(credential.authorization)
        record = self._records.credential(credential.key_id)
        generation = record.generation if record is not None else 0
        secret = self.sigv4_secret(credential.key_id, generation)
        verify(credential, signed, secret, self._vault.clock.now())
        if record is None or record.use != "sigv4":
            raise Unauthenticated
        return self._session(credential.key_id, record)

    def _signed_head(self, credential: SignedHead) -> Session:
        found = sigv4_s3.shown(credential)
        record = self._records.credential(credential.key_id)
        secret = self.sigv4_secret(credential.key_id, record.generation if record is not None else 0)
        sigv4_s3.verify(credential, found, secret, self._vault.clock.now())
        if record is None or record.use != "sigv4" or found.auth.key_id != credential.key_id:
            raise Unauthenticated
        return self._session(credential.key_id, record)

    def chain(self, credential: SignedHead) -> Chain:
        """What verifies the chunks of the body of a request that was admitted: anybody else's are verified by none."""
        record = self._records.credential(credential.key_id)
        secret = self.sigv4_secret(credential.key_id, record.generation if record is not None else 0)
        return sigv4_s3.chain(sigv4_s3.shown(credential), secret)

    def _session(self, id: str, record: CredentialRecord) -> Session:
        """The session of a credential whose secret was right. Kept while a snapshot stands, for it cannot differ."""
        kept = self._kept.get(id)
        if kept is None and record.under and self._records.credential(record.under) is None:
            raise Unauthenticated
        now = self._vault.clock.now()
        if now >= record.expires:
            raise Expired
        if kept is None:
            kept = self._made(id, record)
            if self._term is not None:
                self._kept[id] = kept
        self._believed(kept.ceiling, now)
        return kept

    def _made(self, id: str, record: CredentialRecord) -> Session:
        found = self.principal(record.principal)
        floor, ceiling = self._label(record.floor), self._label(record.ceiling)
        if found is None or not floor <= ceiling <= found.clearance:
            raise Unauthenticated
        return Session(id, found, floor, ceiling, record.language)

    def _believed(self, ceiling: Label, now: int) -> None:
        """Raises Stale for whoever may go above the floor by a snapshot that is older than it may be."""
        if self._term is not None and now >= self._term.not_after and not ceiling <= self._vault.region.floor:
            raise Stale(retry_after=RETRY_SECONDS)

    def _label(self, text: str) -> Label:
        return self._vault.region.policies.parse(text)

    def _principal(self, id: str, record: PrincipalRecord) -> Principal:
        clearance = self._vault.region.ceiling if record.clearance == CEILING else self._label(record.clearance)
        return Principal(id, record.name, clearance, frozenset(record.roles))


async def _at_once() -> None:
    """Where admission reads the store itself, a change counts as soon as it is committed."""
