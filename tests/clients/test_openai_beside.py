"""The official openai package against a real socket: tools, responses, embeddings, files and batches."""

from __future__ import annotations

import asyncio
import json
import struct
from base64 import b64decode
from collections.abc import AsyncIterator, Iterator
from typing import Any

import openai
import pytest

from casemate.access import Flow
from casemate.doors.openai import Lines
from casemate.engines.embedder_vectors import EmbedderVectors
from casemate.engines.hashing import HashingEmbedder
from casemate.errors import QuotaExceeded
from casemate.models import READER, Card, Chat, Delta, Thought
from casemate.models.batches import Batches
from tests.clients.conftest import Served
from tests.doors.openai.asking import WEATHER, runs_out, thinks_and_calls
from tests.doors.wired import OPEN, SECRET, UPSTREAM

QUESTION: list[Any] = [{"role": "user", "content": "When does the ferry sail?"}]
TOOLS: list[Any] = [{"type": "function", "function": WEATHER}]
WORDS = "acme/words"


@pytest.fixture(params=["/v1", "/openai/v1"])
def client(served: Served, request: pytest.FixtureRequest) -> Iterator[openai.OpenAI]:
    _, key = served.region.key(OPEN, SECRET)
    vectors = EmbedderVectors(HashingEmbedder(), WORDS)
    level = served.region.clearance(SECRET)
    served.region.catalogue.add(Card(WORDS, "words", "acme", level, tasks=("embeddings",), vectors=vectors))
    with openai.OpenAI(base_url=f"{served.url}{request.param}", api_key=key, max_retries=0, timeout=20) as found:
        yield found


def test_tools(served: Served, client: openai.OpenAI) -> None:
    served.region.answers.script = thinks_and_calls
    whole = client.chat.completions.create(model=UPSTREAM, messages=QUESTION, tools=TOOLS, tool_choice="required")
    assert whole.choices[0].finish_reason == "tool_calls"
    calls = whole.choices[0].message.tool_calls
    assert calls is not None
    assert [json.loads(c.function.arguments) for c in calls if c.type == "function"] == [{"port": "Sable"}, {}]
    history = [*QUESTION, whole.choices[0].message.model_dump(exclude_none=True)]
    history += [{"role": "tool", "tool_call_id": c.id, "content": "Fog."} for c in calls]
    client.chat.completions.create(model=UPSTREAM, messages=history, tools=TOOLS)
    assert whole.usage is not None
    assert whole.usage.prompt_tokens_details is not None
    assert whole.usage.prompt_tokens_details.cached_tokens == 3


def test_tools_in_a_stream_that_the_client_puts_together(served: Served, client: openai.OpenAI) -> None:
    served.region.answers.script = thinks_and_calls
    with client.chat.completions.stream(model=UPSTREAM, messages=QUESTION, tools=TOOLS) as stream:
        kinds = [event.type for event in stream]
        message = stream.get_final_completion().choices[0].message
    assert "tool_calls.function.arguments.done" in kinds
    assert message.content == "I’ll look."
    assert message.tool_calls is not None
    assert [(c.id, c.function.name) for c in message.tool_calls] == [("call_a", "weather"), ("call_b", "tide")]


def test_a_response(client: openai.OpenAI) -> None:
    found = client.responses.create(model=READER, input="When does the ferry sail?", metadata={"mode": "single"})
    assert found.output_text.startswith("(U) Extract: “The ferry")
    assert (found.status, found.object) == ("completed", "response")
    assert found.usage is not None
    assert found.usage.total_tokens == 18
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(found.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.delete(found.id)
    assert client.responses.input_tokens.count(model=READER, input="Four words or so.").input_tokens > 0


def test_a_response_in_events(served: Served, client: openai.OpenAI) -> None:
    served.region.answers.script = thinks_and_calls
    tools: list[Any] = [{"type": "function", **WEATHER}]
    events = list(client.responses.create(model=UPSTREAM, input="Well?", tools=tools, stream=True))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    last = events[-1]
    assert last.type == "response.completed"
    assert [item.type for item in last.response.output] == ["reasoning", "message", "function_call", "function_call"]
    history: list[Any] = [item.model_dump(exclude_none=True) for item in last.response.output]
    outputs = [{"type": "function_call_output", "call_id": i["call_id"], "output": "Fog."} for i in history[2:]]
    client.responses.create(model=UPSTREAM, input=[*history, *outputs], tools=tools, store=False)
    thought = served.region.answers.asked[-1].messages[0].parts[0]
    assert isinstance(thought, Thought)
    assert thought.text == "Which port?"


def test_a_response_that_the_client_puts_together(client: openai.OpenAI) -> None:
    with client.responses.stream(model=READER, input="Well?") as stream:
        kinds = {event.type for event in stream}
        final = stream.get_final_response()
    assert "response.output_text.delta" in kinds
    assert final.output_text == client.responses.create(model=READER, input="Well?").output_text


def test_a_response_cut_short(served: Served, client: openai.OpenAI) -> None:
    served.region.answers.script = runs_out
    found = client.responses.create(model=UPSTREAM, input="Well?", max_output_tokens=3)
    assert found.status == "incomplete"
    assert found.incomplete_details is not None
    assert found.incomplete_details.reason == "max_output_tokens"


def test_embeddings(client: openai.OpenAI) -> None:
    found = client.embeddings.create(model=WORDS, input=["Fog.", "The ferry sails."])
    assert [len(one.embedding) for one in found.data] == [384, 384]
    raw = client.embeddings.with_raw_response.create(model=WORDS, input="Fog.", encoding_format="base64")
    packed = json.loads(raw.text)["data"][0]["embedding"]
    assert list(struct.unpack("<384f", b64decode(packed))) == pytest.approx(found.data[0].embedding)
    floats = client.embeddings.create(model=WORDS, input="Fog.", encoding_format="float").data[0].embedding
    assert floats == pytest.approx(found.data[0].embedding, abs=1e-6)


def test_files_and_batches(served: Served, client: openai.OpenAI) -> None:
    rows = [
        {
            "custom_id": f"n{n}",
            "method": "POST",
            "url": "/v1/chat/completions",
            "body": {"model": READER, "messages": QUESTION, **({"n": 2} if n == 1 else {})},
        }
        for n in range(3)
    ]
    data = "\n".join(json.dumps(row) for row in rows).encode()
    file = client.files.create(file=("in.jsonl", data), purpose="batch")
    assert client.files.retrieve(file.id).filename == "in.jsonl"
    assert file.id in [one.id for one in client.files.list()]
    batch = client.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h")
    assert batch.status == "validating"
    region = served.region
    asyncio.run(Batches(region.gate, Lines(region.gate, region.catalogue, region.answers), patience=None).step())
    batch = client.batches.retrieve(batch.id)
    assert (batch.status, batch.output_file_id is not None) == ("completed", True)
    assert batch.request_counts is not None
    assert (batch.request_counts.completed, batch.request_counts.failed) == (2, 1)
    assert batch.output_file_id is not None
    assert batch.error_file_id is not None
    out = [json.loads(row) for row in client.files.content(batch.output_file_id).text.splitlines()]
    assert [row["custom_id"] for row in out] == ["n0", "n2"]
    (wrong,) = [json.loads(row) for row in client.files.content(batch.error_file_id).text.splitlines()]
    assert wrong["response"]["status_code"] == 400
    with pytest.raises(openai.ConflictError):
        client.batches.cancel(batch.id)
    assert batch.id in [one.id for one in client.batches.list(limit=2)]
    assert client.files.delete(file.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.files.content(file.id)


async def has_no_room(flow: Flow, chat: Chat) -> AsyncIterator[Delta]:
    raise QuotaExceeded(limit=3, of="key", retry_after=7)
    yield Delta()


def test_a_quota_says_when_to_come_again(served: Served, client: openai.OpenAI) -> None:
    served.region.answers.script = has_no_room
    with pytest.raises(openai.RateLimitError) as told:
        client.responses.create(model=UPSTREAM, input="x")
    assert told.value.response.headers["retry-after"] == "7"
    assert told.value.code == "rate_limit_exceeded"
    assert told.value.request_id == told.value.response.headers["casemate-ledger"]
