"""Batches: from a file of requests to files of answers, whatever happens on the way."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from casemate.access import Flow
from casemate.engines.embedder_vectors import EmbedderVectors
from casemate.engines.hashing import HashingEmbedder
from casemate.errors import EngineFailed, QuotaExceeded, StorageFull
from casemate.models import Card, Chat, Delta
from casemate.models.batches import STEP
from tests.doors.openai.asking import call, chat
from tests.doors.openai.bringing import batch, bring, line, look, loop, rows, run
from tests.doors.wired import OPEN, SECRET, Wired, breaks_in_the_middle, two_rungs


def test_a_batch_is_answered_line_by_line(region: Wired) -> None:
    _, key = region.key(OPEN, SECRET)
    data = b"".join(line(f"n{n}", **chat(f"Number {n}?")) for n in range(STEP + 3))
    got = batch(region, data, key, metadata={"team": "red"})
    assert (got.status, got.json["status"], got.json["metadata"]) == (200, "validating", {"team": "red"})
    id = got.json["id"]
    assert run(region) > 0
    found = look(region, id, key)
    assert found["status"] == "completed"
    assert found["request_counts"] == {"total": STEP + 3, "completed": STEP + 3, "failed": 0}
    assert found["error_file_id"] is None
    out = rows(region, found["output_file_id"], key)
    assert [row["custom_id"] for row in out] == [f"n{n}" for n in range(STEP + 3)]
    first = out[0]["response"]
    assert (first["status_code"], first["body"]["object"]) == (200, "chat.completion")
    begun = region.entry(first["request_id"])
    assert (begun.action, begun.outcome, begun.facts["batch"]) == ("batch.run", "begin", id)
    assert (begun.principal, begun.session) == ("user", region.entry(got.headers["casemate-ledger"]).session)
    assert [end.outcome for end in region.ends(begun.id)] == ["complete"]
    assert [c.question for c in region.answers.asked[:2]] == ["Number 0?", "Number 1?"]
    assert run(region) == 0


def test_every_operation_that_a_line_may_ask_for(region: Wired) -> None:
    _, key = region.key(OPEN, SECRET)
    vectors = EmbedderVectors(HashingEmbedder(), "acme/words")
    level = region.clearance(SECRET)
    region.catalogue.add(Card("acme/words", "words", "acme", level, tasks=("embeddings",), vectors=vectors))
    bodies: dict[str, dict[str, Any]] = {
        "/v1/embeddings": {"model": "acme/words", "input": "Fog."},
        "/v1/responses": {"model": "casemate/extractive-reader", "input": "When?"},
    }
    for url, body in bodies.items():
        id = batch(region, line("a", url, **body), key, url).json["id"]
        run(region)
        (row,) = rows(region, look(region, id, key)["output_file_id"], key)
        assert row["response"]["body"]["object"] in ("list", "response")


def test_lines_that_fail_stand_in_a_file_of_their_own(region: Wired) -> None:
    _, key = region.key(OPEN, SECRET)
    more = [
        line("unknown", **chat(model="acme/none")),
        line("marked", **chat("Well?\n(U) It is open.")),
        line("bad", **chat(n=2)),
        line("streamed", **chat(stream=True)),
        line("good"),
    ]
    id = batch(region, b"".join(more), key).json["id"]
    run(region)
    found = look(region, id, key)
    assert found["request_counts"] == {"total": 5, "completed": 2, "failed": 3}
    told = {row["custom_id"]: row["response"] for row in rows(region, found["error_file_id"], key)}
    assert {name: one["status_code"] for name, one in told.items()} == {"unknown": 404, "bad": 400, "streamed": 400}
    assert told["unknown"]["body"]["error"]["code"] == "model_not_found"
    assert region.exists(told["unknown"]["request_id"])


FAULTY = {
    "no JSON": b"{\n",
    "no request": b"{}\n",
    "another method": line().replace(b"POST", b"GET"),
    "another url": line(url="/v1/embeddings"),
    "a name twice": line() + line(),
    "no name": line(""),
    "many faults": b"{\n" * 50,
}


@pytest.mark.parametrize("data", FAULTY.values(), ids=FAULTY)
def test_a_file_that_is_none_of_requests(region: Wired, data: bytes) -> None:
    _, key = region.key(OPEN, SECRET)
    id = batch(region, data, key).json["id"]
    run(region)
    found = look(region, id, key)
    assert (found["status"], found["output_file_id"]) == ("failed", None)
    assert 1 <= len(found["errors"]["data"]) <= 20
    assert found["errors"]["data"][0]["line"] >= 1
    assert region.answers.asked == []


def test_an_empty_file(region: Wired) -> None:
    _, key = region.key(OPEN, SECRET)
    id = batch(region, b"\n", key).json["id"]
    run(region)
    assert look(region, id, key)["errors"]["data"][0]["line"] is None


def test_cancelled_before_it_began_and_on_the_way(region: Wired) -> None:
    _, key = region.key(OPEN, SECRET)
    id = batch(region, line(), key).json["id"]
    got = call(region, "POST", f"/v1/batches/{id}/cancel", key=key)
    assert (got.status, got.json["status"]) == (200, "cancelling")
    assert call(region, "POST", f"/v1/batches/{id}/cancel", key=key).json["status"] == "cancelling"
    run(region)
    assert look(region, id, key)["status"] == "cancelled"
    assert region.answers.asked == []
    again = call(region, "POST", f"/v1/batches/{id}/cancel", key=key)
    assert (again.status, again.json["error"]["code"]) == (409, "conflict")

    id = batch(region, b"".join(line(f"n{n}") for n in range(STEP + 1)), key).json["id"]

    async def cancels(flow: Flow, chat: Chat) -> AsyncIterator[Delta]:
        owner = region.gate.directory.named("user")
        assert owner is not None
        if len(region.answers.asked) == STEP + 1:
            raise EngineFailed(cause="busy", engine="large", why="no room")
        async for delta in two_rungs(flow, chat):
            yield delta

    region.answers.script = cancels
    run(region)
    assert look(region, id, key)["request_counts"]["completed"] == STEP
    assert call(region, "POST", f"/v1/batches/{id}/cancel", key=key).status == 200
    run(region)
    found = look(region, id, key)
    assert found["status"] == "cancelled"
    assert len(rows(region, found["output_file_id"], key)) == STEP


def test_what_takes_too_long_expires_with_what_there_is(region: Wired) -> None:
    _, key = region.key(OPEN, SECRET)
    id = batch(region, line("a") + line("b"), key).json["id"]

    async def only_one(flow: Flow, chat: Chat) -> AsyncIterator[Delta]:
        if len(region.answers.asked) > 1:
            raise QuotaExceeded(limit=1, of="key", retry_after=60)
        async for delta in two_rungs(flow, chat):
            yield delta

    region.answers.script = only_one
    run(region)
    assert look(region, id, key)["status"] == "in_progress"
    region.clock.forward(24 * 3600)
    run(region)
    found = look(region, id, key := region.key(OPEN, SECRET)[1])
    assert (found["status"], found["request_counts"]["completed"]) == ("expired", 1)
    assert [row["custom_id"] for row in rows(region, found["output_file_id"], key)] == ["a"]


def test_an_engine_without_room_is_waited_for(region: Wired) -> None:
    _, key = region.key(OPEN, SECRET)
    id = batch(region, line(), key).json["id"]

    async def busy(flow: Flow, chat: Chat) -> AsyncIterator[Delta]:
        raise EngineFailed(cause="busy", engine="large", why="no room")
        yield Delta()

    region.answers.script = busy
    run(region)
    assert look(region, id, key)["status"] == "in_progress"
    region.answers.script = breaks_in_the_middle
    run(region)
    found = look(region, id, key)
    assert (found["status"], found["request_counts"]["failed"]) == ("completed", 1)


class Dying:
    """A committer whose process ends before its nth commit of objects."""

    def __init__(self, committer: Any, last: int) -> None:
        self._commit, self._left = committer.commit, last

    async def commit(self, given: Any) -> Any:
        if given.puts:
            self._left -= 1
            if self._left <= 0:
                raise RuntimeError("it ends here")
        return await self._commit(given)


def test_a_process_that_dies_loses_and_doubles_nothing(region: Wired, monkeypatch: pytest.MonkeyPatch) -> None:
    _, key = region.key(OPEN, SECRET)
    names = [f"n{n}" for n in range(2 * STEP + 2)]
    id = batch(region, b"".join(line(name) for name in names), key).json["id"]
    for last in (1, 1, 2, 2):
        dying = Dying(region.gate.vault.committer, last)
        monkeypatch.setattr(region.gate.vault.committer, "commit", dying.commit)
        run(region)
        monkeypatch.undo()
        assert look(region, id, key)["status"] in ("validating", "in_progress")
    run(region)
    found = look(region, id, key)
    assert found["request_counts"] == {"total": len(names), "completed": len(names), "failed": 0}
    assert [row["custom_id"] for row in rows(region, found["output_file_id"], key)] == names


def test_a_defect_that_one_line_meets(region: Wired) -> None:
    _, key = region.key(OPEN, SECRET)
    id = batch(region, line("a") + line("b"), key).json["id"]

    async def stumbles(flow: Flow, chat: Chat) -> AsyncIterator[Delta]:
        if len(region.answers.asked) == 1:
            raise ZeroDivisionError("secret text")
        async for delta in two_rungs(flow, chat):
            yield delta

    region.answers.script = stumbles
    run(region)
    found = look(region, id, key)
    assert found["request_counts"] == {"total": 2, "completed": 1, "failed": 1}
    (wrong,) = rows(region, found["error_file_id"], key)
    assert wrong["response"]["body"]["error"]["code"] == "internal"
    assert "secret text" not in json.dumps(wrong)


def test_what_keeps_one_class_is_its_own_problem(region: Wired, monkeypatch: pytest.MonkeyPatch) -> None:
    _, key = region.key(OPEN, SECRET)
    id = batch(region, line(), key).json["id"]
    class_id = region.gate.classes.of(region.clearance(SECRET)).id
    batches = loop(region)
    for error, told in ((StorageFull(), "storage-full"), (ZeroDivisionError(), "internal")):

        async def fails(given: Any, error: Exception = error) -> Any:
            raise error

        monkeypatch.setattr(region.gate.vault.committer, "commit", fails)
        run(region, batches)
        monkeypatch.undo()
        assert batches.problems == {class_id: told}
    run(region, batches)
    assert batches.problems == {}
    assert look(region, id, key)["status"] == "completed"


def test_whoever_comes_second_gives_way(region: Wired, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes at the same batch: one commit of a version counts."""
    _, key = region.key(OPEN, SECRET)
    id = batch(region, line(), key).json["id"]
    commit = region.gate.vault.committer.commit
    other = loop(region)

    async def is_overtaken(given: Any) -> Any:
        if given.puts:
            monkeypatch.setattr(region.gate.vault.committer, "commit", commit)
            await other.lane(region.gate.classes.of(region.clearance(SECRET)))
        return await commit(given)

    monkeypatch.setattr(region.gate.vault.committer, "commit", is_overtaken)
    batches = loop(region)
    run(region, batches)
    assert batches.problems == {}
    assert len(region.answers.asked) == 1
    assert look(region, id, key)["request_counts"] == {"total": 1, "completed": 1, "failed": 0}


def test_a_file_that_goes_on_the_way(region: Wired) -> None:
    """After a start the file is read again."""
    _, key = region.key(OPEN, SECRET)
    file = bring(region, b"".join(line(f"n{n}") for n in range(STEP + 1)), key).json["id"]
    body = {"input_file_id": file, "endpoint": "/v1/chat/completions"}
    id = call(region, "POST", "/v1/batches", body, key).json["id"]

    async def tires(flow: Flow, chat: Chat) -> AsyncIterator[Delta]:
        if len(region.answers.asked) > STEP:
            raise EngineFailed(cause="down", engine="large", why="nobody is there")
        async for delta in two_rungs(flow, chat):
            yield delta

    region.answers.script = tires
    run(region)
    call(region, "DELETE", f"/v1/files/{file}", key=key)
    run(region)
    found = look(region, id, key)
    assert (found["status"], found["errors"]["data"][0]["code"]) == ("failed", "input")
    assert len(rows(region, found["output_file_id"], key)) == STEP


def test_an_owner_who_may_not_ask_any_more_and_a_file_that_is_gone(region: Wired) -> None:
    _, key = region.key(OPEN, SECRET)
    file = bring(region, line(), key).json["id"]
    body = {"input_file_id": file, "endpoint": "/v1/chat/completions"}
    id = call(region, "POST", "/v1/batches", body, key).json["id"]
    call(region, "DELETE", f"/v1/files/{file}", key=key)
    run(region)
    found = look(region, id, key)
    assert (found["status"], found["errors"]["data"][0]["code"]) == ("failed", "input")

    id = batch(region, line(), key).json["id"]
    region.gate.directory.principal, before = (lambda id: None), region.gate.directory.principal  # type: ignore[method-assign]
    try:
        run(region)
    finally:
        region.gate.directory.principal = before  # type: ignore[method-assign]
    assert look(region, id, key)["errors"]["data"][0]["code"] == "owner"
