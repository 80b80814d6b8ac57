"""The access classes that exist here, and which of them an acting label sees.

Which authorizations a request acts with is a part of its acting label, so what everybody needs who may know of a class
stands in the label of that class: it is seen where that label is dominated. Only what a label cannot say, that one of
several authorizations suffices, is left to the class as an expression, in one form for each meaning of the plain kind.

A class with an originator of its own is nobody's: fail closed. The directory (see `directory`) is such a class, so no
request ever scans it. (Whose leave a re-release needs follows from the label: `policy.originators`.)
"""

from __future__ import annotations

from collections.abc import Sequence
from weakref import WeakKeyDictionary

import msgspec

from casemate.access.damaged import Meet
from casemate.access.vault import Vault
from casemate.errors import BadInput, Damaged
from casemate.labels import AccessClass, Label, access_class
from casemate.policy import Need
from casemate.store import ClassRow

__all__ = ["Classes"]


class _Known(msgspec.Struct, frozen=True):
    label: str
    need: str
    originator: str


class Classes:
    """Access classes by id; labels are opened once and kept. Whether there are others is asked at each question.

    Which of them a label sees is a function of both, and is kept until there are others.
    """

    def __init__(self, vault: Vault, met: Meet) -> None:
        """`met` is told of a class that is damaged."""
        self._vault = vault
        self._met = met
        self._gone: frozenset[str] = frozenset()
        self._known: dict[str, AccessClass] = {}
        self._rows: dict[str, ClassRow] = {}
        self._needs: dict[str, Need] = {}
        self._written: list[AccessClass] = []
        self._lost: list[AccessClass] = []
        self._read: Sequence[ClassRow] | None = None
        self._visible: WeakKeyDictionary[Label, list[AccessClass]] = WeakKeyDictionary()

    def of(self, label: Label) -> AccessClass:
        """The plain class of a label."""
        found = access_class(label)
        self._known[found.id] = found
        return found

    def holding(self, label: Label, need: Need) -> AccessClass:
        """The class of a label for those who need to know: as much of that as a label can say is said by the label."""
        plain, rest = need.split()
        label = label.with_needs(plain)
        if rest.allows(label.needs):
            return self.of(label)
        return self.learn(access_class(label, rest.text))

    def borne(self, access: AccessClass, acting: Label) -> Label:
        """What bears all of it: the label of a visible class, with as many acting authorizations as let one see it.

        Whoever acts at that label sees the class too, and whatever is made of it there may lie there.
        """
        return access.label.with_needs(self._need(access).chosen(acting.needs)) if access.need else access.label

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
        """Every class that has ever been written to, and whose key is there. One that is damaged is nobody's.

        What is wrong with one is nobody else's trouble.
        """
        rows, gone = self._vault.reader.classes(), self._vault.sealer.destroyed()
        if rows is not self._read or gone is not self._gone:
            whole = [found for found in map(self._whole, rows) if found is not None]
            self._read, self._gone = rows, gone
            self._written = [found for found in whole if found.id not in gone]
            self._lost = [found for found in whole if found.id in gone]
            self._visible.clear()
        return self._written

    def visible(self, acting: Label) -> list[AccessClass]:
        """The classes dominated by the acting label, and known to its authorizations, in the fixed order of their ids.

        Its own class is among them, written or not: what a request asks for must not depend on how far the disk has
        come with its own BEGIN. A class whose key was destroyed is not: nothing is there any more (see `gone`).
        """
        written = self.everything()
        found = self._visible.get(acting)
        if found is None:
            seen = {c.id: c for c in written if self._seen(c, acting)}
            own = self.of(acting)
            seen[own.id] = own
            found = self._visible[acting] = [seen[id] for id in sorted(seen)]
        return found

    def gone(self, acting: Label) -> list[AccessClass]:
        """The classes that the acting label would see, had their key not been destroyed."""
        self.everything()
        return [c for c in self._lost if self._seen(c, acting)]

    def _seen(self, access: AccessClass, acting: Label) -> bool:
        if access.originator or not access.label <= acting:
            return False
        return not access.need or self._need(access).allows(acting.needs)

    def row(self, access: AccessClass) -> ClassRow:
        """The sealed row that makes the class known to whoever opens the folder with its keys."""
        if access.id not in self._rows:
            plain = msgspec.msgpack.encode(_Known(access.label.text, access.need, access.originator))
            self._rows[access.id] = ClassRow(access.id, self._vault.sealer.seal("", "class", plain, access.id.encode()))
        return self._rows[access.id]

    def _need(self, access: AccessClass) -> Need:
        """What else one needs to know. Raises Damaged."""
        found = self._needs.get(access.id)
        if found is None:
            try:
                found = self._needs[access.id] = Need.parse(access.need)
            except BadInput:
                raise Damaged(what="access class") from None
        return found

    def _whole(self, row: ClassRow) -> AccessClass | None:
        try:
            return self._open(row)
        except Damaged:
            self._met("class", str(row.id), "", 0, None)
            return None

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
