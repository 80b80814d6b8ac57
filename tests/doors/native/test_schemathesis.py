"""The control API as its own OpenAPI tells it: whatever somebody sends, no answer is a failure of the server.

schemathesis makes the requests, of what the document allows and of what it does not. The seed rotates with the minute
and is printed; CASEMATE_SEED=N repeats a run.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import hypothesis
import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase
from schemathesis import GenerationMode

from casemate.clock import SystemClock
from casemate.doors.native.openapi import QUERIES, RAW
from tests.laws.world import Seen, World

SEED = int(os.environ.get("CASEMATE_SEED") or SystemClock().now() // 60_000_000)
EXAMPLES = int(os.environ.get("CASEMATE_EXAMPLES") or 6)  # of each operation, kind of request and caller
NATIVE = Path(__file__).parents[3] / "src" / "casemate" / "doors" / "native"
KNOWN = {  # what lets a request get further than its first field: every other text of these names becomes one of them
    "label": ("us:SECRET", "us:UNCLASSIFIED", ""),
    "floor": ("us:UNCLASSIFIED", ""),
    "ceiling": ("us:SECRET", ""),
    "clearance": ("us:SECRET", "us:TOP SECRET//SI//NOFORN"),
    "model": ("casemate/extractive-reader",),
    "name": ("casemate/extractive-reader", "reader", "house"),
    "principal": ("reader", "owner"),
    "base": ("all", "none"),
    "format": ("csv", "json"),
    "from": ("2026-01-01",),
    "to": ("2026-12-01",),
    "limit": ("3",),
}


def led(told: Any, known: Mapping[str, Sequence[str]]) -> Any:
    """The same request with every other text of a known name in the place of a strange one."""
    if isinstance(told, list):
        return [led(each, known) for each in told]
    if not isinstance(told, dict):
        return told
    found = {}
    for name, value in told.items():
        words = known.get(name, ()) if isinstance(value, str) and len(value) % 2 == 0 else ()
        found[name] = words[len(value) // 2 % len(words)] if words else led(value, known)
    return found


async def things(world: World) -> dict[str, list[str]]:
    """Ids of what is there to be named: a document, a key, a principal, an entry, a log."""
    text = "us:UNCLASSIFIED"
    brought = await world.call("owner", "POST", "/api/documents?name=a.txt&base=law", b"(U) The pier is open.", text)
    key = await world.call("owner", "POST", "/api/keys", {"floor": text, "ceiling": text})
    person = await world.call("owner", "POST", "/api/principals", {"name": "spare", "clearance": text})
    await world.step()
    heads = await world.call("owner", "GET", "/api/ledger/heads")
    assert {brought.status, key.status, person.status, heads.status} == {200, 201, 202}
    ids = [
        brought.json["data"]["id"],
        key.json["data"]["key"]["id"],
        person.json["data"]["id"],
        brought.header("casemate-ledger"),
    ]
    return {"id": ids, "log": [head["log"] for head in heads.json["data"]][:1]}


class Holds:
    """One principal's requests through the whole frame, on the loop of the test."""

    def __init__(self, runner: asyncio.Runner, world: World, who: str, known: Mapping[str, Sequence[str]]) -> None:
        self.runner, self.world, self.who, self.known = runner, world, who, known
        self.statuses: dict[str, set[int]] = {}
        self.wrong = 0

    def send(self, label: str, case: Any, right: bool) -> None:
        """Send it; a failure of the server fails the test. `right`: it is as the document has it, and may be led."""
        if right:
            for part in ("body", "query", "path_parameters"):
                setattr(case, part, led(getattr(case, part), self.known))
            case.headers = {}
        seen = self._seen(case)
        self.statuses.setdefault(label, set()).add(seen.status)
        assert seen.status < 500, (
            f"{label} as {self.who}, CASEMATE_SEED={SEED}: {seen.status} {seen.body[:300]!r} to {case.body!r}"
        )

    def _seen(self, case: Any) -> Seen:
        sent = case.as_transport_kwargs(base_url="http://region.test")
        query = urlencode(_texts(sent.get("params")), doseq=True)
        target = f"{case.formatted_path}?{query}".replace("#", "%23")
        headers = tuple((name, value) for name, value in _texts(sent["headers"]) if name.lower() != "authorization")
        if sent.get("json") is not None:
            body, headers = msgspec.json.encode(sent["json"]), (*headers, ("content-type", "application/json"))
        else:
            body = sent.get("data") or b""
        raw = body if isinstance(body, bytes) else str(body).encode()
        return self.runner.run(self.world.call(self.who, case.method, target, raw, headers=headers))


def _texts(pairs: Mapping[str, Any] | None) -> list[tuple[str, Any]]:
    """Pairs that can be sent: a header in Latin-1 without line ends."""
    return [(name, value) for name, value in (pairs or {}).items() if isinstance(value, str | list)]


@pytest.mark.parametrize("who", ["owner", "reader"])
def test_no_request_makes_the_server_fail(runner: asyncio.Runner, world: World, who: str) -> None:
    print(f"CASEMATE_SEED={SEED}")
    runner.run(world.person("reader", "us:SECRET//NOFORN"))
    served = runner.run(world.call("reader", "GET", "/api/openapi.json")).json
    holds = Holds(runner, world, who, KNOWN | runner.run(things(world)))
    operations = [found.ok() for found in schemathesis.openapi.from_dict(served).get_all_operations()]
    assert len(operations) > 50
    for number, operation in enumerate(operations):
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            _hold(holds, operation, mode, SEED + number)
    assert holds.wrong > 20
    assert {status // 100 for seen in holds.statuses.values() for status in seen} >= {2, 4}


def _hold(holds: Holds, operation: Any, mode: GenerationMode, seed: int) -> None:
    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=False,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(operation.as_strategy(generation_mode=mode))
    def sends(case: Any) -> None:
        holds.send(operation.label, case, mode is GenerationMode.POSITIVE)

    if mode is GenerationMode.POSITIVE:
        sends()
    elif operation.body and (operation.label not in RAW or operation.label in QUERIES):
        # any text is right in a path, a query or a header, and any bytes as a file
        sends()
        holds.wrong += 1


def test_a_failure_of_the_server_is_seen(runner: asyncio.Runner, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    served = runner.run(world.call("owner", "GET", "/api/openapi.json")).json
    operation = next(schemathesis.openapi.from_dict(served).get_all_operations()).ok()

    async def fails(*_: object, **__: object) -> Seen:
        return Seen(500, (), ())

    monkeypatch.setattr(World, "call", fails)
    with pytest.raises(AssertionError, match="CASEMATE_SEED"):
        _hold(Holds(runner, world, "owner", {}), operation, GenerationMode.POSITIVE, 1)


def test_every_name_that_is_read_from_a_query_is_told() -> None:
    read = {
        name
        for file in NATIVE.glob("*.py")
        for name in re.findall(r'(?:(?:query|asked)(?:\.get\(|\[)|\bnumber\(call, )"(\w+)"', file.read_text())
    }
    assert read == {name for names in QUERIES.values() for name in names}
