"""Batches: whose they are, where they lie, and what keeps them apart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from casemate.access import Flow
from casemate.doors.openai import Lines
from casemate.models import Chat, Delta
from casemate.models import batch as kept
from casemate.models.batches import Batches
from casemate.policy import Action
from tests.doors.openai.asking import call
from tests.doors.openai.bringing import batch, bring, line, look, run
from tests.doors.wired import HIGH, OPEN, SECRET, Wired, two_rungs


def test_whose_it_is_and_where_it_lies(region: Wired) -> None:
    _, key = region.key(OPEN, SECRET)
    low = [("Casemate-Acting-Label", OPEN)]
    id = batch(region, line(), key).json["id"]
    assert call(region, "GET", f"/v1/batches/{id}", key=key, headers=low).status == 404
    _, other = region.key(OPEN, SECRET, name="other")
    assert call(region, "GET", f"/v1/batches/{id}", key=other).status == 404
    assert call(region, "POST", f"/v1/batches/{id}/cancel", key=other).status == 404
    assert call(region, "GET", "/v1/batches", key=other).json["data"] == []
    assert id in [one["id"] for one in call(region, "GET", "/v1/batches?limit=100", key=key).json["data"]]
    stolen = {"input_file_id": look(region, id, key)["input_file_id"], "endpoint": "/v1/chat/completions"}
    assert call(region, "POST", "/v1/batches", stolen, other).status == 404
    run(region)
    floors = {floor.text for floor in region.answers.floors}
    assert floors == {region.clearance(SECRET).text}
    high = region.key(HIGH)[1]
    assert call(region, "POST", f"/v1/batches/{id}/cancel", key=high).status in (403, 409)


@pytest.mark.parametrize(
    "more",
    [
        {"endpoint": "/v1/completions"},
        {"completion_window": "1h"},
        {"output_expires_after": {"anchor": "created_at", "seconds": 3600}},
        {"metadata": {"a": 1}},
        {"input_file_id": 3},
    ],
)
def test_what_is_no_batch(region: Wired, more: dict[str, Any]) -> None:
    file = bring(region, line()).json["id"]
    body = {"input_file_id": file, "endpoint": "/v1/chat/completions"} | more
    assert call(region, "POST", "/v1/batches", body).status == 400


def test_there_is_an_end_to_them(region: Wired, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "BATCHES", 1)
    _, key = region.key(OPEN, SECRET, name="many")
    assert batch(region, line(), key).status == 200
    assert batch(region, line(), key).status == 400
    run(region)
    assert batch(region, line(), key).status == 200
    run(region)


def test_a_class_that_waits_keeps_no_other_waiting(region: Wired) -> None:
    _, key = region.key(OPEN, SECRET)
    low = [("Casemate-Acting-Label", OPEN)]
    slow = batch(region, line(), key).json["id"]
    file = bring(region, line(), key, headers=low).json["id"]
    body = {"input_file_id": file, "endpoint": "/v1/chat/completions"}
    fast = call(region, "POST", "/v1/batches", body, key, headers=low).json["id"]

    async def waits_above(flow: Flow, chat: Chat) -> AsyncIterator[Delta]:
        if flow.acting is not region.label(OPEN):
            await asyncio.Event().wait()
        yield Delta(text="x", finish="stop")

    region.answers.script = waits_above

    async def steps() -> None:
        batches = Batches(region.gate, Lines(region.gate, region.catalogue, region.answers), patience=0.01)
        while "live" not in found:
            await batches.step()
            session = region.gate.service("models", region.gate.classes.of(region.label(OPEN)))
            flow = await region.gate.open(session, Action("run", "batch"))
            if (await flow.read(kept.BATCH, fast)).value.state == "completed":
                found["live"] = True
        await batches.stop()

    found: dict[str, bool] = {}
    asyncio.run(asyncio.wait_for(steps(), 60))
    region.answers.script = two_rungs
    run(region)
    assert look(region, slow, key)["status"] == "completed"
