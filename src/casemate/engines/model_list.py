"""Which models a server says that it has: one bounded GET, no redirect followed, nothing of the answer believed."""

from __future__ import annotations

import msgspec

from casemate.engines.http_exchange import Broken, Exchange
from casemate.engines.remote import Remote, Upstream, judged

__all__ = ["MOST", "model_list"]

MOST = 1000  # models
LONGEST = 1 << 20  # bytes of the list
NAME_LIMIT = 200


class _Model(msgspec.Struct, frozen=True):
    id: str


class _List(msgspec.Struct, frozen=True):
    data: tuple[_Model, ...]


async def model_list(upstream: Upstream, kind: str, seconds: float) -> list[str]:
    """Names as the server tells them, in order and once each. `kind`: openai or anthropic. Raises EngineFailed."""
    remote = Remote(upstream)
    path = "/v1/models?limit=1000" if kind == "anthropic" else "/models"
    head = remote.head(path, "application/json").replace(b"POST ", b"GET ", 1)
    if remote.key is not None:
        key = remote.key.line().encode("ascii")
        head += b"x-api-key: %b\r\n" % key if kind == "anthropic" else b"Authorization: Bearer %b\r\n" % key
    if kind == "anthropic":
        head += b"anthropic-version: 2023-06-01\r\n"
    exchange: Exchange | None = None
    try:
        exchange = await remote.pool.ask(head, b"", seconds)
        judged(exchange, b"application/json")
        found = _names(await exchange.rest(LONGEST))
    except Broken as broken:
        raise remote.failed(broken) from None
    finally:
        if exchange is not None:
            exchange.close()
        remote.pool.close()
    return found


def _names(raw: bytes) -> list[str]:
    try:
        listed = msgspec.json.decode(raw, type=_List).data
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Broken("broken", "its list of models cannot be read") from None
    names = dict.fromkeys(each.id for each in listed)
    return [name for name in names if 0 < len(name) <= NAME_LIMIT and name.isprintable()][:MOST]
