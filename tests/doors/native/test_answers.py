"""Asking, streaming, keeping and proving through the native API."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from casemate.errors import EngineFailed
from casemate.models import Delta
from tests.attacks.scene import LOW, SECRET, TOP, Writer, connect, hide, log
from tests.laws.world import Seen, World

ASKED = {"question": "hidden lantern pier"}
OPEN = b"No hidden lantern stands at the pier."


async def analyst(world: World) -> None:
    """Somebody cleared to TOP, an open document and a hidden one."""
    await world.person("ann", TOP)
    await hide(world, "ann", LOW, OPEN)
    await hide(world, "ann", SECRET)


def events(seen: Seen) -> list[tuple[str, Any]]:
    told = []
    for block in seen.body.decode().strip().split("\n\n"):
        name, _, data = block.partition("\n")
        told.append((name.removeprefix("event: "), msgspec.json.decode(data.removeprefix("data: "))))
    return told


async def test_an_answer_in_rungs_is_marked_cited_and_on_record(world: World) -> None:
    await analyst(world)
    seen = await world.call("ann", "POST", "/api/ask", ASKED, SECRET)
    data = seen.json["data"]
    assert (seen.status, seen.json["label"], seen.json["mark"], data["finish"]) == (200, SECRET, "(S//NF)", "stop")
    assert [(rung["mark"], rung["label"]) for rung in data["rungs"]] == [("(U)", LOW), ("(S//NF)", SECRET)]
    assert all(rung["extract"] and rung["citations"] for rung in data["rungs"])
    for rung in data["rungs"]:
        for cited in rung["citations"]:
            assert data["text"][cited["start"] : cited["end"]] == f"[{cited['number']}]"
            assert cited["label"] in (LOW, SECRET)
    begin, end = log(world, SECRET)[-2:]
    assert (begin.outcome, end.outcome, end.ref) == ("begin", "complete", begin.id)
    assert seen.header("casemate-ledger") == begin.id
    assert (begin.facts["operation"], end.facts["rungs"]) == ("POST /api/ask", 2)


async def test_what_lies_above_changes_nothing_below(world: World) -> None:
    await world.person("ann", TOP)
    await hide(world, "ann", LOW, OPEN)
    before = (await world.call("ann", "POST", "/api/ask", ASKED, LOW)).json["data"]
    await hide(world, "ann", SECRET)
    assert (await world.call("ann", "POST", "/api/ask", ASKED, LOW)).json["data"] == before


async def test_one_paragraph_at_the_acting_label(world: World) -> None:
    await analyst(world)
    data = (await world.call("ann", "POST", "/api/ask", {**ASKED, "mode": "single"}, SECRET)).json["data"]
    assert [rung["label"] for rung in data["rungs"]] == [SECRET]


async def test_a_stream_says_the_same_piece_by_piece(world: World) -> None:
    await analyst(world)
    whole = (await world.call("ann", "POST", "/api/ask", ASKED, SECRET)).json["data"]
    seen = await world.call("ann", "POST", "/api/ask/stream", ASKED, SECRET)
    told = events(seen)
    assert {name for name, _ in told} == {"delta"}
    assert "".join(delta["text"] for _, delta in told) == whole["text"]
    assert told[-1][1]["finish"] == "stop"
    assert (seen.header("content-type"), seen.header("casemate-label")) == ("text/event-stream", SECRET)
    assert len(told) > 2
    assert log(world, SECRET)[-1].ref == seen.header("casemate-ledger")


@pytest.mark.parametrize("path", ["/api/ask", "/api/ask/stream"])
@pytest.mark.parametrize(
    ("more", "status", "slug"),
    [
        ({"question": "  "}, 400, "malformed"),
        ({"model": "nobody/nothing"}, 404, "unknown-model"),
        ({"knowledge": "nowhere"}, 404, "unknown-knowledge"),
        ({"knowledge": "none"}, 400, "malformed"),
        ({"mode": "poem"}, 400, "malformed"),
        ({"question": 7}, 400, "malformed"),
        ({"question": "(TS//SI//NF) hidden"}, 403, "refused"),
        ({"question": "(S//BANANA) hidden"}, 403, "refused"),
    ],
)
async def test_what_fails_before_its_first_word_is_a_plain_problem(
    world: World, path: str, more: dict[str, Any], status: int, slug: str
) -> None:
    await analyst(world)
    seen = await world.call("ann", "POST", path, {**ASKED, **more}, SECRET)
    assert (seen.status, seen.json["slug"], seen.header("content-type")) == (status, slug, "application/problem+json")
    assert seen.header("casemate-label") == SECRET
    entries = log(world, SECRET)
    begun = [entry.id for entry in entries if entry.outcome == "begin"]
    ended = [entry.ref for entry in entries if entry.ref]
    assert sorted(begun) == sorted(ended), "an END for every BEGIN"


async def test_a_marked_question_carries_its_mark(world: World) -> None:
    await analyst(world)
    marked = {"question": f"(S//NF) {ASKED['question']}"}
    data = (await world.call("ann", "POST", "/api/ask", marked, SECRET)).json["data"]
    assert {rung["label"] for rung in data["rungs"]} == {SECRET}
    assert log(world, SECRET)[-2].facts["floor"] == SECRET


async def test_nothing_found_is_one_abstention_at_the_acting_label(world: World) -> None:
    await analyst(world)
    data = (await world.call("ann", "POST", "/api/ask", {"question": "zebra xylophone?"}, SECRET)).json["data"]
    assert data["finish"] == "abstain"
    assert [rung["label"] for rung in data["rungs"]] == [SECRET]
    streamed = events(await world.call("ann", "POST", "/api/ask/stream", {"question": "zebra xylophone?"}, SECRET))
    assert streamed[-1][1]["finish"] == "abstain"


async def test_an_upstream_writes_what_it_may_and_the_reader_the_rest(world: World) -> None:
    await analyst(world)
    await hide(world, "ann", TOP, b"The hidden lantern burns at the pier for the third time.")
    engine = Writer("It ", "burns. [1]")
    connect(world, engine, SECRET)
    seen = await world.call("ann", "POST", "/api/ask", {**ASKED, "model": "far"}, TOP)
    rungs = {rung["label"]: rung for rung in seen.json["data"]["rungs"]}
    assert [rungs[label]["engine"] for label in (LOW, SECRET)] == ["far", "far"]
    assert rungs[TOP]["extract"]
    assert "far" in rungs[TOP]["note"]
    assert "third time" not in str(engine.lent)
    assert "third time" in rungs[TOP]["text"]
    assert [entry.facts["engine"] for entry in log(world, TOP) if entry.outcome == "lent"] == ["far", "far"]


async def test_an_upstream_as_itself_is_lent_what_was_typed(world: World) -> None:
    await world.person("ann", TOP)
    engine = Writer("Good ", "morning.")
    connect(world, engine, SECRET)
    seen = await world.call("ann", "POST", "/api/ask", {"question": "Hello?", "model": "far", "knowledge": "none"}, TOP)
    assert (seen.json["data"]["text"], seen.json["label"]) == ("Good morning.", TOP)
    assert seen.json["data"]["usage"] == {"prompt": 1, "completion": 1, "estimated": False, "cached": 0}
    assert [message.content for message in engine.lent[0]] == ["Hello?"]
    marked = {"question": "(TS//SI//NF) Hello?", "model": "far", "knowledge": "none"}
    refused = await world.call("ann", "POST", "/api/ask", marked, TOP)
    assert refused.status in (403, 404)
    assert len(engine.lent) == 1


async def test_an_answer_is_kept_at_the_label_at_which_it_was_asked(world: World) -> None:
    await world.person("ann", TOP)
    body = {"text": "(U) The ferry.", "question": "When?", "asked": "ent_x"}
    for label in ("", SECRET):
        seen = await world.call("ann", "POST", "/api/answers", {**body, "label": label}, SECRET)
        assert (seen.status, seen.json["label"]) == (201, SECRET)
    found = (await world.call("ann", "GET", "/api/answers", acting=TOP)).json["data"]
    assert [(f["label"], f["answer"]["text"], f["answer"]["by"]) for f in found] == [(SECRET, body["text"], "ann")] * 2
    assert found[0]["answer"]["at"] == world.clock.now()
    assert (await world.call("ann", "GET", "/api/answers", acting=LOW)).json["data"] == []


@pytest.mark.parametrize("label", ["UNCLASSIFIED", "TOP SECRET//SI//NOFORN", "SECRET//REL TO USA, FRA"])
async def test_an_answer_is_kept_at_no_other_label(world: World, label: str) -> None:
    await world.person("ann", TOP)
    seen = await world.call("ann", "POST", "/api/answers", {"text": "(U) The ferry.", "label": label}, SECRET)
    assert (seen.status, seen.json["rule"]) == (403, "no-write-down")
    assert "--for" in seen.json["remedy"]
    assert (await world.call("ann", "GET", "/api/answers", acting=TOP)).json["data"] == []


@pytest.mark.parametrize("text", ["", "  \n", "x" * 200_001])
async def test_no_answer_or_too_long_a_one(world: World, text: str) -> None:
    await world.person("ann", TOP)
    assert (await world.call("ann", "POST", "/api/answers", {"text": text}, SECRET)).status == 400


async def test_a_proof_of_ones_own_answer(world: World) -> None:
    await analyst(world)
    seen = await world.call("ann", "POST", "/api/prove", ASKED, SECRET)
    proof = seen.json["data"]
    assert (proof["equal"], proof["first"]) == (True, proof["second"])
    assert (proof["principal"], proof["acting"], proof["documents"]) == ("ann", SECRET, 2)
    assert proof["answer"]["finish"] == "stop"
    assert log(world, SECRET)[-1].facts["equal"] == 1


async def test_a_proof_of_the_last_question_and_of_none(world: World) -> None:
    await analyst(world)
    none = await world.call("ann", "POST", "/api/prove", {"last": True}, SECRET)
    assert (none.status, none.json["slug"]) == (400, "malformed")
    assert (await world.call("ann", "POST", "/api/prove", {}, SECRET)).status == 400
    await world.call("ann", "POST", "/api/ask", ASKED, SECRET)
    again = await world.call("ann", "POST", "/api/prove", {"last": True}, SECRET)
    assert again.json["data"]["question"] == ASKED["question"]


async def test_what_fails_in_the_middle_of_a_stream_is_its_last_event(world: World) -> None:
    await world.person("ann", TOP)

    class Fails(Writer):
        async def generate(self, *_: Any, **__: Any) -> Any:
            yield Delta(text="half")
            raise EngineFailed(engine="far", why="it hung up")

    connect(world, Fails(), SECRET)
    asked = {"question": "Hello?", "model": "far", "knowledge": "none"}
    told = events(await world.call("ann", "POST", "/api/ask/stream", asked, SECRET))
    assert [name for name, _ in told] == ["delta", "problem"]
    assert (told[1][1]["slug"], told[1][1]["label"]) == ("engine-failed", SECRET)
    assert log(world, SECRET)[-1].outcome == "failed"
