"""Everything in a request is looked at; what a vendor would keep, fetch or call is refused unless a card allows it."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.doors.openai.brought import extras, looked_at
from casemate.doors.openai.brought import given as beside
from casemate.models import READER
from tests.doors.openai.asking import PIXEL, SEES, TRUSTED, WEATHER, ask, chat, more_models, post, upstream
from tests.doors.wired import Wired

MARK = "(TS//SI//NF) What of it?"

FULL: dict[str, Any] = upstream(
    tools=[{"type": "function", "function": WEATHER | {"parameters": {"type": "object", "properties": {"p": {}}}}}],
    tool_choice="auto",
    response_format={"type": "json_schema", "json_schema": {"name": "n", "schema": {"title": "t"}}},
    metadata={"team": "red"},
    user="ann",
    stop=["END"],
    never_heard_of={"deep": [{"er": "x"}]},
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where a string stands in it."""
    if isinstance(value, str):
        return [path]
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, one in inner for place in places(one, (*path, key))]


@pytest.mark.parametrize("path", places(FULL), ids=lambda p: ".".join(map(str, p)))
def test_a_mark_above_goes_nowhere_wherever_it_stands(region: Wired, path: tuple[Any, ...]) -> None:
    body = copy.deepcopy(FULL)
    inner = body
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = MARK
    got = ask(region, body)
    assert got.status == 403, path
    assert got.json["error"]["rule"] == "mark-above"
    assert region.answers.asked == []


@pytest.mark.parametrize("where", ["never_heard_of", "metadata", "logit_bias"])
def test_a_mark_in_the_name_of_a_field(region: Wired, where: str) -> None:
    got = ask(region, upstream(**{where: {MARK: "1"}}))
    assert (got.status, got.json["error"]["rule"]) == (403, "mark-above")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
)


@settings(max_examples=200)
@given(st.dictionaries(st.text(max_size=6), JSON, max_size=5), st.text(min_size=1, max_size=9))
def test_every_string_is_found(body: dict[str, Any], text: str) -> None:
    def walk(value: Any) -> set[str]:
        if isinstance(value, str):
            return {value}
        if isinstance(value, dict):
            return set(value).union(*(walk(one) for one in value.values()))
        return set().union(*(walk(one) for one in value)) if isinstance(value, list) else set()

    body = {**body, "x": [{"y": {f"({text}": text}}]}
    left_out = walk(body) - set(looked_at(body))
    assert all(
        (word.isidentifier() and word.lower() == word) or word in ("anyOf", "additionalProperties") for word in left_out
    )
    assert f"({text}" in looked_at(body)


def test_a_name_twice_is_read_as_it_was_looked_at(region: Wired) -> None:
    raw = json.dumps(upstream()).encode()
    twice = raw[:-1] + b',"odd":{"a":"' + MARK.encode() + b'","a":"fine"}}'
    assert ask(region, twice).status == 200
    assert bytes(region.answers.asked[0].extra["odd"]) == b'{"a":"fine"}'


def test_unknown_fields_pass_through_and_are_noted(region: Wired) -> None:
    got = ask(region, upstream(logit_bias={"1": 2}, frequency_penalty=0, verbosity="low", odd={"a": [1, None]}))
    assert got.status == 200
    (found,) = region.answers.asked
    assert {name: json.loads(bytes(raw)) for name, raw in found.extra.items()} == {
        "logit_bias": {"1": 2},
        "verbosity": "low",
        "odd": {"a": [1, None]},
    }
    assert (found.dialect, found.needs) == ("openai", ())
    (end,) = region.ends(got.headers["casemate-ledger"])
    assert end.facts["unknown"] == "logit_bias, odd, verbosity"


def test_who_asks_is_not_told_to_a_vendor(region: Wired) -> None:
    assert ask(region, upstream(user="ann", safety_identifier="a1", metadata={"mode": "single"})).status == 200
    assert region.answers.asked[0].extra == {}


SAYS_NOTHING = {
    "store": False,
    "background": False,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "service_tier": "auto",
    "presence_penalty": 0,
    "odd": None,
}


def test_what_says_nothing_is_nothing(region: Wired) -> None:
    assert ask(region, upstream(**SAYS_NOTHING)).status == 200
    assert region.answers.asked[0].extra == {}
    assert region.answers.asked[0].needs == ()
    assert beside({"store": False, "odd": False}, ()) == {"odd": False}
    assert extras({}) == ({}, {})


KEPT = [
    {"store": True},
    {"background": True},
    {"previous_response_id": "resp_1"},
    {"conversation": "conv_1"},
    {"conversation": {"id": "conv_1"}},
    {"web_search_options": {}},
    {"prompt_cache_key": "k"},
    {"prompt_cache_retention": "24h"},
    {"prompt": {"id": "pmpt_1"}},
    {"moderation": {"model": "m"}},
    *({"tools": [{"type": kind}]} for kind in ("web_search", "file_search", "code_interpreter", "computer", "mcp")),
    {"tools": [{"type": "image_generation"}]},
    {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://x.test/a.png"}}]}]},
]


@pytest.mark.parametrize("more", KEPT, ids=lambda m: json.dumps(m)[:40])
@pytest.mark.parametrize("model", [READER, SEES])
def test_what_a_vendor_would_keep_fetch_or_call(region: Wired, model: str, more: dict[str, Any]) -> None:
    more_models(region)
    got = ask(region, chat(model=model) | more)
    assert got.status in (400, 403)
    if model == SEES:
        assert (got.status, got.json["error"]["rule"]) == (403, "model-allows")
    assert region.answers.asked == []


def test_a_card_may_allow_it(region: Wired) -> None:
    more_models(region)
    assert ask(region, chat(model=TRUSTED, store=True, prompt_cache_key="k")).status == 200
    (found,) = region.answers.asked
    assert found.needs == ("store", "prompt_cache_key")
    assert set(found.extra) == {"store", "prompt_cache_key"}


@pytest.mark.parametrize("more", [KEPT[-1], {"tools": [{"type": "web_search"}]}])
def test_what_a_card_allows_and_we_cannot_pass_on(region: Wired, more: dict[str, Any]) -> None:
    """Left out, the answer would be to another question."""
    more_models(region)
    got = ask(region, chat(model=TRUSTED) | more)
    assert got.status == 400
    assert region.answers.asked == []
    assert PIXEL


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/openai/v1/chat/completions"])
def test_the_prefix_and_the_number(region: Wired, path: str) -> None:
    got = post(region, path, chat())
    assert got.status == 200
    assert got.headers["x-request-id"] == got.headers["casemate-ledger"]
    told = post(region, path, chat(n=2))
    assert told.headers["x-request-id"] == told.json["error"]["entry"]
