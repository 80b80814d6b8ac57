"""The catalogue's other half: records become cards with engines, in every process, each time that they change.

all, control    read the records class by class, from the store; put them into the snapshot
data, answer    go by the records of the snapshot

What the settings name stays as it is. A record that cannot be bound here is no model here, and stops no other. A
request under way keeps the card that it has, and an engine whose record did not change is kept.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, cast

import msgspec

from casemate.clock import Loop
from casemate.engines.model_files import FileTree, keep_key
from casemate.engines.model_list import model_list
from casemate.engines.remote import Upstream as Remote
from casemate.engines.sandbox import Sandbox
from casemate.engines.service_engine import ServiceEngine
from casemate.errors import BadInput, CasemateError, Conflict, Damaged, MarkingError, Misconfigured
from casemate.labels import Label
from casemate.models import Card
from casemate.models.record import FILES, MODEL, EngineSpec, ModelRecord, folder_of, key_file_of
from casemate.policy import Action
from casemate.settings import Upstream
from casemate.wiring.house import House, Role
from casemate.wiring.upstreams import card_of
from casemate.words import say

if TYPE_CHECKING:
    from casemate.engines.onnx_chat import OnnxChat

__all__ = ["Records", "enlist"]

EVERY = 2.0  # seconds between two readings of the records
LOOK_SECONDS = 5.0
SECTION = 16 << 20
MOST = 20_000
_TOKEN = frozenset("0123456789abcdef")


class _Kept(msgspec.Struct, frozen=True, array_like=True):
    """A record and the label at which it lies."""

    label: str
    record: ModelRecord


class Records:
    """Implements `models.registry.Registry` for a house."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._kept: dict[tuple[str, str], _Kept] = {}
        self._cards: dict[bytes, Card] = {}
        self._chats: dict[tuple[str, str], OnnxChat] = {}
        self._sandbox: Sandbox | None = None
        self.problems: dict[str, str] = {}

    # ---- from the store, and through the snapshot ------------------------------------------------------------------

    async def read(self) -> None:
        """Go by what the store holds now, class by class with a session of each. Raises Damaged."""
        gate = self._house.gate
        found: list[_Kept] = []
        for access in gate.classes.everything():
            if access.need or access.originator:
                continue
            flow = await gate.open(gate.service("models", access), Action("bind", "model"))
            mine = [each for each in await flow.every(MODEL) if each.ref.class_id == access.id]
            found += [_Kept(access.label.text, each.value) for each in mine]
        self.take(found)

    async def refresh(self) -> int:
        """The same again and again; while they cannot be read the old ones hold."""
        try:
            await self.read()
        except CasemateError as error:
            self.problems[""] = error.slug
            return 0
        self.problems.pop("", None)
        return 0

    def write(self) -> bytes:
        """A section of the snapshot. Raises Damaged where it would be larger than whoever reads it accepts."""
        raw = msgspec.msgpack.encode(list(self._kept.values()))
        if len(raw) > SECTION:
            raise Damaged(what="models")
        return raw

    @staticmethod
    def understood(raw: bytes) -> list[_Kept]:
        """The inverse. Raises Damaged, or msgspec's own."""
        if len(raw) > SECTION:
            raise Damaged(what="models")
        found = msgspec.msgpack.decode(raw, type=list[_Kept])
        if len(found) > MOST:
            raise Damaged(what="models")
        return found

    def take(self, found: list[_Kept]) -> None:
        """These are the records from now on."""
        self._kept = {(each.label, each.record.name): each for each in found}
        self._bind()

    def _bind(self) -> None:
        cards: dict[bytes, Card] = {}
        self.problems = {name: why for name, why in self.problems.items() if not name}
        for each in self._kept.values():
            record = each.record
            if record.retired or not record.accreditation:
                continue
            key = msgspec.msgpack.encode((each.label, msgspec.structs.replace(record, evidence=None)))
            card = self._cards.get(key) or self._made(each)
            if card is not None:
                cards[key] = card
        if cards != self._cards:
            self._cards = cards
            others = [card for card in self._house.catalogue.cards.values() if card.label is None]
            names = {card.name for card in others}  # what the settings name stands first
            self._house.catalogue.refresh([*others, *(card for card in cards.values() if card.name not in names)])

    def _made(self, each: _Kept) -> Card | None:
        region = self._house.gate.vault.region
        try:
            label = region.policies.parse(each.label)
            accreditation = region.label(each.record.accreditation)
            card = self.card(label, each.record, accreditation) if accreditation <= region.ceiling else None
        except (Misconfigured, MarkingError) as error:
            self.problems[each.record.name] = error.slug
            return None
        return card

    async def close(self) -> None:
        """End the children of imported models."""
        for engine in self._chats.values():
            await engine.close()
        self._chats.clear()
        if self._sandbox is not None:
            self._sandbox.close()
            self._sandbox = None

    # ---- the port --------------------------------------------------------------------------------------------------

    def put(self, label: Label, record: ModelRecord) -> None:
        """This is how the record stands from now on."""
        self._kept[label.text, record.name] = _Kept(label.text, record)
        self._bind()

    def card(self, label: Label, record: ModelRecord, lent: Label) -> Card | None:
        """The model with its engine. Raises Misconfigured."""
        spec, told = record.engine, record.described
        if not spec.kind:
            return None
        if spec.kind == "service":
            return self._served(label, record, lent)
        upstream = Upstream(
            model=spec.model,
            url=spec.url,
            kind=spec.kind,
            accreditation=lent.text,
            vendor=told.vendor,
            key_file=key_file_of(label, spec.key) if spec.key else "",
            region=spec.region,
            takes=told.takes,  # type: ignore[arg-type]
            tasks=told.tasks,  # type: ignore[arg-type]
            aliases=told.aliases,
            context=told.context,
            price=told.price,
            state=told.state,
            path=f"models/{folder_of(label, record.name)}" if spec.kind == "onnx" else "",
        )
        keys = self._house.folder.keys
        if spec.kind != "onnx":
            made = card_of(record.name, upstream, self._house.gate.vault.region, keys)
            return dataclasses.replace(made, label=label)
        if self._sandbox is None:
            region = keys.parent
            self._sandbox = Sandbox(None, (keys, region / "data", region / "run"))
        made = card_of(record.name, upstream, self._house.gate.vault.region, keys, self._sandbox)
        # one engine for each folder: whatever changes in the record, its domains keep the children that they have
        engine = self._chats.setdefault((label.text, record.name), cast("OnnxChat", made.engine))
        return dataclasses.replace(made, label=label, engine=engine)

    def _served(self, label: Label, record: ModelRecord, lent: Label) -> Card:
        """A model that a service of that label answers; it is the same engine in every process."""
        told, domain = record.described, self._house.gate.classes.of(label).id
        root = self._house.folder.run.absolute() / "services"
        engine = ServiceEngine(record.name, root, domain, record.engine.job, counts_cache=told.state != "salted")
        return Card(
            name=record.name,
            served=record.engine.model,
            vendor=told.vendor,
            accreditation=lent & label,
            engine=engine,
            aliases=told.aliases,
            takes=frozenset(told.takes),
            tasks=told.tasks,
            context=told.context,
            state=told.state,
            price=told.price,
            vectors=engine if "embeddings" in told.tasks else None,
            label=label,
            alone=True,
        )

    def keep_key(self, label: Label, name: str, secret: str) -> None:
        """Keep a key under a name of that label, readable by the region alone."""
        keep_key(self._house.folder.keys / key_file_of(label, name), secret)

    async def look(self, label: Label, engine: EngineSpec, language: str) -> list[str]:
        """The names of the models at a server. Raises EngineFailed; BadInput where no such key, or no line, is kept."""
        key = self._house.folder.keys / key_file_of(label, engine.key) if engine.key else None
        try:
            return await model_list(Remote(engine.url, "look", key), engine.kind, LOOK_SECONDS)
        except Misconfigured:
            which = "catalogue.no_key" if key is not None else "catalogue.url"
            raise BadInput(what=say(which, language)) from None

    def tree(self, label: Label, name: str, language: str) -> FileTree:
        """The files of an imported model."""
        return FileTree(self._models / folder_of(label, name), FILES, language)

    def incoming(self, token: str, language: str) -> FileTree:
        """What was laid down to be imported. Raises BadInput for anything but a token."""
        return FileTree(self._incoming(token, language), FILES, language)

    def settle(self, token: str, label: Label, name: str) -> None:
        """Move it to where an imported model lies. Raises Conflict where something lies there."""
        there = self._models / folder_of(label, name)
        there.parent.mkdir(mode=0o700, exist_ok=True)
        if there.exists():
            raise Conflict(what=name)
        self._incoming(token, "en").rename(there)

    @property
    def _models(self) -> Path:
        return self._house.folder.path / "models"

    def _incoming(self, token: str, language: str) -> Path:
        if len(token) != 32 or not set(token) <= _TOKEN:
            raise BadInput(what=say("catalogue.incoming", language))
        return self._models / "incoming" / token


async def enlist(house: House, role: Role) -> Records:
    """Give the house its records, by role."""
    records = Records(house)
    house.closers.append(records.close)
    house.sections.add("models", records.write, records.understood, records.take)
    if role in ("all", "control"):
        await records.refresh()
        house.loops.append(Loop("models.records", EVERY, records.refresh))
    return records
