"""The generator behind an OpenAI-shaped server, against a stub that answers well and in every bad way."""

from __future__ import annotations

import asyncio
import json
import ssl
from pathlib import Path
from typing import Any

import pytest

from casemate.engines.http_exchange import HEAD, TOTAL
from casemate.engines.http_target import Target
from casemate.engines.openai_like import OpenAILike
from casemate.engines.remote import Upstream
from casemate.engines.sse import LINE
from casemate.errors import EngineFailed, Misconfigured
from casemate.models import Delta, Message, Prompt, Usage
from tests.engines.upstream import HEAD as SSE
from tests.engines.upstream import WHOLE, Behave, certificate, chunked, event, said, served, writes


def prompt(**more: Any) -> Prompt:
    messages = (Message("system", "Kurz."), Message("user", "Où va le cargo ?"))
    return Prompt(**{"model": "tiny", "messages": messages, "max_tokens": 64, **more})


async def all_of(engine: OpenAILike, deadline: float = 20, **more: Any) -> list[Delta]:
    try:
        return [delta async for delta in engine.generate(prompt(**more), deadline)]
    finally:
        await engine.close()


def engine(url: str, key: Path | None = None) -> OpenAILike:
    return OpenAILike(Upstream(url, "local", key))


def ask(behave: Behave, key: Path | None = None, **more: Any) -> tuple[list[Delta], bytes]:
    """What the engine gave, and the request that the stub had."""

    async def run() -> tuple[list[Delta], bytes]:
        async with served(behave) as (stub, url):
            deltas = await all_of(engine(url, key), **more)
            await stub.left.wait()
            return deltas, stub.requests[0]

    return asyncio.run(run())


def words(deltas: list[Delta]) -> str:
    return "".join(delta.text for delta in deltas)


def fails(behave: Behave, **more: Any) -> str:
    """Why it failed."""
    with pytest.raises(EngineFailed) as told:
        ask(behave, **more)
    assert told.value.facts["engine"] == "local"
    return str(told.value.facts["why"])


LENGTH = SSE + b"Content-Length: %d\r\n\r\n" % len(b"".join(WHOLE))
CHUNKED = SSE + b"Transfer-Encoding: chunked\r\n\r\n"
FRAMED: dict[str, list[bytes]] = {
    "in chunks": [CHUNKED, *(chunked(part) for part in WHOLE), b"0\r\n\r\n"],
    "all at once": [CHUNKED + chunked(*WHOLE) + b"0\r\n\r\n"],
    "with a length": [LENGTH, *WHOLE],
    "until it hangs up": [SSE + b"\r\n", *WHOLE],
    "in an early hint": [b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + LENGTH, *WHOLE],
    "without a DONE": [SSE + b"\r\n", *WHOLE[:-1]],
    "with carriage returns": [SSE + b"\r\n", *(part.replace(b"\n", b"\r\n") for part in WHOLE)],
    "after a whole answer there is nothing": [LENGTH + b"".join(WHOLE) + LENGTH + b"".join(WHOLE)],
    "after a close there is nothing": [
        LENGTH.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") + b"".join(WHOLE) + b"more"
    ],
    "after a DONE there is nothing": [CHUNKED, chunked(*WHOLE), chunked(said("more"))],
}


@pytest.mark.parametrize("parts", FRAMED.values(), ids=FRAMED)
def test_pieces_and_usage_however_they_are_framed(parts: list[bytes]) -> None:
    deltas, _ = ask(writes(*parts))
    assert words(deltas) == "Le cargo s’éloigne."
    assert [delta.thought.text for delta in deltas if delta.thought] == ["hm"]
    assert deltas[-1] == Delta(finish="stop", usage=Usage(12, 5, estimated=False))


def test_a_body_that_comes_byte_by_byte() -> None:
    whole = b"".join(FRAMED["in chunks"])
    deltas, _ = ask(writes(*(whole[i : i + 1] for i in range(len(whole)))))
    assert words(deltas) == "Le cargo s’éloigne."


def test_what_is_sent(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("s3cr3t\n")
    _, request = ask(writes(*FRAMED["with a length"]), tmp_path / "key", temperature=0.5)
    head, _, body = request.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /v1/chat/completions HTTP/1.1"
    assert "Authorization: Bearer s3cr3t" in lines
    assert not any(line.lower().startswith(("connection:", "accept-encoding:")) for line in lines)
    assert sum(line.startswith("Host: 127.0.0.1:") for line in lines) == 1
    assert json.loads(body) == {
        "model": "tiny",
        "messages": [{"role": "system", "content": "Kurz."}, {"role": "user", "content": "Où va le cargo ?"}],
        "max_tokens": 64,
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.5,
    }


def test_without_a_key_there_is_no_authorization_and_no_temperature_unless_given() -> None:
    _, request = ask(writes(*FRAMED["with a length"]))
    assert b"authorization" not in request.lower()
    assert b"temperature" not in request


def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert ask(writes(*FRAMED["with a length"]))[0][0].text == "Le cargo "


def answer(status: str, *lines: bytes, body: bytes = b"") -> Behave:
    head = b"\r\n".join([b"HTTP/1.1 " + status.encode(), *lines, b"Content-Length: %d" % len(body), b"", b""])
    return writes(head + body)


STREAM = b"Content-Type: text/event-stream"
BAD: dict[str, tuple[Behave, str]] = {
    "a 404": (answer("404 Not Found", STREAM, body=b"secret words"), "status 404"),
    "a 500": (answer("500 Oops", STREAM), "status 500"),
    "a 204": (answer("204 No Content", STREAM), "status 204"),
    "a redirect": (answer("302 Found", STREAM, b"Location: http://127.0.0.1:1/v1"), "status 302"),
    "a page": (answer("200 OK", b"Content-Type: text/html", body=b"<html>"), "text/event-stream"),
    "an answer that does not stream": (
        answer("200 OK", b"Content-Type: application/json", body=b"{}"),
        "text/event-stream",
    ),
    "no type at all": (answer("200 OK", body=WHOLE[2]), "text/event-stream"),
    "something compressed": (answer("200 OK", STREAM, b"Content-Encoding: gzip", body=b"x"), "compressed"),
    "a length too short": (writes(LENGTH.replace(b"Length: ", b"Length: 9"), *WHOLE[:-1]), "hung up"),
    "chunks without an end": (writes(CHUNKED, chunked(*WHOLE[:4])), "hung up"),
    "an end without an end": (writes(SSE + b"\r\n", *WHOLE[:4]), "ended too early"),
    "half a frame": (writes(SSE + b"\r\n", WHOLE[2], WHOLE[4][:-9]), "inside a frame"),
    "nothing at all": (writes(), "hung up"),
    "half a head": (writes(SSE), "hung up"),
    "a line of ten megabytes": (writes(SSE + b"\r\n", b"data: " + b"x" * (10 << 20)), "too long"),
    "a whole line too long": (writes(SSE + b"\r\n", b"data: " + b"x" * LINE + b"\n\n"), "too long"),
    "a head of ten megabytes": (writes(SSE + b"X-Much: " + b"x" * (10 << 20)), "head"),
    "a head without an end": (writes(SSE, *[b"X-Much: %d\r\n" % i for i in range(HEAD // 10)]), "head"),
    "not HTTP": (writes(b"SSH-2.0-OpenSSH_9.2\r\n"), "does not speak HTTP"),
    "a broken chunk": (writes(CHUNKED, b"zz\r\nnonsense\r\n"), "does not speak HTTP"),
    "not JSON": (writes(SSE + b"\r\n", b"data: {half\n\n"), "cannot be read"),
    "another shape": (writes(SSE + b"\r\n", event(choices="none")), "cannot be read"),
    "a text that is a number": (writes(SSE + b"\r\n", event(choices=[{"delta": {"content": 5}}])), "cannot be read"),
    "invalid UTF-8": (
        writes(SSE + b"\r\n", b'data: {"choices":[{"delta":{"content":"\xff"}}]}\n\n'),
        "cannot be read",
    ),
    "too deep": (writes(SSE + b"\r\n", b'data: {"error":' + b"[" * 100_000 + b"\n\n"), "cannot be read"),
    "an error inside": (
        writes(SSE + b"\r\n", WHOLE[2], event(error={"message": "secret words"})),
        "reported an error",
    ),
}


@pytest.mark.parametrize(("behave", "why"), BAD.values(), ids=BAD)
def test_every_bad_answer_is_a_failure_of_the_engine(behave: Behave, why: str) -> None:
    told = fails(behave)
    assert why in told
    assert "secret words" not in told


def test_text_without_an_end() -> None:
    many = said("x" * 60_000)
    assert fails(writes(SSE + b"\r\n", *[many] * (TOTAL // 60_000 + 2))) == "its answer has no end"


@pytest.mark.parametrize("parts", [[], [SSE], [SSE + b"\r\n", *WHOLE[:4]]], ids=["head", "half a head", "middle"])
def test_a_hang_ends_at_the_deadline(parts: list[bytes]) -> None:
    assert fails(writes(*parts, then="wait"), deadline=0.2) == "it did not answer in time"


def test_nobody_listens() -> None:
    async def run() -> None:
        async with served(writes()) as (_, url):
            gone = url
        await all_of(engine(gone))

    with pytest.raises(EngineFailed) as told:
        asyncio.run(run())
    assert told.value.facts["why"] == "the connection failed (ConnectionRefusedError)"


def test_a_connection_that_is_reset() -> None:
    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(SSE + b"\r\n" + WHOLE[2])
        await writer.drain()
        writer.transport.abort()

    assert fails(behave) in (
        "the connection failed (ConnectionResetError)",
        "its answer ended too early",
    )


def test_a_name_that_nobody_has() -> None:
    with pytest.raises(EngineFailed) as told:
        asyncio.run(all_of(engine("http://no-such-host.invalid/v1")))
    assert "connection failed" in str(told.value.facts["why"])


def test_tls_to_something_that_does_not_speak_it() -> None:
    async def run() -> None:
        def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            writer.close()

        async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            await all_of(engine(f"https://127.0.0.1:{port}/v1"))

    with pytest.raises(EngineFailed) as told:
        asyncio.run(run())
    assert "TLS" in str(told.value.facts["why"])


@pytest.mark.parametrize("trusted", [False, True])
def test_tls_to_a_server_that_nobody_vouches_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trusted: bool
) -> None:
    """`SSL_CERT_FILE` is how an operator adds an authority of his own."""

    async def run() -> list[Delta]:
        async with served(writes(*FRAMED["in chunks"]), certificate(tmp_path / "pem")) as (_, url):
            if trusted:
                monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "pem"))
            return await all_of(engine(url))

    if trusted:
        assert words(asyncio.run(run())) == "Le cargo s’éloigne."
        return
    with pytest.raises(EngineFailed) as told:
        asyncio.run(run())
    assert told.value.facts["why"] == "no trusted TLS connection came about"


def test_tls_is_judged_by_the_default_authorities() -> None:
    context = Target("https://models.test/v1").tls()
    assert context is not None
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert Target("http://models.test/v1").tls() is None


@pytest.mark.parametrize("leaves", ["close", "cancel"])
def test_whoever_stops_listening_hangs_up(leaves: str) -> None:
    """The server's write side stays open until its client has gone: this ends because the client goes."""

    async def run() -> None:
        async with served(writes(SSE + b"\r\n", WHOLE[2], then="wait")) as (stub, url):
            pieces = engine(url).generate(prompt(), 60)
            assert await anext(pieces) == Delta(text="Le cargo ")
            if leaves == "close":
                await pieces.aclose()
            else:
                waiting = asyncio.ensure_future(anext(pieces))
                await asyncio.sleep(0.01)
                waiting.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await waiting
            await asyncio.wait_for(stub.left.wait(), 10)

    asyncio.run(run())


def test_pieces_may_be_awaited_by_different_tasks() -> None:
    async def run() -> list[Delta]:
        async with served(writes(*FRAMED["in chunks"])) as (_, url):
            pieces = engine(url).generate(prompt(), 60)
            found: list[Delta] = []
            while True:
                try:
                    found.append(await asyncio.ensure_future(anext(pieces)))
                except StopAsyncIteration:
                    return found

    assert words(asyncio.run(run())) == "Le cargo s’éloigne."


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:8080",
        "ftp://h/v1",
        "http://",
        "http://u:p@h/v1",
        "http://h/v1?x=1",
        "http://h/v1#f",
        "http://é/v1",
    ],
)
def test_an_address_that_cannot_be(url: str) -> None:
    with pytest.raises(Misconfigured) as told:
        engine(url)
    assert told.value.facts["setting"] == "upstreams.local.url"


@pytest.mark.parametrize(
    ("url", "authority", "path"),
    [
        ("http://h:8080/v1/", "h:8080", "/v1/chat/completions"),
        ("http://h", "h", "/chat/completions"),
        ("https://h:443/v1", "h", "/v1/chat/completions"),
        ("http://[::1]:8080/v1", "[::1]:8080", "/v1/chat/completions"),
    ],
)
def test_an_address_taken_apart(url: str, authority: str, path: str) -> None:
    target = Target(url)
    assert (target.authority, target.path + "/chat/completions") == (authority, path)


@pytest.mark.parametrize("text", [None, "", "two\nlines", "cl\u00e9"])
def test_a_key_file_that_cannot_be(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "key").write_text(text, encoding="utf-8")
    with pytest.raises(Misconfigured) as told:
        ask(writes(), tmp_path / "key")
    assert told.value.facts["setting"] == "upstreams.local.key_file"
