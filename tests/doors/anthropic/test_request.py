"""What goes in: every block, tool and field as the house speaks of it, and what the ledger says of the others."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from casemate.models import Card, Chat, Choice, Image, Message, Shape, Text, Thought, Tool, ToolCall, ToolResult
from tests.doors.anthropic.asking import PNG, ask, message
from tests.doors.wired import SECRET, Unused, Wired

KIND = "acme/kin"  # an engine that speaks this protocol
OTHER = "acme/other"  # one that speaks another


class Kin(Unused):
    dialect = "anthropic"


class Other(Unused):
    dialect = "openai"


@pytest.fixture(autouse=True)
def models(region: Wired) -> None:
    takes = frozenset({"tools", "shape", "images"})
    for name, engine in ((KIND, Kin()), (OTHER, Other())):
        region.catalogue.add(Card(name, name, "acme", region.clearance(SECRET), engine, takes=takes))


def asked(region: Wired, **more: Any) -> Chat:
    """The chat that the answerer is given for such a request."""
    headers = more.pop("headers", ())
    got = ask(region, message(**{"model": KIND, **more}), headers=headers)
    assert got.status == 200, got.json
    return region.answers.asked[-1]


def facts(region: Wired, **more: Any) -> dict[str, Any]:
    """What the END of such a request says."""
    headers = more.pop("headers", ())
    got = ask(region, message(**{"model": KIND, **more}), headers=headers)
    assert got.status == 200, got.json
    (end,) = region.ends(got.headers["casemate-ledger"])
    return end.facts


def turn(region: Wired, *blocks: Any) -> str | tuple[Any, ...]:
    return asked(region, content=list(blocks)).messages[0].content


CACHED = {"type": "ephemeral"}
TOOL = {"name": "read", "description": "Reads.", "input_schema": {"type": "object"}}
READ = Tool("read", "Reads.", b'{"type":"object"}')


def test_words_numbers_and_stops(region: Wired) -> None:
    chat = asked(
        region,
        system="Be brief.",
        max_tokens=7,
        temperature=0.5,
        top_p=0.9,
        top_k=4,
        stop_sequences=["END", "\n"],
        metadata={"user_id": "someone"},
    )
    assert chat.messages == (Message("system", "Be brief."), Message("user", "When does the ferry sail?"))
    assert (chat.max_tokens, chat.temperature, chat.top_p, chat.top_k) == (7, 0.5, 0.9, 4)
    assert (chat.stop, chat.dialect, chat.extra, chat.whole) == (("END", "\n"), "anthropic", {}, True)


def test_system_blocks_and_a_system_turn(region: Wired) -> None:
    turns = [{"role": "user", "content": "a"}, {"role": "system", "content": "b"}, {"role": "user", "content": "c"}]
    system = [{"type": "text", "text": "One", "cache_control": CACHED}, {"type": "text", "text": "Two"}]
    chat = asked(region, system=system, messages=turns)
    assert [m.role for m in chat.messages] == ["system", "user", "system", "user"]
    assert chat.messages[0].content == "One\n\nTwo"


def test_our_own_answer_comes_back_as_it_was(region: Wired) -> None:
    answer = ask(region, message()).json
    turns = [*message()["messages"], {"role": "assistant", "content": answer["content"]}, *message()["messages"]]
    chat = asked(region, messages=turns)
    assert chat.messages[1].content == "".join(block["text"] for block in answer["content"])


@pytest.mark.parametrize(
    ("block", "part"),
    [
        (
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
            Image("image/png", base64.b64decode(PNG)),
        ),
        (
            {"type": "tool_use", "id": "t", "name": "read", "input": {"a": 1}, "caller": {"type": "direct"}},
            ToolCall("t", "read", '{"a":1}'),
        ),
        ({"type": "tool_result", "tool_use_id": "t", "content": "said"}, ToolResult("t", (Text("said"),))),
        (
            {"type": "tool_result", "tool_use_id": "t", "is_error": True, "content": [{"type": "text", "text": "no"}]},
            ToolResult("t", (Text("no"),), True),
        ),
        ({"type": "tool_result", "tool_use_id": "t"}, ToolResult("t", ())),
        ({"type": "thinking", "thinking": "hm", "signature": "c2ln"}, Thought("hm", "c2ln")),
        ({"type": "redacted_thinking", "data": "eA=="}, Thought(sealed="eA==")),
    ],
    ids=lambda value: value["type"] if isinstance(value, dict) else "",
)
def test_blocks_become_parts(region: Wired, block: dict[str, Any], part: Any) -> None:
    assert turn(region, {"type": "text", "text": "x"}, block) == (Text("x"), part)


def test_a_picture_in_a_result(region: Wired) -> None:
    shown = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}
    (part,) = turn(region, {"type": "tool_result", "tool_use_id": "t", "content": [shown]})
    assert isinstance(part, ToolResult)
    assert isinstance(part.parts[0], Image)


def test_documents_of_text_and_search_results_are_read(region: Wired) -> None:
    plain = {"type": "text", "media_type": "text/plain", "data": "Words."}
    inner = {"type": "content", "content": [{"type": "text", "text": "Inner."}]}
    found = {"type": "search_result", "title": "A", "source": "b.md", "content": [{"type": "text", "text": "Found."}]}
    content = turn(
        region,
        {"type": "document", "source": plain, "title": "Title", "context": "Context", "citations": {"enabled": False}},
        {"type": "document", "source": inner},
        found,
    )
    assert content == "Title\n\nContext\n\nWords.\n\nInner.\n\nA\nb.md\n\nFound."


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (None, None),
        ({"type": "auto"}, Choice("auto")),
        ({"type": "none"}, Choice("none")),
        ({"type": "any", "disable_parallel_tool_use": True}, Choice("any", "", False)),
        ({"type": "tool", "name": "read"}, Choice("tool", "read")),
    ],
)
def test_tools_and_the_choice_among_them(region: Wired, choice: Any, expected: Choice | None) -> None:
    chat = asked(region, tools=[TOOL], tool_choice=choice)
    assert (chat.tools, chat.choice) == ((READ,), expected)


def test_a_tool_that_a_vendor_trained_for_goes_on_as_it_is(region: Wired) -> None:
    bash = {"type": "bash_20250124", "name": "bash"}
    deferred = {**TOOL, "name": "rare", "defer_loading": True}
    chat = asked(region, tools=[TOOL, bash, deferred], tool_choice={"type": "tool", "name": "bash"})
    assert chat.tools == (READ,)
    assert json.loads(bytes(chat.extra["tools"])) == [bash, deferred]
    assert chat.choice == Choice("tool", "bash")


def test_what_changes_no_answer_is_passed_over_and_told(region: Wired) -> None:
    tool = {**TOOL, "cache_control": CACHED, "eager_input_streaming": True, "allowed_callers": ["direct"]}
    block = {"type": "text", "text": "x", "cache_control": CACHED}
    more = {"tools": [tool], "content": [block], "cache_control": CACHED, "service_tier": "auto"}
    chat = asked(region, **more)
    assert (chat.tools, chat.extra) == ((READ,), {})
    told = facts(region, **more)
    assert told["passed_over"] == "cache_control, tools.cache_control, tools.eager_input_streaming"
    assert "unknown" not in told


AGENT: dict[str, Any] = {
    "thinking": {"type": "adaptive"},
    "context_management": {"edits": []},
    "output_config": {"effort": "high"},
    "speed": "fast",
    "service_tier": "priority",
    "headers": (("anthropic-beta", "claude-code-20250219,effort-2025-11-24"),),
}


def test_unknown_fields_go_on_to_an_engine_of_this_protocol(region: Wired) -> None:
    chat = asked(region, **AGENT, novelty={"a": [1]})
    assert json.loads(bytes(chat.extra["novelty"])) == {"a": [1]}
    assert json.loads(bytes(chat.extra["anthropic_beta"])) == ["claude-code-20250219", "effort-2025-11-24"]
    assert json.loads(bytes(chat.extra["output_config"])) == {"effort": "high"}
    told = facts(region, **AGENT, novelty=1)
    assert told["unknown"] == (
        "anthropic_beta, context_management, novelty, output_config, service_tier, speed, thinking"
    )


def test_how_to_work_is_left_out_for_engines_of_other_protocols(region: Wired) -> None:
    assert asked(region, model=OTHER, **AGENT).extra == {}
    told = facts(region, model=OTHER, **AGENT)
    assert "thinking" in told["passed_over"]
    assert "unknown" not in told


def test_what_is_unknown_never_is(region: Wired) -> None:
    got = ask(region, message(model=OTHER, novelty=1))
    assert (got.status, got.json["error"]["type"]) == (400, "invalid_request_error")
    assert "novelty" in got.json["error"]["message"]


def test_the_names_in_the_ledger_are_bounded(region: Wired) -> None:
    told = facts(region, **{f"novelty_{n:03}{'x' * 100}": 1 for n in range(40)})
    assert len(told["unknown"]) < 1200
    assert told["unknown"].endswith(", ...")


@pytest.mark.parametrize("field", ["output_config", "output_format"])
def test_structured_output(region: Wired, field: str) -> None:
    format = {"type": "json_schema", "schema": {"type": "object"}}
    chat = asked(region, **{field: {"format": format} if field == "output_config" else format})
    assert chat.shape == Shape(schema=b'{"type":"object"}')
    assert chat.extra == {}


def test_knowledge_and_mode_stand_in_the_metadata(region: Wired) -> None:
    ask(region, message(metadata={"knowledge": "port", "mode": "single", "user_id": "x"}))
    chat = region.answers.asked[-1]
    assert (chat.knowledge, chat.mode) == (("port",), "single")


@pytest.mark.parametrize("name", ["mcp_servers", "container", "diagnostics"])
def test_what_a_vendor_keeps_or_calls_needs_a_card_that_allows_it(region: Wired, name: str) -> None:
    got = ask(region, message(model=KIND, **{name: [{"url": "https://tools.example"}]}))
    assert (got.status, got.json["error"]["rule"]) == (403, "model-allows")
    level = region.clearance(SECRET)
    region.catalogue.add(Card(KIND, KIND, "acme", level, Kin(), allows=frozenset({name})))
    assert name in asked(region, **{name: [{"url": "https://tools.example"}]}).extra


def test_a_tool_that_a_vendor_runs_needs_a_card_that_allows_it(region: Wired) -> None:
    search = {"type": "web_search_20250305", "name": "web_search"}
    got = ask(region, message(model=KIND, tools=[search]))
    assert (got.status, got.json["error"]["rule"]) == (403, "model-allows")
    allows = frozenset({"web_search_20250305"})
    region.catalogue.add(Card(KIND, KIND, "acme", region.clearance(SECRET), Kin(), allows=allows))
    assert json.loads(bytes(asked(region, tools=[search]).extra["tools"])) == [search]
