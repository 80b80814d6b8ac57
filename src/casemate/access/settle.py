"""How a document comes to rest at the labels of its own marks.

What a caller brings carries his floor; but before its marks are read nobody knows how high it lies. So it is *held* at
the acting label, which dominates whatever the caller may mark, and a service flow that has looked at nothing else
brings each part to rest at the label of its mark. A part may land anywhere between the floor at which it was brought
and the label at which it was held: the bytes are the caller's own, so nothing that a session read comes down this way.

Who needs to know it is said by whoever brings it, as he knows it: his acting authorizations satisfy the expression. Who
says nothing keeps it among those who have all of these.

What is to lie higher from now on is held at that higher label (`raised`): delivered upward, with what its bringer
changes at his own label in the same commit, so that it is never in both places nor in none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from casemate.access.commit import commit
from casemate.access.read import absent, read
from casemate.access.record import Note, facts_of
from casemate.access.rows import ref_text
from casemate.access.state import State
from casemate.errors import Conflict, Refused
from casemate.ids import fresh
from casemate.labels import AccessClass, Label
from casemate.objects import Change, Delete, Found, Kind, Put, Ref
from casemate.policy import Need, Refuse, Target, decide
from casemate.store import Batch, EntryRow, Receipt, RowDelete, RowPut

__all__ = ["HELD", "HeldRecord", "Hold", "Settling", "came_as", "need_of", "restate"]

_WITHDRAWN = "withdrawn"  # what stands for `marks` where there are no bytes


class HeldRecord(msgspec.Struct, frozen=True):
    """Bytes that wait for their marks to be read. `floor` and `need` are written by the gate alone.

    `origin`: where they came from ("file-...", a connector's place); `replaces`: the documents that they take the
    place of, with commas between, and `gone_at` the labels at which something of these lies; `attributes`,
    `granularity` and `embedder`: as the base and its bringer want it, seen from the floor.
    """

    name: str
    base: str
    floor: str
    blob: str
    digest: str
    stated: str = ""
    marks: str = "read"
    principal: str = ""
    at: int = 0
    state: str = "new"
    need: str = ""
    origin: str = ""
    replaces: str = ""
    attributes: dict[str, str | float | bool] = {}
    granularity: str = "portion"
    embedder: str = ""
    gone_at: tuple[str, ...] = ()

    @property
    def withdrawn(self) -> bool:
        """Whether this holds no bytes, but the word that `replaces` is no longer there where it came from."""
        return self.marks == _WITHDRAWN


def _bytes(held: HeldRecord) -> tuple[str, ...]:
    return (held.blob,) if held.blob else ()


def came_as(id: str, origin: str) -> tuple[tuple[str, str], ...]:
    """What a document that came to rest under that id was made from: the bytes that were held, and a client's file or
    the bundle in which they came."""
    if origin.startswith("bundle-"):
        return ("held", id), ("transfer.bundle", origin)
    return (("held", id), ("file", origin)) if origin.startswith("file-") and ":" not in origin else (("held", id),)


def _came_as(id: str, held: HeldRecord) -> tuple[tuple[str, str], ...]:
    return came_as(id, held.origin)[1:]


HELD = Kind("held", HeldRecord, indexed=("digest", "base", "state", "origin"), blobs=_bytes, sources=_came_as)


class Hold(msgspec.Struct, frozen=True):
    """What a caller says of the bytes that he brings; `digest` finds them again inside his visible world.

    `need`: an expression, "" for all that he acts with.
    """

    name: str
    base: str
    digest: str
    stated: str = ""
    marks: str = "read"
    need: str = ""
    origin: str = ""
    replaces: str = ""
    attributes: dict[str, str | float | bool] = {}
    granularity: str = "portion"
    embedder: str = ""
    gone_at: tuple[str, ...] = ()

    async def keep(self, flow: State, data: bytes, *changes: Change, by: str = "", floor: Label | None = None) -> Ref:
        """Hold the bytes at the acting label, with one entry. Raises BadInput, Refused (`need-stated`).

        A service that brings for somebody (a connector) says for whom, and with which floor he told it to. `changes`
        are made at the acting label with the same commit.
        """
        if by or floor is not None:
            _serves(flow, floor)
        need = await need_of(flow, self.need)
        id = fresh("doc", flow.gate.vault.entropy, f"held/{flow.access.id}/{flow.session.id}")
        blob = await flow.gate.vault.blobs.write(flow.access.id, data)
        record = self._record(flow, by, floor or flow.floor, need, blob)
        facts = {"bytes": len(data), "stated": self.stated, "marks": self.marks}
        await commit(flow, [Put(HELD, id, record, expect=0), *changes], "", None, facts)
        return Ref(HELD.name, id, flow.access.id)

    async def raised(self, flow: State, to: Label, data: bytes, *changes: Change) -> Ref:
        """Hold the bytes at a higher label, which is stated for all of them; `changes` are made at the acting label.

        One commit, with one entry in the log of the acting label. Raises Refused (`no-write-down`).
        """
        decision = decide(flow.session, flow.domain, flow.action, Target(writes=to))
        if isinstance(decision, Refuse):
            await flow.refuse(decision)
        gate = flow.gate
        await flow.durable()
        access = gate.classes.of(to)
        id = fresh("doc", gate.vault.entropy, f"deposit/{flow.access.id}/{flow.session.id}")
        blob = await gate.vault.blobs.write(access.id, data, flow.access.id, delivered=True)
        stated = msgspec.structs.replace(self, stated=to.text)
        above = gate.rows.put(
            access, Put(HELD, id, stated._record(flow, "", to, Need.all_of(to.needs), blob), expect=0)
        )
        puts, deletes = gate.rows.split(flow.access, changes)
        subjects = tuple(ref_text(Ref(c.kind.name, c.id, flow.access.id)) for c in changes)
        note = Note(
            flow.action.name, "done", facts=facts_of({"deposit": to.text, "bytes": len(data)}), subjects=subjects
        )
        _, entry = gate.recorder.entry(flow.asker, flow.access, note)
        classes = [gate.classes.row(access), gate.classes.row(flow.access)]
        batch = Batch(flow.access.id, "", [above, *puts], deletes, [entry], classes, spares=[access.id])
        try:
            await gate.vault.committer.commit(batch)
        except Conflict as conflict:
            raise gate.rows.told(conflict, [(flow.access, change) for change in changes]) from None
        flow.landed = True
        return Ref(HELD.name, id, access.id)

    async def withdrawn(self, flow: State, *changes: Change, by: str, floor: Label) -> Ref:
        """Hold nothing but the word of a service that `replaces` is no longer there where it came from."""
        _serves(flow, floor)
        need = await need_of(flow, self.need)
        id = fresh("doc", flow.gate.vault.entropy, f"held/{flow.access.id}/{flow.session.id}")
        record = msgspec.structs.replace(self._record(flow, by, floor, need, ""), marks=_WITHDRAWN)
        await commit(flow, [Put(HELD, id, record, expect=0), *changes], "", None, {"withdrawn": self.replaces})
        return Ref(HELD.name, id, flow.access.id)

    def _record(self, flow: State, by: str, floor: Label, need: Need, blob: str) -> HeldRecord:
        return HeldRecord(
            name=self.name,
            base=self.base,
            floor=floor.text,
            blob=blob,
            digest=self.digest,
            stated=self.stated,
            marks=self.marks,
            principal=by or flow.session.principal.name,
            at=flow.gate.vault.clock.now(),
            need=need.text,
            origin=self.origin,
            replaces=self.replaces,
            attributes=self.attributes,
            granularity=self.granularity,
            embedder=self.embedder,
            gone_at=self.gone_at,
        )


def _serves(flow: State, floor: Label | None) -> None:
    """Raises Refused where anybody but a service would bring something in another's name, or from above."""
    if "service" not in flow.session.principal.roles or floor is None or not floor <= flow.acting:
        raise Refused(rule="marks-of-origin", floor=floor.text if floor else "", held=flow.acting.text, asked="")


async def need_of(flow: State, text: str) -> Need:
    """Who needs to know what this flow brings. Raises BadInput; Refused where the flow itself would not."""
    need = Need.parse(text) if text else Need.all_of(flow.acting.needs)
    if not need.allows(flow.acting.needs):
        await flow.refuse(Refuse("need-stated", {"need": need.text}))
    return need


async def restate(flow: State, id: str, stated: Label, marks: str) -> None:
    """Whoever brought an unmarked document says its label, at or above the floor at which he brought it.

    Saying it is bringing something too: it carries the floor of the session that says it.
    """
    found = await read(flow, HELD, id)
    held = found.value
    if held.principal != flow.session.principal.name or found.ref.class_id != flow.access.id:
        await absent(flow, HELD.name, id)
    parse = flow.gate.vault.region.policies.parse
    floor = parse(held.floor) | flow.floor
    stated = stated.with_needs(floor.needs)
    if not floor <= stated <= flow.acting:
        raise Refused(rule="marks-of-origin", floor=floor.text, held=flow.acting.text, asked=stated.text)
    gone_at = tuple(sorted({(parse(text) | floor).text for text in held.gone_at}))  # nor is anything removed below it
    told = msgspec.structs.replace(
        held, floor=floor.text, stated=stated.text, marks=marks, state="new", gone_at=gone_at
    )
    facts = {"stated": stated.text, "marks": marks}
    await commit(flow, [Put(HELD, id, told, expect=found.version)], "", None, facts)


class Settling:
    """One held document on its way: pour and put at labels, then one commit that also removes what was held.

    Where its owner has meanwhile said another label, that commit is a Conflict and nothing of it lands.
    """

    def __init__(self, flow: State, held: Found[Any]) -> None:
        self._flow = flow
        self._held = held
        self._floor = flow.gate.vault.region.policies.parse(held.value.floor)
        self._need = Need.parse(held.value.need)
        self._rows: list[RowPut] = []
        self._gone = Delete(HELD, held.id, expect=held.version)
        self._deletes: list[RowDelete] = [flow.gate.rows.delete(flow.access, self._gone)]
        self._subjects: dict[str, list[str]] = {}
        self._classes: dict[str, AccessClass] = {flow.access.id: flow.access}
        if held.ref.kind != HELD.name or flow.seen - {held.ref} or "service" not in flow.session.principal.roles:
            raise Refused(rule="marks-of-origin", floor="", held="", asked="")

    async def pour(self, label: Label, data: bytes) -> str:
        """Keep bytes at the label of their mark."""
        return await self._flow.gate.vault.blobs.write(self._class(label).id, data, self._flow.access.id)

    def change(self, label: Label, *changes: Change) -> Sequence[Ref]:
        """Changes at the label of their mark; where they will lie."""
        access = self._class(label)
        puts, deletes = self._flow.gate.rows.split(access, changes)
        self._rows.extend(puts)
        self._deletes.extend(deletes)
        refs = [Ref(c.kind.name, c.id, access.id) for c in changes]
        self._subjects.setdefault(access.id, []).extend(ref_text(r) for r in refs)
        return refs

    async def commit(self, outcome: str, facts: dict[str, Any]) -> Receipt:
        """All of it at once, with an entry in the log of every class in which something came to rest."""
        gate, flow = self._flow.gate, self._flow
        entries = [self._entry(access, outcome, facts) for access in self._classes.values()]
        rows = [gate.classes.row(access) for access in self._classes.values()]
        batch = Batch(
            key=gate.rows.key(flow.access.id, f"settle/{self._held.id}"),
            puts=self._rows,
            deletes=self._deletes,
            entries=entries,
            classes=rows,
            domain=flow.access.id,
        )
        try:
            return await gate.vault.committer.commit(batch)
        except Conflict as conflict:
            raise gate.rows.told(conflict, [(flow.access, self._gone)]) from None

    def _entry(self, access: AccessClass, outcome: str, facts: dict[str, Any]) -> EntryRow:
        own = facts if access.id == self._flow.access.id else {}
        subjects = tuple(self._subjects.get(access.id, ()))
        note = Note(self._flow.action.name, outcome, "marks-of-origin", facts_of(own), subjects)
        return self._flow.gate.recorder.entry(self._flow.session, access, note)[1]

    def _class(self, label: Label) -> AccessClass:
        acting = self._flow.acting
        access = self._flow.gate.classes.holding(label.with_needs(self._floor.needs), self._need)
        if not self._floor <= access.label <= acting or not self._need.allows(acting.needs):
            raise Refused(rule="marks-of-origin", floor=self._floor.text, held=acting.text, asked=label.text)
        self._classes[access.id] = access
        return access
