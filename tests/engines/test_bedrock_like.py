"""The engine behind Bedrock: what it sends and signs, held to botocore, and what it makes of what comes back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.eventstream import EventStreamBuffer
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import validate_parameters
from hypothesis import given
from hypothesis import strategies as some

from casemate.clock import SECOND, ManualClock
from casemate.engines.bedrock_like import BedrockLike
from casemate.engines.eventstream import FRAME, Frames
from casemate.engines.http_exchange import Broken
from casemate.engines.remote import Upstream
from casemate.engines.sigv4_sign import AccessKey, signed
from casemate.errors import EngineFailed, Misconfigured
from casemate.models import (
    Choice,
    Delta,
    Image,
    Message,
    Prompt,
    Shape,
    Text,
    Thought,
    Tool,
    ToolCall,
    ToolPiece,
    ToolResult,
    Usage,
)
from tests.engines.faults import GOOD, METADATA, Fault, Good, converse, frame, script, served_badly, well

GOOD_ONE = GOOD["bedrock stream"]
PROMPT = Prompt(model="tiny", messages=(Message("user", "?"),), max_tokens=8)
SERVICE = ServiceModel(Loader().load_service_model("bedrock-runtime", "service-2"))


def ask(
    prompt: Prompt, play: Callable[[Good], list[object]] = well, key: Path | None = None, **told: Any
) -> tuple[list[Delta], bytes]:
    """What the engine gave, and the request that the upstream had."""

    async def run() -> tuple[list[Delta], bytes]:
        async with served_badly(GOOD_ONE, Fault(play, "")) as (seen, url):
            engine = BedrockLike(Upstream(url, "bedrock", key, **told), "eu-gov-1", ManualClock())
            try:
                return [delta async for delta in engine.generate(prompt, 20)], seen.requests[0]
            finally:
                await engine.close()

    return asyncio.run(run())


def frames(*each: bytes) -> Callable[[Good], list[object]]:
    return lambda good: script(good, list(each))


FULL = Prompt(
    model="arn:aws:bedrock:eu-gov-1::foundation-model/tiny.v1:0",
    messages=(
        Message("system", "Kurz."),
        Message("user", (Text("Look:"), Image("image/png", b"\x89PNG"))),
        Message("assistant", (Thought("hm", "sig"), Thought(sealed="c2Vh"), ToolCall("c1", "find", '{"a":1}'))),
        Message("user", (ToolResult("c1", (Text("gone"),), failed=True), Text("And?"))),
    ),
    max_tokens=99,
    temperature=0.5,
    top_p=0.9,
    top_k=4,
    stop=("END",),
    tools=(Tool("find", "Finds.", b'{"type":"object"}', strict=True), Tool("look")),
    choice=Choice("tool", "find"),
    shape=Shape("s", b'{"type":"object"}'),
    extra={
        "requestMetadata": msgspec.Raw(b'{"a":"b"}'),
        "messages": msgspec.Raw(b"[]"),
        "additionalModelRequestFields": msgspec.Raw(b'{"x":1,"top_k":9}'),
    },
    partition="a-label-domain",
)


def test_what_is_sent_is_what_the_service_describes() -> None:
    _, request = ask(FULL)
    head, _, body = request.partition(b"\r\n\r\n")
    path = head.split(b" ")[1]
    assert path == b"/model/arn%3Aaws%3Abedrock%3Aeu-gov-1%3A%3Afoundation-model%2Ftiny.v1%3A0/converse-stream"
    assert b"authorization" not in head.lower()
    assert b"a-label-domain" not in request
    found = json.loads(body)
    shape = SERVICE.operation_model("ConverseStream").input_shape
    validate_parameters({"modelId": FULL.model, **found}, shape)
    assert set(found) <= set(shape.members)
    assert found["additionalModelRequestFields"] == {"x": 1, "top_k": 4}
    assert found["requestMetadata"] == {"a": "b"}
    assert found["system"] == [{"text": "Kurz."}]
    assert len(found["messages"]) == 3
    assert found["messages"][1]["content"] == [
        {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "sig"}}},
        {"reasoningContent": {"redactedContent": "c2Vh"}},
        {"toolUse": {"toolUseId": "c1", "name": "find", "input": {"a": 1}}},
    ]
    assert found["messages"][2]["content"][0]["toolResult"]["status"] == "error"
    assert found["inferenceConfig"] == {"maxTokens": 99, "temperature": 0.5, "topP": 0.9, "stopSequences": ["END"]}
    assert found["toolConfig"]["toolChoice"] == {"tool": {"name": "find"}}
    assert json.loads(found["outputConfig"]["textFormat"]["structure"]["jsonSchema"]["schema"]) == {"type": "object"}


def test_the_least_that_is_sent() -> None:
    messages = (Message("assistant", (Thought("hm"), ToolResult("c", ()))),)
    found = json.loads(
        ask(msgspec.structs.replace(PROMPT, messages=messages, tools=(Tool("t"),)))[1].split(b"\r\n\r\n")[1]
    )
    assert found == {
        "inferenceConfig": {"maxTokens": 8},
        "messages": [
            {
                "role": "assistant",
                "content": [
                    {"reasoningContent": {"reasoningText": {"text": "hm"}}},
                    {"toolResult": {"toolUseId": "c", "content": []}},
                ],
            }
        ],
        "toolConfig": {"tools": [{"toolSpec": {"name": "t", "inputSchema": {"json": {}}}}]},
    }


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"seed": 1}, "no seed"),
        ({"shape": Shape()}, "no shape without a schema"),
        ({"tools": (Tool("t"),), "choice": Choice("none")}, "no tool choice of none"),
        ({"tools": (Tool("t"),), "choice": Choice(parallel=False)}, "one at a time"),
        ({"tools": (Tool("t", schema=b"half{"),)}, "not JSON"),
    ],
)
def test_what_the_protocol_cannot_say_is_refused(more: dict[str, Any], why: str) -> None:
    with pytest.raises(EngineFailed) as told:
        ask(msgspec.structs.replace(PROMPT, **more))
    assert told.value.cause == "rejected"
    assert why in str(told.value.facts["why"])


# ---- signatures -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", ["", "temporary"])
@given(
    body=some.binary(max_size=200),
    model=some.text(some.characters(codec="utf-8"), min_size=1, max_size=30).filter(
        lambda name: name not in (".", "..")
    ),
    at=some.integers(1, 4_000_000_000),
)
def test_signatures_are_those_of_botocore(token: str, body: bytes, model: str, at: int) -> None:
    from urllib.parse import quote

    path = f"/model/{quote(model, safe='')}/converse-stream"
    key = AccessKey("AKIAEXAMPLE", "wJalrXUtnFEMI/K7MDENG", token)
    ours = signed(key, "eu-gov-1", "models.test:8443", path, body, at * SECOND)
    told = dict(line.split(": ", 1) for line in ours.decode().split("\r\n") if line)
    request = AWSRequest("POST", f"https://models.test:8443{path}", data=body)
    request.headers["Content-Type"] = "application/json"
    request.headers["Host"] = "models.test:8443"
    request.headers["X-Amz-Date"] = told["X-Amz-Date"]
    if token:
        request.headers["X-Amz-Security-Token"] = token
    request.context["timestamp"] = told["X-Amz-Date"]
    signer = SigV4Auth(Credentials(key.id, key.secret, token or None), "bedrock", "eu-gov-1")
    canonical = signer.canonical_request(request)
    signature = signer.signature(signer.string_to_sign(request, canonical), request)
    assert told["Authorization"].endswith(f"Signature={signature}")
    assert f"SignedHeaders={signer.signed_headers(signer.headers_to_sign(request))}," in told["Authorization"]
    assert told.get("X-Amz-Security-Token", "") == token


def test_a_key_file_with_an_access_key_signs(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("[default]\naws_access_key_id = AKIA1\naws_secret_access_key=s3cr3t=\n")
    _, request = ask(PROMPT, key=tmp_path / "key")
    assert b"Credential=AKIA1/20260921/eu-gov-1/bedrock/aws4_request" in request
    assert b"s3cr3t" not in request


def test_a_key_file_with_a_bearer_key(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("ABSKey\n")
    assert b"\r\nAuthorization: Bearer ABSKey\r\n" in ask(PROMPT, key=tmp_path / "key")[1]


@pytest.mark.parametrize("text", ["", "[default]\naws_access_key_id = A", "two\nlines", "x = y", "a" * 70_000])
def test_a_key_file_that_cannot_be(tmp_path: Path, text: str) -> None:
    (tmp_path / "key").write_text(text)
    with pytest.raises(Misconfigured):
        ask(PROMPT, key=tmp_path / "key")


def test_keys_do_not_show() -> None:
    assert "s3cr3t" not in repr(AccessKey("A", "s3cr3t", "s3cr3t"))


# ---- what comes back ------------------------------------------------------------------------------------------------


def delta(index: int, **said: object) -> bytes:
    return frame("contentBlockDelta", {"contentBlockIndex": index, "delta": said})


def test_thoughts_calls_and_words_in_their_order() -> None:
    calls = {"toolUse": {"toolUseId": "c1", "name": "find"}}
    usage = {"inputTokens": 10, "outputTokens": 9, "cacheReadInputTokens": 4, "cacheWriteInputTokens": 2}
    deltas, _ = ask(
        PROMPT,
        frames(
            frame("messageStart", {"role": "assistant"}),
            delta(0, reasoningContent={"text": "hm"})
            + delta(0, reasoningContent={"signature": "sig"})
            + converse("Le ")
            + converse("cargo")
            + converse("")
            + frame("contentBlockStart", {"contentBlockIndex": 2, "start": calls})
            + delta(2, toolUse={"input": '{"a":1}'})
            + delta(2, toolUse={"input": ""})
            + delta(2, somethingNew={})
            + frame("contentBlockStop", {"contentBlockIndex": 2}),
            frame("messageStop", {"stopReason": "tool_use"}) + frame("metadata", {"usage": usage}),
        ),
        counts_cache=True,
    )
    assert deltas == [
        Delta(thought=Thought("hm")),
        Delta(thought=Thought(signature="sig")),
        Delta(text="Le cargo"),
        Delta(call=ToolPiece(0, "", "c1", "find")),
        Delta(call=ToolPiece(0, '{"a":1}')),
        Delta(finish="tool", usage=Usage(16, 9, estimated=False, cached=4)),
    ]


def test_an_end_without_metadata_counts() -> None:
    deltas, _ = ask(PROMPT, frames(converse("x"), frame("messageStop", {"stopReason": "max_tokens"})))
    assert deltas[-1] == Delta(finish="length")


def test_a_router_that_asked_the_model_itself() -> None:
    trace = METADATA | {"trace": {"promptRouter": {"invokedModelId": "tiny"}}}
    deltas, _ = ask(PROMPT, frames(frame("messageStop", {"stopReason": "end_turn"}), frame("metadata", trace)))
    assert deltas[-1].finish == "stop"


def exception(kind: str) -> bytes:
    return frame(kind, {"message": "words"}, "exception")


BAD = {
    "throttled": ([exception("throttlingException")], "busy"),
    "unavailable": ([exception("serviceUnavailableException")], "busy"),
    "not valid": ([exception("validationException")], "rejected"),
    "its own fault": ([exception("internalServerException")], "broken"),
    "throttled in mid-stream": ([converse("x"), exception("throttlingException")], "broken"),
    "arguments of no call": ([delta(3, toolUse={"input": "{"})], "broken"),
    "no end": ([converse("x"), frame("metadata", METADATA)], "broken"),
}


@pytest.mark.parametrize(("each", "cause"), BAD.values(), ids=BAD)
def test_bad_streams(each: list[bytes], cause: str) -> None:
    with pytest.raises(EngineFailed) as told:
        ask(PROMPT, frames(*each))
    assert told.value.cause == cause


# ---- frames ---------------------------------------------------------------------------------------------------------


@given(some.lists(some.binary(max_size=60), max_size=6), some.integers(1, 50))
def test_frames_are_those_of_botocore_however_they_are_cut(payloads: list[bytes], size: int) -> None:
    whole = b"".join(frame("contentBlockDelta", payload) for payload in payloads)
    theirs = EventStreamBuffer()
    theirs.add_data(whole)
    ours = Frames()
    found = [one for at in range(0, len(whole), size) for one in ours.fed(whole[at : at + size])]
    assert [payload for _, payload in found] == payloads
    assert [(dict(event.headers), event.payload) for event in theirs] == found
    assert not ours.inside


@given(some.integers(0, 10_000), some.integers(1, 255))
def test_a_frame_with_one_byte_changed_is_no_frame(place: int, change: int) -> None:
    whole = bytearray(frame("contentBlockDelta", {"delta": {"text": "Le cargo"}}))
    whole[place % len(whole)] ^= change
    with pytest.raises(Broken):
        Frames().fed(bytes(whole))


def made(headers: bytes, payload: bytes = b"", total: int | None = None) -> bytes:
    from struct import pack
    from zlib import crc32

    prelude = pack(">II", 16 + len(headers) + len(payload) if total is None else total, len(headers))
    rest = prelude + pack(">I", crc32(prelude)) + headers + payload
    return rest + pack(">I", crc32(rest))


def test_headers_of_every_type_are_passed_over() -> None:
    sizes = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
    headers = b"".join(b"\x01a" + bytes([kind]) + b"\0" * size for kind, size in sizes.items())
    headers += b"\x01b\x06\x00\x02xy" + b"\x01c\x07\x00\x02xy"
    assert Frames().fed(made(headers)) == [({"c": "xy"}, b"")]


@pytest.mark.parametrize(
    "headers",
    [b"\x05ab", b"\x01", b"\x01a", b"\x01a\x0a", b"\x01a\x07", b"\x01a\x07\x00\x05ab", b"\x01a\x07\x00\x01\xff"],
)
def test_headers_that_cannot_be(headers: bytes) -> None:
    with pytest.raises(Broken):
        Frames().fed(made(headers))


@pytest.mark.parametrize("total", [0, 15, FRAME + 1, 1 << 31])
def test_lengths_that_cannot_be(total: int) -> None:
    with pytest.raises(Broken):
        Frames().fed(made(b"", total=total))


def test_many_kinds_of_headers_do_not_grow_a_cache() -> None:
    reading = Frames()
    for number in range(100):
        reading.fed(frame(f"kind{number}", {}))
    assert len(reading._cache) == 32
