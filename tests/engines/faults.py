"""An upstream that fails in every way that upstreams fail, in front of each kind of good answer.

A fault is a script: bytes that are written, and what is done between them. `served_badly` plays it on loopback.
"""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import cycle
from zlib import crc32

HANG, RESET, DRIP, END = object(), object(), object(), object()
Script = list[object]
INVALID = b'{"type":"content_block_delta","model":"\xff","delta":{"type":"text_delta","text":"\xff"}}'
SECRET = "words that nobody may see in an error"


@dataclass(frozen=True)
class Good:
    """A good answer of a kind: its type, its frames, the frames that a model's name and an end stand in."""

    kind: str
    media: str
    begin: bytes
    said: list[bytes]
    finish: bytes
    end: bytes
    other: bytes
    drip: bytes
    whole: bool = False

    def body(self, *, frames: list[bytes] | None = None) -> list[bytes]:
        return frames if frames is not None else [self.begin, *self.said, self.finish, self.end]


def sse(**event: object) -> bytes:
    return b"data: " + json.dumps(event, ensure_ascii=False).encode() + b"\n\n"


def frame(kind: str, payload: object, message: str = "event") -> bytes:
    body = json.dumps(payload).encode() if not isinstance(payload, bytes) else payload
    headers = b""
    for name, value in ((f":{message}-type", kind), (":message-type", message)):
        headers += bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()
    prelude = struct.pack(">II", 16 + len(headers) + len(body), len(headers))
    rest = prelude + struct.pack(">I", crc32(prelude)) + headers + body
    return rest + struct.pack(">I", crc32(rest))


def chunk(text: str | None, finish: str | None = None, model: str = "tiny") -> bytes:
    delta = {} if text is None else {"content": text}
    return sse(model=model, choices=[{"index": 0, "delta": delta, "finish_reason": finish}])


def completion(model: str = "tiny", finish: str | None = "stop") -> bytes:
    message = {"role": "assistant", "content": "Le cargo s’éloigne."}
    choices = [{"index": 0, "message": message, "finish_reason": finish}]
    return json.dumps(
        {"model": model, "choices": choices, "usage": {"prompt_tokens": 12, "completion_tokens": 5}}
    ).encode()


def started(model: str = "tiny") -> bytes:
    return sse(type="message_start", message={"model": model, "usage": {"input_tokens": 12, "output_tokens": 1}})


def text_delta(text: str) -> bytes:
    return sse(type="content_block_delta", index=0, delta={"type": "text_delta", "text": text})


def converse(text: str) -> bytes:
    return frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": text}})


METADATA = {"usage": {"inputTokens": 12, "outputTokens": 5, "totalTokens": 17}, "metrics": {"latencyMs": 1}}
ROUTED = METADATA | {"trace": {"promptRouter": {"invokedModelId": "another"}}}

GOOD = {
    "openai stream": Good(
        "openai stream",
        "text/event-stream",
        chunk(""),
        [chunk("Le cargo "), chunk("s’éloigne.")],
        chunk(None, "stop"),
        sse(choices=[], usage={"prompt_tokens": 12, "completion_tokens": 5}) + b"data: [DONE]\n\n",
        chunk("", model="another"),
        b":",
    ),
    "openai whole": Good(
        "openai whole", "application/json", b"", [], completion(), b"", completion(model="another"), b" ", whole=True
    ),
    "anthropic stream": Good(
        "anthropic stream",
        "text/event-stream",
        b"event: message_start\n" + started(),
        [text_delta("Le cargo "), text_delta("s’éloigne.")],
        sse(type="message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 5}),
        sse(type="message_stop"),
        started("another"),
        b":",
    ),
    "bedrock stream": Good(
        "bedrock stream",
        "application/vnd.amazon.eventstream",
        frame("messageStart", {"role": "assistant"}),
        [converse("Le cargo "), converse("s’éloigne.")],
        frame("messageStop", {"stopReason": "end_turn"}),
        frame("metadata", METADATA),
        frame("metadata", ROUTED),
        frame("contentBlockDelta", b"x" * 100_000),
    ),
}


def head(good: Good, *, status: str = "200 OK", length: int | None = None, **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {headers.pop('type', good.media)}"]
    lines.append("Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def chunked(part: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(part), part) if part else b""


def script(good: Good, frames: list[bytes], *then: object, **headers: str) -> Script:
    """Frames in chunks, and the end of them; or what happens in its place."""
    return [head(good, **headers), *(chunked(part) for part in frames), *(then or (b"0\r\n\r\n",))]


def refused(status: str, **headers: str) -> Callable[[Good], Script]:
    def fault(good: Good) -> Script:
        body = json.dumps({"error": {"message": SECRET}}).encode()
        return [head(good, status=status, length=len(body), type="application/json", **headers) + body]

    return fault


def well(good: Good) -> Script:
    return script(good, good.body())


def half(good: Good) -> Script:
    return script(good, [good.finish[:-9]] if good.whole else [good.begin, good.said[0], good.said[1][:-9]])


def another(good: Good) -> Script:
    if good.kind == "bedrock stream":
        return script(good, [good.begin, *good.said, good.finish, good.other])
    return script(good, [good.other] if good.whole else [good.other, *good.said, good.finish, good.end])


def long_line(good: Good) -> Script:
    much = b"x" * (10 << 20)
    if good.kind == "bedrock stream":
        return script(good, [good.begin, frame("contentBlockDelta", much)], HANG)
    return script(good, [b'{"model": "' + much if good.whole else b"data: " + much], HANG)


def unfinished(good: Good) -> Script:
    return script(good, [completion(finish=None)] if good.whole else [good.begin, good.said[0]])


def after_first(bad: bytes) -> Callable[[Good], Script]:
    def fault(good: Good) -> Script:
        if good.kind == "bedrock stream":
            return script(good, [good.begin, good.said[0], frame("contentBlockDelta", bad)], HANG)
        return (
            script(good, [bad])
            if good.whole
            else script(good, [good.begin, good.said[0], b"data: " + bad + b"\n\n"], HANG)
        )

    return fault


def in_the_middle(*then: object) -> Callable[[Good], Script]:
    def fault(good: Good) -> Script:
        return script(good, [good.finish[:20]] if good.whole else [good.begin, good.said[0]], *then)

    return fault


def with_length(more: int) -> Callable[[Good], Script]:
    def fault(good: Good) -> Script:
        body = b"".join(good.body())
        return [head(good, length=len(body) + more) + body, END]

    return fault


def endless_headers(good: Good) -> Script:
    return [head(good)[:-2], *[b"X-More: %d\r\n" % number for number in range(20_000)], HANG]


def more_after(good: Good) -> Script:
    return [head(good), *(chunked(part) for part in good.body()), chunked(good.end), b"0\r\n\r\n", head(good), END]


@dataclass(frozen=True)
class Fault:
    """What is played, and what must come of it by kind of upstream: the cause, and whether anything was told before."""

    play: Callable[[Good], Script]
    cause: str
    given: tuple[str, ...] = ()
    tls: str = ""
    listens: bool = True
    retry_after: float = 0.0
    complete: tuple[str, ...] = ()
    at_accept: bool = False


STREAMS = ("openai stream", "anthropic stream", "bedrock stream")
FAULTS: dict[str, Fault] = {
    "refuse": Fault(well, "down", listens=False),
    "reset at accept": Fault(lambda good: [RESET], "down", at_accept=True),
    "hang up at accept": Fault(lambda good: [END], "down", at_accept=True),
    "reset in the middle": Fault(in_the_middle(RESET), "broken", STREAMS),
    "400": Fault(refused("400 Bad Request"), "rejected"),
    "401": Fault(refused("401 Unauthorized"), "denied"),
    "429": Fault(refused("429 Too Many Requests", Retry_After="7"), "busy", retry_after=7.0),
    "500": Fault(refused("500 Internal Server Error"), "broken"),
    "503": Fault(refused("503 Service Unavailable"), "busy"),
    "hang before the head": Fault(lambda good: [HANG], "slow"),
    "hang in the middle": Fault(in_the_middle(HANG), "slow", STREAMS),
    "slow drip": Fault(in_the_middle(DRIP), "slow", STREAMS),
    "wrong content type": Fault(lambda good: script(good, good.body(), type="text/html"), "broken"),
    "half a frame": Fault(half, "broken", STREAMS),
    "no TLS where there should be": Fault(well, "down", tls="plain"),
    "a certificate that nobody vouches for": Fault(well, "down", tls="self-signed"),
    "another model": Fault(another, "broken", ("bedrock stream",)),
    "a line of ten megabytes": Fault(long_line, "broken"),
    "an end without a finish": Fault(unfinished, "broken", STREAMS),
    "a frame that is not JSON": Fault(after_first(b'{"model": half'), "broken", STREAMS),
    "invalid UTF-8": Fault(after_first(INVALID), "broken", STREAMS),
    "compressed": Fault(lambda good: script(good, [b"\x1f\x8b" + b"x" * 40], Content_Encoding="gzip"), "broken"),
    "redirect": Fault(refused("302 Found", Location="http://127.0.0.1:1/v1"), "broken"),
    "a length too short": Fault(with_length(-30), "broken", STREAMS),
    "a length too long": Fault(with_length(30), "broken", complete=STREAMS),
    "headers without an end": Fault(endless_headers, "broken"),
    "more after the end": Fault(more_after, "", complete=("openai whole", *STREAMS)),
}


@dataclass
class Upstream:
    """What a fault proxy has seen. `bytes` counts what it could write."""

    port: int = 0
    requests: list[bytes] = field(default_factory=list)
    open: set[asyncio.Task[None]] = field(default_factory=set)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    written: int = 0
    next: Callable[[], tuple[Good, Fault]] | None = None


@asynccontextmanager
async def served_badly(
    good: Good, fault: Fault, tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[Upstream, str]]:
    """A server on loopback that plays the fault to whoever asks; its base URL."""
    seen = Upstream()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        seen.open.add(task)
        try:
            if fault.tls == "plain":  # it greets before anybody has asked
                writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            if fault.at_accept and seen.next is None:
                _hang_up(writer, fault.play(good)[0])
                return
            while await _answered(seen, good, fault, reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, TimeoutError):
            pass
        finally:
            seen.open.discard(task)
            writer.transport.abort()
            seen.left.set()

    context = tls if fault.tls != "plain" else None
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    seen.port = server.sockets[0].getsockname()[1]
    scheme = "https" if fault.tls else "http"
    try:
        if not fault.listens:
            server.close()
        yield seen, f"{scheme}://127.0.0.1:{seen.port}"
    finally:
        server.close()
        for task in list(seen.open):
            task.cancel()
        await asyncio.gather(*seen.open, return_exceptions=True)


async def _answered(
    seen: Upstream, good: Good, fault: Fault, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> bool:
    """Play the script once; whether the connection may be used again."""
    asked = await reader.readuntil(b"\r\n\r\n")
    length = int(asked.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    seen.requests.append(asked + await reader.readexactly(length))
    if seen.next is not None:
        good, fault = seen.next()
    for step in fault.play(good):
        if isinstance(step, bytes):
            writer.write(step)
            seen.written += len(step)
            await writer.drain()
        elif step in (END, RESET):
            _hang_up(writer, step)
            return False
        elif step is DRIP:
            for byte in cycle(good.drip):
                writer.write(chunked(bytes([byte])))
                await writer.drain()
                await asyncio.sleep(0.02)
        else:
            await reader.read()  # until the client goes
            return False
    return True


def _hang_up(writer: asyncio.StreamWriter, how: object) -> None:
    """Politely, or with a reset."""
    sock: socket.socket = writer.get_extra_info("socket")
    if how is RESET:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.close()
