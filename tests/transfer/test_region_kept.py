"""What a region keeps of bundles: what was put aside for a while, and all of it where it was brought back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from casemate.errors import Misconfigured
from casemate.ids import DerivedEntropy
from casemate.settings import parse
from casemate.wiring import Folder, open_house
from casemate.wiring.backup import choose, own_keeper, planned, restore, whose
from tests.laws.world import PlainExtractor, World
from tests.transfer.regions import DAY, LOW, TEXT, Pair, a_document, a_region, introduced

LIES = "agency=EXERCISE + us:SECRET//REL=USA"


async def put_aside(pair: Pair, name: str) -> dict[str, Any]:
    state = await pair.state()
    follows = {"sequence": state.sequence + 1, "previous": state.previous}
    told = await pair.take(await pair.made([a_document(name, label=LIES)], **follows))
    assert told["rule"] == "label-high"
    return told


def files(world: World, place: str) -> int:
    return len(list((world.folder / "transfer" / place).glob("*")))


def test_what_was_put_aside_goes_after_its_days_and_the_oldest_goes_where_there_is_no_room() -> None:
    async def law() -> None:
        more = "[transfer]\nquarantine_days = 3\nquarantine_mb = 4\n"
        async with (
            a_region("lowland", seed=1) as low,
            a_region("highland", "us:SECRET", seed=2, more=more) as high,
        ):
            pair = await introduced(low, high, LOW, high.house.gate.vault.region.floor.text)
            first = await put_aside(pair, "1.txt")
            assert first["until"] == first["at"] + 3 * DAY
            await high.step("transfer.quarantine")
            high.clock.forward(2 * 86_400)
            second = await put_aside(pair, "2.txt")
            await high.step("transfer.quarantine")
            assert files(high, "quarantine") == 2
            high.clock.forward(86_400)  # nothing has changed, and something is due
            await high.step("transfer.quarantine")
            told = {each["id"]: each for each in await pair.bundles()}
            assert (told[first["id"]]["until"], told[first["id"]]["verdict"]) == (0, "quarantine")
            assert told[second["id"]]["until"] == second["until"]
            assert files(high, "quarantine") == 1
            high.clock.forward(-86_400.0 * 400)  # a clock that is set back makes nothing go
            sizes = [second["size"], *[(await put_aside(pair, f"{n}.txt"))["size"] for n in range(3, 6)]]
            await high.step("transfer.quarantine")
            most = 4 << 20
            assert sum(sizes) > most >= sum(sizes[-files(high, "quarantine") :])
            assert 0 < files(high, "quarantine") < 4
            assert {each["until"] > 0 for each in await pair.bundles()} == {True, False}
            page = await high.call("operator", "GET", "/transfer", None, pair.above)
            assert page.status == 200

    asyncio.run(law())


@pytest.mark.parametrize("text", ["quarantine_days = 0", "quarantine_mb = -1", "quarantine_mb = 99999999"])
def test_what_cannot_be_kept_so_is_no_setting(text: str) -> None:
    with pytest.raises(Misconfigured):
        parse(f"[transfer]\n{text}\n")


@asynccontextmanager
async def brought_back(world: World, into: Path, seed: bytes) -> AsyncIterator[World]:
    """The region out of its last backup, by the engine that makes and restores them; the first one is given up."""
    assert world.house.backing is not None
    head = await world.house.backing.run(True)
    await world.house.close()
    folder = Folder(world.folder)
    keepers = (own_keeper(folder.keys),)
    chosen = choose(Path(world.house.backing.folder), keepers, head.chain, head, trusted=whose(folder.keys))
    restore(chosen, keepers, into, planned(chosen))
    again = Folder(into)
    again.run.mkdir(mode=0o700, exist_ok=True)
    house = await open_house(again, "all", world.clock, DerivedEntropy(seed), extractor=PlainExtractor())
    try:
        yield World(house, into, world.clock, [], world.keys)
    finally:
        await house.close()


def test_a_region_that_was_brought_back_gives_and_takes_no_number_twice(tmp_path: Path) -> None:
    async def law() -> None:
        kept = [f'[backup]\nfolder = "{tmp_path / side}"\ndrill_at = ""\n' for side in ("b-low", "b-high")]
        async with (
            a_region("lowland", seed=1, more=kept[0], durable=True) as low,
            a_region("highland", "us:SECRET", seed=2, more=kept[1], durable=True) as high,
        ):
            pair = await introduced(low, high, LOW, high.house.gate.vault.region.floor.text)
            sent = [await pair.send(("document", await pair.document(TEXT + b"%d" % n, f"{n}.txt"))) for n in range(4)]
            numbers = [(await pair.take(sent[0][1]))["verdict"], (await pair.take(sent[2][1]))["verdict"]]
            assert numbers == ["accept", "hold"]
            await put_aside(pair, "lies.txt")
            async with (
                brought_back(low, tmp_path / "low", b"third") as below,
                brought_back(high, tmp_path / "high", b"fourth") as above,
            ):
                await went_on(Pair(below, above, pair.below, pair.above), [file for _, file in sent])

    asyncio.run(law())


async def went_on(pair: Pair, files_sent: list[bytes]) -> None:
    """The channel goes on where it was, at both ends."""
    gone, fifth = await pair.send(("document", await pair.document(TEXT + b"5", "5.txt")))
    assert gone.json["data"]["sequence"] == 5
    (first,) = [each for each in await pair.bundles(pair.low) if each["sequence"] == 1]
    given = await pair.low.call("operator", "GET", f"/api/transfer/bundles/{first['id']}/file", None, pair.below)
    assert given.body == files_sent[0]
    assert (await pair.take(files_sent[0]))["verdict"] == "refuse"
    assert files(pair.high, "held") == files(pair.high, "quarantine") == 1
    assert (await pair.take(fifth))["verdict"] == "hold"
    assert (await pair.take(files_sent[3]))["verdict"] == "hold"
    for path in (pair.high.folder / "transfer" / "held").iterdir():
        if path.read_bytes() == files_sent[3]:
            path.unlink()  # as if the backup had been between two increments
    assert (await pair.take(files_sent[1]))["verdict"] == "accept"
    assert (await pair.state()).sequence == 3  # what waited came with it
    (channel,) = (await pair.high.call("operator", "GET", "/api/transfer/channels", None, pair.above)).json["data"]
    assert (channel["gap"], channel["waiting"]) == ([4, 4], [5])
    assert (await pair.take(files_sent[3]))["verdict"] == "accept"
    assert (await pair.state()).sequence == 5
    assert len(await pair.come()) == 5
