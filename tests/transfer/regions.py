"""Two regions in one process and a channel between them: each asked through its own door, files carried by hand."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from casemate.accounts import found_owner
from casemate.clock import ManualClock
from casemate.engines.transfer_yard import FolderYard
from casemate.ids import DerivedEntropy
from casemate.objects import Found
from casemate.policy import Action
from casemate.transfer.region import BUNDLE, BundleRecord, ChannelRecord, Content, Outgoing, Packing, named
from casemate.transfer.region.channel import DOCUMENT_TYPE
from casemate.transfer.state import State, read_state
from casemate.wiring import Folder, open_house
from tests.laws.world import PlainExtractor, Seen, World, keyed

SETTINGS = """
[region]
name = "{name}"
agency = "EXERCISE"
policies = ["house", "us"]
floor = "{floor}"
[knowledge]
embedder = "hashing"
"""
LOW = "agency=EXERCISE"
DAY = 86_400 * 1_000_000
TEXT = b"The pier lies north of the harbour.\n\nThe ferry goes at dawn."


@asynccontextmanager
async def a_region(
    name: str, floor: str = "", seed: int = 0, more: str = "", durable: bool = False, at: Path | None = None
) -> AsyncIterator[World]:
    """A region of that name with its officer, operator and two releasers; gone afterwards, unless it is said where.

    `more`: of its settings.
    """
    path = at or Path(tempfile.mkdtemp(prefix="transfer-"))
    folder = Folder(path)
    for part in (folder.data, folder.keys, folder.run):
        part.mkdir(mode=0o700)
    folder.settings_file.write_text(SETTINGS.format(name=name, floor=floor) + more)
    keyed(folder, seed)
    clock, entropy = ManualClock(), DerivedEntropy(seed.to_bytes(8, "big"))
    house = await open_house(folder, "all", clock, entropy, durable=durable, extractor=PlainExtractor())
    try:
        await found_owner(house.gate, "owner", "0")
        world = World(house, path, clock, [])
        ceiling = house.gate.vault.region.ceiling.text
        for who, roles in (
            ("user", ("user",)),
            ("officer", ("officer", "auditor")),
            ("second", ("officer",)),
            ("operator", ("operator", "user")),
            ("releaser", ("releaser", "user")),
        ):
            await world.person(who, ceiling, roles)
        yield world
    finally:
        await house.close()
        house.gate.vault.reader.close()
        if at is None:
            shutil.rmtree(path, ignore_errors=True)


def a_document(name: str = "note.txt", text: bytes = TEXT, label: str | None = LOW, number: int = 1) -> Outgoing:
    """A document as it lies in a bundle."""
    about = msgspec.json.encode({"name": name, "base": "law"})
    contents = (Content("about.json", about), Content("content", text))
    return Outgoing(f"document-{number}", DOCUMENT_TYPE, label, contents)  # type: ignore[arg-type]


@dataclass
class Pair:
    """A channel `up` from one region to the other, and the labels at which it lies in each."""

    low: World
    high: World
    below: str
    above: str
    name: str = "up"

    async def send(self, *members: tuple[str, str]) -> tuple[Seen, bytes]:
        """A bundle of these, and its file."""
        body = {"members": [{"kind": kind, "id": id} for kind, id in members]}
        sent = await self.low.call("releaser", "POST", f"/api/transfer/channels/{self.name}/bundles", body, self.below)
        if sent.status != 201:
            return sent, b""
        id = sent.json["data"]["id"]
        file = await self.low.call("operator", "GET", f"/api/transfer/bundles/{id}/file", None, self.below)
        assert file.status == 200, file.body
        return sent, file.body

    async def made(self, objects: Sequence[Outgoing], **changes: Any) -> bytes:
        """A bundle that the low region never made, with its keys: as whoever has stolen them would."""
        return (await self.packed(objects, **changes)).read_bytes()

    async def packed(self, objects: Sequence[Outgoing], **changes: Any) -> Path:
        """Where it lies."""
        record = (await self._record(self.low, self.below)).value
        told = Packing(
            bundle=os.urandom(16).hex(),
            channel=record.channel,
            sequence=record.sequence + 1,
            previous=record.previous,
            source=record.source,
            destination=record.destination,
            label=record.label,
            banner=read_state((await self._record(self.high, self.above)).value.state.encode()).banner,
            issued=self.low.clock.now(),
            expires=self.low.clock.now() + 30 * DAY,
            recipient=bytes.fromhex(record.recipient),
            root=record.root.encode(),
            signing=record.signing,
            roles=record.roles,
            objects=tuple(objects),
            roots=tuple(each.encode() for each in record.roots),
        )
        told = replace(told, **changes)
        yard = FolderYard(self.low.folder / "forge")
        await yard.pack(told)
        return self.low.folder / "forge" / "draft" / f"{told.bundle}.cmb"

    async def state(self) -> State:
        """What the high region knows of the channel."""
        return read_state((await self._record(self.high, self.above)).value.state.encode())

    async def record(self, world: World | None = None) -> ChannelRecord:
        """What a region keeps of the channel; the high one where none is said."""
        world, label = (self.high, self.above) if world is None else (world, self.below)
        return (await self._record(world, label)).value

    async def ask(self, world: World, who: str, path: str, body: Any) -> Seen:
        """A request about the channel, or about a bundle where the path says so, at the label of that end."""
        at = path if path.startswith("/") else f"/api/transfer/channels/{self.name}/{path}"
        return await world.call(who, "POST", at, body, self.below if world is self.low else self.above)

    async def _record(self, world: World, label: str) -> Found[ChannelRecord]:
        gate = world.house.gate
        access = gate.classes.of(gate.vault.region.policies.parse(label))
        return await named(await gate.open(gate.service("transfer", access), Action("take", "bundle")), self.name)

    async def take(self, file: bytes) -> dict[str, Any]:
        """What the other region makes of a file."""
        taken = await self.high.call("operator", "PUT", f"/api/transfer/channels/{self.name}/bundles", file, self.above)
        assert taken.status in (200, 201), taken.body
        return dict(taken.json["data"])

    async def drop(self, file: bytes) -> BundleRecord:
        """What the other region's loop makes of a file that lies in its inbox: no key is asked for there."""
        gate = self.high.house.gate
        await self.high.step("transfer.inbox")
        (self.high.folder / "transfer" / "inbox" / "a.cmb").write_bytes(file)
        await self.high.step("transfer.inbox")
        access = gate.classes.of(gate.vault.region.policies.parse(self.above))
        flow = await gate.open(gate.service("transfer", access), Action("take", "bundle"))
        return max((await flow.every(BUNDLE)), key=lambda found: found.value.at).value

    async def document(self, text: bytes = TEXT, name: str = "pier.txt") -> str:
        """A document of the low region, which has come to rest."""
        target = f"/api/documents?name={name}&base=law&label={self.below}&marks=text"
        added = await self.low.call("user", "POST", target, text, self.below)
        assert added.status == 202, added.body
        await self.low.step("knowledge.ingest")
        return str(added.json["data"]["id"])

    async def come(self) -> list[dict[str, Any]]:
        """The documents of the high region, once its loops have gone round."""
        await self.high.step("knowledge.ingest")
        listed = await self.high.call("user", "GET", "/api/documents", None, self.above)
        return list(listed.json["data"]["documents"])

    async def bundles(self, world: World | None = None) -> list[dict[str, Any]]:
        world, label = (self.high, self.above) if world is None else (world, self.below)
        return list((await world.call("operator", "GET", "/api/transfer/bundles", None, label)).json["data"])


async def introduced(
    low: World, high: World, below: str, above: str, name: str = "up", guard: str = "known", **people: int
) -> Pair:
    """Three acts by officers, what each gives carried to the other; so many `signatures` and `approvals`."""
    at = "/api/transfer/channels"
    opened = await high.call("officer", "POST", at, {"name": name, "source": "lowland", "guard": guard}, above)
    assert opened.status == 201, opened.body
    card = (await high.call("officer", "GET", f"{at}/{name}", None, above)).json["data"]["card"]
    opened = await low.call("officer", "POST", at, {"name": name, "card": card, **people}, below)
    assert opened.status == 201, opened.body
    told = (await low.call("officer", "GET", f"{at}/{name}/introduction", None, below)).json["data"]
    trusted = await high.call("officer", "POST", f"{at}/{name}/trust", told, above)
    assert trusted.status == 200, trusted.body
    return Pair(low, high, below, above, name)


@asynccontextmanager
async def a_pair(floor: str = "us:SECRET", guard: str = "known", more: str = "", **people: int) -> AsyncIterator[Pair]:
    """From a region at the bottom to one whose floor is SECRET, with `more` of settings."""
    async with a_region("lowland", seed=1) as low, a_region("highland", floor, seed=2, more=more) as high:
        above = high.house.gate.vault.region.floor.text
        yield await introduced(low, high, LOW, above, guard=guard, **people)
