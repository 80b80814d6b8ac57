"""A flow carried to another process: the same flow there, and nothing that anybody else could have made."""

from __future__ import annotations

import pytest

from casemate.access import pack, unpack
from casemate.engines.key_store import KeyStore
from casemate.errors import Damaged
from casemate.models import Chat, Message
from casemate.policy import Action
from tests.access.damage import flipped
from tests.access.test_flow import at
from tests.attacks.scene import LOW, SECRET, TOP, flow_of, label_of, principal
from tests.laws.world import World, a_world

CHAT = Chat(model="m", messages=(Message("user", "été?"),), knowledge=("a", "b"), temperature=0.5)


async def test_it_arrives_as_it_was(world: World) -> None:
    flow = await at(world, TOP)
    flow.bear(label_of(world, SECRET))
    await flow.begin(b"question")
    arrived, chat = unpack(world.house.gate, pack(flow, CHAT), Chat)
    assert chat == CHAT
    for name in ("session", "asker", "action", "acting", "floor", "domain", "begun"):
        assert getattr(arrived, name) == getattr(flow, name), name
    assert (arrived.lent, arrived.seen) == ([], set())


async def test_so_does_a_part_of_a_request_and_one_that_is_asked_as_another(world: World) -> None:
    await world.person("ben", SECRET)
    ada = await flow_of(world, principal(world, "ada", TOP, "auditor"), Action("prove", "answer"))
    seen = await ada.as_seen_by("ben", label_of(world, LOW), "why")
    arrived, _ = unpack(world.house.gate, pack(seen, CHAT), Chat)
    assert (arrived.session.on_behalf_of, arrived.asker.principal.name) == ("ada", "ada")
    assert (arrived.session, arrived.acting, arrived.domain) == (seen.session, seen.acting, seen.domain)


async def test_no_byte_may_change(world: World) -> None:
    sealed = pack(await at(world, LOW), CHAT)
    for place in range(0, len(sealed), 7):
        with pytest.raises(Damaged):
            unpack(world.house.gate, flipped(sealed, place), Chat)
    for cut in (b"", sealed[:-1], sealed + b"x"):
        with pytest.raises(Damaged):
            unpack(world.house.gate, cut, Chat)


async def test_what_was_sealed_for_something_else_is_no_flow(world: World) -> None:
    sealer = world.house.gate.vault.sealer
    for sealed in (sealer.seal("", "carry", b"x", b"other"), sealer.seal("", "entry", b"x", b"casemate flow")):
        with pytest.raises(Damaged):
            unpack(world.house.gate, sealed, Chat)


async def test_nothing_of_it_can_be_read_on_the_way(world: World) -> None:
    assert b"ann" not in pack(await at(world, LOW), CHAT)


async def test_another_regions_flow_is_none_here(world: World) -> None:
    async with a_world(1, ("us",)) as other:
        foreign = KeyStore(other.folder / "others")
        object.__setattr__(other.house.gate.vault, "sealer", foreign)
        sealed = pack(await at(other, LOW), CHAT)
    with pytest.raises(Damaged):
        unpack(world.house.gate, sealed, Chat)
