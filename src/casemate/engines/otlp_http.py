"""OTLP over HTTP with JSON, to the one endpoint that the settings name: a span is sent once or dropped, never kept."""

from __future__ import annotations

from casemate.engines.http_exchange import Broken
from casemate.engines.http_pool import Pool
from casemate.engines.http_target import Target

__all__ = ["OtlpHttp"]

SECONDS = 5.0  # for one batch
SHARE = 1  # connections of a domain
ANSWER = 64 << 10  # bytes of an answer that are read before it is given up


class OtlpHttp:
    """A collector. Each label domain has its own connection."""

    def __init__(self, url: str) -> None:
        """`url`: the collector's base, without /v1/traces. ValueError says what is wrong with it."""
        self._target = Target(url)
        self._pool = Pool(self._target, SHARE)
        path = f"{self._target.path}/v1/traces"
        self._head = (
            f"POST {path} HTTP/1.1\r\nHost: {self._target.authority}\r\nContent-Type: application/json\r\n"
            "User-Agent: casemate\r\n"
        ).encode("ascii")

    async def send(self, body: bytes, partition: str) -> bool:
        """Whether it was taken (2xx). It is not sent again: telemetry that comes twice is wrong, and late ones wait."""
        try:
            exchange = await self._pool.ask(self._head, body, SECONDS, partition)
        except Broken:
            return False
        try:
            await exchange.rest(ANSWER)
        except Broken:
            return False
        finally:
            exchange.close()
        return 200 <= exchange.status < 300

    def close(self) -> None:
        """End its connections."""
        self._pool.close()
