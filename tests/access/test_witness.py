"""Witnesses: a head that was seen is never unseen, and what is signed above is nowhere below."""

from __future__ import annotations

import pytest

from casemate.access import Flow, witness
from casemate.crypto import KeySigner
from casemate.errors import Absent, BadInput, Conflict
from casemate.ledger import SHA256, Tiled, part_of, verify_cosignature, write_export, write_part
from casemate.policy import Action
from tests.attacks.scene import LOW, SECRET, TOP, flow_of, principal
from tests.laws.world import World
from tests.ledger.histories import LOG, PUBLIC, checkpoint, history

RECORDS = history(20)


async def at(world: World, label: str) -> Flow:
    return await flow_of(world, principal(world, "ada", TOP, "auditor"), Action("witness", "ledger"), label)


def whole(size: int, who: str = "ada") -> bytes:
    records = history(size, who)
    return write_export(LOG, records, [checkpoint(records)], PUBLIC)


def part(start: int, stop: int) -> bytes:
    leaves = [each.leaf for each in RECORDS]
    tree = Tiled(lambda place: leaves[: place.width], 20)
    found, points = part_of(tree, start, stop, [checkpoint(RECORDS, size) for size in (5, 9, 14, 20)])
    return write_part(LOG, RECORDS[start:stop], points, PUBLIC, found)


async def test_a_head_that_is_proved_is_remembered_and_signed(world: World) -> None:
    flow = await at(world, SECRET)
    await witness.add(flow, "low", PUBLIC.hex())
    verdict, given = await witness.seen(flow, "low", whole(5))
    assert verdict.state == "ok"
    assert given is not None
    assert given.head == checkpoint(RECORDS, 5).head
    assert verify_cosignature(given, PUBLIC, world.house.gate.vault.signer.public)
    assert witness.cosignatures(await at(world, SECRET)) == [given]


async def test_what_was_seen_cannot_be_taken_back(world: World) -> None:
    flow = await at(world, SECRET)
    await witness.add(flow, "low", PUBLIC.hex())
    assert (await witness.seen(flow, "low", whole(9)))[1]
    for data, state in ((whole(9, "eve"), "forked"), (whole(12, "eve"), "forked"), (whole(5), "incomplete")):
        verdict, given = await witness.seen(await at(world, SECRET), "low", data)
        assert (verdict.state, given) == (state, None)
    assert (await witness.seen(await at(world, SECRET), "low", whole(20)))[1]
    assert len(witness.cosignatures(flow)) == 2


async def test_a_part_is_signed_where_it_goes_on_from_what_was_seen(world: World) -> None:
    flow = await at(world, SECRET)
    await witness.add(flow, "low", PUBLIC.hex())
    assert (await witness.seen(flow, "low", whole(5)))[1]
    verdict, given = await witness.seen(flow, "low", part(12, 14))
    assert (verdict.state, verdict.why, given) == ("incomplete", "unlinked", None)
    given = (await witness.seen(flow, "low", part(7, 12)))[1]
    assert given is not None
    assert given.size == 14


async def test_what_is_signed_above_is_nowhere_below(world: World) -> None:
    """Neither the list, nor the regions known, nor any answer below says that somebody above has looked."""
    high = await at(world, TOP)
    await witness.add(high, "low", PUBLIC.hex())
    given = (await witness.seen(high, "low", whole(5)))[1]
    assert given is not None
    for label in (LOW, SECRET):
        below = await at(world, label)
        assert witness.cosignatures(below) == []
        assert witness.watched(below) == []
        with pytest.raises(Absent):
            await witness.seen(below, "low", whole(5))
    await world.person("low-auditor", SECRET, ("auditor",))
    targets = ("cosignatures", "witnesses", "notes", "heads", "key")
    for target in (*(f"/api/ledger/{each}" for each in targets), "/api/ledger?limit=1000"):
        seen = await world.call("low-auditor", "GET", target, acting=SECRET)
        assert seen.status == 200
        assert given.signature.encode() not in seen.body
        assert given.root.encode() not in seen.body
        assert PUBLIC.hex().encode() not in seen.body
    assert witness.cosignatures(await at(world, TOP)) == [given]


async def test_nothing_that_is_unsigned_or_anothers_is_signed(world: World) -> None:
    flow = await at(world, SECRET)
    await witness.add(flow, "low", PUBLIC.hex())
    other = KeySigner(bytes(range(1, 33)))
    records = history(5)
    assert (await witness.seen(flow, "low", write_export(LOG, records, [], PUBLIC)))[1] is None
    assert (await witness.seen(flow, "low", write_export(LOG, records, [], other.public)))[0].state == "tampered"
    data = bytearray(whole(5))
    data[500] ^= 1
    assert (await witness.seen(flow, "low", bytes(data)))[0].state == "tampered"
    tree = Tiled(lambda place: [bytes(32)] * place.width, 3, SHA256)
    with pytest.raises(BadInput):
        await witness.seen(flow, "low", write_part(LOG, [], [], PUBLIC, part_of(tree, 1, 3, [])[0]))
    assert witness.cosignatures(flow) == []


async def test_a_name_stands_for_one_key(world: World) -> None:
    flow = await at(world, SECRET)
    await witness.add(flow, "low", PUBLIC.hex())
    await witness.add(flow, "low", f" {PUBLIC.hex()}\n")
    with pytest.raises(Conflict):
        await witness.add(flow, "low", KeySigner(bytes(32)).public.hex())
    for name, public in (("", PUBLIC.hex()), ("x", "zz"), ("x", "00"), ("x" * 101, PUBLIC.hex())):
        with pytest.raises(BadInput):
            await witness.add(flow, name, public)


async def test_a_witness_of_many_regions_forgets_none(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(witness, "PAGE", 2)
    flow, names = await at(world, SECRET), [f"region {number}" for number in range(5)]
    for number, name in enumerate(names):
        await witness.add(flow, name, KeySigner(bytes([number] * 32)).public.hex())
    assert [known.name for known in witness.watched(await at(world, SECRET))] == names
