"""What the two worlds do with models as such: on every wire, with engines that fail, remember, and say marks.

The engines are the same in both worlds and each decides by what it is lent alone, so that whatever differs was told by
the gateway: a breaker, a retry budget, a cache, a quota, a place in the order of those that are asked.
"""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator
from typing import Any, Literal, cast

from casemate.errors import EngineFailed
from casemate.models import Card, Delta, Prompt, ToolPiece, Usage
from tests.laws.operations import WORDS, Doing, operation
from tests.laws.world import Seen, World

FRENCH = "agency=EXERCISE + fr:SECRET"
SECRET = "agency=EXERCISE + us:SECRET//REL=USA"
CAUSES = ("down", "busy", "slow", "denied", "rejected", "broken")
DEEDS = ("", "", "", "down", "down", "busy", "denied", "rejected", "broken", "midway", "mark", "call", "silent")
SAID = "said"  # by an engine that works
MODELS = ("law/fickle", "law/pair", "law/pair", "law/cache", "law/inner", "law/steady")
END = Delta(finish="stop", usage=Usage(3, 5, False))


class Fickle:
    """An engine that does as the last word of its last message says; otherwise it answers."""

    dialect = ""

    async def generate(self, prompt: Prompt, deadline: float) -> AsyncIterator[Delta]:
        deed = _words(prompt)[-1]
        if deed in CAUSES:
            error = EngineFailed(cause=cast("Literal['down']", deed), engine=prompt.model, why=f"it is {deed}")
            error.retry_after = 40.0 if deed == "busy" else 0.0
            raise error
        if deed == "silent":
            return
        yield Delta(text=f"{prompt.model} has {SAID}: {len(_words(prompt))}.\n")
        if deed == "midway":
            raise EngineFailed(engine=prompt.model, why="it hung up")
        if deed == "mark":
            yield Delta(text="(TS//SI) The lantern is at the pier.")
        if deed == "call":
            yield Delta(call=ToolPiece(0, '{"a": "(S//NF) x"}', "call_1", "read"))
        yield END


class Steady(Fickle):
    """One that always answers."""

    async def generate(self, prompt: Prompt, deadline: float) -> AsyncIterator[Delta]:
        yield Delta(text=f"{prompt.model} {SAID}")
        yield END


class Remembers(Fickle):
    """An engine with a cache of prefixes, which tells what of a prompt was warm: parted by the salt and by nothing."""

    def __init__(self) -> None:
        self.warm: set[tuple[str, str]] = set()

    async def generate(self, prompt: Prompt, deadline: float) -> AsyncIterator[Delta]:
        words = _words(prompt)
        warm = sum((prompt.salt, word) in self.warm for word in words)
        self.warm |= {(prompt.salt, word) for word in words}
        yield Delta(text=f"{SAID}, {warm} warm")
        yield Delta(finish="stop", usage=Usage(len(words), 2, False, warm))


def _words(prompt: Prompt) -> list[str]:
    content = prompt.messages[-1].content
    text = content if isinstance(content, str) else " ".join(getattr(part, "text", "") for part in content)
    return text.split() or [""]


def install(world: World) -> None:
    """The models, the same in both worlds: two under one name, one inside, one that remembers, one for few."""
    top = world.house.gate.vault.region.ceiling
    pair = ("law/pair",)
    for card in (
        Card("law/fickle", "fickle", "law", top, Fickle(), aliases=pair),
        Card("law/other", "other", "law", top, Fickle(), aliases=pair, price=1),
        Card("law/steady", "steady", "law", world.policies.parse(SECRET), Steady(), aliases=pair, price=2),
        Card("law/cache", "cache", "law", top, Remembers(), state="salted"),
        Card("law/inner", "inner", "law", world.policies.parse(FRENCH), Fickle(), outside=True),
    ):
        world.house.catalogue.add(card)


def _openai(name: str, text: str, stream: bool) -> tuple[str, dict[str, Any], bool]:
    turns = [{"role": "user", "content": text}]
    body = {"model": name, "messages": turns, "stream": stream, "metadata": {"knowledge": "none"}}
    return "/v1/chat/completions", body, False


def _responses(name: str, text: str, stream: bool) -> tuple[str, dict[str, Any], bool]:
    return "/openai/v1/responses", {"model": name, "input": text, "stream": stream}, False


def _anthropic(name: str, text: str, stream: bool) -> tuple[str, dict[str, Any], bool]:
    turns = [{"role": "user", "content": text}]
    return "/v1/messages", {"model": name, "max_tokens": 64, "messages": turns, "stream": stream}, False


def _converse(name: str, text: str, stream: bool) -> tuple[str, dict[str, Any], bool]:
    verb = "converse-stream" if stream else "converse"
    body = {"messages": [{"role": "user", "content": [{"text": text}]}]}
    return f"/model/{name.replace('/', '.')}/{verb}", body, True


def _invoke(name: str, text: str, stream: bool) -> tuple[str, dict[str, Any], bool]:
    verb = "invoke-with-response-stream" if stream else "invoke"
    body = {"messages": [{"role": "user", "content": text}], "max_tokens": 50}
    return f"/model/{name.replace('/', '.')}/{verb}", body, True


WIRES = (_openai, _openai, _responses, _anthropic, _converse, _invoke)


@operation(
    ("POST", "/v1/chat/completions"),
    ("POST", "/openai/v1/responses"),
    ("POST", "/v1/messages"),
    ("POST", "/model/{model}/converse"),
    ("POST", "/model/{model}/converse-stream"),
    ("POST", "/model/{model}/invoke"),
    ("POST", "/model/{model}/invoke-with-response-stream"),
)
def gateway_chat(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    """Some chats in a row, mostly with one model: what fails often enough rests, what is asked again was paid for."""
    name = rng.choice(MODELS)
    asked = []
    for _ in range(rng.choice((1, 1, 2, 6, 8))):
        text = f"{rng.choice(WORDS)} {rng.choice(WORDS)} {rng.choice(DEEDS)}".strip()
        asked.append(rng.choice(WIRES)(name, text, rng.random() < 0.4))

    async def do(world: World) -> Seen:
        pieces: list[bytes] = []
        calls: list[str] = []
        seen = Seen(0, (), ())
        for path, body, signed in asked:
            seen = await world.call(who, "POST", path, body, label, signed=signed)
            pieces += [json.dumps([seen.status, seen.headers]).encode(), *seen.pieces]
            calls += seen.calls
        return Seen(seen.status, seen.headers, tuple(pieces), tuple(calls))

    return do, ""
