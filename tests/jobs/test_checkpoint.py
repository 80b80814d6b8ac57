"""Checkpoints: the next attempt finds what the last one left, and a folder stays just for as long as that needs it."""

from __future__ import annotations

import pytest

from casemate.errors import Absent, TooLarge
from casemate.jobs import Checkpoint, Resources, Retry, Spec
from tests.jobs.yard import Yard

SAVES = Spec(("true",), retry=Retry(5), checkpoint=Checkpoint("saved", 60))


async def begun(yard: Yard) -> str:
    await yard.step(3, 0.5)
    [native] = yard.engine.all("waiting")
    assert yard.engine.begin(native)
    await yard.step(2)
    return native


async def test_each_attempt_finds_what_the_last_one_left(yard: Yard) -> None:
    found = await yard.submit(SAVES)
    native = await begun(yard)
    assert yard.engine.spot(native).files == {}
    yard.engine.end(native, 1, files={"saved/step": b"1", "other": b"x"})
    native = await begun(yard)
    assert yard.engine.spot(native).files == {"saved/step": b"1"}
    assert len(yard.scratch.spots) == 2, "what was left stays until there is a newer one"
    yard.engine.spot(native).files["saved/step"] = b"2"
    yard.engine.die(native)
    await yard.step(3, 6.0)
    native = await begun(yard)
    assert yard.engine.spot(native).files == {"saved/step": b"2"}
    yard.engine.end(native)
    await yard.step(2)
    job = await yard.job(found.id)
    assert (job.state, [one.state for one in job.attempts]) == ("SUCCEEDED", ["ended", "lost", "ended"])
    assert not yard.scratch.spots


async def test_an_attempt_that_left_none_takes_none_away(yard: Yard) -> None:
    await yard.submit(SAVES)
    native = await begun(yard)
    yard.engine.end(native, 1, files={"saved/step": b"1"})
    native = await begun(yard)
    yard.engine.spot(native).files.clear()
    yard.engine.end(native, 1)
    native = await begun(yard)
    assert yard.engine.spot(native).files == {"saved/step": b"1"}


async def test_a_restart_keeps_what_the_next_attempt_needs(yard: Yard) -> None:
    found = await yard.submit(SAVES)
    yard.engine.slots = 1
    native = await begun(yard)
    yard.engine.end(native, 1, files={"saved/step": b"1"})
    yard.engine.down = True
    await yard.step(1)
    yard.engine.down = False
    yard.engine.slots = 0
    yard.restart()
    yard.engine.slots = 1
    native = await begun(yard)
    yard.restart()
    await yard.step(2, 3.0)
    assert yard.engine.spot(native).files == {"saved/step": b"1"}
    assert len(yard.scratch.spots) == 2
    yard.engine.end(native)
    await yard.step(2)
    assert (await yard.job(found.id)).state == "SUCCEEDED"
    assert not yard.scratch.spots


async def test_what_cannot_be_carried_ends_the_job(yard: Yard) -> None:
    """Begun anew without it, another program would run than the one that was asked for."""
    spec = Spec(("true",), retry=Retry(5), checkpoint=Checkpoint("saved"), resources=Resources(disk_mb=1))
    found = await yard.submit(spec)
    native = await begun(yard)
    yard.engine.end(native, 1, files={"saved/step": b"x" * (1 << 21)})
    await yard.step(6, 1.0)
    job = await yard.job(found.id)
    assert (job.state, job.reason, len(job.attempts)) == ("FAILED", "CHECKPOINT", 2)
    assert not yard.scratch.spots


@pytest.mark.parametrize(("error", "stays"), [(Absent(kind="file", id="saved"), 0), (TooLarge(what="files"), 1)])
async def test_what_is_not_to_be_looked_through(yard: Yard, error: Exception, stays: int) -> None:
    async def outputs(domain: str, token: str, path: str, most: int) -> list[tuple[str, int]]:
        raise error

    await yard.submit(SAVES)
    native = await begun(yard)
    yard.scratch.outputs = outputs  # type: ignore[method-assign]
    first = yard.engine.known[native]
    yard.engine.end(native, 1)
    await yard.step(3, 0.5)
    assert (first in yard.scratch.spots) is bool(stays)
