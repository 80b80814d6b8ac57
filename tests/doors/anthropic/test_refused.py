"""What is refused, in Anthropic's brackets, and never asked of anybody."""

from __future__ import annotations

from typing import Any

import pytest

from casemate.doors.anthropic import problem
from casemate.errors import CasemateError, EngineFailed, Refused, Unauthenticated, Unavailable, tree
from casemate.models import Card
from casemate.words import problem as told_of
from tests.doors.anthropic.asking import PNG, VERSION, ask, message, opened
from tests.doors.wired import HIGH, OPEN, SECRET, UPSTREAM, Unused, Wired, never_asked

TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    409: "invalid_request_error",
    410: "invalid_request_error",
    412: "invalid_request_error",
    413: "request_too_large",
    422: "invalid_request_error",
    429: "rate_limit_error",
    500: "api_error",
    502: "api_error",
    507: "api_error",
    529: "overloaded_error",
}


@pytest.fixture(autouse=True)
def asks_nobody(region: Wired) -> None:
    region.answers.script = never_asked


def block(**fields: Any) -> dict[str, Any]:
    return message([fields], model=UPSTREAM)


def source(**fields: Any) -> dict[str, Any]:
    return block(type="image", source=fields)


BAD: dict[str, dict[str, Any]] = {
    "no max_tokens": {"model": UPSTREAM, "messages": [{"role": "user", "content": "x"}]},
    "max_tokens of 0": message(max_tokens=0),
    "temperature": message(temperature=1.5),
    "top_p": message(top_p=-1),
    "top_k": message(top_k=-1),
    "empty stop": message(stop_sequences=[""]),
    "many stops": message(stop_sequences=["x"] * 257),
    "role": {**message(), "messages": [{"role": "tool", "content": "x"}]},
    "messages": {**message(), "messages": "x"},
    "no words": message(""),
    "unknown block": block(type="hologram"),
    "block without type": block(text="x"),
    "text of a number": block(type="text", text=3),
    "picture that is none": source(type="base64", media_type="image/png", data="QUJD"),
    "picture of another kind": source(type="base64", media_type="image/tiff", data=PNG),
    "picture without bytes": source(type="base64", media_type="image/png"),
    "picture of odd characters": source(type="base64", media_type="image/png", data="%%"),
    "pdf": block(type="document", source={"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}),
    "citations": block(type="document", source={"type": "text", "data": "x"}, citations={"enabled": True}),
    "call by another": block(type="tool_use", id="t", name="n", input={}, caller={"type": "code_execution_20250825"}),
    "call of no object": block(type="tool_use", id="t", name="n", input=[1]),
    "result that calls": block(
        type="tool_result", tool_use_id="t", content=[{"type": "tool_use", "id": "t", "name": "n", "input": {}}]
    ),
    "result of a server": block(type="web_search_tool_result", tool_use_id="t", content=[]),
    "toolset": message(model=UPSTREAM, tools=[{"type": "browser_toolset_20260801"}]),
    "tool without schema": message(model=UPSTREAM, tools=[{"name": "x"}]),
    "tool without name": message(model=UPSTREAM, tools=[{"name": "", "input_schema": {}}]),
    "choice of nothing": message(model=UPSTREAM, tool_choice={"type": "any"}),
    "choice of another": message(
        model=UPSTREAM, tools=[{"name": "a", "input_schema": {}}], tool_choice={"type": "tool", "name": "b"}
    ),
    "choice of no kind": message(model=UPSTREAM, tool_choice={"type": "perhaps"}),
    "choice without kind": message(model=UPSTREAM, tool_choice={}),
    "format": message(model=UPSTREAM, output_format={"type": "xml", "schema": {}}),
    "tools for the reader": message(tools=[{"name": "a", "input_schema": {}}]),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_named(region: Wired, name: str) -> None:
    got = ask(region, BAD[name])
    assert (got.status, got.json["type"], got.json["error"]["type"]) == (400, "error", "invalid_request_error")
    assert got.json["error"]["message"]
    assert got.json["request_id"] == got.headers["casemate-ledger"] == got.headers["request-id"]
    assert not region.answers.asked


@pytest.mark.parametrize("raw", [b"{", b"\xff", b"[]", b'{"model":3}', b'{"a":1e999}'])
def test_a_body_that_is_no_message(region: Wired, raw: bytes) -> None:
    assert ask(region, raw).status == 400


@pytest.mark.parametrize("betas", ["no date", "x" * 300, ",".join(["a-2025"] * 40), "(S) secret-2025"])
def test_betas_are_names_and_nothing_else(region: Wired, betas: str) -> None:
    got = ask(region, message(), headers=(("anthropic-beta", betas),))
    assert (got.status, "anthropic-beta" in got.json["error"]["message"]) == (400, True)


@pytest.mark.parametrize("kind", ["image", "document"])
@pytest.mark.parametrize("where", [{"type": "url", "url": "https://far.example/x"}, {"type": "file", "file_id": "f"}])
def test_nothing_is_fetched(region: Wired, kind: str, where: dict[str, str]) -> None:
    """Where no card allows it, and where one does: a chat has no place for an address."""
    body = message([{"type": kind, "source": where}, {"type": "text", "text": "x"}], model=UPSTREAM)
    got = ask(region, body)
    assert (got.status, got.json["error"]["rule"]) == (403, "model-allows")
    allows = frozenset({f"{kind}.{where['type']}"})
    region.catalogue.add(Card("acme/all", "all", "acme", region.clearance(SECRET), Unused(), allows=allows))
    got = ask(region, {**body, "model": "acme/all"})
    assert got.status == 400
    assert f"{kind}.{where['type']}" in got.json["error"]["message"]


def test_a_model_that_does_not_chat(region: Wired) -> None:
    region.catalogue.add(Card("acme/vectors", "v", "acme", region.clearance(SECRET), Unused(), tasks=("embeddings",)))
    assert ask(region, message(model="acme/vectors")).status == 400


def test_an_unknown_model_is_not_found(region: Wired) -> None:
    got = ask(region, message(model="claude-nothing"))
    assert (got.status, got.json["error"]["type"], got.json["error"]["code"]) == (
        404,
        "not_found_error",
        "unknown-model",
    )


def test_a_hidden_model_is_told_like_one_that_never_was(region: Wired) -> None:
    region.catalogue.add(Card("acme/low", "low", "acme", region.clearance(OPEN), Unused()))
    hidden, never = (ask(region, message(model=name)).json for name in ("acme/low", "acme/lou"))
    for told in (hidden, never):
        told["error"].pop("entry")
        told.pop("request_id")
    assert str(hidden).replace("acme/low", "X") == str(never).replace("acme/lou", "X")


def test_nobody_is_told_who_he_must_be(region: Wired) -> None:
    got = region.send("POST", "/v1/messages", message(), [VERSION])
    assert (got.status, got.json["error"]["type"]) == (401, "authentication_error")
    assert got.headers["www-authenticate"] == "Bearer"


def test_a_bearer_is_as_good_as_a_key_and_two_that_differ_are_nobody(region: Wired) -> None:
    region.answers.script = type(region.answers)().script
    _, key = region.key(SECRET)
    _, other = region.key(SECRET)
    assert region.send("POST", "/v1/messages", message(), [("authorization", f"Bearer {key}")]).status == 200
    both = [("authorization", f"Bearer {key}"), ("x-api-key", other)]
    assert region.send("POST", "/v1/messages", message(), both).status == 401


def test_an_acting_label_above_the_key_is_forbidden(region: Wired) -> None:
    got = ask(region, message(), headers=(("Casemate-Acting-Label", HIGH),))
    assert (got.status, got.json["error"]["type"]) == (403, "permission_error")


def test_a_body_beyond_the_bound(region: Wired) -> None:
    got = ask(region, message("x" * (32 << 20)))
    assert (got.status, got.json["error"]["type"]) == (413, "request_too_large")


def test_a_path_that_nobody_serves_is_told_in_these_brackets(region: Wired) -> None:
    got = ask(region, b"", path="/anthropic/v1/nothing")
    assert (got.status, got.json["error"]["type"]) == (404, "not_found_error")


@pytest.mark.parametrize("error", tree(), ids=lambda error: error.slug)
def test_every_error_has_a_type_of_this_protocol(error: type[CasemateError]) -> None:
    told = problem.tell(told_of(error()), None)  # type: ignore[arg-type]
    assert told.status in TYPES
    assert f'"type":"{TYPES[told.status]}"'.encode() in told.body


def test_what_does_not_answer_now_is_overloaded() -> None:
    assert problem.tell(told_of(Unavailable(what="x")), None).status == 529  # type: ignore[arg-type]
    assert problem.tell(told_of(EngineFailed(engine="x", why="y")), None).status == 502  # type: ignore[arg-type]
    assert problem.tell(told_of(Unauthenticated()), None).headers == (("WWW-Authenticate", "Bearer"),)  # type: ignore[arg-type]
    assert b"permission_error" in problem.event(told_of(Refused(rule="mark-above", mark="x")))


def test_marks_anywhere_are_looked_at(region: Wired) -> None:
    """A mark above the ceiling, wherever it stands: nobody is asked."""
    mark = "(TS//SI//NF) The convoy"
    tool = {"name": "read", "description": mark, "input_schema": {}}
    schema = {"name": "read", "input_schema": {"properties": {"a": {"description": mark}}}}
    for body in (
        message(mark),
        message(system=mark),
        message([{"type": "tool_result", "tool_use_id": "t", "content": mark}], model=UPSTREAM),
        message([{"type": "tool_result", "tool_use_id": "t", "content": f"Notes\n  12\t{mark}"}], model=UPSTREAM),
        message([{"type": "tool_use", "id": "t", "name": "n", "input": {mark: 1}}], model=UPSTREAM),
        message([{"type": "thinking", "thinking": mark, "signature": ""}], model=UPSTREAM),
        message(tools=[tool], model=UPSTREAM),
        message(tools=[schema], model=UPSTREAM),
        message(stop_sequences=[mark]),
        message(metadata={"user_id": mark}),
        message(novelty=[{"deep": mark}]),
    ):
        got = opened(region, body)
        assert (got.status, got.json["error"]["rule"]) == (403, "mark-above"), body
