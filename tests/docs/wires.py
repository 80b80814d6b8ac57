"""The operations of the wires: the routes as the code declares them, and what wires.toml says of each.

A row names its routes; of Bedrock, whose operations have names in botocore's own description, one row is one of them.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from inspect import signature
from pathlib import Path
from typing import Any, cast

import botocore
import msgspec

from casemate.doors import anthropic, batch, bedrock, hec, openai, s3

__all__ = ["ALIASES", "WIRES", "Row", "described", "elsewhere", "routes", "rows", "table_rows"]

WIRES: dict[str, Any] = {
    "openai": openai, "anthropic": anthropic, "bedrock": bedrock, "s3": s3, "batch": batch, "hec": hec
}  # fmt: skip
ALIASES = {"openai": openai.ALIAS, "anthropic": anthropic.ALIAS, "bedrock": "", "s3": "", "batch": "", "hec": ""}
SERVICES = ("bedrock-runtime", "bedrock", "bedrock-agent-runtime")


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An operation, or several of one answer. `status` and `error`: what is got where it is refused."""

    name: str
    routes: tuple[str, ...]
    state: str
    says: str = ""
    status: int = 0
    error: str = ""


class _Anything:
    """Stands where a wire wants a gate, a catalogue or an answerer to declare its routes, and is never called."""

    def __getattr__(self, name: str) -> _Anything:
        return self


def rows(wire: str) -> list[Row]:
    """The rows of a wire, in their order."""
    told = tomllib.loads(Path(__file__).with_name("wires.toml").read_text())
    return msgspec.convert(told[wire], list[Row])


def routes(wire: str) -> list[str]:
    """`METHOD /path` of each route that the wire declares, aliases too.

    Where operations of S3 differ by a header alone, its name stands behind the path.
    """
    nothing = cast(Any, _Anything())
    declare = WIRES[wire].routes
    found = declare(*(nothing for _ in signature(declare).parameters))
    return [
        f"{route.method} {route.path.replace('*}', '}')}"
        + (f" ({route.spoken})" if route.apart and route.spoken else "")
        for route in found
    ]


@cache
def described() -> dict[str, str]:
    """Bedrock's operations, by name: `METHOD /path` with every placeholder as {}; of two services the first one's."""
    found = {}
    for service in SERVICES:
        for operation, http in _of(service):
            route = f"{http['method']} {blank(http['requestUri'].partition('?')[0].rstrip('/'))}"
            found.setdefault(operation, route)
    return found


def _of(service: str) -> Iterator[tuple[str, dict[str, str]]]:
    import gzip

    folder = max((Path(botocore.__file__).parent / "data" / service).iterdir())
    plain = folder / "service-2.json"
    raw = plain.read_bytes() if plain.exists() else gzip.decompress((folder / "service-2.json.gz").read_bytes())
    for name, operation in json.loads(raw)["operations"].items():
        yield name, operation["http"]


def blank(route: str) -> str:
    """The route with its placeholders nameless, as two descriptions of one can be compared."""
    return re.sub(r"\{[^}]*\}", "{}", route)


def elsewhere() -> list[str]:
    """Bedrock's operations that stand in no row, by name: none of them is here."""
    return sorted(set(described()) - {row.name for row in rows("bedrock")})


def table_rows(wire: str) -> list[tuple[str, ...]]:
    """What stands in docs/wires.md: operation, routes, state, remarks."""
    found = []
    for row in rows(wire):
        refusal = f"{row.status} `{row.error}`" if row.state == "refused" else ""
        remarks = "; ".join(part for part in (refusal, row.says) if part)
        told = ", ".join(f"`{each}`" for each in row.routes).replace("|", "\\|")
        found.append((row.name, told, row.state, remarks))
    return found
