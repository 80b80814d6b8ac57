"""The official openai package against a real socket."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import openai
import pytest

from casemate.access import Flow
from casemate.models import READER, Chat, Delta
from tests.clients.conftest import Served
from tests.doors.wired import HIGH, OPEN, SECRET, UPSTREAM, breaks_in_the_middle

QUESTION: list[Any] = [{"role": "user", "content": "When does the ferry sail?"}]


@pytest.fixture
def client(served: Served) -> Iterator[openai.OpenAI]:
    _, key = served.region.key(OPEN, SECRET)
    with openai.OpenAI(base_url=f"{served.url}/v1", api_key=key, max_retries=0, timeout=20) as found:
        yield found


def test_a_chat(client: openai.OpenAI) -> None:
    found = client.chat.completions.create(model=READER, messages=QUESTION)
    message = found.choices[0].message
    assert message.content is not None
    assert message.content.startswith("(U) Extract: “The ferry")
    assert found.choices[0].finish_reason == "stop"
    assert found.usage is not None
    assert found.usage.total_tokens == 18
    assert message.annotations is not None
    for annotation in message.annotations:
        place = annotation.url_citation
        assert message.content[place.start_index : place.end_index] == "[1]"
    extra = message.annotations[1].model_extra
    assert extra is not None
    assert (extra["mark"], extra["passage"], extra["document"]) == ("(S//NF)", "psg_high", "doc_a")


def test_headers_of_every_kind_of_response(served: Served, client: openai.OpenAI) -> None:
    chat = client.chat.completions.with_raw_response.create(model=READER, messages=QUESTION)
    listed = client.models.with_raw_response.list()
    streamed = client.chat.completions.with_raw_response.create(model=READER, messages=QUESTION, stream=True)
    assert streamed.parse() is not None
    with pytest.raises(openai.NotFoundError) as told:
        client.chat.completions.create(model="gpt-nothing", messages=QUESTION)
    for headers in (chat.headers, listed.headers, streamed.headers, told.value.response.headers):
        assert headers["casemate-marking"] == "SECRET//NOFORN"
        assert headers["casemate-label"] == served.region.clearance(SECRET).text
        assert served.region.exists(headers["casemate-ledger"])


def test_a_stream(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(
        model=READER, messages=QUESTION, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    whole = client.chat.completions.create(model=READER, messages=QUESTION)
    assert text == whole.choices[0].message.content
    assert chunks[-1].usage == whole.usage
    assert chunks[-1].choices == []
    assert chunks[-2].choices[0].finish_reason == "stop"


def test_a_stream_that_the_client_puts_together(client: openai.OpenAI) -> None:
    """The client's own helper merges the deltas of all chunks, our annotations among them."""
    with client.chat.completions.stream(model=READER, messages=QUESTION) as stream:
        kinds = {event.type for event in stream}
        final = stream.get_final_completion().choices[0].message
    whole = client.chat.completions.create(model=READER, messages=QUESTION).choices[0].message
    assert "content.delta" in kinds
    assert final.content == whole.content
    assert final.annotations == whole.annotations


def test_knowledge_mode_and_the_acting_label(served: Served, client: openai.OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(
        model=UPSTREAM,
        messages=QUESTION,
        metadata={"knowledge": "cables,port", "mode": "single"},
        extra_headers={"Casemate-Acting-Label": OPEN},
    )
    (asked,) = served.region.answers.asked
    assert (asked.knowledge, asked.mode, asked.model) == (("cables", "port"), "single", UPSTREAM)
    assert raw.headers["casemate-marking"] == "UNCLASSIFIED"


def test_history_goes_back_in(served: Served, client: openai.OpenAI) -> None:
    found = client.chat.completions.create(model=READER, messages=QUESTION).choices[0].message
    history: list[Any] = [*QUESTION, found.model_dump(exclude_none=True), *QUESTION]
    assert client.chat.completions.create(model=READER, messages=history).choices[0].message.content
    assert served.region.answers.asked[1].messages[1].content == found.content
    assert served.region.answers.floors[1] is served.region.label(SECRET)


def test_models(client: openai.OpenAI) -> None:
    assert [m.id for m in client.models.list()] == [UPSTREAM, READER]
    assert client.models.retrieve(UPSTREAM).owned_by == "acme"


def test_errors_are_those_of_the_client(served: Served, client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="n"):
        client.chat.completions.create(model=READER, messages=QUESTION, n=2)
    with pytest.raises(openai.NotFoundError) as unknown:
        client.models.retrieve("acme/none")
    assert (unknown.value.code, unknown.value.param) == ("model_not_found", "model")
    with pytest.raises(openai.AuthenticationError) as nobody:
        client.with_options(api_key="cm_a_b").models.list()
    assert nobody.value.code == "invalid_api_key"
    with pytest.raises(openai.PermissionDeniedError):
        client.models.list(extra_headers={"Casemate-Acting-Label": HIGH})
    with pytest.raises(openai.BadRequestError, match="embeddings"):
        client.embeddings.create(model=READER, input="x")
    with pytest.raises(openai.PermissionDeniedError, match="may not be sent previous_response_id"):
        client.responses.create(model=UPSTREAM, input="x", previous_response_id="resp_1")
    served.region.answers.script = breaks_in_the_middle
    with pytest.raises(openai.InternalServerError) as failed:
        client.chat.completions.create(model=READER, messages=QUESTION)
    assert failed.value.status_code == 502


def test_a_stream_that_breaks_raises(served: Served, client: openai.OpenAI) -> None:
    served.region.answers.script = breaks_in_the_middle
    stream = client.chat.completions.create(model=READER, messages=QUESTION, stream=True)
    with pytest.raises(openai.APIError, match="it hung up"):
        list(stream)


def test_a_body_that_is_too_large(client: openai.OpenAI) -> None:
    messages: list[Any] = [{"role": "user", "content": "x" * (50 << 20)}]
    with pytest.raises(openai.APIStatusError) as told:
        client.chat.completions.create(model=READER, messages=messages)
    assert (told.value.status_code, told.value.code) == (413, "too-large")
    assert [m.id for m in client.models.list()] == [UPSTREAM, READER]


async def waits(flow: Flow, chat: Chat) -> AsyncIterator[Delta]:
    yield Delta(text="first")
    await asyncio.Event().wait()


async def waits_from_the_start(flow: Flow, chat: Chat) -> AsyncIterator[Delta]:
    await asyncio.Event().wait()
    yield Delta(text="never")


def until(held: Any) -> None:
    for _ in range(1000):
        if held():
            return
        time.sleep(0.01)
    raise AssertionError("it never came about")


def test_closing_a_stream_stops_the_answer(served: Served, client: openai.OpenAI) -> None:
    served.region.answers.script = waits
    raw = client.chat.completions.with_raw_response.create(model=READER, messages=QUESTION, stream=True)
    with raw.parse() as stream:
        assert [next(stream).choices[0].delta.content for _ in range(2)] == ["", "first"]
    begun = raw.headers["casemate-ledger"]
    until(lambda: [e.outcome for e in served.region.ends(begun)] == ["cancelled"])
    assert served.region.answers.closed == 1


def test_giving_up_on_a_whole_answer_stops_it(served: Served, client: openai.OpenAI) -> None:
    served.region.answers.script = waits_from_the_start
    with pytest.raises(openai.APITimeoutError):
        client.with_options(timeout=0.3).chat.completions.create(model=READER, messages=QUESTION)
    until(lambda: served.region.answers.closed == 1)


def test_the_asynchronous_client(served: Served) -> None:
    _, key = served.region.key(OPEN, SECRET)

    async def run() -> str:
        async with openai.AsyncOpenAI(base_url=f"{served.url}/v1", api_key=key, max_retries=0) as client:
            stream = await client.chat.completions.create(model=READER, messages=QUESTION, stream=True)
            return "".join([c.choices[0].delta.content or "" async for c in stream])

    assert asyncio.run(run()).startswith("(U) Extract")
