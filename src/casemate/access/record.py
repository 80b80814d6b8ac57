"""Entries: what happened, sealed, with a salted digest of what was said.

The salt is kept with the sealed content, so that destroying the content leaves a digest that nobody can test guesses
against. An entry stands in the log of the access class at which its request acted; its id is unguessable.
"""

from __future__ import annotations

import hmac
from typing import Any

import msgspec

from casemate.access.classes import Classes
from casemate.access.vault import Vault
from casemate.clock import SECOND
from casemate.errors import Damaged
from casemate.identity import Session
from casemate.ids import short
from casemate.labels import AccessClass
from casemate.ledger import Entry, fitted, leaf_hash, parse
from casemate.store import EntryRow, StoredEntry

__all__ = ["Note", "Recorder", "facts_of"]

_ID, _SALT = 16, 24  # bytes of entropy
_pack = msgspec.msgpack.Encoder().encode
_DAY = 86_400 * SECOND


class Note(msgspec.Struct, frozen=True):
    """What to record, before it has an id, a time and a place."""

    action: str
    outcome: str
    rule: str = ""
    facts: tuple[tuple[str, str | int], ...] = ()
    subjects: tuple[str, ...] = ()
    content: bytes | None = None
    ref: str = ""


class Recorder:
    """Makes sealed entries and opens them again."""

    def __init__(self, vault: Vault, classes: Classes) -> None:
        self._vault = vault
        self._classes = classes

    def entry(self, session: Session, access: AccessClass, note: Note) -> tuple[Entry, EntryRow]:
        """The entry and its sealed row, in the log of that class."""
        drawn = self._vault.entropy.draw(f"entry/{access.id}/{session.id}", _ID + _SALT)
        salt = drawn[_ID:]
        digest = hmac.digest(salt, note.content, "sha384").hex() if note.content is not None else ""
        entry = Entry(
            id=f"ent_{short(drawn[:_ID])}",
            log=access.id,
            at=self._vault.clock.now(),
            session=session.id,
            principal=session.principal.name,
            action=note.action,
            outcome=note.outcome,
            rule=note.rule,
            facts=dict(note.facts),
            subjects=note.subjects,
            content=digest,
            ref=note.ref,
        )
        entry, plain = fitted(entry)
        return entry, self._seal(entry, plain, salt, note.content)

    def _seal(self, entry: Entry, plain: bytes, salt: bytes, content: bytes | None) -> EntryRow:
        id = self.named(entry.id)
        aad = id.encode()
        kept = b""
        if content is not None:
            kept = self._vault.sealer.seal(entry.log, "content", _pack((salt, content)), aad)
        return EntryRow(
            log=entry.log,
            id=id,
            leaf=leaf_hash(plain),
            sealed=self._vault.sealer.seal(entry.log, "entry", plain, aad),
            content=kept,
            expires=entry.at + self._vault.region.retention_days * _DAY if kept else 0,
        )

    def named(self, id: str) -> str:
        """What the store calls an entry. Its own id is in no file: so it salts the leaf, at which nobody can guess."""
        return short(self._vault.sealer.blind("", "entry", id)[:_ID])

    def find(self, id: str) -> tuple[str, StoredEntry] | None:
        """The entry of that id and its log; the caller decides whether that log is visible."""
        return self._vault.reader.entry(self.named(id))

    def plain(self, log: str, stored: StoredEntry) -> bytes:
        """The canonical bytes of a stored entry. Raises Damaged."""
        return self._vault.sealer.open(log, "entry", stored.sealed, stored.id.encode())

    def open(self, log: str, stored: StoredEntry) -> Entry:
        """A stored entry. Raises Damaged where it is not what its leaf says."""
        plain = self.plain(log, stored)
        if leaf_hash(plain) != stored.leaf:
            raise Damaged(what="ledger entry")
        return parse(plain)

    def content(self, log: str, stored: StoredEntry) -> bytes | None:
        """What was said, while the retention rule keeps it; held to the digest in its entry."""
        if not stored.content:
            return None
        packed = self._vault.sealer.open(log, "content", stored.content, stored.id.encode())
        salt, said = msgspec.msgpack.decode(packed, type=tuple[bytes, bytes])
        if hmac.digest(salt, said, "sha384").hex() != self.open(log, stored).content:
            raise Damaged(what="ledger content")
        return said


def facts_of(values: dict[str, Any]) -> tuple[tuple[str, str | int], ...]:
    """Facts as an entry keeps them: text and whole numbers only."""
    return tuple([(name, v if isinstance(v, int) else str(v)) for name, v in sorted(values.items())])
