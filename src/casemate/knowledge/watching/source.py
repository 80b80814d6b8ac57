"""Sources: places outside from which files come by themselves, each through a connector.

A place is what the region's settings allow - a folder, a bucket - with the label of what lies there; nobody names a
path or an address in a request. A source is somebody's order to bring what lies in a place into a base. It lies at the
acting label at which it was given, and what it brings is held there, in his name, with his floor joined with the
place's label: so a file comes to rest by its own marks, never below either, and is his to remove.

    list -> new or changed: fetch, hold (in place of the old one) -> vanished: a word that it is gone -> a record each

A connector is a plug-in (entry points `casemate.connectors`): a function of (place, folder in it, domain) that gives
something with `list` and `fetch`. It reads and never writes, and is asked at the pace of the clock alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from casemate.access import Flow
from casemate.errors import Absent, BadInput, Refused
from casemate.ids import fresh
from casemate.knowledge.base import named
from casemate.labels import Label
from casemate.objects import Change, Delete, Found, Kind, Put, Where
from casemate.words import say

__all__ = [
    "ITEM",
    "MOST",
    "SOURCE",
    "TOLD",
    "Connect",
    "Connector",
    "Connectors",
    "ItemRecord",
    "Listed",
    "Place",
    "Source",
    "Told",
    "add_source",
    "remove_source",
    "sources",
]

MOST = 10_000
"""Files of one source."""
LEAST_EVERY, MOST_EVERY = 10, 86_400
UNDER = 512


class Listed(msgspec.Struct, frozen=True):
    """A file that lies there. `version` changes with its bytes; `size` in bytes."""

    key: str
    version: str
    size: int


class Connector(Protocol):
    """Reads one place. Raises Unavailable where it does not answer, BadInput where what is asked for is not there."""

    name: str

    async def list(self) -> Sequence[Listed]:
        """What lies there now, at most `MOST` files."""
        ...

    async def fetch(self, key: str) -> bytes:
        """The bytes of one of them, bounded. What cannot be had by now raises BadInput or Unavailable."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """What the settings allow: which connector reads it, the label of what lies there, and whatever that one needs."""

    name: str
    kind: str
    label: Label
    options: Mapping[str, str] = field(default_factory=dict)


Connect = Callable[[Place, str, str], Connector]


@dataclass(frozen=True, slots=True)
class Connectors:
    """The places of a region, and who reads each kind of them."""

    places: Mapping[str, Place] = field(default_factory=dict)
    kinds: Mapping[str, Connect] = field(default_factory=dict)

    def place(self, name: str, acting: Label) -> Place:
        """A place that the acting label dominates. Raises Absent: one above it and one that is not are the same."""
        found = self.places.get(name)
        if found is None or not found.label <= acting:
            raise Absent(kind="place", id=name[:64])
        return found

    def connect(self, place: Place, under: str, domain: str) -> Connector:
        """Raises BadInput where no connector of that kind is installed, or there can be no such folder."""
        if place.kind not in self.kinds:
            raise BadInput(what=f"No connector {place.kind!r} is installed.")
        return self.kinds[place.kind](place, under, domain)


class Source(msgspec.Struct, frozen=True):
    """An order. `floor` is what its files carry, `by` whose they are; `stated` and `marks` as whoever adds a file says.

    `every`: seconds between two looks.
    """

    base: str
    place: str
    under: str
    floor: str
    by: str
    at: int
    stated: str = ""
    marks: str = "read"
    every: int = 60


class ItemRecord(msgspec.Struct, frozen=True):
    """A file of a source as it was last brought, and the document that came of it."""

    source: str
    key: str
    version: str
    document: str


class Told(msgspec.Struct, frozen=True):
    """How a source stands, as it was last different. `problem`: a slug, "" for none; `failed`: files that could not be
    had."""

    files: int
    failed: int
    problem: str
    at: int


SOURCE = Kind("source", Source, indexed=("base",))
ITEM = Kind("source.item", ItemRecord, indexed=("source",))
TOLD = Kind("source.told", Told)


async def sources(flow: Flow) -> list[tuple[Found[Source], Told | None]]:
    """The visible sources, and how each stands."""
    told = {each.id: each.value for each in await flow.every(TOLD)}
    return [(found, told.get(found.id)) for found in await flow.every(SOURCE)]


async def add_source(
    flow: Flow, connectors: Connectors, base: str, place: str, under: str, stated: str, marks: str, every: int
) -> tuple[str, Source]:
    """A new source at the acting label. Raises BadInput, Absent (the place), Refused (`marks-of-origin`)."""
    language = flow.session.language
    found = connectors.place(place, flow.acting)
    if not LEAST_EVERY <= every <= MOST_EVERY or len(under) > UNDER or not under.isprintable():
        raise BadInput(what=say("knowledge.source.every", language, least=LEAST_EVERY, most=MOST_EVERY))
    if marks not in ("read", "text") or (marks == "text" and not stated):
        raise BadInput(what="Marks are read, or are text where a label is stated.")
    floor = flow.floor | found.label
    label = flow.gate.vault.region.label(stated).with_needs(floor.needs) if stated else floor
    if not floor <= label <= flow.acting:
        raise Refused(rule="marks-of-origin", floor=floor.text, held=flow.acting.text, asked=label.text)
    connectors.connect(found, under, flow.access.id)  # whether there can be such a one is known before it is ordered
    source = Source(
        base=named(base),
        place=place,
        under=under,
        floor=floor.text,
        by=flow.session.principal.name,
        at=flow.gate.vault.clock.now(),
        stated=label.text if stated else "",
        marks=marks,
        every=every,
    )
    id = fresh("src", flow.gate.vault.entropy, f"source/{flow.access.id}/{flow.session.id}")
    await flow.commit(Put(SOURCE, id, source, expect=0), facts={"place": place, "base": base})
    return id, source


async def remove_source(flow: Flow, id: str) -> int:
    """Look there no longer; what it has brought stays. How many files it knew. Raises Absent, Refused."""
    found = await flow.read(SOURCE, id)
    if found.value.by != flow.session.principal.name:
        return await flow.absent(SOURCE, id)
    items = [each for each in await flow.every(ITEM, Where((("source", id),))) if each.ref.class_id == flow.access.id]
    gone: list[Change] = [Delete(ITEM, each.id) for each in items]
    await flow.commit(Delete(SOURCE, id, expect=found.version), Delete(TOLD, id), *gone, at=found.label)
    return len(items)
