"""Whole answers over the wires: a real region, the real answerer, and an upstream behind a real socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from casemate.engines.openai_like import OpenAILike
from casemate.engines.remote import Upstream
from casemate.models import READER, Card
from tests.engines.upstream import DONE, HEAD, WHOLE, Behave, Stub, at_once, said, served, writes
from tests.laws.world import Seen, World, a_world

SECRET = "us:SECRET//NOFORN"
LOW = "(U) The ferry Ambrelle leaves Port Sable at nine."
HIGH = "(S//NF) The ferry Ambrelle leaves Port Sable with a convoy escort."
ASKED = "When does the ferry Ambrelle leave Port Sable?"

Trial = Callable[[World, Stub], Awaitable[None]]


def trial(do: Trial, behave: Behave | None = None, accredited: str = "") -> None:
    """A region with two documents, one analyst cleared to SECRET//NOFORN, and an upstream named `local`."""

    async def run() -> None:
        whole = writes(HEAD + b"\r\n", *WHOLE)
        once = at_once("Le cargo s’éloigne.") if behave is None else at_once("half a sent", finish=None)
        async with a_world(policies=("us",)) as world, served(behave or whole, whole=once) as (stub, url):
            region = world.house.gate.vault.region
            level = region.policies.parse(accredited) | region.floor if accredited else region.ceiling
            world.house.catalogue.add(Card("local", "tiny", "acme", level, OpenAILike(Upstream(url, "local"))))
            await world.person("analyst", SECRET)
            for name, text in (("low", LOW), ("high", HIGH)):
                await world.call("analyst", "POST", f"/api/documents?name={name}.txt", text.encode(), SECRET)
            await world.step("knowledge.ingest")
            await do(world, stub)

    asyncio.run(run())


async def chat(world: World, model: str = READER, acting: str = "", **more: Any) -> Seen:
    body = {"model": model, "messages": [{"role": "user", "content": ASKED}], **more}
    return await world.call("analyst", "POST", "/v1/chat/completions", body, acting)


def content(seen: Seen) -> str:
    assert seen.status == 200, seen.body
    return str(seen.json["choices"][0]["message"]["content"])


def chunks(seen: Seen) -> list[Any]:
    data = [line.removeprefix("data: ") for line in seen.body.decode().split("\n\n") if line]
    return [one if one == "[DONE]" else json.loads(one) for one in data]


def test_rungs_are_marked_cited_and_alike_on_every_wire() -> None:
    async def do(world: World, stub: Stub) -> None:
        whole = await chat(world)
        text = content(whole)
        low, high = text.split("\n\n")
        assert low.startswith("(U) ")
        assert high.startswith("(S//NF) ")
        for cited in whole.json["choices"][0]["message"]["annotations"]:
            place = cited["url_citation"]
            assert text[place["start_index"] : place["end_index"]] == f"[{cited['number']}]"
            assert cited["quote"] in text
        below = await chat(world, acting="us:UNCLASSIFIED")
        assert content(below) == low
        assert below.header("casemate-marking") == "UNCLASSIFIED"
        streamed = await chat(world, stream=True)
        *parts, done = chunks(streamed)
        assert done == "[DONE]"
        assert "".join(p["choices"][0]["delta"].get("content", "") for p in parts) == text
        turn = {"messages": [{"role": "user", "content": [{"text": ASKED}]}]}
        path = "/model/casemate.extractive-reader/converse"
        bedrock = await world.call("analyst", "POST", path, turn, SECRET, signed=True)
        blocks = bedrock.json["output"]["message"]["content"]
        assert blocks[0]["text"] == text
        titles = [b["citationsContent"]["citations"][0]["title"] for b in blocks[1:]]
        assert [t.split(" ")[0] for t in titles] == ["(U)", "(S//NF)"]
        assert stub.requests == []

    trial(do)


def test_an_upstream_answers_as_itself() -> None:
    async def do(world: World, stub: Stub) -> None:
        whole = await chat(world, "local", temperature=0.25)
        assert content(whole) == "Le cargo s’éloigne."
        assert whole.json["usage"] == {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}
        assert whole.header("casemate-marking") == "SECRET//NOFORN"
        body = json.loads(stub.requests[0].partition(b"\r\n\r\n")[2])
        assert body["messages"] == [{"role": "user", "content": ASKED}]
        assert (body["model"], body["temperature"], body["max_tokens"]) == ("tiny", 0.25, 1024)
        streamed = await chat(world, "local", stream=True)
        pieces = [c["choices"][0]["delta"].get("content") for c in chunks(streamed)[:-1]]
        assert "".join(p for p in pieces if p) == "Le cargo s’éloigne."

    trial(do)


def test_an_upstream_writes_each_rung_from_that_rungs_passages() -> None:
    async def do(world: World, stub: Stub) -> None:
        text = content(await chat(world, "local", metadata={"knowledge": "all"}))
        assert text == "(U) Le cargo s’éloigne.\n\n(S//NF) Le cargo s’éloigne."
        low, high = (r.decode() for r in stub.requests)
        assert "escort" not in low
        assert "escort" in high

    trial(do)


def test_a_rung_above_the_upstreams_accreditation_is_the_readers() -> None:
    async def do(world: World, stub: Stub) -> None:
        text = content(await chat(world, "local", metadata={"knowledge": "all"}))
        low, high = text.split("\n\n")
        assert low == "(U) Le cargo s’éloigne."
        assert "escort" in high
        assert "local" in high
        assert len(stub.requests) == 1

    trial(do, accredited="us:UNCLASSIFIED")


def test_an_upstream_that_fails_is_told_and_recorded() -> None:
    async def do(world: World, stub: Stub) -> None:
        whole = await chat(world, "local")
        assert (whole.status, whole.json["error"]["code"]) == (502, "engine-failed")
        assert "ended too early" in whole.json["error"]["message"]
        streamed = await chat(world, "local", stream=True)
        *_, last = chunks(streamed)
        assert last["error"]["code"] == "engine-failed"
        assert streamed.header("casemate-ledger")

    trial(do, writes(HEAD + b"\r\n", said("half a sent")))


def test_a_client_that_leaves_hangs_up_on_the_upstream() -> None:
    async def do(world: World, stub: Stub) -> None:
        asking = asyncio.ensure_future(chat(world, "local"))
        await asyncio.wait_for(stub.asked.wait(), 10)
        asking.cancel()
        await asyncio.wait_for(stub.left.wait(), 10)
        await asyncio.gather(asking, return_exceptions=True)

    trial(do, writes(HEAD + b"\r\n", said("half a sent"), then="wait"))


def test_the_end_of_a_stream_is_the_last_thing_said() -> None:
    async def do(world: World, stub: Stub) -> None:
        streamed = await chat(world, "local", stream=True)
        assert streamed.body.endswith(DONE)
        assert streamed.pieces[-1] == b""

    trial(do)
