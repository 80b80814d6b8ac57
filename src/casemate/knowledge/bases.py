"""Knowledge bases: made, changed, listed and given up. What a base is told to be lies at the label at which it is said.

What is told of a base counts visible documents only, and what is said of it is the record that rules at the acting
label. A base of which nothing is said has the region's settings.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from casemate.access import HELD, Flow
from casemate.errors import Absent, BadInput, Conflict, Refused
from casemate.ids import short
from casemate.knowledge.base import BASE, Base, finely, named, ruling
from casemate.knowledge.documents.document import DOCUMENT, PART, SEGMENT, waiting
from casemate.knowledge.documents.gone import gone
from casemate.knowledge.documents.remove import removal
from casemate.knowledge.embedders import Embedders
from casemate.labels import Label
from casemate.objects import Change, Delete, Found, Put, Where
from casemate.words import say

__all__ = ["BaseTold", "bases", "drawn", "give_up", "make", "wanted"]

TITLE_LIMIT = 200
PAIRS = 16
AT_ONCE = 200


class BaseTold(msgspec.Struct, frozen=True):
    """A base as the acting label sees it. `others`: passages whose vectors another embedder has made."""

    name: str
    title: str
    embedder: str
    granularity: str
    metadata: dict[str, str]
    expires_after: int
    by: str
    at: int
    documents: int
    passages: int
    waiting: int
    quarantined: int
    others: int


def wanted(records: Iterable[Found[Base]], name: str, label: Label, embedders: Embedders) -> str:
    """The name of the embedder that serves a base at a label; "" where there is none."""
    record = ruling([each for each in records if each.value.name == name], label)
    found = embedders.serving(record.embedder if record is not None else "", label)
    return found.name if found is not None else ""


async def bases(flow: Flow, embedders: Embedders) -> list[BaseTold]:
    """The bases of which something is visible, or something was said, by name."""
    records = await flow.every(BASE)
    removed = await gone(flow)
    wholes = [f for f in await flow.every(DOCUMENT) if not removed.rules(f.id, f.label, f.value.added_by)]
    parts = [f for f in await flow.every(PART) if not removed.rules(f.id, f.label, f.value.by)]
    held = await waiting(flow)
    segments = await flow.every(SEGMENT)
    found = {each.value.name for each in records} | {
        each.value.base for several in (wholes, parts, held) for each in several
    }
    told: list[BaseTold] = []
    for name in sorted(found):
        said = [each for each in records if each.value.name == name]
        record = ruling(said, flow.acting) or Base(name)
        mine = [each for each in wholes if each.value.base == name]
        here = [each for each in parts if each.value.base == name]
        ready = {each.id for each in mine if each.value.state != "quarantined"} | {each.id for each in here}
        others = sum(
            each.value.passages
            for each in segments
            if each.value.base == name and each.value.embedder != wanted(records, name, each.label, embedders)
        )
        passages = sum(len(each.value.passages) for each in here)
        told.append(
            BaseTold(
                name=name,
                title=record.title,
                embedder=wanted(records, name, flow.acting, embedders),
                granularity=finely(said, flow.acting),
                metadata=record.metadata,
                expires_after=record.expires_after,
                by=record.by,
                at=record.at,
                documents=len(ready),
                passages=passages,
                waiting=sum(each.value.base == name for each in held),
                quarantined=sum(each.value.state == "quarantined" for each in mine),
                others=min(others, passages),
            )
        )
    return told


async def make(
    flow: Flow,
    name: str,
    embedders: Embedders,
    *,
    new: bool = False,
    title: str | None = None,
    embedder: str | None = None,
    granularity: str | None = None,
    metadata: dict[str, str] | None = None,
    expires_after: int | None = None,
) -> Base:
    """Say something of a base at the acting label; what is None stays as it was there.

    Raises BadInput, Conflict (`new`, and something is said of it there already), Refused (`owner`).
    """
    language = flow.session.language
    before = await _said(flow, named(name))
    if before is not None and new:
        raise Conflict(what=say("knowledge.base.exists", language, name=name))
    if before is not None and before.value.by != flow.session.principal.name:
        raise Refused(rule="owner", action=flow.action.name)
    old = before.value if before is not None else Base(name)
    changes = {
        "title": title,
        "embedder": _named(embedder, embedders, flow.acting, language) if embedder else embedder,
        "granularity": granularity,
        "metadata": metadata,
        "expires_after": expires_after,
    }
    told: dict[str, Any] = {field: value for field, value in changes.items() if value is not None}
    now = flow.gate.vault.clock.now()
    other = told.get("embedder", old.embedder) != old.embedder
    base = msgspec.structs.replace(
        old, **told, by=flow.session.principal.name, at=old.at or now, asked=now if other else old.asked
    )
    _checked(base, language)
    expect = before.version if before is not None else 0
    await flow.commit(Put(BASE, name, base, expect=expect), facts={"base": name, "embedder": base.embedder})
    return base


async def give_up(flow: Flow, name: str) -> int:
    """What the caller said of a base at the acting label, and what he brought into it there, are gone; how much.

    Raises Absent where he has neither, Refused (`no-write-down`) where what he said lies below.
    """
    who = flow.session.principal.name
    records: list[Found[Base]] = await flow.every(BASE, Where((("name", name),)))
    said = [each for each in records if each.value.by == who]
    own = [each for each in said if each.ref.class_id == flow.access.id] or said[:1]
    mine = await _brought(flow, name, who)
    if not mine and not own:
        raise Absent(kind=BASE.name, id=name)
    for record in own:  # first what is refused where it lies below
        gone_too = Delete(BASE, name, expect=record.version)
        await flow.commit(gone_too, at=record.label, facts={"base": name, "removed": len(mine)})
    ids = sorted({each.id for each in mine})
    changes: list[Change] = [removal(flow, id, name) for id in ids]
    changes += [Delete(HELD, each.id, expect=each.version) for each in mine if each.ref.kind == HELD.name]
    for start in range(0, len(changes), AT_ONCE):
        await flow.commit(*changes[start : start + AT_ONCE], facts={"base": name})
    return len(ids)


async def _brought(flow: Flow, name: str, who: str) -> list[Found[Any]]:
    """What he brought into a base that lies, or waits, at the acting label."""
    removed, where = await gone(flow), Where((("base", name),))
    pieces: list[tuple[Found[Any], str]] = [(one, one.value.added_by) for one in await flow.every(DOCUMENT, where)]
    pieces += [(one, one.value.by) for one in await flow.every(PART, where)]
    pieces += [(one, one.value.principal) for one in await flow.every(HELD, where)]
    mine = [one for one, by in pieces if by == who and flow.acting <= one.label]
    return [one for one in mine if not removed.rules(one.id, one.label, who)]


def drawn(flow: Flow) -> str:
    """A name for a base that nobody has named."""
    return "vs_" + short(flow.gate.vault.entropy.draw(f"base/{flow.access.id}/{flow.session.id}"))


async def _said(flow: Flow, name: str) -> Found[Base] | None:
    here = [each for each in await flow.read_each(BASE, name) if each.ref.class_id == flow.access.id]
    return here[0] if here else None


def _named(embedder: str, embedders: Embedders, label: Label, language: str) -> str:
    """The whole name of an embedder that serves at a label. Raises BadInput."""
    found = embedders.named(embedder, label)
    if found is None:
        raise BadInput(what=say("knowledge.base.embedder", language, names=", ".join(embedders.names(label)) or "-"))
    return found.name


def _checked(base: Base, language: str) -> None:
    if base.granularity not in ("portion", "document"):
        raise BadInput(what=say("knowledge.base.granularity", language))
    pairs = base.metadata.items()
    small = len(pairs) <= PAIRS and all(0 < len(key) <= 64 and len(value) <= 512 for key, value in pairs)
    if len(base.title) > TITLE_LIMIT or not small or base.expires_after < 0:
        raise BadInput(what=say("knowledge.base.large", language, most=PAIRS, title=TITLE_LIMIT))
