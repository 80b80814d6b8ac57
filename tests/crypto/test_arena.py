"""Memory that stays out of swap, dumps and children, within its bound."""

from __future__ import annotations

import ctypes
import gc
import mmap
import os
import re
import resource
from pathlib import Path

import pytest

from casemate.crypto import Arena, arena, lockable
from casemate.errors import Unavailable

MIB = 1 << 20
PAGE = mmap.PAGESIZE
LOCKS = pytest.mark.skipif(0 <= lockable() < 8 * MIB, reason="this machine lets nobody lock so much memory")


class Libc:
    """The C library, a call of which a test may replace."""

    def __init__(self, real: ctypes.CDLL) -> None:
        self.mmap, self.madvise, self.mlock, self._real = real.mmap, real.madvise, real.mlock, real

    def munmap(self, address: int, size: int) -> int:
        return int(self._real.munmap(address, size))


def address(view: memoryview) -> int:
    return ctypes.addressof(ctypes.c_ubyte.from_buffer(view))


def flags(place: int) -> set[str]:
    """What the kernel says of the mapping that holds an address."""
    inside = False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if head := re.match(r"([0-9a-f]+)-([0-9a-f]+) ", line):
            inside = int(head[1], 16) <= place < int(head[2], 16)
        elif inside and line.startswith("VmFlags:"):
            return set(line.split()[1:])
    raise AssertionError("no such mapping")


@pytest.mark.parametrize("size", [0, 1, 100, arena.SMALL, arena.SMALL + 1, 5 * MIB + 3])
def test_it_gives_zeroed_memory_of_that_size_to_write_to(size: int) -> None:
    held = Arena(64 * MIB)
    view = held.take(size)
    assert (len(view), view.readonly, view.format) == (size, False, "B")
    assert bytes(view) == bytes(size)
    view[:] = b"x" * size
    assert bytes(view) == b"x" * size


def test_pieces_of_one_slab_do_not_touch_and_are_aligned() -> None:
    held = Arena(64 * MIB)
    pieces = [held.take(size) for size in (1, 63, 64, 65, 1000)]
    for number, piece in enumerate(pieces):
        piece[:] = bytes([number + 1]) * len(piece)
    assert [set(piece) for piece in pieces] == [{1}, {2}, {3}, {4}, {5}]
    assert all(address(piece) % 64 == 0 for piece in pieces)
    assert held.held == arena.SLAB


@LOCKS
def test_it_is_kept_out_of_swap_dumps_and_children() -> None:
    held = Arena(64 * MIB)
    views = [held.take(8192), held.take(2 * MIB)]
    assert held.locked
    for view in views:
        assert {"lo", "dd", "dc"} <= flags(address(view))


@LOCKS
def test_where_the_system_refuses_to_lock_it_says_so_and_still_gives_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    held = Arena(64 * MIB)
    assert len(held.take(PAGE)) == PAGE
    assert held.locked
    refusing = Libc(arena._libc)
    refusing.mlock = lambda address, size: -1
    monkeypatch.setattr(arena, "_libc", refusing)
    view = held.take(2 * MIB)
    view[-1] = 7
    assert not held.locked


def test_nothing_is_mapped_beyond_the_bound() -> None:
    held = Arena(8 * MIB)
    first = held.take(5 * MIB)
    for size in (5 * MIB, 1 << 60):
        with pytest.raises(Unavailable):
            held.take(size)
    assert held.held == 5 * MIB
    del first
    gc.collect()
    assert len(held.take(8 * MIB)) == 8 * MIB


def test_a_system_without_memory_is_told() -> None:
    held = Arena(1 << 62)
    with pytest.raises(Unavailable):
        held.take(1 << 60)
    assert held.held == 0


def test_it_is_free_once_the_last_view_is_gone() -> None:
    held = Arena(64 * MIB)
    whole = held.take(2 * MIB)
    part = whole[100:200]
    del whole
    gc.collect()
    assert held.held == 2 * MIB
    del part
    gc.collect()
    assert held.held == 0


def test_a_slab_is_free_once_it_is_let_go_and_all_its_pieces_are() -> None:
    held = Arena(64 * MIB)
    first, second = held.take(10), held.take(10)
    del first
    held.close()
    assert held.held == arena.SLAB
    assert bytes(second) == bytes(10)
    del second
    gc.collect()
    assert held.held == 0


def test_a_full_slab_is_followed_by_another() -> None:
    held = Arena(64 * MIB)
    pieces = [held.take(arena.SMALL) for _ in range(arena.SLAB // arena.SMALL + 1)]
    assert held.held == 2 * arena.SLAB
    del pieces


def test_it_is_overwritten_before_it_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []

    class Watched(Libc):
        def munmap(self, address: int, size: int) -> int:
            seen.append(ctypes.string_at(address, 6))
            return super().munmap(address, size)

    monkeypatch.setattr(arena, "_libc", Watched(arena._libc))
    view = Arena(8 * MIB).take(2 * MIB)
    view[:6] = b"secret"
    del view
    gc.collect()
    assert seen == [bytes(6)]


def test_a_forked_child_lets_it_go_without_touching_it() -> None:
    """It is not there in the child: to overwrite it would end the child."""
    view = Arena(8 * MIB).take(2 * MIB)
    child = os.fork()
    if not child:
        del view
        gc.collect()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert view[0] == 0


@pytest.mark.parametrize(
    ("limit", "refused", "told"),
    [
        (resource.RLIM_INFINITY, True, -1),
        (1 << 30, True, 1 << 30),
        (4096, True, 4096),
        (4096, False, -1),
    ],
)
def test_how_much_may_be_locked(monkeypatch: pytest.MonkeyPatch, limit: int, refused: bool, told: int) -> None:
    """A small limit that does not hold is none: whoever may lock all (CAP_IPC_LOCK) does not feel it."""
    libc = Libc(arena._libc)
    libc.mlock = lambda address, size: -int(refused)
    monkeypatch.setattr(arena, "_libc", libc)
    monkeypatch.setattr(resource, "getrlimit", lambda what: (limit, limit))
    assert lockable() == told
