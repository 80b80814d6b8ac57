"""What goes on over several requests floats: it starts at the floor and rises to where a request acts, not to its hits.

These are the conversations that there are: a client that sends its history back, an answer that is kept, a file and a
batch, and an entry that is asked about again. No response is kept to be built upon (`tests/doors/openai`).
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from casemate.accounts import KeyRequest, issue
from casemate.identity import Bearer, Peer
from casemate.policy import Action
from tests.attacks.scene import (
    ASKED,
    HIDDEN,
    LOW,
    SECRET,
    TOP,
    Writer,
    bring,
    connect,
    flow_of,
    label_of,
    log,
    principal,
)
from tests.laws.world import World

ALPHA = "agency=EXERCISE + need=ALPHA + us:SECRET//REL=USA"
ACT, ASK = Action("keep", "answer"), Action("ask", "answer")


async def test_a_flow_starts_at_its_floor_and_is_labelled_where_it_acts(world: World) -> None:
    for acting in (LOW, SECRET, ALPHA):
        flow = await flow_of(world, principal(world, "ann", ALPHA), ACT, acting)
        assert flow.floor is flow.take("said").label is label_of(world, LOW)
        assert flow.label is label_of(world, acting)


async def test_what_was_found_raises_nothing_and_where_it_was_sought_does(world: World) -> None:
    """Also nothing found at SECRET tells of SECRET; and a request at SECRET that finds what is low is no lower."""
    await world.person("ann", SECRET)
    await bring(world, "ann", HIDDEN, LOW, label=LOW)
    for question in (ASKED, "never written"):
        seen = await world.call("ann", "POST", "/api/ask", {"question": question}, SECRET)
        assert seen.header("Casemate-Label") == SECRET
        low = await world.call("ann", "POST", "/api/ask", {"question": question}, LOW)
        assert low.header("Casemate-Label") == LOW


@pytest.mark.parametrize("needs", [(), ("ALPHA",)], ids=["plain", "needs"])
async def test_a_program_that_sends_its_history_back_sends_it_at_what_it_was_made_at(
    world: World, needs: tuple[str, ...]
) -> None:
    """A key has one rung unless it says otherwise: its floor is its ceiling, authorizations among it."""
    await world.person("ann", ALPHA)
    owner = world.house.gate.admit(Peer(0))
    asked = KeyRequest(principal="ann", ceiling=SECRET, needs=needs)
    _, world.keys["program"] = await issue(await flow_of(world, owner, Action("issue", "key")), asked)
    session = world.house.gate.admit(Bearer(world.keys["program"]))
    flow = await world.house.gate.open(session, ASK)
    assert flow.floor is flow.acting is label_of(world, SECRET).with_needs(needs)
    low = Writer("told")
    connect(world, low, LOW)
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}]
    seen = await world.call("program", "POST", "/v1/chat/completions", {"model": "far", "messages": turns})
    assert (seen.status, low.lent) == (404, []), "its history is not lent below"


async def test_what_is_asked_again_bears_what_was_brought_then(world: World) -> None:
    """A proof of an earlier answer starts at the floor of that request, raised by the marks in it."""
    await world.person("ann", TOP)
    asked = await world.call("ann", "POST", "/api/ask", {"question": f"(S//NF) {ASKED}"}, SECRET)
    assert asked.status == 200
    told: dict[str, Any] = {"question": "", "who": "", "at": LOW, "reason": "", "last": True}
    assert (await world.call("ann", "POST", "/api/prove", told, SECRET)).status == 403
    told["at"] = SECRET
    proof = await world.call("ann", "POST", "/api/prove", told, SECRET)
    assert proof.json["data"]["floor"] == SECRET


@pytest.mark.parametrize("label", [LOW, SECRET, ALPHA])
async def test_a_kept_answer_lies_where_it_was_kept_and_nowhere_else(world: World, label: str) -> None:
    await world.person("ann", ALPHA)
    assert (await world.call("ann", "POST", "/api/answers", {"text": "(U) words"}, label)).status == 201
    for at in (LOW, SECRET, ALPHA):
        listed = await world.call("ann", "GET", "/api/answers", acting=at)
        assert (b"words" in listed.body) == (label_of(world, label) <= label_of(world, at))


@pytest.mark.parametrize("label", [SECRET, ALPHA])
async def test_a_line_of_a_batch_starts_and_ends_where_the_batch_lies(world: World, label: str) -> None:
    """Its floor is the batch's label, for its file was chosen there."""
    await world.person("ann", ALPHA)
    engine = Writer("told")
    connect(world, engine, TOP, outside=False)
    line = {
        "custom_id": "1",
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": {"model": "far", "messages": [{"role": "user", "content": "a"}]},
    }
    boundary = "b0undary"
    form = (
        (
            f'--{boundary}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n--{boundary}\r\n'
            'Content-Disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n'
        ).encode()
        + msgspec.json.encode(line)
        + f"\r\n--{boundary}--\r\n".encode()
    )
    kind = (("content-type", f"multipart/form-data; boundary={boundary}"),)
    file = await world.call("ann", "POST", "/v1/files", form, label, headers=kind)
    assert file.status == 200, file.body
    asked = {"input_file_id": file.json["id"], "endpoint": "/v1/chat/completions", "completion_window": "24h"}
    batch = await world.call("ann", "POST", "/v1/batches", asked, label)
    assert batch.status == 200, batch.body
    for _ in range(8):
        await world.step("models.batch")
    done = (await world.call("ann", "GET", f"/v1/batches/{batch.json['id']}", acting=label)).json
    assert (done["status"], len(engine.lent)) == ("completed", 1), done
    below_it = LOW if label == SECRET else SECRET
    assert (await world.call("ann", "GET", f"/v1/batches/{batch.json['id']}", acting=below_it)).status == 404
    assert (await world.call("ann", "GET", f"/v1/files/{done['output_file_id']}", acting=below_it)).status == 404
    floors = {entry.facts.get("floor") for entry in log(world, label) if entry.action == "batch.run"}
    assert floors - {None} <= {label}
