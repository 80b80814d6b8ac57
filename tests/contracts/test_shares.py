"""What every Committer promises of shares: what a class may take depends on what lies in it, and on nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

from casemate.errors import ShareFull
from casemate.store import Batch, Forget, Receipt, RowDelete
from tests.contracts.model import outcomes
from tests.contracts.stores import ENGINES, Store, entries, entry, opened, put, puts

Trial = Callable[[Store], Awaitable[None]]
SHARE, PIECE = 8000, b"x" * 744  # a row takes 1000 with what it weighs beside


@pytest.fixture(params=ENGINES)
def attempt(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Trial], None]:
    def run(trial: Trial) -> None:
        async def inside() -> None:
            async with opened(request.param, tmp_path, share=lambda _: SHARE) as store:
                await trial(store)

        asyncio.run(inside())

    return run


async def fill(store: Store, class_id: str) -> None:
    """All that content may take of a share: three quarters."""
    several = [puts(put(f"f{number}", class_id, sealed=PIECE), domain=class_id) for number in range(6)]
    assert await outcomes(store, several) == [Receipt((), (1,))] * 6
    assert store.reader.used(class_id) == 6000
    assert await outcomes(store, [puts(put("more", class_id), domain=class_id)]) == [f"full {SHARE}"]


def test_a_class_that_is_full_takes_nothing_from_another(attempt: Callable[[Trial], None]) -> None:
    async def trial(store: Store) -> None:
        await fill(store, "class_b")
        await fill(store, "class_a")
        assert store.reader.used("class_b") == 6000
        assert store.reader.get("document", "more", ["class_a", "class_b"]) == []

    attempt(trial)


def test_in_a_group_only_the_one_that_is_full_is_refused(attempt: Callable[[Trial], None]) -> None:
    async def trial(store: Store) -> None:
        await fill(store, "class_b")
        group = [
            puts(put("one", "class_a"), key="one"),
            puts(put("two", "class_a"), put("two", "class_b"), key="two"),
            puts(put("three", "class_a"), key="three"),
        ]
        told = await outcomes(store, group)
        assert told == [Receipt((), (1,)), f"full {SHARE}", Receipt((), (1,))]
        assert store.reader.used("class_a") == 2 * (256 + 6)
        await store.committer.commit(Batch("class_b", deletes=[RowDelete("class_b", "document", "f0")]))
        assert (await outcomes(store, group))[1] == Receipt((), (1, 1)), "what was refused has not used up its key"

    attempt(trial)


def test_what_is_full_still_forgets_deletes_shrinks_and_records(attempt: Callable[[Trial], None]) -> None:
    async def trial(store: Store) -> None:
        await store.committer.commit(entries(entry("e0", content=b"c" * 400)))
        await store.committer.commit(puts(*(put(f"f{n}", sealed=PIECE) for n in range(5))))
        await store.committer.commit(entries(*(entry(f"e{n}", content=b"c" * 400) for n in range(1, 5))))
        used = store.reader.used("class_a")
        assert used > SHARE, "what was promised is written, whatever is used"
        shorter = put("f0", sealed=PIECE[:-1])
        await store.committer.commit(puts(shorter))
        await store.committer.commit(Batch("class_a", forgets=[Forget("class_a", 0), Forget("class_a", 99)]))
        assert store.reader.used("class_a") == used - 1 - 400
        with pytest.raises(ShareFull):
            await store.committer.commit(puts(put("f0", sealed=PIECE)))
        for number in range(5):
            gone = RowDelete("class_a", "document", f"f{number}")
            await store.committer.commit(Batch("class_a", deletes=[gone, gone], entries=[entry(f"gone{number}")]))
        assert store.reader.used("class_a") == used - 401 - 4999 + 5 * (256 + len("sealed gone0"))
        await store.committer.commit(puts(put("again")))

    attempt(trial)


def test_what_is_removed_may_leave_something_in_what_is_reserved(attempt: Callable[[Trial], None]) -> None:
    async def trial(store: Store) -> None:
        await fill(store, "class_a")
        longer = puts(put("f0", sealed=PIECE * 2))
        removing = msgspec.structs.replace(longer, deletes=[RowDelete("class_a", "document", "none")])
        with pytest.raises(ShareFull):
            await store.committer.commit(longer)
        await store.committer.commit(removing)
        with pytest.raises(ShareFull):
            await store.committer.commit(msgspec.structs.replace(removing, puts=[put("f0", sealed=PIECE * 6)]))

    attempt(trial)


def test_a_class_that_is_spared_is_counted_and_refuses_nobody(attempt: Callable[[Trial], None]) -> None:
    async def trial(store: Store) -> None:
        await fill(store, "class_b")
        upward = puts(put("up", "class_b", sealed=PIECE), put("own", "class_a", sealed=PIECE))
        assert await outcomes(store, [upward]) == [f"full {SHARE}"]
        spared = msgspec.structs.replace(upward, spares=["class_b"])
        assert await outcomes(store, [spared]) == [Receipt((), (1, 1))]
        assert [store.reader.used(each) for each in ("class_a", "class_b", "class_c")] == [1000, 7000, 0]

    attempt(trial)
