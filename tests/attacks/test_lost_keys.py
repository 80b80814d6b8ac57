"""The file of a label's key is lost: no second one is drawn, nothing is lost for good, and everybody below goes on."""

from __future__ import annotations

from casemate.engines.key_store import KeyStore
from casemate.labels import access_class
from tests.attacks.scene import LOW, SECRET, TOP, label_of
from tests.laws.world import World


async def test_a_label_whose_key_is_lost_waits_for_it_and_no_other_does(world: World) -> None:
    await world.person("ann", TOP)
    for label in (LOW, SECRET):
        assert (await added(world, label, "one.txt"))[0] == 202
        await world.step("knowledge.ingest")
    sealer = world.house.gate.vault.sealer
    assert isinstance(sealer, KeyStore)
    file = world.house.folder.keys / "classes" / f"{access_class(label_of(world, SECRET)).id}.key"
    kept = file.read_bytes()
    file.unlink()
    sealer.forget()  # as a process does that is started again
    for told in (await added(world, SECRET, "two.txt"), await listed(world, SECRET)):
        assert told == (500, "key-missing")
    assert (await listed(world, TOP))[0] == 200  # as over any row that is damaged
    assert not file.exists()
    assert (await listed(world, LOW))[0] == 200
    assert (await added(world, LOW, "two.txt"))[0] == 202
    file.write_bytes(kept)
    file.chmod(0o600)
    assert (await listed(world, SECRET))[0] == 200
    assert (await added(world, SECRET, "two.txt"))[0] == 202


async def added(world: World, label: str, name: str) -> tuple[int, str]:
    from urllib.parse import quote

    where = f"/api/documents?name={name}&base=law&label={quote(label)}"
    seen = await world.call("ann", "POST", where, f"The lantern burns, says {name}.".encode(), label)
    return seen.status, str(seen.json.get("slug", ""))


async def listed(world: World, label: str) -> tuple[int, str]:
    seen = await world.call("ann", "GET", "/api/documents", acting=label)
    return seen.status, str(seen.json.get("slug", ""))
