"""What the two worlds do through the Anthropic wire: messages with tools, their counts, and the models there are."""

from __future__ import annotations

import random

from tests.laws.operations import Doing, model, operation, question, sentence
from tests.laws.world import Seen, World

VERSION = ("anthropic-version", "2026-10-21")
ALIASES = ("", "", "/anthropic")


@operation(
    ("POST", "/v1/messages"),
    ("POST", "/anthropic/v1/messages"),
    ("POST", "/v1/messages/count_tokens"),
    ("POST", "/anthropic/v1/messages/count_tokens"),
)
def anthropic_message(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    asked = question(rng)
    path = rng.choice(ALIASES) + rng.choice(("/v1/messages",) * 3 + ("/v1/messages/count_tokens",))
    body = {
        "model": model(rng),
        "max_tokens": 64,
        "messages": [{"role": "user", "content": asked}],
        "stream": rng.random() < 0.5,
        "metadata": {"knowledge": rng.choice(("all", "law", "law", "never"))},
    }

    async def do(world: World) -> Seen:
        return await world.call(who, "POST", path, body, label, headers=(VERSION,))

    return do, asked


@operation(("POST", "/v1/messages"))
def anthropic_tool_result(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    """A file that a tool has read, some of them marked: the mark stands behind a line's number."""
    mark = rng.choice(("", "", "(U) ", "(S//NF) ", "(TS//SI//NF) ", "(S//BANANA) "))
    result = {"type": "tool_result", "tool_use_id": "toolu_a", "content": f"     1\t{mark}{sentence(rng)}"}
    call = {"type": "tool_use", "id": "toolu_a", "name": "read", "input": {"path": "note.txt"}}
    body = {
        "model": rng.choice(("law/far", "law/far", "nobody/nothing")),
        "max_tokens": 64,
        "messages": [{"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}],
        "tools": [{"name": "read", "input_schema": {"type": "object"}}],
    }

    async def do(world: World) -> Seen:
        return await world.call(who, "POST", "/v1/messages", body, label, headers=(VERSION,))

    return do, ""


@operation(
    ("GET", "/v1/models"),
    ("GET", "/v1/models/{id*}"),
    ("GET", "/anthropic/v1/models"),
    ("GET", "/anthropic/v1/models/{id*}"),
)
def anthropic_models(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    target = rng.choice(ALIASES) + rng.choice(
        ("/v1/models", "/v1/models?limit=1", "/v1/models/law/far", "/v1/models/nobody/nothing")
    )

    async def do(world: World) -> Seen:
        return await world.call(who, "GET", target, acting=label, headers=(VERSION,))

    return do, ""
