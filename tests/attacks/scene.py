"""What the attacks share: a small region, labels, and a look into any log behind the gate's back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from urllib.parse import quote

from casemate.access import Flow
from casemate.identity import Principal, Session
from casemate.labels import Label
from casemate.ledger import Entry
from casemate.models import Card, Delta, Message, Prompt, Usage
from casemate.policy import Action
from tests.laws.world import Seen, World, a_world

LOW = "agency=EXERCISE"
SECRET = "agency=EXERCISE + us:SECRET//REL=USA"
TOP = "agency=EXERCISE + us:TOP SECRET//REL=USA//SCI=SI"
HIDDEN = b"The hidden lantern burns at the pier tonight."
ASKED = "hidden lantern pier"


def scene(do: Callable[[World], Awaitable[None]], policies: tuple[str, ...] = ("us",)) -> None:
    """Run an attack in a fresh region."""

    async def run() -> None:
        async with a_world(7, policies) as world:
            await do(world)

    asyncio.run(run())


async def bring(world: World, who: str, text: bytes, acting: str, **query: str) -> Seen:
    """A document, settled."""
    more = "".join(f"&{name}={quote(value, safe='')}" for name, value in query.items())
    target = f"/api/documents?name=note-{len(text)}.txt&base=law{more}"
    seen = await world.call(who, "POST", target, text, acting)
    await world.step("knowledge.ingest")
    return seen


async def hide(world: World, who: str, label: str = SECRET, text: bytes = HIDDEN) -> Seen:
    """A document that bears no mark, at a stated label."""
    return await bring(world, who, text, label, label=label)


def label_of(world: World, text: str) -> Label:
    found: Label = world.policies.parse(text)
    return found


def log(world: World, label: str) -> list[Entry]:
    """Every entry in the log of a label, oldest first."""
    gate = world.house.gate
    access = gate.classes.of(label_of(world, label))
    stored = gate.vault.reader.entries(access.id, 0, 1 << 30)
    return [gate.recorder.open(access.id, each) for each in stored]


def kept(world: World, label: str) -> bytes:
    """Everything that was said and is kept beside the entries of a label."""
    gate = world.house.gate
    access = gate.classes.of(label_of(world, label))
    stored = gate.vault.reader.entries(access.id, 0, 1 << 30)
    return b"\n".join(gate.recorder.content(access.id, each) or b"" for each in stored)


def principal(world: World, name: str, clearance: str, *roles: str) -> Session:
    """A session between the region's floor and a clearance, made without a key."""
    floor, top = world.house.gate.vault.region.floor, label_of(world, clearance)
    return Session(f"ses-{name}", Principal(name, name, top, frozenset(roles or ("user",))), floor, top)


async def flow_of(world: World, session: Session, action: Action, acting: str = "") -> Flow:
    return await world.house.gate.open(session, action, label_of(world, acting) if acting else None)


class Writer:
    """An engine that says what the test wants, and remembers what it was lent."""

    dialect = ""

    def __init__(self, *pieces: str) -> None:
        self.pieces = pieces
        self.lent: list[tuple[Message, ...]] = []

    async def generate(self, prompt: Prompt, deadline: float) -> AsyncIterator[Delta]:
        self.lent.append(prompt.messages)
        for piece in self.pieces:
            yield Delta(text=piece)
        yield Delta(finish="stop", usage=Usage(1, 1, False))


def connect(world: World, engine: Writer, accreditation: str = TOP, outside: bool = True) -> None:
    """An upstream named `far`."""
    level = label_of(world, accreditation)
    world.house.catalogue.add(Card("far", "far", "acme", level, engine, outside))
