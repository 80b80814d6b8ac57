"""Models: what there is to ask, and how operators and officers come by it.

A model that a request may not use is not listed, shown, explained or told apart from one that never was. Operators,
officers and auditors see besides what is registered and not usable yet, as far as their acting label sees it.
"""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from casemate.access import Ceiling, Flow
from casemate.doors.frame import Call, Reply, Route
from casemate.doors.native.rooms import Rooms, marked, reply
from casemate.errors import BadInput, UnknownModel
from casemate.labels import Label
from casemate.models import Card, Chat, Message
from casemate.models.bom import written
from casemate.models.record import MODEL, Described, EngineSpec, ModelRecord, address, checked, inside
from casemate.models.registry import accredit, free, named, register, registered, retire, verify
from casemate.models.weights import runs, taken_in
from casemate.objects import Found
from casemate.policy import Action
from casemate.words import say

__all__ = ["routes"]

MANAGE = frozenset({"operator", "officer", "auditor"})
SECRET_LIMIT = 8192


class Registration(msgspec.Struct, frozen=True):
    """A model behind a server."""

    name: str
    engine: EngineSpec
    described: Described = Described()


class Import(msgspec.Struct, frozen=True):
    """A model whose files lie under `token`, 32 hexadecimal digits. `signer`: an EC public key (PEM), "" for none."""

    name: str
    token: str
    signer: str = ""
    described: Described = Described()


class Named(msgspec.Struct, frozen=True):
    """A model by name."""

    model: str


class Accreditation(msgspec.Struct, frozen=True):
    """The highest label that may enter a model, as a label or marking; "" takes it away."""

    model: str
    accreditation: str


class Question(msgspec.Struct, frozen=True):
    """What would be asked of which model."""

    model: str
    text: str = ""


class Look(msgspec.Struct, frozen=True):
    """A server to be asked for its models."""

    engine: EngineSpec


class KeptKey(msgspec.Struct, frozen=True):
    """A key to be kept under a name. It is said here and nowhere again."""

    name: str
    secret: str

    def __repr__(self) -> str:
        return f"KeptKey({self.name})"


def routes(rooms: Rooms) -> list[Route]:
    """Model routes. What changes a model names it in the body: names have slashes."""
    at = _Models(rooms)
    show, add = Action("show", "model"), Action("register", "model")
    told = dict[str, Any]
    return [
        Route("GET", "/api/models", "native", show, at.listed, gives=list[told]),
        Route("POST", "/api/models", "native", add, at.register, takes=Registration, gives=told, texts=_said),
        Route("POST", "/api/models/import", "native", add, at.take_in, takes=Import, gives=told, texts=_said),
        Route("POST", "/api/models/look", "native", add, at.look, takes=Look, gives=list[str]),
        Route("POST", "/api/models/keys", "native", add, at.keep, takes=KeptKey, gives=told),
        Route("POST", "/api/models/accredit", "native", Action("accredit", "model"), at.accredit, takes=Accreditation),
        Route("POST", "/api/models/verify", "native", Action("verify", "model"), at.verify, takes=Named, gives=told),
        Route("POST", "/api/models/retire", "native", Action("retire", "model"), at.retire, takes=Named, gives=told),
        Route("POST", "/api/models/why", "native", Action("why", "model"), at.why, takes=Question, texts=_asked),
        Route("GET", "/api/models/{name*}", "native", show, at.one, gives=told),
    ]


def _said(request: Registration | Import) -> tuple[str, ...]:
    told = request.described
    return (request.name, told.vendor, told.licence, *told.languages, *told.aliases)


def _asked(request: Question) -> tuple[str, ...]:
    return (request.text,)


class _Models:
    """The handlers."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    async def listed(self, call: Call) -> Reply:
        """The models that this request may use; for those who manage them also those that nobody may use yet."""
        flow = call.flow
        found = {record.id: record for record in await registered(flow) if self._shown(flow, record)}
        cards = self._rooms.catalogue.visible(flow)
        data = [_card(flow, card, found.pop(card.name, None)) for card in cards]
        if flow.session.principal.roles & MANAGE:
            data += [_record(flow, each) for each in found.values()]
        return reply(flow, sorted(data, key=lambda each: str(each["name"])))

    async def one(self, call: Call) -> Reply:
        """One model by name, with its bill of materials."""
        flow, name = call.flow, call.path["name"]
        record = await named(flow, name)
        record = record if record is not None and self._shown(flow, record) else None
        cards = [card for card in self._rooms.catalogue.candidates(flow, name) if card.name == name]
        if cards:
            data = _card(flow, cards[0], record)
        elif record is not None and flow.session.principal.roles & MANAGE:
            data = _record(flow, record)
        else:
            return await flow.absent(MODEL, name)
        return reply(flow, {**data, "bom": written(record.value) if record is not None else None})

    async def register(self, call: Call) -> Reply:
        """A new model, that nobody may use before it is accredited."""
        asked: Registration = call.body
        if not asked.engine.kind or asked.engine.kind in ("llama", "onnx"):
            raise BadInput(what=say("catalogue.served", call.flow.session.language))
        record = await register(call.flow, asked.name, asked.described, asked.engine, self._taken())
        return self._changed(call.flow, record, 201)

    async def take_in(self, call: Call) -> Reply:
        """A model whose files were laid down. They are looked at where they lie, and moved in once all is well."""
        flow, asked = call.flow, call.body
        language, registry = flow.session.language, self._rooms.registry
        checked(asked.name, asked.described, EngineSpec(), language)
        await free(flow, asked.name, self._taken())
        label = flow.access.label
        weights = await asyncio.to_thread(taken_in, registry.incoming(asked.token, language), asked.signer, language)
        await asyncio.to_thread(registry.settle, asked.token, label, asked.name)
        record = await register(flow, asked.name, asked.described, runs(asked.name, weights), self._taken(), weights)
        return self._changed(flow, record, 201)

    async def look(self, call: Call) -> Reply:
        """The models that a server says it has. Nothing is sent but the question, and the key that was named."""
        flow, engine = call.flow, call.body.engine
        address(engine.url, flow.session.language)
        if engine.kind not in ("openai", "anthropic"):
            raise BadInput(what=say("catalogue.served", flow.session.language))
        region = flow.gate.vault.region
        here = inside(engine.url)
        ceiling = Ceiling("look", region.ceiling if here else region.floor, not here)
        lent = await flow.lend(flow.take(engine), ceiling)
        return reply(flow, await self._rooms.registry.look(flow.access.label, lent, flow.session.language))

    async def keep(self, call: Call) -> Reply:
        """A key, in a file that the region alone reads. The entry names it; nothing holds it."""
        flow, asked = call.flow, call.body
        language = flow.session.language
        checked("key", Described(), EngineSpec(key=asked.name), language)
        secret = asked.secret.strip()
        lines = secret.splitlines()
        if not secret or len(secret) > SECRET_LIMIT or not secret.isascii() or not all(x.isprintable() for x in lines):
            raise BadInput(what=say("catalogue.secret", language))
        await flow.commit(facts={"key": asked.name})
        await asyncio.to_thread(self._rooms.registry.keep_key, flow.access.label, asked.name, secret)
        answer = reply(flow, {"key": asked.name}, status=201)
        answer.secret = True
        return answer

    async def accredit(self, call: Call) -> Reply:
        """The officer's word; without data where a second officer has to say the same."""
        await self._reached(call.flow, call.body.model)
        record = await accredit(call.flow, call.body.model, call.body.accreditation)
        if record is None:
            return reply(call.flow, None, status=202)
        answer = self._changed(call.flow, record)
        await call.gate.directory.published()
        return answer

    async def verify(self, call: Call) -> Reply:
        """Look again at one model; how that went stands in its record."""
        await self._reached(call.flow, call.body.model)
        return self._changed(call.flow, await verify(call.flow, call.body.model, self._rooms.registry))

    async def retire(self, call: Call) -> Reply:
        """No request finds it from now on."""
        await self._reached(call.flow, call.body.model)
        answer = self._changed(call.flow, await retire(call.flow, call.body.model))
        await call.gate.directory.published()
        return answer

    async def why(self, call: Call) -> Reply:
        """How a request would be routed now, among the models that exist for it."""
        asked, flow = call.body, call.flow
        chat = Chat(
            model=asked.model,
            messages=(Message("user", asked.text or "?"),),
            knowledge=(),
            language=flow.session.language,
        )
        verdicts = self._rooms.gateway.why(flow, chat)
        if not verdicts:
            raise UnknownModel(model=asked.model[:200])
        return reply(flow, verdicts)

    async def _reached(self, flow: Flow, name: str) -> None:
        """Raises Absent for a record that is no model for this request, exactly as for one that never was."""
        record = await named(flow, name)
        if record is not None and not self._shown(flow, record):
            await flow.absent(MODEL, name)

    def _shown(self, flow: Flow, found: Found[ModelRecord]) -> bool:
        """Whether a visible record is one for this request: what it carries may enter, or nobody has said yet."""
        text = found.value.accreditation
        return not text or flow.floor <= self._label(text)

    def _label(self, text: str) -> Label:
        return self._rooms.gate.vault.region.label(text)

    def _taken(self) -> set[str]:
        return {card.name for card in self._rooms.catalogue.cards.values() if card.label is None}

    def _changed(self, flow: Flow, record: ModelRecord, status: int = 200) -> Reply:
        self._rooms.registry.put(flow.access.label, record)
        return reply(flow, _told(flow, record, flow.access.label), status=status)


def _card(flow: Flow, card: Card, record: Found[ModelRecord] | None) -> dict[str, Any]:
    """A model that may be used."""
    told = {
        "name": card.name,
        "source": "settings",
        "vendor": card.vendor,
        "accreditation": card.accreditation.text,
        "aliases": card.aliases,
        "takes": sorted(card.takes),
        "tasks": card.tasks,
        "context": card.context,
        "price": card.price,
        "state": card.state,
        "outside": card.outside,
        "usable": True,
        "retired": False,
    }
    if record is None or card.label is None:
        return {**told, **marked(flow, card.label or flow.gate.vault.region.floor)}
    return {**told, **_record(flow, record), "usable": True}


def _record(flow: Flow, found: Found[ModelRecord]) -> dict[str, Any]:
    return _told(flow, found.value, found.label)


def _told(flow: Flow, record: ModelRecord, label: Label) -> dict[str, Any]:
    """A record, flat, as it is listed. `engine.key` is a name."""
    fields = msgspec.structs.asdict(record)
    described = msgspec.structs.asdict(fields.pop("described"))
    outside = bool(record.engine.url) and not inside(record.engine.url)
    usable = bool(record.accreditation) and not record.retired and bool(record.engine.kind)
    return {**fields, **described, "source": "record", "outside": outside, "usable": usable, **marked(flow, label)}
