"""What the engines behind HTTP share: where they ask, with which credential, and how a failure is told.

An answer that is not 200 is told by its status alone: its body belongs to the other side and is not read.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Protocol

from casemate.engines.http_exchange import Broken, Cause, Exchange
from casemate.engines.http_pool import SHARE, Pool
from casemate.engines.http_target import Target
from casemate.engines.key_file import KeyFile
from casemate.errors import EngineFailed, Misconfigured
from casemate.models import Delta

__all__ = ["Reading", "Remote", "Upstream", "judged", "named_right"]

_CAUSES: dict[int, Cause] = {429: "busy", 503: "busy", 529: "busy", 401: "denied", 403: "denied", 408: "slow"}
_CAUSES[424] = "broken"  # Bedrock: the model failed, not the request
LONGEST_WAIT = 3600.0


@dataclass(frozen=True, slots=True)
class Upstream:
    """Where a server is and what it may say. `url` is its base.

    `ca_file`: who signs its certificate, where the machine's authorities do not. `answers`: names by which it may call
    the model in its answers besides the one that it was asked for. `counts_cache`: what it says of cached tokens may be
    told without a salt, because nobody else's requests reach the same cache.
    """

    url: str
    name: str = "upstream"
    key_file: Path | None = None
    ca_file: Path | None = None
    answers: tuple[str, ...] = ()
    counts_cache: bool = False
    share: int = SHARE


class Reading(Protocol):
    """Reads the body of an answer as it comes: deltas, until it has `done` or `failed`."""

    failure: Broken | None
    done: bool

    def fed(self, piece: bytes) -> list[Delta]:
        """The deltas of a piece: those before a failure, where there is one."""
        ...

    def last(self) -> Delta:
        """The delta that ends the answer. Raises Broken where it did not end."""
        ...


class Remote:
    """A server and its pool. Engines stand on it."""

    def __init__(self, upstream: Upstream, target: Target | None = None) -> None:
        self.upstream = upstream
        setting = f"upstreams.{upstream.name}"
        try:
            self.target = target or Target(upstream.url, upstream.ca_file)
        except ValueError as error:
            raise Misconfigured(setting=f"{setting}.url", why=str(error)) from None
        if upstream.ca_file is not None:
            try:
                self.target.tls()
            except OSError:
                raise Misconfigured(setting=f"{setting}.ca_file", why="it holds no certificates (PEM)") from None
        self.pool = Pool(self.target, upstream.share)
        self.key = KeyFile(upstream.key_file, f"{setting}.key_file") if upstream.key_file is not None else None

    def head(self, path: str, accept: str) -> bytes:
        """The request line and the headers that are the same for every request."""
        lines = (f"POST {self.target.path}{path} HTTP/1.1", f"Host: {self.target.authority}")
        return "\r\n".join([*lines, "Content-Type: application/json", f"Accept: {accept}", ""]).encode("ascii")

    async def streamed(
        self, head: bytes, body: bytes, media: bytes, reading: Reading, seconds: float, partition: str
    ) -> AsyncGenerator[Delta, None]:
        """The deltas of an answer as it comes. Raises EngineFailed; closing it hangs up at once."""
        exchange: Exchange | None = None
        try:
            exchange = await self.pool.ask(head, body, seconds, partition)
            judged(exchange, media)
            while not reading.done and (piece := await exchange.piece()):
                for delta in reading.fed(piece):
                    yield delta
                if reading.failure is not None:
                    raise reading.failure
            last = reading.last()
            exchange.finish()
            yield last
        except Broken as broken:
            raise self.failed(broken) from None
        finally:
            if exchange is not None:
                exchange.close()

    async def whole(self, head: bytes, body: bytes, seconds: float, partition: str, most: int) -> bytes:
        """A JSON answer at once. Raises EngineFailed."""
        exchange: Exchange | None = None
        try:
            exchange = await self.pool.ask(head, body, seconds, partition)
            judged(exchange, b"application/json")
            return await exchange.rest(most)
        except Broken as broken:
            raise self.failed(broken) from None
        finally:
            if exchange is not None:
                exchange.close()

    def failed(self, broken: Broken) -> EngineFailed:
        """The failure as the house tells it."""
        error = EngineFailed(cause=broken.cause, engine=self.upstream.name, why=str(broken))
        error.retry_after = broken.retry_after
        return error


def judged(exchange: Exchange, media: bytes) -> None:
    """Raises Broken for anything but 200 with that type and nothing compressed."""
    status, headers = exchange.status, exchange.headers
    if status != 200:
        cause = _CAUSES.get(status, "rejected" if 400 <= status < 500 else "broken")
        raise Broken(cause, f"it answered with status {status}", retry_after=_retry_after(headers))
    if headers.get(b"content-type", b"").partition(b";")[0].strip().lower() != media:
        raise Broken("broken", f"it did not answer with {media.decode()}")
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise Broken("broken", "its answer is compressed, which nobody asked for")


def named_right(asked: str, answered: str, also: tuple[str, ...]) -> bool:
    """Whether an answer comes from the model that was asked: by its name, a dated or tagged one, or a path to it."""
    if not answered or answered == asked or answered in also:
        return True
    longer = answered.startswith(asked) and answered[len(asked)] in "-@:"
    return longer or answered.endswith(f"/{asked}") or asked.endswith(f"/{answered}")


def _retry_after(headers: dict[bytes, bytes]) -> float:
    """Seconds to wait (RFC 9110 section 10.2.3), a date against the answer's own; 0 where nothing is told."""
    told = headers.get(b"retry-after", b"")
    if told.isdigit():
        return min(float(told[:6]), LONGEST_WAIT)
    try:
        until, now = (
            parsedate_to_datetime(headers.get(name, b"").decode("ascii")) for name in (b"retry-after", b"date")
        )
        return min(max((until - now).total_seconds(), 0.0), LONGEST_WAIT)
    except (ValueError, TypeError):  # UnicodeDecodeError is a ValueError; two dates may not compare
        return 0.0
