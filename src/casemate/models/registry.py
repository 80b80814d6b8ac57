"""Deeds on models as data: register, accredit, verify, retire, list. What a caller may not see never was.

An operator registers and retires; the security officer alone says how high a label may enter, where two must, two do,
and never beyond the region's ceiling or the officer's own session. Nothing that is registered is used before. A record
is changed where it lies alone, and what happens to it is an entry there.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Container
from typing import Protocol

from msgspec.structs import replace

from casemate.access import Flow
from casemate.accounts.agreed import agreed
from casemate.errors import BadInput, Conflict, EngineFailed, Misconfigured, Refused
from casemate.labels import Label
from casemate.models.card import Card
from casemate.models.chat import Message, Prompt
from casemate.models.record import MODEL, Described, EngineSpec, Evidence, ModelRecord, checked, proposed
from casemate.models.weights import Tree, Weights, changed
from casemate.objects import Found, Put
from casemate.words import say

__all__ = ["Registry", "accredit", "here", "named", "register", "registered", "retire", "tried", "verify"]

TRY = "Answer with the word yes."
TRY_SECONDS = 30.0


class Registry(Protocol):
    """The machine's side of the catalogue: engines, key files and folders. Implemented in wiring."""

    def put(self, label: Label, record: ModelRecord) -> None:
        """This is how the record stands from now on: the catalogue of this process follows at once."""
        ...

    def card(self, label: Label, record: ModelRecord, lent: Label) -> Card | None:
        """The model with its engine, accredited to `lent`, used or not yet; None where nobody serves it."""
        ...

    def keep_key(self, label: Label, name: str, secret: str) -> None:
        """Keep a key under a name of that label."""
        ...

    async def look(self, label: Label, engine: EngineSpec, language: str) -> list[str]:
        """The names of the models at a server. Raises EngineFailed, BadInput."""
        ...

    def tree(self, label: Label, name: str, language: str) -> Tree:
        """The files of an imported model."""
        ...

    def incoming(self, token: str, language: str) -> Tree:
        """What was laid down to be imported. Raises BadInput."""
        ...

    def settle(self, token: str, label: Label, name: str) -> None:
        """Move what was laid down to where an imported model lies. Raises Conflict where something lies there."""
        ...


async def register(
    flow: Flow,
    name: str,
    described: Described,
    engine: EngineSpec,
    taken: Container[str] = (),
    weights: Weights | None = None,
) -> ModelRecord:
    """A new model at the acting label, that nobody may use yet. Raises BadInput; Conflict where the name is taken.

    `taken`: names that the settings have given away.
    """
    checked(name, described, engine, flow.session.language)
    await free(flow, name, taken)
    record = ModelRecord(
        name=name,
        described=described,
        engine=engine,
        proposed=proposed(flow.gate.vault.region, engine).text,
        formats=weights.formats if weights else (),
        files=weights.files if weights else (),
        signed_by=weights.signed_by if weights else "",
        signer=weights.signer if weights else "",
        bom=weights.bom if weights else False,
        registered_by=flow.session.principal.name,
        at=flow.gate.vault.clock.now(),
    )
    await flow.commit(Put(MODEL, name, record, expect=0), facts={"model": name, "proposed": record.proposed})
    return record


async def free(flow: Flow, name: str, taken: Container[str]) -> None:
    """Raises Conflict where a visible model bears the name; a hidden one takes no name away."""
    if name in taken or await flow.read_each(MODEL, name):
        raise Conflict(what=say("catalogue.none", flow.session.language, name=name))


async def registered(flow: Flow) -> list[Found[ModelRecord]]:
    """The records that this acting label sees, by name and label."""
    return sorted(await flow.every(MODEL), key=lambda found: (found.id, found.label.text))


async def named(flow: Flow, name: str) -> Found[ModelRecord] | None:
    """The visible record of that name, of the highest label; None where there is none. Nothing is recorded."""
    found = sorted(await flow.read_each(MODEL, name), key=lambda each: each.label.text)
    highest: Found[ModelRecord] | None = None
    for each in found:
        if highest is None or highest.label <= each.label:
            highest = each
    return highest


async def here(flow: Flow, name: str) -> Found[ModelRecord]:
    """The record of that name at the acting label itself, where it can be changed. Raises Absent."""
    for found in await flow.read_each(MODEL, name):
        if found.ref.class_id == flow.access.id:
            return found
    return await flow.absent(MODEL, name)


async def accredit(flow: Flow, name: str, accreditation: str) -> ModelRecord | None:
    """Say how high a label may enter; None where a second officer has to say the same.

    "" takes the accreditation away, and one officer suffices for that. Raises Refused, MarkingError, Conflict, Absent.
    """
    found = await here(flow, name)
    region, done = flow.gate.vault.region, []
    text = ""
    if accreditation:
        label = region.label(accreditation)
        most = region.ceiling & flow.session.ceiling
        if found.value.engine.kind == "service":
            most = most & found.label  # it runs there: nothing from above may enter
        if not label <= most:
            raise Refused(rule="clearance", asked=label.text, clearance=most.text)
        if found.value.retired:
            raise Conflict(what=say("catalogue.none", flow.session.language, name=name))
        text = label.text
        agreement = await agreed(flow, f"accredit {name} {text} {_what(found.value)}")
        if agreement is None:
            return None
        done = agreement
    record = replace(found.value, accreditation=text, accredited_by=flow.session.principal.name)
    put = Put(MODEL, name, record, expect=found.version)
    await flow.commit(put, *done, facts={"model": name, "accreditation": text or "none"})
    return record


def _what(record: ModelRecord) -> str:
    """What two officers say yes to: a place or files, not a name alone."""
    engine = record.engine
    files = "".join(f"{file.path} {file.sha384}\n" for file in record.files)
    return f"{engine.kind} {engine.url} {engine.model} {hashlib.sha384(files.encode()).hexdigest()}"


async def retire(flow: Flow, name: str) -> ModelRecord:
    """No request finds it from now on; its record stays, and its name is not given again. Raises Absent."""
    found = await here(flow, name)
    record = replace(found.value, retired=True, accreditation="")
    await flow.commit(Put(MODEL, name, record, expect=found.version), facts={"model": name, "retired": "yes"})
    return record


async def verify(flow: Flow, name: str, registry: Registry) -> ModelRecord:
    """Look again: imported files are digested anew, a server is asked one small constant question. Raises Absent.

    What failed is no error: it is what was found, and stands in the record.
    """
    found = await here(flow, name)
    record, language = found.value, flow.session.language
    outcome, detail = "whole", ""
    if record.files:
        tree = registry.tree(found.label, name, language)
        try:
            path = await asyncio.to_thread(changed, tree, record.files)
        except BadInput as error:
            path = str(error.facts.get("what", ""))[:200]
        if path:
            outcome, detail = "changed", say("catalogue.changed", language, path=path[:200])
    if outcome == "whole" and (record.engine.kind or not record.files):
        outcome, detail = await tried(flow, found, registry)
    now, by = flow.gate.vault.clock.now(), flow.session.principal.name
    evidence = Evidence(now, outcome, detail, by)  # type: ignore[arg-type]
    stands = replace(record, evidence=evidence, accreditation="" if outcome == "changed" else record.accreditation)
    await flow.commit(Put(MODEL, name, stands, expect=found.version), facts={"model": name, "verified": outcome})
    return stands


async def tried(flow: Flow, found: Found[ModelRecord], registry: Registry) -> tuple[str, str]:
    """One small question that says nothing, lent like any other; how that went. Raises Refused (`accreditation`)."""
    record, region = found.value, flow.gate.vault.region
    card = registry.card(found.label, record, region.label(record.accreditation or record.proposed))
    if card is None:
        return "failed", say("catalogue.unserved", flow.session.language)
    prompt = Prompt(
        model=card.served,
        messages=(Message("user", TRY),),
        max_tokens=16,
        salt=flow.salt() if card.state == "salted" else "",
        partition=flow.gate.classes.of(flow.domain).id,
    )
    lent = await flow.lend(flow.take(prompt), card.ceiling)
    try:
        await _asked(card, lent)
    except EngineFailed as error:
        return "failed", f"{error.cause}: {error.facts.get('why', '')}"[:200]
    except Misconfigured as error:
        return "failed", str(error.facts.get("why", ""))[:200]
    return "answered", ""


async def _asked(card: Card, prompt: Prompt) -> None:
    if card.vectors is not None and "chat" not in card.tasks:
        await card.vectors.vectors(card.served, [TRY], TRY_SECONDS)
        return
    if card.engine is None:
        raise EngineFailed(engine=card.name, why="-")
    async with contextlib.aclosing(card.engine.generate(prompt, TRY_SECONDS)) as deltas:  # type: ignore[type-var]
        async for delta in deltas:
            if delta.finish:
                return
    raise EngineFailed(cause="broken", engine=card.name, why="-")
