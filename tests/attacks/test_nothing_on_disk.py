"""A thief of the disk: what was searched lies in memory alone, sealed wherever it rests, locked where it is open."""

from __future__ import annotations

import asyncio
import ctypes
import re
import stat
from collections.abc import Container, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from casemate.crypto import lockable
from casemate.engines.hashing import HashingEmbedder
from casemate.knowledge import Library
from casemate.policy import Action
from casemate.wiring import rooms
from tests.attacks.scene import ASKED, HIDDEN, LOW, SECRET, flow_of, hide, principal
from tests.engines.s3_server import BUCKET, KEY, S3Server, serving
from tests.laws import world as laws
from tests.laws.world import World, a_world

WORDS = (HIDDEN, b"lantern burns", b"lantern")
BLOBS = '[blobs]\nkind = "s3"\nbucket = "{bucket}"\nendpoint = "http://127.0.0.1:{port}"\nkey_env = "LAW_S3"\n'


@contextmanager
def placed(kind: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server | None]:
    """Where the next region's blobs lie."""
    with serving() if kind == "s3" else nullcontext() as server:
        if server is not None:
            monkeypatch.setenv("LAW_S3", f"{KEY.id} {KEY.secret}")
            monkeypatch.setattr(laws, "SETTINGS", laws.SETTINGS + BLOBS.format(bucket=BUCKET, port=server.port))
        yield server


async def searched(world: World) -> Library:
    """A document brought and found, by a library that is kept."""
    await world.person("ann", SECRET)
    await hide(world, "ann")
    await hide(world, "ann", LOW, HIDDEN + b" Low.")
    told = await world.call("ann", "POST", "/api/ask", {"question": ASKED}, SECRET)
    assert b"lantern burns" in told.body
    library = Library(HashingEmbedder())
    for label in (LOW, SECRET):
        flow = await flow_of(world, principal(world, "ann", SECRET), Action("search", "knowledge"), label)
        found = await library.search(flow, await library.ask(flow, ASKED), ("all",), 5)
        assert any(HIDDEN.decode() in hit.passage.text for hit in found.hits)
    return library


def held() -> dict[tuple[int, int], Path]:
    """The files that this process holds open, with or without a name."""
    found: dict[tuple[int, int], Path] = {}
    for link in Path("/proc/self/fd").iterdir():
        try:
            told = link.stat()
        except FileNotFoundError:
            continue  # the one that listed them
        if stat.S_ISREG(told.st_mode) and told.st_size < 1 << 26:
            found[told.st_dev, told.st_ino] = link
    return found


def files(folder: Path, before: Container[tuple[int, int]]) -> Iterator[tuple[str, bytes]]:
    """What lies beneath a folder, and what this process has opened since: `before` lies what the tests print."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield str(path.relative_to(folder)), path.read_bytes()
    for name, link in held().items():
        if name not in before:
            yield f"open: {link.readlink()}", link.read_bytes()


@pytest.mark.parametrize("kind", ["files", "s3"])
def test_no_file_holds_a_word_of_what_was_found(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutants: copies that are kept opened; a blob that is spooled to a temporary file while it is opened."""

    async def run(server: S3Server | None) -> None:
        before = held()
        async with a_world(7, ("us",)) as world:
            kept = await searched(world)
            seen = dict(files(world.folder, before))
            lying = [name for name in seen if name.startswith("cache/" if server else "data/blobs/")]
            assert len(lying) >= 4 + bool(server)  # the sources and the shards; and the lock of the copies
            for name, raw in seen.items():
                assert not [word for word in WORDS if word in raw], name
            for key, raw in (server.objects if server else {}).items():
                assert not [word for word in WORDS if word in raw], key
            assert kept is not None

    with placed(kind, monkeypatch) as server:
        asyncio.run(run(server))


@pytest.mark.skipif(0 <= lockable() < 32 << 20, reason="this machine lets nobody lock so much memory")
@pytest.mark.parametrize("kind", ["files", "s3"])
def test_an_opened_index_lies_in_memory_that_is_never_written_to_swap_or_a_dump(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutant: blobs are read as bytes, and decoded where Python put them."""

    async def run() -> None:
        async with a_world(7, ("us",)) as world:
            library = await searched(world)
            flow = await flow_of(world, principal(world, "ann", SECRET), Action("search", "knowledge"), SECRET)
            shards = await library.shards(flow, ("all",))
            assert len(shards) == 2
            for shard in shards:
                assert HIDDEN in bytes(shard.texts)
                for place in (_address(shard.texts), shard.vectors.ctypes.data, shard.keys.ctypes.data):
                    assert {"lo", "dd", "dc"} <= _flags(place)

    with placed(kind, monkeypatch):
        asyncio.run(run())


def test_how_much_of_it_a_domain_may_hold_is_the_regions_to_say(monkeypatch: pytest.MonkeyPatch) -> None:
    bounds: list[int] = []

    class Noted(Library):
        def __init__(self, embedders: Any, bound: int) -> None:
            bounds.append(bound)
            super().__init__(embedders, bound)

    async def run() -> None:
        async with a_world(7, ("us",)):
            pass

    monkeypatch.setattr(rooms, "Library", Noted)
    asyncio.run(run())
    monkeypatch.setattr(laws, "SETTINGS", laws.SETTINGS.replace("[knowledge]", "[knowledge]\nmemory_mb = 17"))
    asyncio.run(run())
    assert bounds == [4096 << 20, 17 << 20]


def _address(view: bytes | memoryview) -> int:
    assert isinstance(view, memoryview)
    return ctypes.addressof(ctypes.c_ubyte.from_buffer(view))


def _flags(place: int) -> set[str]:
    """What the kernel says of the memory at an address: lo locked, dd not dumped, dc not given to a child."""
    inside = False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if head := re.match(r"([0-9a-f]+)-([0-9a-f]+) ", line):
            inside = int(head[1], 16) <= place < int(head[2], 16)
        elif inside and line.startswith("VmFlags:"):
            return set(line.split()[1:])
    raise AssertionError("no such memory")
