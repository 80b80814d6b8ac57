"""Chat completions: what goes in, what comes out, whole and in a stream."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from casemate.access import Flow
from casemate.models import READER, Chat, Delta
from tests.doors.openai.asking import ask, chat
from tests.doors.wired import OPEN, SECRET, UPSTREAM, Wired

TEXT = "(U) Extract: “The ferry sails at nine.” [1]\n\n(S//NF) Extract: “Le navire caché part à l’aube.” [1]"


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
    """Each delta of the answerer is a chunk of its own, and none waits for what stands above it."""
    *chunks, _ = ask(region, chat(stream=True)).events
    said = [chunk["choices"][0]["delta"].get("content", "") for chunk in chunks]
    holds = [("ferry" in text, "caché" in text) for text in said]
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
    ask(region, chat(seed=4, user="u", tools=[], stop=None, logit_bias={"1": 2}, never_heard_of={"a": [1]}))
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
