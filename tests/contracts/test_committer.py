"""What every Committer promises, tried on each engine."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

from casemate.errors import BadInput, Conflict, Damaged
from casemate.store import Batch, ClassRow, Forget, Receipt, RowDelete, check
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


def test_what_is_acknowledged_can_be_read_at_once(attempt: Callable[[Trial], None]) -> None:
    async def trial(store: Store) -> None:
        receipt = await store.committer.commit(
            Batch(domain="class_a", puts=[put("doc_1"), put("doc_2")], entries=[entry("ent_1")])
        )
        assert receipt == Receipt((("class_a", 0),), (1, 1), replayed=False)
        assert [check(row).sealed for row in store.reader.get("document", "doc_1", ["class_a"])] == [b"sealed"]
        assert store.reader.sizes() == {"class_a": 1}

    attempt(trial)


def test_versions_count_puts_and_a_row_keeps_its_place(attempt: Callable[[Trial], None]) -> None:
    async def trial(store: Store) -> None:
        await store.committer.commit(puts(put("doc_0"), put("doc_1")))
        receipt = await store.committer.commit(puts(put("doc_0", sealed=b"new")))
        assert receipt.versions == (2,)
        (row,) = store.reader.get("document", "doc_0", ["class_a"])
        assert (check(row).version, row.seq, row.sealed) == (2, 1, b"new")

    attempt(trial)


def test_places_are_local_to_class_and_kind_and_never_used_again(attempt: Callable[[Trial], None]) -> None:
    async def trial(store: Store) -> None:
        await store.committer.commit(
            puts(put("a1"), put("b1", class_id="class_b"), put("a2"), put("k1", kind="key"), put("a3"))
        )
        await store.committer.commit(deletes(RowDelete("class_a", "document", "a3")))
        await store.committer.commit(puts(put("a4")))
        found = {
            id: store.reader.get(kind, id, [class_id])[0].seq
            for class_id, kind, id in (
                ("class_a", "document", "a1"),
                ("class_a", "document", "a2"),
                ("class_a", "document", "a4"),
                ("class_b", "document", "b1"),
                ("class_a", "key", "k1"),
            )
        }
        assert found == {"a1": 1, "a2": 2, "a4": 4, "b1": 1, "k1": 1}

    attempt(trial)


@pytest.mark.parametrize("expect", [1, 2])
def test_a_put_that_expects_another_version_is_a_conflict(attempt: Callable[[Trial], None], expect: int) -> None:
    async def trial(store: Store) -> None:
        if expect == 2:
            await store.committer.commit(puts(put("doc_1")))
        with pytest.raises(Conflict) as caught:
            await store.committer.commit(puts(put("doc_1", expect=expect)))
        assert caught.value.facts == {"what": "document doc_1"}

    attempt(trial)


def test_expectations_that_hold_let_the_batch_through(attempt: Callable[[Trial], None]) -> None:
    async def trial(store: Store) -> None:
        assert (await store.committer.commit(puts(put("doc_1", expect=0)))).versions == (1,)
        assert (await store.committer.commit(puts(put("doc_1", expect=1)))).versions == (2,)
        await store.committer.commit(deletes(RowDelete("class_a", "document", "doc_1", 2)))
        assert (await store.committer.commit(puts(put("doc_1", expect=0)))).versions == (1,)
        with pytest.raises(Conflict):
            await store.committer.commit(puts(put("doc_1", expect=0)))

    attempt(trial)


def test_a_conflict_undoes_the_whole_batch_and_no_other(attempt: Callable[[Trial], None]) -> None:
    async def trial(store: Store) -> None:
        bad = Batch(
            domain="class_a",
            key="bad",
            puts=[put("doc_1"), put("doc_2", expect=5)],
            entries=[entry("ent_1")],
            classes=[ClassRow("class_a", b"label")],
        )
        outcomes = await asyncio.gather(
            store.committer.commit(puts(put("doc_0"))),
            store.committer.commit(bad),
            store.committer.commit(entries(entry("ent_2"))),
            return_exceptions=True,
        )
        assert [type(outcome) for outcome in outcomes] == [Receipt, Conflict, Receipt]
        assert store.reader.get("document", "doc_1", ["class_a"]) == []
        assert list(store.reader.classes()) == []
        assert [each.id for each in store.reader.entries("class_a", 0, 9)] == ["ent_2"]
        assert not (await store.committer.commit(puts(put("doc_1"), key="bad"))).replayed

    attempt(trial)


def test_the_same_key_in_the_same_domain_lands_once(attempt: Callable[[Trial], None]) -> None:
    async def trial(store: Store) -> None:
        batch = Batch(domain="class_a", key="k", puts=[put("doc_1")], entries=[entry("ent_1")])
        first = await store.committer.commit(batch)
        again = await store.committer.commit(batch)
        assert again == msgspec.structs.replace(first, replayed=True)
        assert store.reader.sizes() == {"class_a": 1}
        assert store.reader.get("document", "doc_1", ["class_a"])[0].version == 1
        other = await store.committer.commit(entries(entry("ent_9", "class_b"), key="k", domain="class_b"))
        assert not other.replayed

    attempt(trial)


def test_deleting_what_is_absent_is_no_error_unless_it_was_expected(attempt: Callable[[Trial], None]) -> None:
    async def trial(store: Store) -> None:
        await store.committer.commit(deletes(RowDelete("class_a", "document", "doc_1")))
        await store.committer.commit(deletes(RowDelete("class_a", "document", "doc_1", 0)))
        with pytest.raises(Conflict):
            await store.committer.commit(deletes(RowDelete("class_a", "document", "doc_1", 1)))

    attempt(trial)


def test_a_deleted_row_is_gone_with_its_index_and_its_parents(attempt: Callable[[Trial], None]) -> None:
    async def trial(store: Store) -> None:
        parent = ("class_a", "source", "src_1")
        await store.committer.commit(puts(put("doc_1", blinds=[("name", b"x")], parents=[parent])))
        await store.committer.commit(deletes(RowDelete("class_a", "document", "doc_1")))
        assert store.reader.get("document", "doc_1", ["class_a"]) == []
        assert store.reader.scan("document", [("name", b"x")], ["class_a"], None, 9) == ([], None)
        assert store.reader.children(*parent, ["class_a"]) == []

    attempt(trial)


def test_a_put_replaces_index_and_parents(attempt: Callable[[Trial], None]) -> None:
    async def trial(store: Store) -> None:
        old, new = ("class_a", "source", "src_1"), ("class_a", "source", "src_2")
        await store.committer.commit(puts(put("doc_1", blinds=[("name", b"x")], parents=[old])))
        await store.committer.commit(
            puts(put("doc_1", blinds=[("name", b"y"), ("name", b"y")], parents=[new, new])),
        )
        assert store.reader.scan("document", [("name", b"x")], ["class_a"], None, 9)[0] == []
        assert len(store.reader.scan("document", [("name", b"y")], ["class_a"], None, 9)[0]) == 1
        assert store.reader.children(*old, ["class_a"]) == []
        assert len(store.reader.children(*new, ["class_a"])) == 1

    attempt(trial)


def test_entries_of_a_log_are_numbered_without_a_gap(attempt: Callable[[Trial], None]) -> None:
    async def trial(store: Store) -> None:
        receipts = await asyncio.gather(
            *(store.committer.commit(entries(entry(f"ent_{number}", f"class_{number % 3}"))) for number in range(30))
        )
        for log in ("class_0", "class_1", "class_2"):
            given = sorted(seq for receipt in receipts for name, seq in receipt.entries if name == log)
            assert given == list(range(10))
            assert [each.seq for each in store.reader.entries(log, 0, 99)] == given

    attempt(trial)


def test_an_entry_id_is_used_once_in_its_log(attempt: Callable[[Trial], None]) -> None:
    async def trial(store: Store) -> None:
        await store.committer.commit(entries(entry("ent_1")))
        with pytest.raises(Conflict):
            await store.committer.commit(entries(entry("ent_2"), entry("ent_1")))
        assert store.reader.sizes() == {"class_a": 1}
        assert (await store.committer.commit(entries(entry("ent_3")))).entries == (("class_a", 1),)

    attempt(trial)


def test_content_is_forgotten_and_its_entry_stays(attempt: Callable[[Trial], None]) -> None:
    async def trial(store: Store) -> None:
        await store.committer.commit(entries(entry("ent_1", content=b"secret", expires=5)))
        before = store.reader.entries("class_a", 0, 9)
        await store.committer.commit(Batch(domain="class_a", forgets=[Forget("class_a", 0), Forget("class_a", 8)]))
        assert store.reader.entries("class_a", 0, 9) == [msgspec.structs.replace(before[0], content=b"", expires=0)]

    attempt(trial)


def test_a_class_is_made_known_once(attempt: Callable[[Trial], None]) -> None:
    async def trial(store: Store) -> None:
        for sealed in (b"first", b"second"):
            await store.committer.commit(Batch(domain="class_a", classes=[ClassRow("class_a", sealed)]))
        assert list(store.reader.classes()) == [ClassRow("class_a", b"first")]

    attempt(trial)


def test_bytes_that_are_not_those_of_their_digest_are_never_stored(attempt: Callable[[Trial], None]) -> None:
    async def trial(store: Store) -> None:
        with pytest.raises(Damaged):
            await store.committer.commit(puts(msgspec.structs.replace(put("doc_1"), sealed=b"other")))
        with pytest.raises(BadInput):
            await store.committer.commit(entries(msgspec.structs.replace(entry("ent_1"), leaf=b"short")))
        assert store.reader.sizes() == {}

    attempt(trial)


def test_an_empty_batch_has_an_empty_receipt(attempt: Callable[[Trial], None]) -> None:
    async def trial(store: Store) -> None:
        assert await store.committer.commit(Batch(domain="class_a")) == Receipt()

    attempt(trial)


def test_64_clients_at_once_each_get_their_own_receipt(attempt: Callable[[Trial], None]) -> None:
    async def trial(store: Store) -> None:
        async def client(number: int) -> None:
            for turn in range(5):
                name = f"doc_{number}_{turn}"
                batch = Batch(
                    domain=f"class_{number % 4}",
                    puts=[put(name, f"class_{number % 4}", sealed=name.encode())],
                    entries=[entry(f"ent_{number}_{turn}", f"class_{number % 4}")],
                )
                ((log, seq),) = (await store.committer.commit(batch)).entries
                (stored,) = store.reader.entries(log, seq, seq + 1)
                assert stored.id == f"ent_{number}_{turn}"
                (row,) = store.reader.get("document", name, [log])
                assert check(row).sealed == name.encode()

        await asyncio.gather(*(client(number) for number in range(64)))
        assert store.reader.sizes() == {f"class_{number}": 80 for number in range(4)}

    attempt(trial)
