"""Between objects and sealed rows: the only place that knows how a value lies in the store.

What an object is called is content. The store knows a row by a blind of its id, keyed by its class, so that equal ids
of two classes look alike to nobody; the id itself is sealed with the value, and so is found in no file.

    row.id     = base32 of the first 128 bits of blind(class, KIND + "#", id)
    row.sealed = seal(class, kind, length of the id (2 bytes, big endian) | id | value)
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from casemate.access.classes import Classes
from casemate.access.damaged import Meet
from casemate.access.vault import Vault
from casemate.errors import BadInput, Conflict, Damaged
from casemate.ids import short
from casemate.labels import AccessClass
from casemate.objects import Change, Delete, Found, Kind, Put, Ref
from casemate.store import Row, RowDelete, RowPut, check, put_digest

__all__ = ["Rows", "ref_text"]

_BITS = 16  # bytes of a blind that name a row
_LONGEST = 4096


def ref_text(ref: Ref) -> str:
    """How an entry names an object: `kind/id@class`."""
    return f"{ref.kind}/{ref.id}@{ref.class_id}"


def _aad(class_id: str, kind: str, id: str) -> bytes:
    return hashlib.sha384(f"{class_id}\x00{kind}\x00{id}".encode()).digest()


class Rows:
    """Seals changes and opens rows, each bound to its class, kind and id so that none can be put in another's place."""

    def __init__(self, vault: Vault, classes: Classes, met: Meet) -> None:
        """`met` is told where a damaged row lies."""
        self._sealer = vault.sealer
        self._reader = vault.reader
        self._classes = classes
        self._met = met

    def blind(self, class_id: str, field: str, text: str) -> bytes:
        return self._sealer.blind(class_id, field, text)

    def named(self, class_id: str, kind: str, id: str) -> str:
        """What the store calls an object of that class: 26 characters that say nothing."""
        return short(self._sealer.blind(class_id, f"{kind}#", id)[:_BITS])

    def key(self, domain: str, text: str) -> str:
        """What the store calls a batch; "" stays without a name."""
        return short(self._sealer.blind(domain, "batch", text)[:_BITS]) if text else ""

    def get(self, kind: str, id: str, class_ids: Sequence[str]) -> list[Row]:
        """The rows of that object in these classes, in their order, at one moment of the store."""
        names = [self.named(class_id, kind, id) for class_id in class_ids]
        return self._reader.get(kind, names, class_ids)

    def put(self, access: AccessClass, change: Put) -> RowPut:
        """The sealed row of a put at a class."""
        name, said = change.kind.name, change.id.encode()
        id = self.named(access.id, name, change.id)
        if len(said) > _LONGEST:
            raise BadInput(what=f"An identifier has at most {_LONGEST} bytes.")
        plain = b"%b%b%b" % (len(said).to_bytes(2, "big"), said, change.kind.encode(change.value))
        sealed = self._sealer.seal(access.id, name, plain, _aad(access.id, name, id))
        return RowPut(
            class_id=access.id,
            kind=name,
            id=id,
            sealed=sealed,
            digest=put_digest(access.id, name, id, sealed),
            blinds=[
                (field, self.blind(access.id, f"{name}.{field}", text))
                for field, text in change.kind.index(change.value)
            ],
            parents=[(p.class_id, p.kind, self.named(p.class_id, p.kind, p.id)) for p in change.parents],
            expect=change.expect,
        )

    def delete(self, access: AccessClass, change: Delete) -> RowDelete:
        id = self.named(access.id, change.kind.name, change.id)
        return RowDelete(class_id=access.id, kind=change.kind.name, id=id, expect=change.expect)

    def split(self, access: AccessClass, changes: tuple[Change, ...]) -> tuple[list[RowPut], list[RowDelete]]:
        """The rows of a commit that lands at one class."""
        puts = [self.put(access, c) for c in changes if isinstance(c, Put)]
        return puts, [self.delete(access, c) for c in changes if isinstance(c, Delete)]

    def open(self, kind: Kind[Any], row: Row, reader: AccessClass | None = None) -> Found[Any]:
        """The object in a row; Damaged, and nothing of it served, where a byte has changed.

        The place of a damaged row is remembered for the class of whoever reads it.
        """
        try:
            return self._opened(kind, row)
        except Damaged:
            self._met(kind.name, row.class_id, row.id, row.seq, reader)
            raise

    def whole(self, kind: Kind[Any], rows: Iterable[Row], reader: AccessClass | None = None) -> Iterator[Found[Any]]:
        """The objects of a listing: a damaged row is passed over, unless what it holds would hold something back."""
        for row in rows:
            try:
                yield self.open(kind, row, reader)
            except Damaged:
                if kind.withholds:
                    raise

    def ref(self, row: Row) -> Ref:
        """Where the object of a row lies, under its own id. Raises Damaged."""
        return Ref(row.kind, self._plain(row)[0], row.class_id)

    def told(self, conflict: Conflict, changes: Iterable[tuple[AccessClass, Change]]) -> Conflict:
        """What the writer refused, in the words of whoever asked for it: the writer knows no name."""
        what = str(conflict.facts.get("what", ""))
        for access, change in changes:
            kind = change.kind.name
            if what == f"{kind} {self.named(access.id, kind, change.id)}":
                return Conflict(what=f"{kind} {change.id}")
        return Conflict(what=what.partition(" ")[0])

    def _opened(self, kind: Kind[Any], row: Row) -> Found[Any]:
        if row.kind != kind.name:
            raise Damaged(what=kind.name)
        id, value = self._plain(row)
        label = self._classes.by_id(row.class_id).label
        return Found(Ref(row.kind, id, row.class_id), row.version, label, kind.decode(value))

    def _plain(self, row: Row) -> tuple[str, bytes]:
        """The id and the value's bytes. Raises Damaged."""
        check(row)
        plain = self._sealer.open(row.class_id, row.kind, row.sealed, _aad(row.class_id, row.kind, row.id))
        end = 2 + int.from_bytes(plain[:2], "big")
        return plain[2:end].decode(), plain[end:]
