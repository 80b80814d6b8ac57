"""Between objects and sealed rows: the only place that knows how a value lies in the store."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

from casemate.access.classes import Classes
from casemate.access.quarantine import Meet
from casemate.access.vault import Vault
from casemate.errors import Damaged
from casemate.labels import AccessClass
from casemate.objects import Change, Delete, Found, Kind, Put, Ref
from casemate.store import Row, RowDelete, RowPut, check, put_digest

__all__ = ["Rows", "ref_text"]


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
        self._classes = classes
        self._met = met

    def blind(self, class_id: str, field: str, text: str) -> bytes:
        return self._sealer.blind(class_id, field, text)

    def put(self, access: AccessClass, change: Put) -> RowPut:
        """The sealed row of a put at a class."""
        plain = change.kind.encode(change.value)
        name = change.kind.name
        sealed = self._sealer.seal(access.id, name, plain, _aad(access.id, name, change.id))
        return RowPut(
            class_id=access.id,
            kind=name,
            id=change.id,
            sealed=sealed,
            digest=put_digest(access.id, name, change.id, sealed),
            blinds=[
                (field, self.blind(access.id, f"{name}.{field}", text))
                for field, text in change.kind.index(change.value)
            ],
            parents=[(p.class_id, p.kind, p.id) for p in change.parents],
            expect=change.expect,
        )

    def delete(self, access: AccessClass, change: Delete) -> RowDelete:
        return RowDelete(class_id=access.id, kind=change.kind.name, id=change.id, expect=change.expect)

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

    def _opened(self, kind: Kind[Any], row: Row) -> Found[Any]:
        check(row)
        if row.kind != kind.name:
            raise Damaged(what=kind.name)
        plain = self._sealer.open(row.class_id, row.kind, row.sealed, _aad(row.class_id, row.kind, row.id))
        label = self._classes.by_id(row.class_id).label
        return Found(Ref(row.kind, row.id, row.class_id), row.version, label, kind.decode(plain))
