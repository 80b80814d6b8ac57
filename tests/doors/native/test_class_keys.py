"""The key of a label is destroyed: what lay there is gone for everybody, and the ledger verifies."""

from __future__ import annotations

import pytest

from casemate.access import audit
from casemate.errors import Destroyed
from tests.access.test_flow import at, store
from tests.attacks.scene import LOW, SECRET, TOP
from tests.laws.access_worlds import NOTE
from tests.laws.world import World


async def officer(world: World, *names: str) -> None:
    for name in names:
        await world.person(name, TOP, ("user", "officer", "auditor"))


async def test_it_is_said_before_what_will_be_lost_and_afterwards_it_is_gone(world: World) -> None:
    await officer(world, "olga")
    await world.person("ann", TOP)
    await store(world, SECRET, "one", "said at SECRET")
    await store(world, LOW, "two", "said below")
    await world.step("ledger.checkpoint")
    shown = (await world.call("olga", "GET", "/api/class-keys/here", acting=SECRET)).json["data"]
    assert shown["rows"]["law.note"] == 1
    assert shown["entries"] > 0
    assert (shown["state"], shown["solo"]) == ("shown", True)
    done = await world.call("olga", "POST", "/api/class-keys/destroy", {}, acting=SECRET)
    assert (done.status, done.json["data"]["state"]) == (200, "doomed")
    assert (await world.call("olga", "GET", "/api/class-keys/here", acting=SECRET)).status == 200  # not yet
    await world.step("keys.destroy")
    for method, path in (("GET", "/api/class-keys/here"), ("GET", "/api/documents")):
        gone = await world.call("olga", method, path, acting=SECRET)
        assert gone.status == 410, gone.body
        assert "destroyed" in gone.json["slug" if "slug" in gone.json else "type"]
    with pytest.raises(Destroyed):
        await store(world, SECRET, "three", "never again")
    high = await at(world, TOP)
    assert [each.id for each in await high.every(NOTE)] == ["two"]
    listed = (await world.call("olga", "GET", "/api/class-keys", acting=TOP)).json["data"]
    assert {each["label"]: each["destroyed"] for each in listed}[SECRET]
    assert [each["label"] for each in listed if each["destroyed"]] == [SECRET]


async def test_the_tree_of_its_log_still_verifies_and_says_what_nobody_can_read(world: World) -> None:
    await officer(world, "olga")
    await store(world, SECRET, "one", "said")
    await world.call("olga", "POST", "/api/class-keys/destroy", {}, acting=SECRET)
    await world.step("keys.destroy")
    flow = await at(world, TOP)
    found = {access.label.text: verdict for access, verdict in audit.verdicts(flow, [])}
    told = found[SECRET]
    assert (told.state, told.beyond) == ("ok", 0)
    assert told.unread == told.entries > 0
    assert {verdict.state for verdict in found.values()} == {"ok"}


async def test_where_two_are_asked_for_one_is_not_enough(world: World) -> None:
    await officer(world, "olga", "otto")
    await two_person(world)
    await store(world, SECRET, "one", "said")
    first = await world.call("olga", "POST", "/api/class-keys/destroy", {}, acting=SECRET)
    assert (first.status, first.json["data"]["state"]) == (202, "waiting")
    again = await world.call("olga", "POST", "/api/class-keys/destroy", {}, acting=SECRET)
    assert again.status == 403
    await world.step("keys.destroy")
    assert (await world.call("olga", "GET", "/api/class-keys/here", acting=SECRET)).status == 200
    second = await world.call("otto", "POST", "/api/class-keys/destroy", {}, acting=SECRET)
    assert (second.status, second.json["data"]["solo"]) == (200, False)
    await world.step("keys.destroy")
    assert (await world.call("otto", "GET", "/api/class-keys/here", acting=SECRET)).status == 410


async def two_person(world: World) -> None:
    from casemate.access import STATE, StateRecord
    from casemate.objects import Put
    from casemate.store import Batch

    gate = world.house.gate
    access = gate.directory.access
    put = gate.rows.put(access, Put(STATE, "region", StateRecord(two_person=True)))
    await gate.vault.committer.commit(Batch(domain=access.id, puts=[put], classes=[gate.classes.row(access)]))


@pytest.mark.parametrize("which", ["floor", "ceiling"])
async def test_the_region_keeps_the_keys_without_which_it_records_nothing(world: World, which: str) -> None:
    region = world.house.gate.vault.region
    await world.person("olga", region.ceiling.text, ("user", "officer"))
    label = getattr(region, which).text
    refused = await world.call("olga", "POST", "/api/class-keys/destroy", {}, acting=label)
    assert refused.status == 403
    assert b"key-needed" in refused.body


async def test_a_destruction_that_was_cut_short_goes_on(world: World) -> None:
    """The record is durable before the key goes; a process that is started again finds it."""
    await officer(world, "olga")
    await store(world, SECRET, "one", "said")
    await world.call("olga", "POST", "/api/class-keys/destroy", {}, acting=SECRET)
    await world.step("keys.destroy")
    await world.step("keys.destroy")
    await world.step()
    assert (await world.call("olga", "GET", "/api/class-keys/here", acting=SECRET)).status == 410
    assert (await world.call("olga", "GET", "/api/class-keys/here", acting=TOP)).status == 200
