"""The access classes that exist here, and which of them an acting label sees.

A class with a need-to-know expression or an originator rule is nobody's until a rule can decide it: fail closed. The
directory (see `directory`) is such a class, so no request ever scans it.
"""

from __future__ import annotations

import msgspec

from casemate.access.vault import Vault
from casemate.errors import Damaged
from casemate.labels import AccessClass, Label, access_class
from casemate.store import ClassRow

__all__ = ["Classes"]


class _Known(msgspec.Struct, frozen=True):
    label: str
    need: str
    originator: str


class Classes:
    """Access classes by id; labels are opened once and kept, the list itself is read anew at each question."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._known: dict[str, AccessClass] = {}
        self._rows: dict[str, ClassRow] = {}

    def of(self, label: Label) -> AccessClass:
        """The plain class of a label."""
        found = access_class(label)
        self._known[found.id] = found
        return found

    def learn(self, found: AccessClass) -> AccessClass:
        self._known[found.id] = found
        return found

    def by_id(self, class_id: str) -> AccessClass:
        """The class of that id, or Damaged where nobody has written it."""
        if class_id not in self._known:
            self.everything()
        try:
            return self._known[class_id]
        except KeyError:
            raise Damaged(what="access class") from None

    def everything(self) -> list[AccessClass]:
        """Every class that has ever been written to."""
        return [self._open(row) for row in self._vault.reader.classes()]

    def visible(self, acting: Label) -> list[AccessClass]:
        """The classes dominated by the acting label, in the fixed order of their ids.

        Its own class is among them, written or not: what a request asks for must not depend on how far the disk has
        come with its own BEGIN.
        """
        seen = {c.id: c for c in self.everything() if not c.need and not c.originator and c.label <= acting}
        own = self.of(acting)
        seen[own.id] = own
        return [seen[id] for id in sorted(seen)]

    def row(self, access: AccessClass) -> ClassRow:
        """The sealed row that makes the class known to whoever opens the folder with its keys."""
        if access.id not in self._rows:
            plain = msgspec.msgpack.encode(_Known(access.label.text, access.need, access.originator))
            self._rows[access.id] = ClassRow(access.id, self._vault.sealer.seal("", "class", plain, access.id.encode()))
        return self._rows[access.id]

    def _open(self, row: ClassRow) -> AccessClass:
        if row.id not in self._known:
            plain = self._vault.sealer.open("", "class", row.sealed, row.id.encode())
            known = msgspec.msgpack.decode(plain, type=_Known)
            label = self._vault.region.policies.parse(known.label)
            found = access_class(label, known.need, known.originator)
            if found.id != row.id:
                raise Damaged(what="access class")
            self._known[row.id] = found
        return self._known[row.id]
