"""What the mutants of the gateway must not survive: laws on a bounded number of cases. See `killers`."""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from casemate.access import Ceiling
from casemate.accounts import KeyRequest, issue, revoke
from casemate.clock import SECOND
from casemate.crypto import KeySigner
from casemate.crypto import generate as new_key
from casemate.crypto.chain import Anchors
from casemate.engines.segment_fold import Sequencer
from casemate.errors import CasemateError, Unauthenticated
from casemate.identity import Bearer, Peer
from casemate.labels import Labelled
from casemate.models import Card, Chat, Delta, Gateway, Message, Prompt, Usage
from casemate.policy import Action
from casemate.store import NotOurs, pack_snapshot, read_snapshot
from tests.access.outside import CLEARED, RIGHT, admit, believe, bound, put
from tests.access.test_durable import Slow, turned
from tests.access.test_flow import at
from tests.attacks import test_quota
from tests.attacks.scene import LOW, SECRET, TOP, label_of
from tests.crypto.authority import make, revoked
from tests.engines.test_segment_fold import Place
from tests.laws.gateway_operations import WIRES, Fickle
from tests.laws.two_worlds import Leak, generate, judge
from tests.laws.world import World, a_world
from tests.wiring.split import Split, a_split

MARKED = "(S//NF) The covered sensor."
TOLD = "TOP SECRET//SI\n(S//NF) The covered sensor."
END = Delta(finish="stop", usage=Usage(1, 1, False))


async def chats(count: int = 60) -> None:
    """The two worlds, asking models as such and nothing else."""
    for seed in range(count):
        await judge(generate(seed, 14, ("gateway_chat",)))


async def quotas(count: int = 1) -> None:
    """What is used above takes nothing from what is left below."""
    del count
    if not await test_quota.compare():
        raise Leak("a quota tells what was used above")


class _Says:
    """An engine that says these pieces, and keeps what it was lent."""

    dialect = ""

    def __init__(self, *pieces: str) -> None:
        self.pieces, self.lent = pieces, 0

    async def generate(self, prompt: Prompt, deadline: float) -> AsyncIterator[Delta]:
        self.lent += 1
        for piece in self.pieces:
            yield Delta(text=piece)
        yield END


@asynccontextmanager
async def _low(*pieces: str) -> AsyncIterator[tuple[World, _Says]]:
    """A region with a model that is cleared for everything, and somebody who is not."""
    async with a_world(8) as world:
        await world.person("low", LOW)
        engine = _Says(*pieces)
        world.house.catalogue.add(Card("law/says", "says", "law", label_of(world, TOP), engine))
        yield world, engine


async def held(count: int = 1) -> None:
    """What a model says above the acting label is told on no wire, streamed or whole, however it is cut."""
    del count
    for pieces in ((TOLD,), tuple(TOLD), ("TOP SEC", "RET", "//SI\n(S", "//NF) The covered", " sensor.")):
        async with _low(*pieces) as (world, _):
            for wire in WIRES:
                for stream in (False, True):
                    path, body, signed = wire("law/says", "What is at the pier?", stream)
                    seen = await world.call("low", "POST", path, body, LOW, signed=signed)
                    if b"SECRET//SI" in seen.body or b"covered" in seen.body or b"(S" in seen.body:
                        raise Leak(f"{path} tells what bears a mark above")


async def brought(count: int = 1) -> None:
    """What bears a mark above the acting label is taken on no wire, and no model is lent it."""
    del count
    async with _low("yes") as (world, engine):
        for wire in WIRES:
            for text in (MARKED, f"see\n{MARKED}", "SECRET//NOFORN\nall of it"):
                path, body, signed = wire("law/says", text, False)
                for given in (body, {**body, "unknown": {"a": [text]}}):
                    seen = await world.call("low", "POST", path, given, LOW, signed=signed)
                    if seen.status != 403 or engine.lent:
                        raise Leak(f"{path} takes what bears a mark above")


async def routed(count: int = 1) -> None:
    """A model that may not be lent a text does not exist for it: whatever fails, what is told is the same."""
    del count
    told = []
    for beside in (False, True):
        async with a_world(9) as world:
            for name, level in (("law/high", TOP), *((("law/low", LOW),) if beside else ())):
                card = Card(name, name, "law", label_of(world, level), Fickle(), aliases=("law/any",))
                world.house.catalogue.add(card)
            gateway, flow = Gateway(world.house.catalogue), await at(world, SECRET)
            secret = Labelled(label_of(world, SECRET), (Message("user", "The covered sensor is down"),))
            try:
                chat = Chat(model="law/any", messages=(), knowledge=())
                told.append([delta.text async for delta in gateway.write(flow, secret, chat)])
            except CasemateError as error:
                told.append([error.slug])
    if told[0] != told[1]:
        raise Leak(f"a model below is looked at: {told}")


async def warmed(count: int = 1) -> None:
    """What a request warms in the lower rungs of its answer is warm for nobody below."""
    del count
    async with a_world(13) as world:
        whole = await at(world, SECRET)
        low = await at(world, LOW)
        rung = whole.at(low.acting)
        if rung.salt() == low.salt() or rung.salt() != whole.salt():
            raise Leak("a rung shares the cache of its own label")


async def durable(count: int = 1) -> None:
    """Neither a response nor a lend to the outside leaves before its entries are on the disk."""
    del count
    for outside in (False, True):
        async with a_world(10, ("us",)) as world:
            flow, slow = await at(world, SECRET), Slow(world)
            await flow.begin(b"q")
            far = Ceiling("far", label_of(world, TOP), outside=True)
            leaves: Awaitable[Any] = flow.lend(Labelled(flow.acting, "x"), far) if outside else flow.release(b"a")
            work = asyncio.ensure_future(leaves)
            early = await turned(work)
            slow.go()
            await work
            if early:
                raise Leak("it left before it was written down")


async def folded(count: int = 1) -> None:
    """A segment that was folded before a kill is not folded twice: nor is it an alarm."""
    del count
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder))
        try:
            place.segment("a-00000001", ("ent_1",), ("ent_2",))
            for _ in range(2):  # the second knows only what the store does
                again: Sequencer = place.another()
                try:
                    await again.fold()
                except CasemateError as error:
                    raise Leak(f"what was folded is not known to be: {error.slug}") from None
                finally:
                    await again.stop()
            if place.ids() != ["ent_1", "ent_2"]:
                raise Leak("an entry was lost or doubled")
        finally:
            await place.sequencer.stop()
            place.close()


@asynccontextmanager
async def _published() -> AsyncIterator[Split]:
    async with a_world(7, ("us",)) as world, a_split(world) as split:
        yield split


async def snapshots(count: int = 1) -> None:
    """Neither an older snapshot nor one of another's hand is stood on; a key that was revoked is nobody's."""
    del count
    async with _published() as split:
        gate, path = split.control.house.gate, split.control.house.folder.snapshot
        key, split.control.keys["eve"] = await issue(
            await gate.open(gate.admit(Peer(0)), Action("issue", "key")), KeyRequest()
        )
        await split.spread()
        if (await split.call("eve", "GET", "/v1/models")).status != 200:
            raise AssertionError("the case would be vacuous")
        kept = path.read_bytes()
        await revoke(await gate.open(gate.admit(Peer(0)), Action("revoke", "key")), key.id)
        await split.spread()
        for raw in (None, kept, _forged(split, kept)):
            if raw is not None:
                beside = path.with_name("beside")  # another file each time: it is known by its number
                beside.write_bytes(raw)
                beside.replace(path)
                await split.follow()
            if (await split.call("eve", "GET", "/v1/models")).status != 401:
                raise Leak("a revoked key comes in")


def _forged(split: Split, kept: bytes) -> bytes:
    """The old one with a new number, signed by somebody else."""
    vault = split.control.house.gate.vault
    try:
        found = read_snapshot(kept, vault.signer.public, vault.sealer, vault.region.name)
    except NotOurs:
        raise AssertionError("the case would be vacuous") from None
    return pack_snapshot(msgspec.structs.replace(found, sequence=1 << 60), KeySigner(new_key()), vault.sealer)


async def outsiders(count: int = 1) -> None:
    """A token for somebody else's door or with a key of its own, and a clearance above an authority's, are nobody's."""
    del count
    async with a_world(11, ("us",)) as world:
        gate = world.house.gate
        believe(gate)
        await bound(world)
        admit(world)
        now = gate.vault.clock.now() / SECOND
        for wrong in (RIGHT.token(now, aud="https://elsewhere.test"), RIGHT.token(now, head={"jku": "https://e.test"})):
            _nobody(lambda wrong=wrong: gate.admit(Bearer(wrong)), "a token that is not for us")
    async with a_world(12, ("us",)) as world:
        gate = world.house.gate
        believe(gate)
        await put(world, CLEARED)
        admit(world)
        believe(gate, ceiling=gate.vault.region.reach("us:CONFIDENTIAL"))
        _nobody(lambda: admit(world), "a clearance above the authority's")


def _nobody(doing: Callable[[], object], what: str) -> None:
    try:
        doing()
    except Unauthenticated:
        return
    raise Leak(f"{what} is believed")


async def certificates(count: int = 1) -> None:
    """A certificate that its issuer has revoked is nobody's."""
    del count
    now = 1_790_000_000.0
    root = make("root", now=now, ca=True)
    ann, ben = make("ann", root, now=now), make("ben", root, now=now)
    anchors = Anchors(root.pem, revoked(root, ann, now=now))
    if not anchors.stands(ben.der, int(now * SECOND)):
        raise AssertionError("the case would be vacuous")
    if anchors.stands(ann.der, int(now * SECOND)):
        raise Leak("a revoked certificate comes in")


LAWS = (
    chats, quotas, held, brought, routed, warmed, durable, folded, snapshots, outsiders, certificates,
)  # fmt: skip


async def beside(count: int = 1) -> None:
    """A long text below is looked at while everything that may compute above is held up."""
    del count
    go = threading.Event()
    async with a_world(5) as world:
        above, below = await at(world, SECRET), await at(world, LOW)
        held = [asyncio.ensure_future(above.beside(go.wait)) for _ in range(64)]
        try:
            await asyncio.wait_for(below.inspect(["calm " * (1 << 14)]), 10)
        except TimeoutError:
            raise Leak("a look below waits for threads that are busy above") from None
        finally:
            go.set()
            await asyncio.gather(*held)
