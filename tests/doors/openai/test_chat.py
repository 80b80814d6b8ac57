"""Chat completions: what goes in, what comes out, whole and in a stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from casemate.access import Flow
from casemate.errors import EngineFailed, UnknownKnowledge
from casemate.models import READER, Chat, Delta, Usage
from tests.doors.wired import HIGH, OPEN, SECRET, UPSTREAM, Got, Wired, breaks_in_the_middle, two_rungs

TEXT = "(U) Extract: “The ferry sails at nine.” [1]\n\n(S//NF) Extract: “Le navire caché part à l’aube.” [1]"


def ask(region: Wired, body: dict[str, Any] | bytes, key: str = "", **more: Any) -> Got:
    secret = key or region.key(OPEN, SECRET)[1]
    headers = [("Authorization", f"Bearer {secret}"), *more.pop("headers", ())]
    return region.send("POST", "/v1/chat/completions", body, headers, **more)


def chat(content: Any = "When does the ferry sail?", **more: Any) -> dict[str, Any]:
    return {"model": READER, "messages": [{"role": "user", "content": content}]} | more


# ---- what comes out ------------------------------------------------------------------------------------------------


def test_a_whole_answer_is_the_deltas_text_and_nothing_else(region: Wired) -> None:
    got = ask(region, chat())
    choice = got.json["choices"][0]
    assert (got.status, got.json["object"]) == (200, "chat.completion")
    assert choice["message"]["content"] == TEXT
    assert (choice["finish_reason"], choice["index"], choice["message"]["role"]) == ("stop", 0, "assistant")
    assert got.json["usage"] == {"prompt_tokens": 7, "completion_tokens": 11, "total_tokens": 18}
    assert got.json["model"] == READER


def test_citations_are_annotations_that_point_into_the_text(region: Wired) -> None:
    message = ask(region, chat()).json["choices"][0]["message"]
    first, second = message["annotations"]
    for cited in (first, second):
        place = cited["url_citation"]
        assert message["content"][place["start_index"] : place["end_index"]] == "[1]"
        assert cited["type"] == "url_citation"
        assert cited["quote"] in message["content"]
    assert (first["mark"], second["mark"]) == ("(U)", "(S//NF)")
    assert second["url_citation"]["url"] == f"/passages/{second['passage']}"
    assert (second["document"], second["url_citation"]["title"]) == ("doc_a", "Notice été")


def test_a_response_bears_its_marking_its_label_and_its_begin(region: Wired) -> None:
    got = ask(region, chat())
    assert got.headers["casemate-marking"] == "SECRET//NOFORN"
    assert got.headers["casemate-label"] == region.clearance(SECRET).text
    begun = region.entry(got.headers["casemate-ledger"])
    (end,) = region.ends(begun.id)
    assert (begun.action, begun.outcome) == ("answer.ask", "begin")
    assert (end.outcome, end.facts["model"], end.facts["completion"]) == ("complete", READER, 11)
    assert len(begun.content) == len(end.content) == 96
    assert begun.content != end.content


def test_id_and_created_come_from_the_vault(region: Wired) -> None:
    one, two = ask(region, chat()).json, ask(region, chat()).json
    assert one["created"] == region.clock.now() // 1_000_000
    assert one["id"].startswith("chatcmpl-")
    assert one["id"] != two["id"]


def test_a_stream_says_the_same_and_ends_with_done(region: Wired) -> None:
    got = ask(region, chat(stream=True))
    assert got.headers["content-type"] == "text/event-stream"
    *chunks, done = got.events
    assert done == "[DONE]"
    assert {c["object"] for c in chunks} == {"chat.completion.chunk"}
    assert len({c["id"] for c in chunks}) == 1
    deltas = [c["choices"][0]["delta"] for c in chunks]
    assert deltas[0]["role"] == "assistant"
    assert "".join(d.get("content", "") for d in deltas) == TEXT
    assert [c["choices"][0]["finish_reason"] for c in chunks] == [None] * (len(chunks) - 1) + ["stop"]
    cited = [d["annotations"] for d in deltas if "annotations" in d]
    assert [c[0]["mark"] for c in cited] == ["(U)", "(S//NF)"]
    assert cited == [[a] for a in ask(region, chat()).json["choices"][0]["message"]["annotations"]]
    assert not any("usage" in c for c in chunks)
    assert got.marked()


def test_a_stream_counts_only_when_asked(region: Wired) -> None:
    *chunks, counted, done = ask(region, chat(stream=True, stream_options={"include_usage": True})).events
    assert done == "[DONE]"
    assert counted["choices"] == []
    assert counted["usage"]["total_tokens"] == 18
    assert [c["usage"] for c in chunks] == [None] * len(chunks)


def test_a_rung_ends_before_the_next_begins_on_the_wire(region: Wired) -> None:
    """Each delta of the answerer is a piece of its own: nothing waits for what stands above it."""
    got = ask(region, chat(stream=True))
    holds = [("ferry" in p.decode(), "caché" in p.decode()) for p in got.pieces]
    assert (True, True) not in holds
    assert holds.index((True, False)) < holds.index((False, True))


@pytest.mark.parametrize(("finish", "told"), [("stop", "stop"), ("length", "length"), ("abstain", "stop")])
def test_how_an_answer_ended(region: Wired, finish: str, told: str) -> None:
    async def script(flow: Flow, chat: Chat) -> AsyncIterator[Delta]:
        yield Delta(text="x", finish=finish)

    region.answers.script = script
    assert ask(region, chat()).json["choices"][0]["finish_reason"] == told
    assert ask(region, chat(stream=True)).events[-2]["choices"][0]["finish_reason"] == told


# ---- what goes in --------------------------------------------------------------------------------------------------


def test_roles_and_parts_become_messages(region: Wired) -> None:
    turns = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "One"}, {"type": "text", "text": "Two"}]},
        {"role": "assistant", "content": None},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
        {"role": "user", "content": "Why?", "name": "ann"},
    ]
    assert ask(region, {"model": READER, "messages": turns}).status == 200
    (asked,) = region.answers.asked
    assert [(m.role, m.content) for m in asked.messages] == [
        ("system", "Be brief."),
        ("user", "One\n\nTwo"),
        ("assistant", ""),
        ("assistant", "No."),
        ("user", "Why?"),
    ]
    assert asked.question == "Why?"


@pytest.mark.parametrize(
    ("model", "metadata", "knowledge"),
    [
        (READER, None, ("all",)),
        (UPSTREAM, None, ()),
        (UPSTREAM, {"knowledge": "all"}, ("all",)),
        (READER, {"knowledge": "none"}, ()),
        (READER, {"knowledge": "cables, port ,cables"}, ("cables", "port")),
    ],
)
def test_knowledge_by_default_and_by_name(
    region: Wired, model: str, metadata: dict[str, str] | None, knowledge: tuple[str, ...]
) -> None:
    assert ask(region, chat(model=model, metadata=metadata)).status == 200
    (asked,) = region.answers.asked
    assert (asked.knowledge, asked.model, asked.mode) == (knowledge, model, "rungs")


def test_the_rest_of_a_request(region: Wired) -> None:
    ask(region, chat(metadata={"mode": "single", "team": "x"}, max_tokens=9, max_completion_tokens=5, temperature=0.5))
    ask(region, chat(seed=4, user="u", store=True, tools=[], stop=None, logit_bias={"1": 2}, never_heard_of={"a": [1]}))
    first, second = region.answers.asked
    assert (first.mode, first.max_tokens, first.temperature, first.language) == ("single", 5, 0.5, "en")
    assert (second.mode, second.max_tokens, second.temperature) == ("rungs", 1024, None)


def test_a_mark_in_any_message_raises_the_floor(region: Wired) -> None:
    body = chat()
    body["messages"].insert(0, {"role": "assistant", "content": [{"type": "text", "text": "(S//NF) Said before."}]})
    got = ask(region, body)
    assert got.status == 200
    assert region.answers.floors == [region.label(SECRET)]


def test_the_acting_label_is_chosen_by_header(region: Wired) -> None:
    got = ask(region, chat(), headers=[("Casemate-Acting-Label", OPEN)])
    assert got.headers["casemate-marking"] == "UNCLASSIFIED"
    assert got.headers["casemate-label"] == region.label(OPEN).text


# ---- what is refused -----------------------------------------------------------------------------------------------

REFUSED: list[tuple[dict[str, Any], int, str]] = [
    (chat(n=2), 400, "n"),
    (chat(tools=[{"type": "function", "function": {"name": "f"}}]), 400, "tools"),
    (chat(functions=[{"name": "f"}]), 400, "functions"),
    (chat(stop=["END"]), 400, "stop"),
    (chat(logprobs=True), 400, "logprobs"),
    (chat(response_format={"type": "json_object"}), 400, "response_format"),
    (chat(modalities=["text", "audio"]), 400, "audio"),
    (chat(web_search_options={}), 400, "web_search_options"),
    (chat(max_tokens=0), 400, "max_completion_tokens"),
    (chat(temperature=3), 400, "temperature"),
    (chat(metadata={"mode": "poem"}), 400, "poem"),
    (chat(metadata={"knowledge": "all,cables"}), 400, "all,cables"),
    (chat(metadata={"knowledge": ""}), 400, "knowledge"),
    (chat(metadata={"knowledge": 3}), 400, "metadata"),
    (chat([{"type": "image_url", "image_url": {"url": "http://x"}}]), 400, "image_url"),
    (chat(""), 400, "text"),
    (chat(5), 400, "content"),
    (chat(model="gpt-nothing"), 404, "gpt-nothing"),
    (chat(model=5), 400, "model"),
    ({"model": READER, "messages": []}, 400, "text"),
    ({"model": READER, "messages": [{"role": "tool", "content": "x"}]}, 400, "tool"),
    ({"model": READER, "messages": [{"role": "assistant", "tool_calls": [{}]}]}, 400, "tool_calls"),
    ({"model": READER}, 400, "messages"),
]


@pytest.mark.parametrize(("body", "status", "names"), REFUSED, ids=lambda v: v if isinstance(v, str) else "")
def test_what_is_not_offered_is_named(region: Wired, body: dict[str, Any], status: int, names: str) -> None:
    got = ask(region, body)
    error = got.json["error"]
    assert got.status == status
    assert names in error["message"]
    assert error["type"] == "invalid_request_error"
    assert got.marked()
    assert region.answers.asked == []


def test_a_problem_speaks_the_sessions_language(region: Wired) -> None:
    _, secret = region.key(OPEN, SECRET, language="fr")
    error = ask(region, chat(n=2), secret).json["error"]
    assert error["message"].startswith("« n » n'est pas encore proposé ici")
    ask(region, chat(), secret)
    assert region.answers.asked[-1].language == "fr"
    broken = ask(region, b"{", secret).json["error"]
    assert broken["message"].startswith("Le corps n'est pas ce que cette opération attend")


BROKEN = {
    "empty": b"",
    "not json": b"{",
    "a list": b"[1]",
    "invalid utf-8": b'{"model":"\xff\xfe","messages":[]}',
    "half a surrogate": b'{"model":"\\ud800","messages":[]}',
    "deep in a known field": b'{"model":"m","messages":' + b"[" * 200_000,
    "deep in an unknown field": b'{"model":"m","x":' + b"[" * 200_000 + b"]" * 200_000 + b',"messages":[]}',
    "deep in a refused field": b'{"model":"m","messages":[],"tools":' + b'{"a":' * 200_000 + b"1" + b"}" * 200_001,
    "a number for ever": b'{"model":"m","messages":[],"n":' + b"9" * 100_000 + b"}",
    "two values": b"{}{}",
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
def test_a_broken_body_is_told_and_the_region_stays_up(region: Wired, body: bytes) -> None:
    got = ask(region, body)
    assert (got.status, got.json["error"]["code"]) == (400, "malformed")
    assert got.marked()
    assert ask(region, chat()).status == 200


def test_a_query_without_an_end_is_told(region: Wired) -> None:
    got = region.send("POST", "/v1/chat/completions?" + "a=1&" * 101, chat())
    assert (got.status, got.json["error"]["code"]) == (400, "malformed")
    assert got.marked()


@pytest.mark.parametrize("length", ["9" * 18, "9" * 5000])
def test_a_length_beyond_all_bounds_is_not_waited_for(region: Wired, length: str) -> None:
    got = region.send("POST", "/v1/chat/completions", chat(), [("Content-Length", length)])
    assert (got.status, got.json["error"]["code"]) == (413, "too-large")


def test_fifty_megabytes_are_not_read(region: Wired) -> None:
    got = ask(region, b"x" * (50 << 20))
    assert (got.status, got.json["error"]["code"]) == (413, "too-large")
    assert got.marked()


def test_a_model_above_its_accreditation_is_unknown(region: Wired) -> None:
    _, high = region.key(HIGH)
    hidden = ask(region, chat(model=UPSTREAM), high)
    never = ask(region, chat(model="acme/never"), high)
    assert (hidden.status, never.status) == (404, 404)
    same = [
        {k: str(v).replace("acme/large", "acme/never") for k, v in got.json["error"].items() if k != "entry"}
        for got in (hidden, never)
    ]
    assert same[0] == same[1]


@pytest.mark.parametrize("key", ["", "cm_x_y", "sk-1234", "cm_" + "a" * 300, "clé"])
def test_an_unknown_key_is_not_told_from_any_other(region: Wired, key: str) -> None:
    got = region.send("POST", "/v1/chat/completions", chat(), [("Authorization", f"Bearer {key}")])
    assert (got.status, got.json["error"]["code"]) == (401, "invalid_api_key")
    assert got.headers["www-authenticate"] == "Bearer"
    assert got.marked()
    assert got.headers["casemate-marking"] == "UNCLASSIFIED"


def test_a_key_with_another_secret_and_an_expired_one(region: Wired) -> None:
    id, secret = region.key(OPEN, SECRET)
    other = region.key(OPEN, SECRET)[1].rpartition("_")[2]
    assert ask(region, chat(), f"cm_{id}_{other}").json["error"]["code"] == "invalid_api_key"
    region.clock.forward(91 * 86400)
    late = ask(region, chat(), secret)
    assert late.status == 401
    assert "valid until" in late.json["error"]["message"]


def test_a_mark_above_the_acting_label_goes_nowhere(region: Wired) -> None:
    got = ask(region, chat("TOP SECRET//SI//NOFORN\n\nWhat of it?"))
    assert got.status == 403
    assert got.json["error"]["type"] == "permission_error"
    assert got.json["error"]["rule"] == "mark-above"
    assert region.answers.asked == []


def test_an_acting_label_outside_the_key(region: Wired) -> None:
    got = ask(region, chat(), headers=[("Casemate-Acting-Label", HIGH)])
    assert (got.status, got.json["error"]["rule"]) == (403, "acting-label")
    unread = ask(region, chat(), headers=[("Casemate-Acting-Label", "VERY SECRET")])
    assert (unread.status, unread.json["error"]["code"]) == (400, "marking")
    assert got.marked()
    assert unread.marked()


def test_a_path_that_nobody_serves_is_told_in_this_protocol(region: Wired) -> None:
    got = region.send("POST", "/v1/embeddings", {}, [])
    assert (got.status, got.json["error"]["code"]) == (404, "absent")
    assert got.marked()


# ---- what fails on the way -----------------------------------------------------------------------------------------


async def breaks_at_once(flow: Flow, chat: Chat) -> AsyncIterator[Delta]:
    raise EngineFailed(engine="large", why="it hung up")
    yield Delta()


async def has_a_defect(flow: Flow, chat: Chat) -> AsyncIterator[Delta]:
    yield Delta(text="half a sent")
    raise ZeroDivisionError("secret text")


async def never_ends(flow: Flow, chat: Chat) -> AsyncIterator[Delta]:
    yield Delta(text="half a sent")


async def says_nothing(flow: Flow, chat: Chat) -> AsyncIterator[Delta]:
    for _ in ():
        yield Delta()


async def tells_an_error(flow: Flow, chat: Chat) -> AsyncIterator[Delta]:
    yield Delta(text="half a sent")
    yield Delta(finish="error")


async def knows_no_base(flow: Flow, chat: Chat) -> AsyncIterator[Delta]:
    raise UnknownKnowledge(name="cables")
    yield Delta()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("script", [breaks_at_once, says_nothing])
def test_a_failure_before_the_first_delta_is_a_plain_response(region: Wired, script: Any, stream: bool) -> None:
    region.answers.script = script
    got = ask(region, chat(stream=stream))
    assert (got.status, got.headers["content-type"]) == (502, "application/json")
    assert (got.json["error"]["code"], got.json["error"]["type"]) == ("engine-failed", "server_error")
    assert [e.outcome for e in region.ends(got.headers["casemate-ledger"])] == ["failed"]


@pytest.mark.parametrize("script", [breaks_in_the_middle, never_ends, tells_an_error])
def test_a_failure_in_a_stream_is_told_in_it(region: Wired, script: Any) -> None:
    region.answers.script = script
    got = ask(region, chat(stream=True))
    *_, said, last = got.events
    assert got.status == 200
    assert said["choices"][0]["delta"]["content"] == "half a sent"
    assert last["error"]["code"] == "engine-failed"
    assert [e.outcome for e in region.ends(got.headers["casemate-ledger"])] == ["failed"]
    assert ask(region, chat()).status == 502


def test_a_defect_in_a_stream_tells_nothing_of_itself(region: Wired, capsys: pytest.CaptureFixture[str]) -> None:
    region.answers.script = has_a_defect
    got = ask(region, chat(stream=True))
    assert got.events[-1]["error"]["code"] == "internal"
    assert [e.outcome for e in region.ends(got.headers["casemate-ledger"])] == ["failed"]
    said = capsys.readouterr().err
    assert "ZeroDivisionError" in said
    assert "secret text" not in said + got.body.decode()


def test_an_unknown_base_is_told_before_the_stream_begins(region: Wired) -> None:
    region.answers.script = knows_no_base
    got = ask(region, chat(stream=True, metadata={"knowledge": "cables"}))
    assert (got.status, got.json["error"]["code"]) == (404, "unknown-knowledge")


async def waits(flow: Flow, chat: Chat) -> AsyncIterator[Delta]:
    yield Delta(text="first")
    await asyncio.Event().wait()


async def waits_from_the_start(flow: Flow, chat: Chat) -> AsyncIterator[Delta]:
    await asyncio.Event().wait()
    yield Delta(text="never", usage=Usage())


def test_a_client_that_leaves_a_stream_stops_the_answer(region: Wired) -> None:
    region.answers.script = waits
    got = ask(region, chat(stream=True), leaves=lambda pieces: any(b"first" in p for p in pieces))
    assert region.answers.closed == 1
    assert [e.outcome for e in region.ends(got.headers["casemate-ledger"])] == ["cancelled"]


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_leaves_before_the_first_delta_stops_it_too(region: Wired, stream: bool) -> None:
    region.answers.script = waits_from_the_start
    got = ask(region, chat(stream=stream), leaves=lambda pieces: True)
    assert (got.status, region.answers.closed) == (0, 1)
    region.answers.script = two_rungs
    assert ask(region, chat()).status == 200
