"""Publishing and standing: the whole or nothing, the next or none, and the same admission as from the store."""

from __future__ import annotations

import asyncio
from typing import Any
from unittest.mock import patch

import msgspec
import pytest

from casemate.access import CREDENTIAL, PRINCIPAL, STATE, NotOurs, Publisher, Sections, Span, Standing, StateRecord
from casemate.access import records as module
from casemate.clock import SECOND
from casemate.errors import Damaged, Expired, Stale, Unauthenticated
from casemate.identity import Bearer, Peer, digest_of
from casemate.objects import Delete, Put
from casemate.store import Snapshot, pack_snapshot, read_snapshot
from tests.access.damage import with_rows
from tests.access.test_directory import KEY, OTHER, aws_key, credential, enrol, signed, somebody
from tests.attacks.scene import LOW, SECRET, TOP, label_of
from tests.laws.world import World

SPAN = Span(rate=SECOND, not_after=100 * SECOND, ends=200 * SECOND)


class Side:
    """One gate that publishes, and stands on what it published: what the store says afterwards does not count."""

    def __init__(self, world: World, sections: Sections | None = None) -> None:
        self.world = world
        self.gate = world.house.gate
        self.sections = sections or Sections()
        self.publisher = Publisher(self.gate, self.sections, SPAN)
        self.standing = Standing(self.gate, self.sections)

    async def spread(self) -> bytes:
        raw = await self.publisher.make()
        self.standing.take(raw)
        return raw

    def read(self, raw: bytes) -> Snapshot:
        vault = self.gate.vault
        return read_snapshot(raw, vault.signer.public, vault.sealer, vault.region.name)

    def forged(self, raw: bytes, **changed: Any) -> bytes:
        """What control itself might have signed."""
        vault = self.gate.vault
        return pack_snapshot(msgspec.structs.replace(self.read(raw), **changed), vault.signer, vault.sealer)

    def refused(self, raw: bytes) -> str:
        with pytest.raises(NotOurs) as told:
            self.standing.take(raw)
        return told.value.why


async def peopled(world: World) -> Side:
    await somebody(world, uid="1000")
    await enrol(world, Put(CREDENTIAL, KEY.id, credential(world, language="fr")))
    return Side(world)


async def test_admission_is_the_same_from_the_store_and_from_a_snapshot(world: World) -> None:
    id, secret = await aws_key(world)
    side = await peopled(world)
    await enrol(
        world, Put(CREDENTIAL, OTHER.id, credential(world, use="console", under=KEY.id, digest=digest_of(OTHER.secret)))
    )
    await enrol(world, Put(STATE, "region", StateRecord(two_person=True)))
    shown = (Bearer(KEY.text), Bearer(OTHER.text, "console"), Peer(1000, "fr"), Peer(0), signed(world, id, secret))
    directory = side.gate.directory

    def asked() -> list[object]:
        principals = [directory.named("ann"), directory.local("1000"), directory.principal("prn_ann")]
        nobody = [directory.named(""), directory.local(""), directory.named("zoe"), directory.principal("x")]
        rest = [directory.credential(KEY.id), directory.credential("x"), directory.two_person()]
        counts = [directory.holders("user"), directory.keyless("prn_ann"), directory.keyless("prn_x")]
        return [*(side.gate.admit(each) for each in shown), *principals, *nobody, *rest, *counts]

    stored = asked()
    await side.spread()
    with patch.object(type(directory.stored), "_get", None), patch.object(type(directory.stored), "by", None):
        assert asked() == stored
        for wrong in (Bearer(KEY.text, "console"), Bearer(f"cm_{KEY.id}_{OTHER.secret}"), Bearer("cm_a_b"), Peer(7)):
            with pytest.raises(Unauthenticated):
                side.gate.admit(wrong)


async def test_a_session_is_made_once_in_each_snapshot(world: World) -> None:
    side = await peopled(world)
    assert side.gate.admit(Bearer(KEY.text)) is not side.gate.admit(Bearer(KEY.text)), "the store may have changed"
    await side.spread()
    one = side.gate.admit(Bearer(KEY.text))
    assert side.gate.admit(Bearer(KEY.text)) is one
    with pytest.raises(Unauthenticated):
        side.gate.admit(Bearer(f"cm_{KEY.id}_{OTHER.secret}"))
    await side.spread()
    assert side.gate.admit(Bearer(KEY.text)) is not one
    assert side.gate.admit(Bearer(KEY.text)) == one


async def test_what_is_kept_ends_all_the_same(world: World) -> None:
    side = await peopled(world)
    await side.spread()
    side.gate.admit(Bearer(KEY.text))
    world.clock.forward(60)
    with pytest.raises(Expired):
        side.gate.admit(Bearer(KEY.text))


async def test_a_change_counts_with_the_next_one(world: World) -> None:
    side = await peopled(world)
    await enrol(
        world, Put(CREDENTIAL, OTHER.id, credential(world, use="console", under=KEY.id, digest=digest_of(OTHER.secret)))
    )
    await side.spread()
    await enrol(world, Delete(CREDENTIAL, KEY.id))
    side.gate.admit(Bearer(KEY.text))
    await side.spread()
    for gone in (Bearer(KEY.text), Bearer(OTHER.text, "console")):
        with pytest.raises(Unauthenticated):
            side.gate.admit(gone)
    await enrol(world, Put(CREDENTIAL, KEY.id, credential(world)))
    await somebody(world, clearance=LOW)
    await side.spread()
    with pytest.raises(Unauthenticated):
        side.gate.admit(Bearer(KEY.text))


async def test_old_it_fails_closed_above_the_floor_and_then_everywhere(world: World) -> None:
    side = await peopled(world)
    await enrol(world, Put(CREDENTIAL, KEY.id, credential(world, expires=world.clock.now() + 900 * SECOND)))
    low = credential(world, LOW, digest=digest_of(OTHER.secret), expires=world.clock.now() + 900 * SECOND)
    await enrol(world, Put(CREDENTIAL, OTHER.id, low))
    await enrol(world, Put(PRINCIPAL, "prn_low", module.PrincipalRecord("low", LOW, ("user",), "7")))
    await side.spread()
    high = (Bearer(KEY.text), Peer(1000), Peer(0))
    floor = (Bearer(OTHER.text), Peer(7))
    for seconds, good, stale in ((99.999999, high + floor, ()), (0.000001, floor, high), (100, (), high + floor)):
        world.clock.forward(seconds)
        for each in good:
            side.gate.admit(each)
        for each in stale:
            with pytest.raises(Stale):
                side.gate.admit(each)
    wrong = Bearer(f"cm_{KEY.id}_{OTHER.secret}")
    with pytest.raises(Stale):
        side.gate.admit(wrong)
    await side.spread()
    side.gate.admit(Bearer(KEY.text))
    with pytest.raises(Unauthenticated):
        side.gate.admit(wrong)


async def test_too_old_is_told_to_whoever_showed_the_secret_alone(world: World) -> None:
    side = await peopled(world)
    await side.spread()
    world.clock.forward(100)
    for wrong in (Bearer(f"cm_{KEY.id}_{OTHER.secret}"), Bearer(OTHER.text), Peer(5)):
        with pytest.raises(Unauthenticated):
            side.gate.admit(wrong)


async def test_only_a_later_one_is_taken(world: World) -> None:
    side = await peopled(world)
    first = await side.spread()
    second = await side.publisher.make()
    assert side.read(second).sequence > side.read(first).sequence, "though the clock stands still"
    assert side.refused(first) == "older"
    side.standing.take(second)
    assert side.refused(second) == "older"
    assert side.refused(first) == "older"


async def test_numbers_go_on_from_the_last_one_and_from_the_clock(world: World) -> None:
    side = await peopled(world)
    last = side.forged(await side.publisher.make(), sequence=world.clock.now() + 500)
    after = Publisher(side.gate, side.sections, SPAN)
    after.begin(last)
    assert side.read(await after.make()).sequence == world.clock.now() + 501
    for nothing in (b"", last[:-1]):
        after.begin(nothing)
        assert side.read(await after.make()).sequence == world.clock.now()


async def test_what_was_refused_has_changed_nothing(world: World) -> None:
    """Sections are all read before any is put in place; a file without one of ours is not for us."""
    placed: list[str] = []
    sections = Sections()
    sections.add("one", lambda: b"1", bytes.decode, placed.append)
    sections.add("two", lambda: b"2", int, lambda number: placed.append(f"number {number}"), apart=True)
    side = Side(world, sections)
    await side.spread()
    assert placed == ["1", "number 2"]
    raw = await side.publisher.make()
    good = side.read(raw).sections
    term = side.gate.directory._term
    for broken in (
        {**good, "two": b"no number"},
        {name: value for name, value in good.items() if name != "two"},
        {name: value for name, value in good.items() if name != "directory"},
        {**good, "directory": b"\xc1"},
    ):
        assert side.refused(side.forged(raw, sections=broken)) == "sections"
    assert placed == ["1", "number 2"]
    assert side.gate.directory._term is term
    side.standing.take(side.forged(raw, sections={**good, "of a later version": b""}))


async def test_a_section_may_refuse_it_for_its_own_reason(world: World) -> None:
    def never(raw: bytes) -> None:
        raise NotOurs("policies") if raw == b"other" else Damaged(what="section")

    for written, why in ((b"other", "policies"), (b"", "sections")):
        sections = Sections()
        sections.add("one", lambda written=written: written, never, print)
        side = Side(world, sections)
        assert side.refused(await side.publisher.make()) == why


def test_two_sections_of_one_name_are_a_defect() -> None:
    sections = Sections()
    sections.add("one", bytes, bytes, print)
    for name in ("one", "directory"):
        with pytest.raises(ValueError, match=name):
            sections.add(name, bytes, bytes, print)


async def test_a_record_that_was_changed_is_passed_over_and_opens_nothing(world: World) -> None:
    side = await peopled(world)
    await side.spread()
    assert side.gate.admit(Bearer(KEY.text)).principal.name == "ann"
    with with_rows(world, CREDENTIAL.name):
        await side.spread()
    with pytest.raises(Unauthenticated):
        side.gate.admit(Bearer(KEY.text))
    assert side.gate.admit(Peer(1000, "fr")).principal.name == "ann"


async def test_where_it_cannot_be_read_whether_two_are_asked_for_nothing_is_published(world: World) -> None:
    side = await peopled(world)
    await enrol(world, Put(STATE, "region", StateRecord(two_person=True)))
    with with_rows(world, STATE.name), pytest.raises(Damaged):
        await side.publisher.make()


async def test_everybody_is_in_it_however_many_pages(world: World) -> None:
    for number in range(7):
        record = module.PrincipalRecord(f"p{number}", TOP, ("user",))
        await enrol(world, Put(PRINCIPAL, f"prn_{number}", record))
    side = Side(world)
    with patch.object(module, "PAGE", 3):
        await side.spread()
    assert [side.gate.directory.named(f"p{number}").id for number in range(7)] == [f"prn_{n}" for n in range(7)]
    assert side.gate.directory.named("p0").clearance is label_of(world, TOP)


async def test_who_waits_is_told_by_the_snapshot_that_began_after_him(world: World) -> None:
    side = Side(world)
    quick = Publisher(side.gate, side.sections, Span(SECOND // 1000, SECOND, SECOND))
    one = quick.waiting()
    assert one is None
    quick.told(one)
    slow = Publisher(side.gate, side.sections, Span(4 * SECOND, 100 * SECOND, 100 * SECOND))
    waits = [asyncio.ensure_future(slow.published()) for _ in range(2)]
    await asyncio.sleep(0)
    taken = slow.waiting()
    assert taken is not None
    assert slow.waiting() is None, "who comes now waits for the one after"
    assert not any(each.done() for each in waits)
    slow.told(taken)
    slow.told(taken)
    await asyncio.wait_for(asyncio.gather(*waits), 30)
    await asyncio.wait_for(quick.published(), 30)
    assert SECRET
