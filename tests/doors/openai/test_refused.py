"""Chat completions that are refused, each told in the protocol's brackets and in the session's language."""

from __future__ import annotations

from typing import Any

import pytest

from casemate.models import READER
from tests.doors.openai.asking import ask, chat
from tests.doors.wired import HIGH, OPEN, SECRET, UPSTREAM, Wired

REFUSED: list[tuple[dict[str, Any], int, str]] = [
    (chat(n=2), 400, "n"),
    (chat(tools=[{"type": "function", "function": {"name": "f"}}]), 400, "tools"),
    (chat(tools=[{"type": "custom", "custom": {"name": "f"}}]), 400, "custom"),
    (chat(functions=[{"name": "f"}]), 400, "functions"),
    (chat(stop=["a", "b", "c", "d", "e"]), 400, "stop"),
    (chat(logprobs=True), 400, "logprobs"),
    (chat(response_format={"type": "json_object"}), 400, "shape"),
    (chat(modalities=["text", "audio"]), 400, "audio"),
    (chat(max_tokens=0), 400, "max_completion_tokens"),
    (chat(temperature=3), 400, "temperature"),
    (chat(metadata={"mode": "poem"}), 400, "poem"),
    (chat(metadata={"knowledge": "all,cables"}), 400, "all,cables"),
    (chat(metadata={"knowledge": ""}), 400, "knowledge"),
    (chat(metadata={"knowledge": 3}), 400, "metadata"),
    (chat([{"type": "input_audio", "input_audio": {}}]), 400, "input_audio"),
    (chat(""), 400, "text"),
    (chat(5), 400, "content"),
    (chat(model="gpt-nothing"), 404, "gpt-nothing"),
    (chat(model=5), 400, "model"),
    ({"model": READER, "messages": []}, 400, "text"),
    ({"model": READER, "messages": [{"role": "tool", "content": "x"}]}, 400, "tool"),
    ({"model": READER, "messages": [{"role": "assistant", "tool_calls": [{}]}]}, 400, "tool call"),
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
    got = region.send("POST", "/v1/moderations", {}, [])
    assert (got.status, got.json["error"]["code"]) == (404, "absent")
    assert got.marked()
