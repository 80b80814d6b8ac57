"""A log's tree in files: written when a head is signed, made again where missing, never believed alone."""

from __future__ import annotations

import random
from pathlib import Path
from unittest.mock import patch

import pytest

from casemate.access import audit
from casemate.access.loops import Keeper
from casemate.access.trees import Tree
from casemate.errors import Damaged, StorageFull
from casemate.ledger import CHECKPOINT_FILE, Place, places, read_note, root_of
from tests.access.test_audit import reader, said
from tests.attacks.scene import SECRET, TOP, label_of
from tests.laws.world import World


def log_of(world: World, label: str = SECRET) -> str:
    return world.house.gate.classes.of(label_of(world, label)).id


def folder_of(world: World, label: str = SECRET) -> Path:
    return world.house.folder.ledger / log_of(world, label)


def files(folder: Path) -> dict[str, bytes]:
    return {each.relative_to(folder).as_posix(): each.read_bytes() for each in folder.rglob("*") if each.is_file()}


async def grown(world: World, times: int) -> Path:
    """A log of twice so many entries, signed again and again, with tiles that are full."""
    keeper = Keeper(world.house.gate)
    for number in range(times):
        await said(world, SECRET)
        if number % 3 == 0:
            await keeper.checkpoint()
    await keeper.checkpoint()
    return folder_of(world)


async def states(world: World) -> set[str]:
    flow = await reader(world, TOP, "ada", "auditor")
    return {verdict.state for access, verdict in audit.verdicts(flow, []) if access.id == log_of(world)}


async def test_the_files_are_the_tree_and_nothing_else_is_left(world: World) -> None:
    folder = await grown(world, 140)
    vault, log = world.house.gate.vault, log_of(world)
    held = files(folder)
    note = read_note(held[CHECKPOINT_FILE], vault.signer.public)
    assert note is not None
    assert note.size == 280
    assert note.root == root_of(vault.reader.leaves(log, 0, 280))
    assert set(held) == {
        CHECKPOINT_FILE, "tile/0/000", "tile/0/001.p/24", "tile/1/000.p/1", "tile/entries/000", "tile/entries/001.p/24",
    }  # fmt: skip
    assert await states(world) == {"ok"}


async def test_bytes_changed_anywhere_are_found_and_named(world: World) -> None:
    folder = await grown(world, 4)
    seed = random.SystemRandom().randrange(1 << 30)
    rng, held = random.Random(seed), files(folder)
    places_ = rng.sample([(path, at) for path, data in held.items() for at in range(len(data))], 40)
    print(f"\nbytes changed below a region: 40 from seed {seed}")
    for path, at in places_:
        data = bytearray(held[path])
        data[at] ^= 1 << rng.randrange(8)
        (folder / path).write_bytes(data)
        assert await states(world) == {"tampered"}, (path, at)
        (folder / path).write_bytes(held[path][: rng.randrange(len(held[path]))])
        assert await states(world) == {"incomplete"}, path
        (folder / path).write_bytes(held[path])
    assert await states(world) == {"ok"}


async def test_what_is_missing_is_made_again_at_the_next_start(world: World) -> None:
    folder = await grown(world, 5)
    before = files(folder)
    for path in sorted(before):
        (folder / path).unlink()
        await Keeper(world.house.gate).checkpoint()
        assert files(folder).keys() == before.keys(), path
        assert {p: d for p, d in files(folder).items() if p != CHECKPOINT_FILE} == {
            p: d for p, d in before.items() if p != CHECKPOINT_FILE
        }
    assert await states(world) == {"ok"}


async def test_a_start_goes_on_from_the_tiles_and_not_from_the_first_leaf(world: World) -> None:
    await grown(world, 140)
    port, log = world.house.gate.vault.reader._port, log_of(world)
    asked: list[tuple[int, int]] = []
    leaves = port.leaves

    def watched(which: str, start: int, stop: int) -> list[bytes]:
        if which == log:
            asked.append((start, stop))
        found: list[bytes] = leaves(which, start, stop)
        return found

    await said(world, SECRET)
    with patch.object(port, "leaves", watched):
        assert await Keeper(world.house.gate).checkpoint() == 1
    assert min(start for start, _ in asked) == 280
    assert await states(world) == {"ok"}


async def test_damaged_tiles_are_never_grown_from(world: World) -> None:
    folder = await grown(world, 5)
    [tile] = folder.glob("tile/0/*.p/*")
    data = bytearray(tile.read_bytes())
    data[7] ^= 1
    tile.write_bytes(data)
    await said(world, SECRET)
    assert await Keeper(world.house.gate).checkpoint() == 1
    point = audit.checkpoints(await reader(world, TOP, "ada", "auditor"), log_of(world))[-1]
    leaves = world.house.gate.vault.reader.leaves(log_of(world), 0, point.size)
    assert point.root == root_of(leaves).hex()


async def test_records_that_do_not_give_the_signed_root_are_damaged(world: World) -> None:
    await grown(world, 2)
    with pytest.raises(Damaged):
        Tree(world.house.gate.vault, log_of(world)).tiled(4, bytes(48))


async def test_a_disk_that_is_full_stops_no_signature_and_is_made_good_later(world: World) -> None:
    folder = await grown(world, 2)
    keeper, tiles = Keeper(world.house.gate), world.house.gate.vault.tiles
    await said(world, SECRET)
    with patch.object(type(tiles), "write", side_effect=StorageFull()):
        await keeper.checkpoint()
    assert keeper.problems[log_of(world)] == "storage-full"
    note = read_note((folder / CHECKPOINT_FILE).read_bytes(), world.house.gate.vault.signer.public)
    assert note is not None
    assert note.size == 4
    assert await states(world) == {"ok"}
    await keeper.checkpoint()
    assert keeper.problems == {}
    note = read_note((folder / CHECKPOINT_FILE).read_bytes(), world.house.gate.vault.signer.public)
    assert note is not None
    assert note.size == 6
    assert list(places(6))


async def test_without_files_a_log_is_kept_as_ever(world: World) -> None:
    vault = world.house.gate.vault
    object.__setattr__(vault, "tiles", None)
    await said(world, SECRET)
    assert await Keeper(world.house.gate).checkpoint() == 2
    assert not folder_of(world).exists()
    assert await states(world) == {"ok"}
    assert Tree(vault, log_of(world)).laid(2) == 2
    Tree(vault, log_of(world)).sign(audit.checkpoints(await reader(world, TOP, "ada", "auditor"), log_of(world))[-1])
    assert not folder_of(world).exists()


async def test_a_tile_above_the_leaves_that_cannot_be_read_is_made_from_the_records(world: World) -> None:
    folder = await grown(world, 140)
    vault, log = world.house.gate.vault, log_of(world)
    leaves = vault.reader.leaves(log, 0, 280)
    for path in ("tile/1/000.p/1", "tile/0/001.p/24"):
        (folder / path).unlink()
    assert Tree(vault, log).tiled(280, root_of(leaves)).root() == root_of(leaves)
    assert Tree(vault, log).read(Place(1, 0, 1)) == [root_of(leaves[:256])]


async def test_records_that_have_fewer_leaves_than_they_say_are_damaged(world: World) -> None:
    await grown(world, 4)
    vault, log = world.house.gate.vault, log_of(world)
    with pytest.raises(Damaged):
        Tree(vault, log).made(Place(0, 0, 100))
    with pytest.raises(Damaged):
        list(Tree(vault, log).grow(8, 100))
    with pytest.raises(Damaged):
        Tree(vault, log).tiled(100, bytes(48))
    assert await states(world) == {"ok"}


@pytest.mark.parametrize("left", [b"\x00", b"\x00\x02ab"], ids=["cut within an entry", "fewer entries"])
async def test_entries_in_a_file_that_are_not_so_many_are_written_anew(world: World, left: bytes) -> None:
    folder = await grown(world, 4)
    [held] = folder.glob("tile/entries/*.p/*")
    held.write_bytes(left)
    await said(world, SECRET)
    assert await Keeper(world.house.gate).checkpoint() == 1
    assert await states(world) == {"ok"}


async def test_files_that_are_written_while_one_looks_are_looked_at_again(world: World) -> None:
    """Between the reads of the note the tree has grown: what did not fit then is no damage."""
    await grown(world, 4)
    tiles, log = world.house.gate.vault.tiles, log_of(world)
    assert tiles is not None
    right, seen = type(tiles).read, [0]

    def growing(self: object, asked: str, path: str) -> bytes | None:
        data: bytes | None = right(tiles, asked, path)
        if asked == log and path == CHECKPOINT_FILE:
            seen[0] += 1
            return data if seen[0] > most else b"not a note, %d!" % seen[0]
        return data

    most = 2
    with patch.object(type(tiles), "read", growing):
        assert await states(world) == {"ok"}
    assert seen[0] > most
    seen[0], most = 0, 1 << 30
    with patch.object(type(tiles), "read", growing):
        assert await states(world) == {"tampered"}
