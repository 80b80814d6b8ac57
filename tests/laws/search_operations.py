"""What the two worlds do with search: words, phrases, filters, facets and slips of the pen, by API and by page."""

from __future__ import annotations

import random
from typing import Any
from urllib.parse import urlencode

from tests.laws.operations import WORDS, Doing, operation, question
from tests.laws.world import Seen, World

HTML = ("accept", "text/html")
FACETS = ("base", "mark", "media", "language", "document", "month", "attr")
FILTERS = (
    {"type": "compare", "key": "base", "operator": "in", "value": ["law", "never"]},
    {"type": "compare", "key": "at", "operator": "gte", "value": 0},
    {"type": "every", "of": [{"type": "compare", "key": "author", "operator": "ne", "value": "x"}]},
    {"type": "compare", "key": "a", "operator": "in", "value": "x"},
)


def asked(rng: random.Random) -> str:
    """A question as people type it: some words, some with a slip, some with an operator."""
    words = question(rng).rstrip("?").split()
    if rng.random() < 0.4:
        words[0] = words[0][:-1] + "x"
    one, two = rng.sample(WORDS, 2)
    last = (f'"{one} {two}"', f"-{one}", f"title:{one}", "base:law", "mark:(S)", "after:2026", "lang:en", "media:txt")
    return " ".join([*words, *rng.sample(last, rng.choice((0, 0, 1, 2)))]) if rng.random() < 0.9 else rng.choice(last)


@operation(("POST", "/api/search"))
def search_in_full(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    text = asked(rng)
    body: dict[str, Any] = {
        "question": text,
        "k": rng.choice((1, 3, 20)),
        "facets": rng.choice((FACETS, ("document",), ("shape",))) if rng.random() < 0.8 else (),
        "method": rng.choice(("hybrid", "hybrid", "text", "dense")),
        "strict": rng.random() < 0.2,
    }
    if rng.random() < 0.3:
        body["bases"] = rng.choice((["law"], ["law", "all"], ["never"]))
    if rng.random() < 0.3:
        body["filter"] = rng.choice(FILTERS)

    async def do(world: World) -> Seen:
        return await world.call(who, "POST", "/api/search", body, label)

    return do, text


@operation(("GET", "/api/search"))
def search_with_operators(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    text = asked(rng)
    query = urlencode({"q": text, **rng.choice(({}, {}, {"base": "law"}, {"base": "never"}))})

    async def do(world: World) -> Seen:
        return await world.call(who, "GET", f"/api/search?{query}", acting=label)

    return do, text


@operation(("GET", "/search"), ("GET", "/search.json"))
def search_in_console(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    text = rng.choice(("", asked(rng), asked(rng), asked(rng)))
    more = rng.choice(({}, {"method": "text"}, {"base": "law", "all": "1"}, {"base": "never"}))
    path = rng.choice(("/search", "/search", "/search.json"))
    target = f"{path}?{urlencode({'q': text, **more})}"

    async def do(world: World) -> Seen:
        return await world.call(who, "GET", target, acting=label, headers=(HTML,))

    return do, text


@operation(("POST", "/api/search"))
def marked_search(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    mark = rng.choice(("(U)", "(S//NF)", "(TS//SI//NF)", "(S//BANANA)"))
    text = f"{mark} {asked(rng)}"

    async def do(world: World) -> Seen:
        return await world.call(who, "POST", "/api/search", {"question": text, "facets": ["mark"]}, label)

    return do, text
