"""An imported ONNX chat model answers once the officer has accredited it, counts, and is nothing to anybody before."""

from __future__ import annotations

import base64
import importlib.util
import json

import pytest

from casemate.engines.sandbox import support
from casemate.wiring.registry import Records
from tests.attacks.scene import LOW, TOP
from tests.engines import chat_tiny as tiny
from tests.laws.world import Seen, World

HELLO = "Helo wrd."
NAME = "acme/tiny"
pytestmark = [
    pytest.mark.skipif(bool(support().why), reason=f"no sandbox here: {support().why}"),
    pytest.mark.skipif(
        not all(importlib.util.find_spec(name) for name in ("onnxruntime_genai", "llguidance")),
        reason="the extra genai is not installed",
    ),
]


async def taken_in(world: World, token: str, *, without: str = "") -> Seen:
    folder = tiny.folder(world.house.folder.path / "models" / "incoming" / token, HELLO)
    if without:
        (folder / without).unlink()
    return await world.call("olga", "POST", "/api/models/import", {"name": NAME, "token": token}, LOW)


async def cast(world: World) -> None:
    await world.person("olga", TOP, ("operator",))
    await world.person("sofia", TOP, ("officer",))
    await world.person("ann", TOP)


async def asked(world: World) -> Seen:
    body = {"model": NAME, "messages": [{"role": "user", "content": "hi"}], "max_tokens": 40}
    return await world.call("ann", "POST", "/v1/chat/completions", body, LOW)


async def test_it_answers_once_it_is_accredited(world: World) -> None:
    await cast(world)
    records = world.house.records
    assert isinstance(records, Records)
    try:
        made = await taken_in(world, "a" * 32)
        assert made.status == 201, made.body
        assert made.json["data"]["engine"] == {
            "kind": "onnx",
            "url": "",
            "model": NAME,
            "key": "",
            "region": "",
            "job": "",
        }
        assert (await asked(world)).status == 404, "nobody has accredited it"
        body = {"model": NAME, "accreditation": LOW}
        assert (await world.call("sofia", "POST", "/api/models/accredit", body, LOW)).status == 200
        seen = await asked(world)
        assert seen.status == 200, seen.body
        assert seen.json["choices"][0]["message"]["content"] == HELLO
        assert seen.json["usage"]["prompt_tokens"] == 21
        checked = await world.call("olga", "POST", "/api/models/verify", {"model": NAME}, LOW)
        assert checked.json["data"]["evidence"]["outcome"] == "answered", "whole, and it answers"
        assert len(records._chats) == 1, "looking at it starts no second engine"
        await _counted(world)
        assert (await world.call("olga", "POST", "/api/models/retire", {"model": NAME}, LOW)).status == 200
        assert (await asked(world)).status == 404
    finally:
        await records.close()


async def _counted(world: World) -> None:
    turn = {"model": NAME, "messages": [{"role": "user", "content": "hi"}]}
    seen = await world.call("ann", "POST", "/v1/messages/count_tokens", turn, LOW)
    assert (seen.json["input_tokens"], seen.header("casemate-estimated")) == (21, ""), seen.body
    converse = {"input": {"converse": {"messages": [{"role": "user", "content": [{"text": "hi"}]}]}}}
    seen = await world.call("ann", "POST", "/model/acme%2Ftiny/count-tokens", converse, LOW)
    assert seen.json == {"inputTokens": 21}, seen.body
    inner = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9, "messages": turn["messages"]}
    raw = base64.b64encode(json.dumps(inner).encode()).decode()
    seen = await world.call(
        "ann", "POST", "/model/acme%2Ftiny/count-tokens", {"input": {"invokeModel": {"body": raw}}}, LOW
    )
    assert seen.json == {"inputTokens": 21}, seen.body


@pytest.mark.parametrize("without", ["genai_config.json", "tokenizer_config.json"])
async def test_a_folder_that_is_no_chat_model_is_served_by_nobody(world: World, without: str) -> None:
    await cast(world)
    made = await taken_in(world, "b" * 32, without=without)
    assert (made.status, made.json["data"]["engine"]["kind"]) == (201, "")


async def test_an_engine_of_that_kind_is_not_registered_without_files(world: World) -> None:
    await cast(world)
    body = {"name": NAME, "engine": {"kind": "onnx"}, "described": {}}
    assert (await world.call("olga", "POST", "/api/models", body, LOW)).status == 400
