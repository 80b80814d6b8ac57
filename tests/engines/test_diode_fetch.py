"""Fetching over a network that goes both ways: what is asked of the low side, and when, follows from no need above."""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Callable
from pathlib import Path
from threading import Event

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.engines.diode_fetch import DropFiles, Fetcher, push
from casemate.errors import Damaged
from casemate.transfer.timetable import Round, Timetable
from casemate.wiring.diode_fetch import fetch

SECOND = 1_000_000
TABLE = Timetable(every=60, step=4096, window=500, resolution=1000)
Call = tuple[int, str, str, int, int]


class Watched:
    """The drop as the low side sees it used: each call with the slot's moment."""

    def __init__(self, folder: Path) -> None:
        self._drop = DropFiles(folder)
        self.calls: list[Call] = []
        self.now = 0

    def listed(self) -> list[tuple[str, int]]:
        self.calls.append((self.now, "list", "", 0, 0))
        return self._drop.listed()

    def read(self, name: str, at: int, size: int) -> bytes:
        self.calls.append((self.now, "read", name, at, size))
        return self._drop.read(name, at, size)


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    """Three bundles, of several steps and of less than one."""
    folder = tmp_path / "drop"
    folder.mkdir()
    for number, size in enumerate((10_000, 4096, 100), 1):
        (folder / f"{number:012}.cmb").write_bytes(random.Random(number).randbytes(size))
    (folder / ".draft.cmb").write_bytes(b"x" * 9000)
    (folder / "note.txt").write_bytes(b"x")
    (folder / "link.cmb").symlink_to(folder / "note.txt")
    return folder


def world(
    drop: Path, place: Path, slots: range, late: Callable[[int], int] = lambda slot: 0
) -> tuple[Fetcher, Watched]:
    place.mkdir(exist_ok=True)
    watched = Watched(drop)
    (place / "inbox").mkdir(exist_ok=True)
    fetcher = Fetcher(watched, TABLE, place / "memory", place / "inbox")
    for slot in slots:
        watched.now = TABLE.begins(slot) + late(slot)
        fetcher.step(watched.now)
    return fetcher, watched


def test_all_of_a_channel_is_taken_step_by_step(drop: Path, tmp_path: Path) -> None:
    _, watched = world(drop, tmp_path / "high", range(1, 7))
    got = sorted(path.read_bytes() for path in (tmp_path / "high" / "inbox").iterdir())
    assert got == sorted(path.read_bytes() for path in drop.glob("[0-9]*.cmb"))
    assert [call[1:] for call in watched.calls] == [
        ("list", "", 0, 0),
        ("read", "000000000001.cmb", 0, 4096),
        ("read", "000000000001.cmb", 4096, 4096),
        ("read", "000000000001.cmb", 8192, 1808),
        ("read", "000000000002.cmb", 0, 4096),
        ("read", "000000000003.cmb", 0, 100),
    ]


def test_what_is_fetched_and_when_does_not_depend_on_what_is_needed(drop: Path, tmp_path: Path) -> None:
    """Two worlds and more: one has nothing, one has all of it, one's disk is full, one adopts and removes what came."""
    slots = range(1, 40)
    worlds = {}
    for name in ("nothing", "all", "full", "removes"):
        place = tmp_path / name
        place.mkdir()
        if name == "all":
            world(drop, place, range(1, 21))
            (place / "memory" / "fetch.json").write_bytes(anew(place / "memory" / "fetch.json"))
        if name == "full":
            (place / "memory").mkdir()
            for file in drop.glob("0*.cmb"):  # where a part would be written a folder lies: no write succeeds
                (place / "memory" / f"{hashlib.sha256(file.name.encode()).hexdigest()}.part").mkdir()
        if name == "removes":
            for slot in slots:
                _, watched = world(drop, place, range(slot, slot + 1))
                worlds.setdefault(name, []).extend(watched.calls)
                for file in (place / "inbox").iterdir():
                    file.unlink()
            continue
        worlds[name] = world(drop, place, slots)[1].calls
    assert len(worlds["nothing"]) == len(slots)
    assert worlds["nothing"] == worlds["all"] == worlds["full"] == worlds["removes"]
    assert len(list((tmp_path / "all" / "inbox").iterdir())) == 3
    assert not list((tmp_path / "full" / "inbox").iterdir())


def anew(path: Path) -> bytes:
    """What a fetcher that has had all of it remembers, as it would begin with the first slot."""
    kept = msgspec.json.decode(path.read_bytes())
    assert len(kept["had"]) == 3
    return msgspec.json.encode({**kept, "round": None, "last": -1})


def test_a_slot_that_is_late_is_left_out_and_one_is_taken_once(drop: Path, tmp_path: Path) -> None:
    fetcher, watched = world(drop, tmp_path / "high", range(1, 5), lambda slot: 600_000 if slot == 2 else 500_000)
    assert [call[0] // SECOND // 60 for call in watched.calls] == [1, 3, 4]
    assert not fetcher.step(TABLE.begins(4) + 1)


def test_what_came_before_is_taken_again_and_handed_over_once(drop: Path, tmp_path: Path) -> None:
    _, watched = world(drop, tmp_path / "high", range(1, 13))
    assert [call[1] for call in watched.calls].count("list") == 2
    assert len(list((tmp_path / "high" / "inbox").iterdir())) == 3
    (drop / "000000000003.cmb").write_bytes(b"another")
    world(drop, tmp_path / "high", range(13, 19))
    assert len(list((tmp_path / "high" / "inbox").iterdir())) == 4


def test_a_file_that_is_cut_short_meanwhile_is_never_handed_over(drop: Path, tmp_path: Path) -> None:
    world(drop, tmp_path / "high", range(1, 3))
    (drop / "000000000001.cmb").write_bytes(b"short")
    world(drop, tmp_path / "high", range(3, 7))
    names = {path.read_bytes()[:5] for path in (tmp_path / "high" / "inbox").iterdir()}
    assert len(names) == 2
    assert b"short" not in names


def test_a_drop_that_is_away_is_told_and_the_next_slot_begins_anew(drop: Path, tmp_path: Path) -> None:
    fetcher, _ = world(drop, tmp_path / "high", range(1, 3))
    drop.rename(tmp_path / "gone")
    assert fetcher.step(TABLE.begins(3))
    assert fetcher.told == "away"
    (tmp_path / "gone").rename(drop)
    world(drop, tmp_path / "high", range(4, 10))
    assert len(list((tmp_path / "high" / "inbox").iterdir())) == 3


def test_a_memory_that_is_none_is_told(drop: Path, tmp_path: Path) -> None:
    (tmp_path / "high" / "memory").mkdir(parents=True)
    (tmp_path / "high" / "memory" / "fetch.json").write_bytes(b"{")
    with pytest.raises(Damaged):
        world(drop, tmp_path / "high", range(1, 2))


def test_the_price_in_bits() -> None:
    """In each slot one of 1 + 2 M things is seen."""
    assert TABLE.moments == 500
    assert TABLE.bits_per_day == pytest.approx(1440 * math.log2(1001))
    assert Timetable(86_400, 4096, 1, 1_000_000).bits_per_day == pytest.approx(math.log2(3))


@given(st.lists(st.tuples(st.text("ab", min_size=1), st.integers(0, 20_000)), max_size=5, unique_by=lambda one: one[0]))
def test_a_round_reads_each_byte_once_and_in_order(files: list[tuple[str, int]]) -> None:
    found: dict[str, int] = {}
    at = Round.of(files)
    while (step := at.step(TABLE)) is not None:
        assert 0 < step.size <= TABLE.step
        assert found.get(step.name, 0) == step.at
        found[step.name] = step.at + step.size
        at = at.after(step)
    assert found == {name: size for name, size in files if size}


def test_a_drop_is_filled_whole_or_not_at_all(tmp_path: Path) -> None:
    def given_(take: Callable[[bytes], None]) -> None:
        take(b"one")
        take(b"two")

    def broken(take: Callable[[bytes], None]) -> None:
        take(b"one")
        raise ConnectionResetError

    assert push(tmp_path, "1.cmb", given_)
    assert not push(tmp_path, "1.cmb", given_)
    with pytest.raises(ConnectionResetError):
        push(tmp_path, "2.cmb", broken)
    assert [path.name for path in tmp_path.iterdir()] == ["1.cmb"]
    assert (tmp_path / "1.cmb").read_bytes() == b"onetwo"


def test_it_ends_where_nobody_allows_it_any_more(drop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop itself, with a clock that jumps from slot to slot."""
    told: list[str] = []
    allowed: list[Timetable | None] = [TABLE, TABLE, None]

    class Jumping(Event):
        def wait(self, timeout: float | None = None) -> bool:
            clock.at += round((timeout or 0) * SECOND)
            return False

    class Clock:
        at = TABLE.begins(7) + 1

        def now(self) -> int:
            return self.at

    clock = Clock()
    monkeypatch.setattr("casemate.wiring.diode_fetch.SystemClock", lambda: clock)
    (tmp_path / "in").mkdir()
    done = fetch(drop, TABLE, tmp_path / "m", tmp_path / "in", lambda: allowed.pop(0), told.append, Jumping())
    assert (done, told) == (2, [])
    assert fetch(drop, TABLE, tmp_path / "m", tmp_path / "in", lambda: TABLE, told.append, Jumping(), 5) == 5
    assert "whole" in told
