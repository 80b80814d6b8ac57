"""What every Reader promises: the order of what it finds, and that it finds it in the classes that were named alone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from casemate.errors import BadInput, Conflict
from casemate.store import Batch, ClassRow, RowDelete, StoredEntry
from tests.contracts.stores import ENGINES, Store, deletes, entries, entry, opened, put, puts

Trial = Callable[[Store], Awaitable[None]]


@pytest.fixture(params=ENGINES)
def attempt(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Trial], None]:
    def run(trial: Trial) -> None:
        async def inside() -> None:
            async with opened(request.param, tmp_path) as store:
                await trial(store)

        asyncio.run(inside())

    return run


def test_an_empty_store_answers_everything_with_nothing(attempt: Callable[[Trial], None]) -> None:
    async def trial(store: Store) -> None:
        reader = store.reader
        assert list(reader.classes()) == []
        assert reader.get("document", "doc_1", ["class_a"]) == []
        assert reader.scan("document", [], ["class_a"], None, 10) == ([], None)
        assert reader.children("class_a", "document", "doc_1", ["class_a"]) == []
        assert reader.entries("class_a", 0, 10) == []
        assert reader.entry("ent_1") is None
        assert reader.leaves("class_a", 0, 10) == []
        assert reader.expired(10, ["class_a"], 10) == []
        assert dict(reader.sizes()) == {}

    attempt(trial)


def test_a_row_is_found_in_the_named_classes_alone_and_in_their_order(attempt: Callable[[Trial], None]) -> None:
    async def trial(store: Store) -> None:
        await store.committer.commit(puts(*(put("doc_1", class_id) for class_id in ("class_a", "class_b", "class_c"))))

        def found(*class_ids: str) -> list[str]:
            return [row.class_id for row in store.reader.get("document", "doc_1", class_ids)]

        assert found("class_c", "class_a") == ["class_c", "class_a"]
        assert found("class_b") == ["class_b"]
        assert found() == []
        assert store.reader.get("other", "doc_1", ["class_a"]) == []

    attempt(trial)


def test_a_scan_goes_by_class_then_place_and_continues_where_it_stopped(attempt: Callable[[Trial], None]) -> None:
    async def trial(store: Store) -> None:
        await store.committer.commit(
            puts(*(put(f"{class_id}_{number}", class_id) for number in range(3) for class_id in ("a", "b", "hidden")))
        )
        visible = ["b", "a"]
        whole, end = store.reader.scan("document", [], visible, None, 100)
        assert end is None
        assert [row.id for row in whole] == ["b_0", "b_1", "b_2", "a_0", "a_1", "a_2"]
        for limit in range(1, 8):
            rows, after = store.reader.scan("document", [], visible, None, limit)
            while after is not None:
                more, after = store.reader.scan("document", [], visible, after, limit)
                assert len(more) <= limit
                rows += more
            assert rows == whole

    attempt(trial)


def test_a_scan_that_ends_exactly_at_its_limit_says_that_it_ended(attempt: Callable[[Trial], None]) -> None:
    async def trial(store: Store) -> None:
        await store.committer.commit(puts(put("1"), put("2")))
        rows, after = store.reader.scan("document", [], ["class_a", "class_b"], None, 2)
        assert (len(rows), after) == (2, None)

    attempt(trial)


def test_a_scan_finds_rows_that_bear_all_blinds(attempt: Callable[[Trial], None]) -> None:
    async def trial(store: Store) -> None:
        await store.committer.commit(
            puts(
                put("1", blinds=[("name", b"x"), ("state", b"new")]),
                put("2", blinds=[("name", b"x"), ("state", b"old")]),
                put("3", blinds=[("name", b"y"), ("state", b"new")]),
                put("4", blinds=[("state", b"x"), ("name", b"new")]),
                put("5", "class_b", blinds=[("name", b"x")]),
                put("6", kind="other", blinds=[("name", b"x")]),
            )
        )

        def found(*blinds: tuple[str, bytes]) -> list[str]:
            return [row.id for row in store.reader.scan("document", blinds, ["class_a"], None, 10)[0]]

        assert found(("name", b"x")) == ["1", "2"]
        assert found(("name", b"x"), ("state", b"new")) == ["1"]
        assert found(("state", b"new"), ("name", b"x")) == ["1"]
        assert found(("name", b"z")) == []
        assert found() == ["1", "2", "3", "4"]
        rows, after = store.reader.scan("document", [("name", b"x")], ["class_a"], None, 1)
        assert [row.id for row in rows] == ["1"]
        rows, after = store.reader.scan("document", [("name", b"x")], ["class_a"], after, 1)
        assert ([row.id for row in rows], after) == (["2"], None)

    attempt(trial)


@pytest.mark.parametrize("after", ["", "class_b:1", "class_a", "class_a:", "class_a:-1", "class_a:x", "class_a:\u0663"])
def test_a_continuation_that_is_not_of_this_scan_is_bad_input(attempt: Callable[[Trial], None], after: str) -> None:
    async def trial(store: Store) -> None:
        with pytest.raises(BadInput):
            store.reader.scan("document", [], ["class_a"], after, 10)

    attempt(trial)


def test_children_are_found_in_the_named_classes_alone(attempt: Callable[[Trial], None]) -> None:
    async def trial(store: Store) -> None:
        parent = ("class_a", "source", "src_1")
        await store.committer.commit(
            puts(
                put("z", parents=[parent]),
                put("y", parents=[parent, ("class_a", "source", "src_2")]),
                put("x", "class_b", parents=[parent]),
                put("w", kind="answer", parents=[parent]),
                put("v", parents=[("class_b", "source", "src_1")]),
            )
        )
        assert [row.id for row in store.reader.children(*parent, ["class_a"])] == ["w", "z", "y"]
        assert [row.id for row in store.reader.children(*parent, ["class_b", "class_a"])] == ["x", "w", "z", "y"]

    attempt(trial)


def test_entries_and_leaves_are_read_by_stretch_and_by_id(attempt: Callable[[Trial], None]) -> None:
    async def trial(store: Store) -> None:
        rows = [entry(f"ent_{number}", content=b"c" * number, expires=number) for number in range(5)]
        await store.committer.commit(entries(*rows, entry("ent_b", "class_b")))
        expected = [
            StoredEntry(seq, row.id, row.leaf, row.sealed, row.content, row.expires) for seq, row in enumerate(rows)
        ]
        assert store.reader.entries("class_a", 0, 99) == expected
        assert store.reader.entries("class_a", 1, 3) == expected[1:3]
        assert store.reader.leaves("class_a", 1, 4) == [row.leaf for row in rows[1:4]]
        assert store.reader.entry("ent_2") == ("class_a", expected[2])
        assert store.reader.entry("ent_b") is not None
        assert dict(store.reader.sizes()) == {"class_a": 5, "class_b": 1}

    attempt(trial)


def test_expired_content_is_named_for_the_logs_that_were_asked_for(attempt: Callable[[Trial], None]) -> None:
    async def trial(store: Store) -> None:
        await store.committer.commit(
            entries(
                entry("1", content=b"c", expires=30),
                entry("2", content=b"c", expires=10),
                entry("3", content=b"c"),
                entry("4", "class_b", content=b"c", expires=10),
                entry("5", "hidden", content=b"c", expires=10),
            )
        )
        assert store.reader.expired(9, ["class_a", "class_b"], 10) == []
        assert store.reader.expired(10, ["class_a", "class_b"], 10) == [("class_a", 1), ("class_b", 0)]
        assert store.reader.expired(99, ["class_b", "class_a"], 10) == [("class_b", 0), ("class_a", 1), ("class_a", 0)]
        assert store.reader.expired(99, ["class_b", "class_a"], 1) == [("class_b", 0)]

    attempt(trial)


def test_classes_come_in_the_order_of_their_ids(attempt: Callable[[Trial], None]) -> None:
    async def trial(store: Store) -> None:
        known = [ClassRow(id, id.encode()) for id in ("b", "c", "a")]
        await store.committer.commit(Batch(domain="a", classes=known))
        assert list(store.reader.classes()) == sorted(known, key=lambda row: row.id)

    attempt(trial)


def test_the_classes_are_the_same_object_until_there_are_others(attempt: Callable[[Trial], None]) -> None:
    async def trial(store: Store) -> None:
        await store.committer.commit(Batch(domain="class_a", classes=[ClassRow("class_a", b"a")]))
        first = store.reader.classes()
        await store.committer.commit(puts(put("doc_1")))
        assert store.reader.classes() is first
        await store.committer.commit(Batch(domain="class_a", classes=[ClassRow("class_b", b"b")]))
        assert [row.id for row in store.reader.classes()] == ["class_a", "class_b"]

    attempt(trial)


def test_a_tide_rises_with_each_commit_that_changes_a_class_and_kind(attempt: Callable[[Trial], None]) -> None:
    async def trial(store: Store) -> None:
        asked = (["document", "other"], ["class_b", "class_a", "class_c"])
        assert store.reader.tides(*asked) == [0] * 6
        assert store.reader.tides([], ["class_a"]) == store.reader.tides(["document"], []) == []
        await store.committer.commit(puts(put("doc_1"), put("doc_2")))
        await store.committer.commit(puts(put("doc_1", class_id="class_b")))
        assert store.reader.tides(*asked) == [1, 1, 0, 0, 0, 0]
        await store.committer.commit(puts(put("doc_1")))
        await store.committer.commit(deletes(RowDelete("class_a", "document", "doc_2")))
        assert store.reader.tides(*asked) == [1, 3, 0, 0, 0, 0]

    attempt(trial)


def test_what_is_replayed_or_undone_moves_no_tide(attempt: Callable[[Trial], None]) -> None:
    async def trial(store: Store) -> None:
        await store.committer.commit(puts(put("doc_1"), key="once"))
        await store.committer.commit(puts(put("doc_1"), key="once"))
        with pytest.raises(Conflict):
            await store.committer.commit(puts(put("doc_1", expect=7)))
        assert store.reader.tides(["document"], ["class_a"]) == [1]

    attempt(trial)
