"""Models and counts, and whose shape a path has that two protocols share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from casemate.access import Flow
from casemate.doors.anthropic import routes
from casemate.doors.frame import App, Table
from casemate.models import READER, Card, Chat, Delta, Prompt, Usage
from tests.doors.anthropic.asking import VERSION, ask, message
from tests.doors.wired import HIGH, OPEN, SECRET, UPSTREAM, Unused, Wired


def listed(region: Wired, query: str = "", **more: str) -> list[str]:
    got = ask(region, b"", path=f"/v1/models{query}", method="GET", **more)  # type: ignore[arg-type]
    assert got.status == 200, got.json
    names = [each["id"] for each in got.json["data"]]
    assert got.json["first_id"] == (names[0] if names else None)
    assert got.json["last_id"] == (names[-1] if names else None)
    return names


def test_the_models_of_the_floor(region: Wired) -> None:
    assert listed(region) == [UPSTREAM, READER]
    assert listed(region, floor=HIGH) == [READER]
    model = ask(region, b"", path=f"/v1/models/{UPSTREAM}", method="GET").json
    assert (model["type"], model["id"], model["vendor"]) == ("model", UPSTREAM, "acme")


@pytest.mark.parametrize("path", ["/v1/models", f"/v1/models/{UPSTREAM}"])
def test_the_header_says_which_protocol_is_spoken(region: Wired, path: str) -> None:
    _, key = region.key()
    bare = region.send("GET", path, headers=[("x-api-key", key)])
    spoken = region.send("GET", path, headers=[("x-api-key", key), VERSION])
    alias = region.send("GET", f"/anthropic{path}", headers=[("x-api-key", key)])
    assert "object" in bare.json
    assert "object" not in spoken.json
    assert spoken.json == alias.json
    assert region.send("HEAD", path, headers=[("x-api-key", key), VERSION]).body == b""


def test_two_routes_of_one_path_differ_by_what_is_spoken(region: Wired) -> None:
    ours = routes(region.gate, region.catalogue, region.answers)
    with pytest.raises(ValueError, match="two routes"):
        App(region.gate, Table([*ours, *ours]), ())


def test_pages(region: Wired) -> None:
    for n in range(3):
        region.catalogue.add(Card(f"b/{n}", "x", "b", region.clearance(SECRET), Unused()))
    try:
        assert listed(region, "?limit=2") == [UPSTREAM, "b/0"]
        assert listed(region, "?limit=2&after_id=b%2F0") == ["b/1", "b/2"]
        assert listed(region, f"?limit=2&before_id={READER}") == ["b/1", "b/2"]
        assert listed(region, "?after_id=zzz") == []
        more = [
            ask(region, b"", path=f"/v1/models?{query}", method="GET").json["has_more"]
            for query in ("limit=2", "limit=5", f"limit=2&before_id={READER}", "limit=4&before_id=b%2F0")
        ]
        assert more == [True, False, True, False]
    finally:
        region.catalogue.refresh(card for card in region.catalogue.cards.values() if card.vendor != "b")


@pytest.mark.parametrize("limit", ["0", "1001", "x", "-1", "99999", "\u0663"])
def test_a_limit_is_bounded(region: Wired, limit: str) -> None:
    got = ask(region, b"", path=f"/v1/models?limit={limit}".encode().decode("latin-1"), method="GET")
    assert (got.status, got.json["error"]["type"]) == (400, "invalid_request_error")


def test_a_count_is_marked_as_an_estimate(region: Wired) -> None:
    body = message("four" * 100, tools=[{"name": "read", "input_schema": {"type": "object"}}], model=UPSTREAM)
    del body["max_tokens"]
    got = ask(region, body, path="/v1/messages/count_tokens")
    assert (got.status, got.headers["casemate-estimated"]) == (200, "true")
    assert 110 <= got.json["input_tokens"] <= 130
    assert not region.answers.asked
    assert ask(region, body, path="/anthropic/v1/messages/count_tokens").json == got.json


class Counts(Unused):
    """An engine here that counts."""

    async def count(self, prompt: Prompt, deadline: float) -> Usage:
        return Usage(prompt=42, estimated=False)


def test_an_engine_that_counts_is_asked(region: Wired) -> None:
    cards = list(region.catalogue.cards.values())
    region.catalogue.add(replace(region.catalogue.cards[UPSTREAM], engine=Counts(), outside=False))
    try:
        got = ask(region, message(model=UPSTREAM), path="/v1/messages/count_tokens")
    finally:
        region.catalogue.refresh(cards)
    assert (got.json, "casemate-estimated" in got.headers) == ({"input_tokens": 42}, False)


async def _nothing(flow: Flow, chat: Chat) -> AsyncIterator[Delta]:
    yield Delta(finish="stop")


def test_the_alias_answers_like_the_path(region: Wired) -> None:
    region.answers.script = _nothing
    got = ask(region, message(), path="/anthropic/v1/messages", floor=OPEN)
    assert (got.status, got.json["content"]) == (200, [])
