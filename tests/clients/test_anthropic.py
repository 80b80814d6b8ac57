"""The official anthropic package against a real socket."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anthropic
import pytest
from anthropic.types import MessageParam, ToolParam

from casemate.access import Flow
from casemate.errors import QuotaExceeded, Unavailable
from casemate.models import READER, Chat, Delta, Thought, ToolPiece, ToolResult, Usage
from tests.clients.conftest import Served
from tests.doors.wired import HIGH, OPEN, SECRET, UPSTREAM, breaks_in_the_middle

QUESTION: list[MessageParam] = [{"role": "user", "content": "When does the ferry sail?"}]
ASKED: dict[str, Any] = {"model": READER, "max_tokens": 100, "messages": QUESTION}
READ: ToolParam = {
    "name": "read",
    "description": "Reads a file.",
    "input_schema": {"type": "object", "properties": {"path": {"type": "string"}}},
}
TEXT = "(U) Extract: “The ferry sails at nine.” [1]\n\n(S//NF) Extract: “Le navire caché part à l’aube.” [1]"


@pytest.fixture
def client(served: Served, monkeypatch: pytest.MonkeyPatch) -> Iterator[anthropic.Anthropic]:
    """As a program has it that is started with the two variables of its environment, and nothing else."""
    _, key = served.region.key(OPEN, SECRET)
    for name in ("ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_CUSTOM_HEADERS", "ANTHROPIC_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ANTHROPIC_BASE_URL", served.url)
    monkeypatch.setenv("ANTHROPIC_API_KEY", key)
    with anthropic.Anthropic(max_retries=0, timeout=20) as found:
        yield found


def test_a_message(client: anthropic.Anthropic) -> None:
    found = client.messages.create(**ASKED)
    assert "".join(block.text for block in found.content if block.type == "text") == TEXT
    assert (found.stop_reason, found.role, found.type) == ("end_turn", "assistant", "message")
    assert (found.usage.input_tokens, found.usage.output_tokens) == (7, 11)
    first = found.content[0]
    assert first.type == "text"
    assert first.citations is not None
    assert first.citations[0].type == "search_result_location"
    assert first.citations[0].cited_text == "The ferry sails at nine."
    assert first.citations[0].model_extra is not None
    assert first.citations[0].model_extra["mark"] == "(U)"


def test_headers_of_every_kind_of_response(served: Served, client: anthropic.Anthropic) -> None:
    told = client.messages.with_raw_response.create(**ASKED)
    listed = client.models.with_raw_response.list()
    with pytest.raises(anthropic.NotFoundError) as unknown:
        client.messages.create(**{**ASKED, "model": "claude-nothing"})
    for headers in (told.headers, listed.headers, unknown.value.response.headers):
        assert headers["casemate-marking"] == "SECRET//NOFORN"
        assert served.region.exists(headers["casemate-ledger"])
    assert unknown.value.request_id == unknown.value.response.headers["casemate-ledger"]


def test_a_stream(client: anthropic.Anthropic) -> None:
    with client.messages.stream(**ASKED) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert text == TEXT
    whole = client.messages.create(**ASKED)
    assert final.usage.output_tokens == whole.usage.output_tokens
    assert final.usage.input_tokens == whole.usage.input_tokens
    assert [block.model_dump() for block in final.content] == [block.model_dump() for block in whole.content]


async def calls(flow: Flow, chat: Chat) -> AsyncIterator[Delta]:
    """Reads a file, then says what it found."""
    last = chat.messages[-1].parts[-1]
    if isinstance(last, ToolResult):
        yield Delta(text="It says: ")
        yield Delta(text="".join(part.text for part in last.parts if hasattr(part, "text")))
        yield Delta(finish="stop", usage=Usage(30, 4, False, 20))
        return
    yield Delta(thought=Thought("A file."))
    yield Delta(thought=Thought(signature="c2ln"))
    yield Delta(call=ToolPiece(0, "", "toolu_1", "read"))
    for piece in ('{"pa', 'th": ', '"a.txt"}'):
        yield Delta(call=ToolPiece(0, piece))
    yield Delta(finish="tool", usage=Usage(20, 9, False))


@pytest.mark.parametrize("streamed", [False, True])
def test_a_round_with_a_tool(served: Served, client: anthropic.Anthropic, streamed: bool) -> None:
    served.region.answers.script = calls
    turns: list[MessageParam] = [{"role": "user", "content": "Read a.txt."}]
    asked: dict[str, Any] = {"model": UPSTREAM, "max_tokens": 100, "messages": turns, "tools": [READ]}
    for _ in range(2):
        if streamed:
            with client.messages.stream(**asked) as stream:
                found = stream.get_final_message()
        else:
            found = client.messages.create(**asked)
        turns.append({"role": "assistant", "content": found.content})
        if found.stop_reason == "tool_use":
            thought, call = found.content
            assert (thought.type, thought.signature) == ("thinking", "c2ln")
            assert (call.type, call.id, call.input) == ("tool_use", "toolu_1", {"path": "a.txt"})
            result: Any = {"type": "tool_result", "tool_use_id": call.id, "content": "The ferry."}
            turns.append({"role": "user", "content": [result]})
    assert found.content[0].text == "It says: The ferry."
    assert (found.usage.input_tokens, found.usage.cache_read_input_tokens) == (10, 20)
    kinds = [type(part).__name__ for message in served.region.answers.asked[1].messages for part in message.parts]
    assert kinds == ["Text", "Thought", "ToolCall", "ToolResult"]


def test_the_beta_client_sends_what_it_likes(served: Served, client: anthropic.Anthropic) -> None:
    served.region.answers.script = calls
    found = client.beta.messages.create(
        model=UPSTREAM,
        max_tokens=100,
        messages=[{"role": "user", "content": "x"}],
        betas=["context-management-2025-06-27"],
        thinking={"type": "enabled", "budget_tokens": 1024},
    )
    assert found.stop_reason == "tool_use"


def test_counting_tokens(client: anthropic.Anthropic) -> None:
    raw = client.messages.with_raw_response.count_tokens(model=READER, messages=QUESTION)
    assert 0 < raw.parse().input_tokens < 40
    assert raw.headers["casemate-estimated"] == "true"


def test_models(client: anthropic.Anthropic) -> None:
    assert [model.id for model in client.models.list()] == [UPSTREAM, READER]
    assert [model.id for model in client.models.list(limit=1)] == [UPSTREAM, READER]
    assert client.models.retrieve(UPSTREAM).display_name == UPSTREAM


def test_below_the_alias(served: Served, client: anthropic.Anthropic) -> None:
    below = client.with_options(base_url=f"{served.url}/anthropic")
    assert below.messages.create(**ASKED).stop_reason == "end_turn"
    assert [model.id for model in below.models.list()] == [UPSTREAM, READER]


def test_knowledge_mode_and_the_acting_label(served: Served, client: anthropic.Anthropic) -> None:
    metadata: Any = {"knowledge": "cables,port", "mode": "single"}
    raw = client.messages.with_raw_response.create(
        **ASKED, metadata=metadata, extra_headers={"Casemate-Acting-Label": OPEN}
    )
    (asked,) = served.region.answers.asked
    assert (asked.knowledge, asked.mode) == (("cables", "port"), "single")
    assert raw.headers["casemate-marking"] == "UNCLASSIFIED"


def fails(error: Exception) -> Any:
    async def script(flow: Flow, chat: Chat) -> AsyncIterator[Delta]:
        raise error
        yield Delta()

    return script


def test_errors_are_those_of_the_client(served: Served, client: anthropic.Anthropic) -> None:
    with pytest.raises(anthropic.BadRequestError, match="stop_sequences") as bad:
        client.messages.create(**ASKED, stop_sequences=[""])
    assert bad.value.type == "invalid_request_error"
    with pytest.raises(anthropic.NotFoundError):
        client.models.retrieve("acme/none")
    with pytest.raises(anthropic.AuthenticationError):
        client.with_options(api_key="cm_a_b").models.list()
    with pytest.raises(anthropic.PermissionDeniedError):
        client.models.list(extra_headers={"Casemate-Acting-Label": HIGH})
    served.region.answers.script = fails(QuotaExceeded(limit="tokens", of="key", retry_after=7))
    with pytest.raises(anthropic.RateLimitError) as busy:
        client.messages.create(**ASKED)
    assert busy.value.response.headers["retry-after"] == "7"
    served.region.answers.script = fails(Unavailable(what="x"))
    with pytest.raises(anthropic.APIStatusError) as down:
        client.messages.create(**ASKED)
    assert (down.value.status_code, down.value.type) == (529, "overloaded_error")
    served.region.answers.script = breaks_in_the_middle
    with pytest.raises(anthropic.InternalServerError):
        client.messages.create(**ASKED)


def test_a_stream_that_breaks_raises(served: Served, client: anthropic.Anthropic) -> None:
    served.region.answers.script = breaks_in_the_middle
    with pytest.raises(anthropic.APIError, match="it hung up"), client.messages.stream(**ASKED) as stream:
        list(stream.text_stream)


def test_a_body_that_is_too_large(client: anthropic.Anthropic) -> None:
    with pytest.raises(anthropic.APIStatusError) as told:
        client.messages.create(**{**ASKED, "messages": [{"role": "user", "content": "x" * (33 << 20)}]})
    assert told.value.status_code == 413


async def waits(flow: Flow, chat: Chat) -> AsyncIterator[Delta]:
    yield Delta(text="first")
    await asyncio.Event().wait()


def test_closing_a_stream_stops_the_answer(served: Served, client: anthropic.Anthropic) -> None:
    served.region.answers.script = waits
    with client.messages.stream(**ASKED) as stream:
        assert next(iter(stream.text_stream)) == "first"
    for _ in range(1000):
        if served.region.answers.closed == 1:
            return
        time.sleep(0.01)
    raise AssertionError("it goes on")


def test_the_asynchronous_client_with_a_bearer(served: Served) -> None:
    _, key = served.region.key(OPEN, SECRET)

    async def run() -> str:
        async with (
            anthropic.AsyncAnthropic(base_url=served.url, auth_token=key, api_key=None, max_retries=0) as client,
            client.messages.stream(**ASKED) as stream,
        ):
            return "".join([text async for text in stream.text_stream])

    assert asyncio.run(run()) == TEXT


def test_a_key_in_its_own_header(served: Served) -> None:
    """As a coding agent sends it."""
    _, key = served.region.key(OPEN, SECRET)
    with anthropic.Anthropic(
        base_url=served.url, auth_token=None, api_key="", max_retries=0, default_headers={"x-api-key": key}
    ) as client:
        assert (
            client.messages.create(**ASKED, extra_headers={"Authorization": anthropic.omit}).stop_reason == "end_turn"
        )


@pytest.mark.parametrize("streamed", [False, True])
def test_the_bedrock_client_of_this_package(served: Served, streamed: bool) -> None:
    """It signs like AWS's own and speaks InvokeModel."""
    id, key = served.region.key(OPEN, SECRET, "boto3")
    served.region.answers.script = calls
    with anthropic.AnthropicBedrock(
        base_url=served.url, aws_access_key=id, aws_secret_key=key, aws_region="gov-secret-1", max_retries=0
    ) as client:
        asked: dict[str, Any] = {"model": UPSTREAM, "max_tokens": 100, "messages": QUESTION, "tools": [READ]}
        if streamed:
            with client.messages.stream(**asked) as stream:
                found = stream.get_final_message()
        else:
            found = client.messages.create(**asked)
    assert found.stop_reason == "tool_use"
    assert found.content[-1].input == {"path": "a.txt"}
