"""Regions that are killed (SIGKILL) while they make a bundle or take one, over and over: absent or whole.

    python -m tests.transfer.killed send|take SEEDS FIRST        the number of kills; ends with 1 where a law is broken

This process opens no region and has no thread: each region lives in a child that is forked from it, over a copy of a
folder, and is killed at a call that its seed has drawn: one to the disk, or a commit, before it or after it.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec

from casemate.clock import ManualClock
from casemate.engines.bundle_files import look
from casemate.ids import DerivedEntropy
from casemate.transfer.state import read_state, written
from casemate.transfer.verify import verify
from casemate.wiring import Folder, open_house
from tests.laws.world import PlainExtractor, World
from tests.transfer.regions import LOW, Pair, a_region, introduced

AT = "/api/transfer/channels/up/bundles"
CALLS = ("write", "pwrite", "fsync", "rename", "replace", "link", "unlink", "mkdir")
WANTED = {"members": [{"kind": "policy", "id": "us"}, {"kind": "policy", "id": "house"}]}


def main() -> int:
    side, seeds, first = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    with tempfile.TemporaryDirectory(prefix="killed-") as place:
        root = Path(place)
        forked(lambda: asyncio.run(prepared(root)))
        forked(lambda: asyncio.run(killed(root / "low" if side == "send" else root / "high", root, side, -1, 0)))
        calls = int((root / "calls").read_text())
        kills = 0
        for number in range(seeds):
            draw = random.Random(first + number)
            copy = root / "copy"
            shutil.copytree(root / ("low" if side == "send" else "high"), copy)
            at, seed = draw.randrange(calls), 100 + 2 * number
            kills += forked(lambda copy=copy, at=at, seed=seed: asyncio.run(killed(copy, root, side, at, seed)))
            law = sent if side == "send" else taken
            forked(lambda copy=copy, law=law, seed=seed: asyncio.run(law(copy, root, seed + 1)))
            shutil.rmtree(copy)
        print(kills)
    return 0


def forked(work: Callable[[], object]) -> bool:
    """Do it in a child; whether that was killed. Ends this process where it failed."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        except BaseException:  # noqa: BLE001 - a forked child must not go on as its parent would
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code not in (0, -signal.SIGKILL):
        raise SystemExit(1)
    return code != 0


async def prepared(root: Path) -> None:
    """Two regions with a channel, a bundle of it, and what both remember."""
    (root / "low").mkdir()
    (root / "high").mkdir()
    async with (
        a_region("lowland", seed=1, at=root / "low") as low,
        a_region("highland", "us:SECRET", seed=2, at=root / "high") as high,
    ):
        pair = await introduced(low, high, LOW, high.house.gate.vault.region.floor.text)
        _, file = await pair.send(("policy", "us"), ("policy", "house"))
        (root / "1.cmb").write_bytes(file)
        shutil.rmtree(low.folder / "transfer")
        (root / "state").write_bytes(written(await pair.state()))
        keys = {"low": low.keys, "high": high.keys, "above": pair.above}
        (root / "keys").write_bytes(msgspec.json.encode(keys))


async def opened(folder: Path, root: Path, side: str, seed: int, law: Callable[[World], Awaitable[None]]) -> None:
    """The region that lies there, with the keys of its people."""
    said = msgspec.json.decode((root / "keys").read_bytes())
    clock = ManualClock()
    entropy = DerivedEntropy(seed.to_bytes(8, "big"))
    house = await open_house(Folder(folder), "all", clock, entropy, durable=False, extractor=PlainExtractor())
    world = World(house, folder, clock, [], said["low" if side == "send" else "high"])
    try:
        await law(world)
    finally:
        await house.close()


def above(root: Path) -> str:
    return str(msgspec.json.decode((root / "keys").read_bytes())["above"])


async def killed(folder: Path, root: Path, side: str, at: int, seed: int) -> None:
    """Send or take, and be killed at that call; -1: count the calls."""

    async def law(world: World) -> None:
        count = dying(world, at)
        if side == "send":
            await world.call("releaser", "POST", AT, WANTED, LOW)
        else:
            await world.call("operator", "PUT", AT, (root / "1.cmb").read_bytes(), above(root))
        if at < 0:
            (root / "calls").write_text(str(count[0]))

    copy = folder if at >= 0 else root / "counted"
    if at < 0:
        shutil.copytree(folder, copy)
    await opened(copy, root, side, 50 if at < 0 else seed, law)


def dying(world: World, at: int) -> list[int]:
    """From now on calls are counted, and the process ends at that one."""
    count = [0]

    def here() -> None:
        count[0] += 1
        if count[0] - 1 == at:
            os.kill(os.getpid(), signal.SIGKILL)

    def through(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*words: Any, **how: Any) -> Any:
            here()
            return real(*words, **how)

        return call

    for name in CALLS:
        setattr(os, name, through(getattr(os, name)))
    vault = world.house.gate.vault
    port = vault.committer

    class Dying:
        async def commit(self, batch: Any) -> Any:
            here()
            done = await port.commit(batch)
            here()
            return done

        def __getattr__(self, name: str) -> Any:
            return getattr(port, name)

    object.__setattr__(vault, "committer", Dying())
    return count


async def sent(folder: Path, root: Path, seed: int) -> None:
    """After a start: as many bundles go out as were recorded, each whole; and the next one follows it.

    Number 1 was sent before, and its file was carried away.
    """
    state = read_state((root / "state").read_bytes())

    async def law(world: World) -> None:
        await world.step("transfer.outbox")
        transfer = folder / "transfer"
        for number in (0, 1):
            listed = (await world.call("operator", "GET", "/api/transfer/bundles", None, LOW)).json["data"]
            new = {each["bundle"]: each["sequence"] for each in listed if each["sequence"] > 1}
            out = {path.stem: path for path in transfer.glob("outbox/*.cmb")}
            assert new.keys() == out.keys()
            assert len(new) in ((0, 1), (1, 2))[number], new
            left = [path for path in transfer.rglob("*") if path.is_file() and path.parent.name != "outbox"]
            assert not left, left
            for bundle, sequence in new.items():
                found = verify(look(out[bundle]).facts, state, world.clock.now())
                assert (found.rule, found.gap) == ("gap", (1, sequence - 1))  # signed, and all of its frames are there
            if not number:
                seen = await world.call("releaser", "POST", AT, WANTED, LOW)
                assert seen.status == 201, seen.body
                assert seen.json["data"]["sequence"] == len(new) + 2

    await opened(folder, root, "send", seed, law)


async def taken(folder: Path, root: Path, seed: int) -> None:
    """After a start: nothing of the bundle is there, or all of it; given again, it is taken once."""

    async def law(world: World) -> None:
        pair = Pair(world, world, LOW, above(root))
        label = pair.above
        state, listed = await pair.state(), await pair.bundles()
        assert (state.sequence, len(listed)) in ((0, 0), (1, 1))
        whole = state.sequence == 1
        assert all(len(each["members"]) == 2 and each["verdict"] == "accept" for each in listed)
        left = [path for path in (folder / "transfer").rglob("*") if path.is_file()]
        assert not left, left
        told = await world.call("operator", "PUT", AT, (root / "1.cmb").read_bytes(), label)
        assert told.json["data"]["rule"] == ("seen" if whole else "accepted"), told.body
        assert (await pair.state()).sequence == 1
        accepted = [each for each in await pair.bundles() if each["verdict"] == "accept"]
        assert [len(each["members"]) for each in accepted] == [2]

    await opened(folder, root, "take", seed, law)


if __name__ == "__main__":
    raise SystemExit(main())
