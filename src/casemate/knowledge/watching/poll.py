"""Looking at sources: what is new or changed is held, what has vanished is gone, and what went wrong is told.

Each access class has a lane of its own, and a source is looked at when its time has come by the clock, whatever was
found before. Repeating a look changes nothing: a file is known by its key and version, and its bytes by their digest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace

import msgspec

from casemate.access import Flow, Gate
from casemate.clock import SECOND, Loop
from casemate.errors import Absent, CasemateError, Refused
from casemate.identity import Session
from casemate.knowledge.documents.bring import bring, hold_of, in_place_of
from casemate.knowledge.documents.document import key_of
from casemate.knowledge.lanes import InLanes
from casemate.knowledge.watching.source import (
    ITEM,
    MOST,
    SOURCE,
    TOLD,
    Connector,
    Connectors,
    ItemRecord,
    Listed,
    Place,
    Source,
    Told,
)
from casemate.labels import AccessClass
from casemate.objects import Change, Delete, Found, Put, Where
from casemate.policy import Action, Refuse, Target, decide

__all__ = ["Poll"]

SIZE = 64 << 20
ADD, POLL = Action("add", "source"), Action("poll", "source")


class Poll(InLanes):
    """The loop: how many files were brought, or found gone."""

    name = "knowledge.sources"
    every = 5.0

    def __init__(self, gate: Gate, connectors: Connectors, patience: float | None = 0.5) -> None:
        super().__init__(gate, patience)
        self._connectors = connectors
        self._next: dict[tuple[str, str], int] = {}

    def loops(self) -> list[Loop]:
        return super().loops() if self._connectors.places else []

    async def _class(self, access: AccessClass) -> int:
        moved = 0
        flow = await self._flow(access, POLL)
        for found in await flow.every(SOURCE):
            if found.ref.class_id == access.id and self._due(found):
                moved += await self._look(access, found)
        return moved

    def _due(self, found: Found[Source]) -> bool:
        now, key = self._gate.vault.clock.now(), (found.ref.class_id, found.id)
        if now < self._next.get(key, 0):
            return False
        self._next[key] = now + found.value.every * SECOND
        return True

    async def _look(self, access: AccessClass, found: Found[Source]) -> int:
        """One look at one source; whatever prevents it is told, and is its own."""
        flow = await self._flow(access, POLL)
        source = found.value
        moved, failed, files, problem = 0, 0, 0, ""
        try:
            self._ordered(found)
            place = self._connectors.place(source.place, flow.acting)
            found = self._as_it_lies(found, place)
            connector = self._connectors.connect(place, source.under, access.id)
            several = await connector.list()
            listed = sorted(several[:MOST], key=lambda each: each.key)
            files = len(listed)
            known = {each.value.key: each for each in await flow.every(ITEM, Where((("source", found.id),)))}
            for each in listed:
                brought = await self._file(flow, found, connector, each, known.get(each.key))
                moved, failed = moved + (brought is True), failed + (brought is None)
            if len(several) < MOST:  # of a list that was cut nobody knows what it left out
                moved += await _vanished(flow, found, known, {each.key for each in listed})
        except Absent:
            problem = "unknown-place"
        except CasemateError as error:
            problem = error.slug
        except Exception:  # noqa: BLE001 - a plug-in's defect is told as one, and stops nothing else
            problem = "defect"
        await _tell(flow, found, Told(files, failed, problem, self._gate.vault.clock.now()))
        return moved

    def _ordered(self, found: Found[Source]) -> None:
        """Raises Refused where whoever gave the order may no longer give it: what is done in his name ends with it."""
        by, floor = self._gate.directory.named(found.value.by), self._gate.vault.region.floor
        session = Session(f"source/{found.id}", by, floor, by.clearance) if by is not None else None
        if session is None or isinstance(decide(session, found.label, ADD, Target()), Refuse):
            raise Refused(rule="role", action=ADD.name)

    def _as_it_lies(self, found: Found[Source], place: Place) -> Found[Source]:
        """The order under the label that its place has now: the settings may have raised it since."""
        source, parse = found.value, self._gate.vault.region.policies.parse
        floor = parse(source.floor) | place.label
        stated = (parse(source.stated) | floor).text if source.stated else ""
        return replace(found, value=msgspec.structs.replace(source, floor=floor.text, stated=stated))

    async def _file(
        self, flow: Flow, found: Found[Source], connector: Connector, listed: Listed, item: Found[ItemRecord] | None
    ) -> bool | None:
        """Bring a file that is new or changed: whether it was one; None where it could not be had."""
        if item is not None and item.value.version == listed.version:
            return False
        if listed.size > SIZE:
            return None
        try:
            data = await connector.fetch(listed.key)
            if not data:
                return None
            document = await self._hold(flow, found.value, listed, data, item.value.document if item else "")
        except CasemateError:
            return None
        record = ItemRecord(found.id, listed.key, listed.version, document)
        await flow.commit(Put(ITEM, _item(found.id, listed.key), record), facts={"brought": document})
        return True

    async def _hold(self, flow: Flow, source: Source, listed: Listed, data: bytes, before: str) -> str:
        floor = self._gate.vault.region.policies.parse(source.floor)
        origin = f"{source.place}:{source.under}#{listed.key}"
        name = listed.key.rsplit("/", 1)[-1]
        hold = await hold_of(flow, name, source.base, source.stated, source.marks, origin, at=floor)
        digest = key_of(source.base, source.stated, f"{source.marks}\x00{origin}", data)
        hold = msgspec.structs.replace(hold, digest=digest)
        changes: list[Change] = []
        if before:
            hold, changes = await in_place_of(flow, hold, before, source.by, floor)
        return (await bring(flow, hold, data, changes, source.by, floor)).id


async def _vanished(flow: Flow, found: Found[Source], known: dict[str, Found[ItemRecord]], there: Iterable[str]) -> int:
    """What lies there no longer is gone, from the floor of its source up."""
    source, moved = found.value, 0
    floor = flow.gate.vault.region.policies.parse(source.floor)
    for key in sorted(known.keys() - set(there)):
        item = known[key]
        hold = await hold_of(flow, "-", source.base, "", "read", "", at=floor)
        hold, changes = await in_place_of(flow, hold, item.value.document, source.by, floor)
        changes.append(Delete(ITEM, item.id, expect=item.version))
        if hold.gone_at:
            await hold.withdrawn(flow, *changes, by=source.by, floor=floor)
        else:
            await flow.commit(*changes, facts={"vanished": item.value.document})
        moved += 1
    return moved


async def _tell(flow: Flow, found: Found[Source], told: Told) -> None:
    """What is the same as before is not told again: nothing is written while nothing happens."""
    before = [each for each in await flow.read_each(TOLD, found.id) if each.ref.class_id == flow.access.id]
    same = before and msgspec.structs.replace(before[0].value, at=told.at) == told
    if not same:
        await flow.commit(Put(TOLD, found.id, told), facts={"files": told.files, "problem": told.problem})


def _item(source: str, key: str) -> str:
    return "itm_" + hashlib.sha256(f"{source}\x00{key}".encode()).hexdigest()[:32]
