"""Copies of sealed blobs: within a bound for each label domain, and no domain's doing ever shows in another's."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.engines import blob_cache
from casemate.engines.blob_cache import BlobCache
from casemate.errors import BadInput, Unavailable


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[BlobCache]:
    made = BlobCache(tmp_path / "cache", 100)
    yield made
    made.close()


def keep(cache: BlobCache, domain: str, name: str, size: int = 40) -> bool:
    file = cache.keep(domain, "class", name, size, [bytes(size // 2), bytes(size - size // 2)])
    if file is not None:
        file.close()
    return file is not None


def found(cache: BlobCache, domain: str, name: str) -> bytes | None:
    file = cache.find(domain, "class", name)
    if file is None:
        return None
    with file:
        return file.read()


def test_a_copy_is_found_by_the_domain_that_kept_it_and_by_no_other(cache: BlobCache) -> None:
    """Mutant: one folder for all domains: whether something is here tells what somebody above has asked for."""
    assert keep(cache, "high", "a")
    assert found(cache, "high", "a") == bytes(40)
    assert found(cache, "low", "a") is None
    assert found(cache, "high", "b") is None


def test_the_least_lately_used_goes_first(cache: BlobCache) -> None:
    assert keep(cache, "d", "a")
    assert keep(cache, "d", "b")
    assert found(cache, "d", "a") is not None
    assert keep(cache, "d", "c")
    assert [found(cache, "d", name) is not None for name in "abc"] == [True, False, True]
    assert cache.held("d") == 80


def test_what_does_not_fit_is_not_taken(cache: BlobCache) -> None:
    def never() -> Iterator[bytes]:
        pytest.fail("a piece was taken")
        yield b""

    assert cache.keep("d", "class", "big", 101, never()) is None
    assert cache.held("d") == 0


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(("low", "high")), st.sampled_from("abcdef"), st.integers(1, 110)), max_size=25
    )
)
def test_a_domain_never_feels_another_and_never_exceeds_its_bound(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str, int]]
) -> None:
    """Mutant: one bound for all domains: what the higher one reads decides what the lower one still finds."""
    seen: list[list[bool]] = []
    for world in ("both", "low"):
        cache = BlobCache(tmp_path_factory.mktemp("cache"), 100)
        told = []
        for domain, name, size in steps:
            if domain == "low" or world == "both":
                hit = found(cache, domain, name) is not None or not keep(cache, domain, name, size)
                assert cache.held(domain) <= 100
                if domain == "low":
                    told.append(hit)
        cache.close()
        seen.append(told)
    assert seen[0] == seen[1]


def test_a_piece_that_fails_leaves_nothing(cache: BlobCache, tmp_path: Path) -> None:
    def failing() -> Iterator[bytes]:
        yield b"half"
        raise Unavailable(what="blobs")

    with pytest.raises(Unavailable):
        cache.keep("d", "class", "a", 40, failing())
    assert found(cache, "d", "a") is None
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file() and path.suffix != ".lock"] == []
    assert keep(cache, "d", "a", 100)


def test_room_that_is_being_filled_is_taken(cache: BlobCache) -> None:
    def meanwhile() -> Iterator[bytes]:
        assert not keep(cache, "d", "b", 60)
        assert keep(cache, "d", "c", 30)
        yield bytes(60)

    file = cache.keep("d", "class", "a", 60, meanwhile())
    assert file is not None
    file.close()
    assert cache.held("d") == 90


def test_a_copy_is_dropped_for_one_domain_or_for_all(cache: BlobCache) -> None:
    for domain in ("x", "y", "z"):
        keep(cache, domain, "a")
    cache.drop("class", "a", "x")
    assert [found(cache, domain, "a") is not None for domain in "xyz"] == [False, True, True]
    cache.drop("class", "a")
    assert [found(cache, domain, "a") is not None for domain in "xyz"] == [False, False, False]
    assert cache.held("y") == 0


def test_a_copy_that_somebody_removed_is_no_copy(cache: BlobCache, tmp_path: Path) -> None:
    keep(cache, "d", "a")
    (tmp_path / "cache" / "0" / "d" / "class.a").unlink()
    assert found(cache, "d", "a") is None
    assert cache.held("d") == 0


def test_a_later_process_finds_the_copies_in_their_order_and_no_half_written_one(tmp_path: Path) -> None:
    first = BlobCache(tmp_path, 100)
    for name in "ab":
        keep(first, "d", name)
    found(first, "d", "a")
    os.utime(tmp_path / "0" / "d" / "class.b", (1, 1))  # the kernel's clock does not tell them apart
    first.close()
    (tmp_path / "0" / "d" / ".draft").write_bytes(b"half")
    second = BlobCache(tmp_path, 50)
    assert second.held("d") == 40
    assert found(second, "d", "a") == bytes(40)
    assert sorted(path.name for path in (tmp_path / "0" / "d").iterdir()) == ["class.a"]
    second.close()


def test_each_process_has_a_slot_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blob_cache, "SLOTS", 2)
    first, second = BlobCache(tmp_path, 100), BlobCache(tmp_path, 100)
    keep(first, "d", "a")
    assert found(second, "d", "a") is None
    with pytest.raises(Unavailable):
        BlobCache(tmp_path, 100)
    first.close()
    third = BlobCache(tmp_path, 100)
    assert found(third, "d", "a") is not None
    third.close()
    third.close()
    del second
    gc.collect()  # whoever forgets to close it holds nothing either
    for cache in [BlobCache(tmp_path, 100) for _ in range(2)]:
        cache.close()


@pytest.mark.parametrize("domain", [".x", "..", "", "a/b"])
def test_a_domain_that_leads_elsewhere_is_bad_input(cache: BlobCache, domain: str) -> None:
    with pytest.raises(BadInput):
        cache.find(domain, "class", "a")
