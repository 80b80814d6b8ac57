"""What the two worlds do: operations that register themselves, with the routes that they cover.

An operation is made from a random generator before either world runs, so that both do exactly the same, and it is done
by somebody. Whether it is done in one world or in both is the law's business, not the operation's.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from tests.laws.world import Seen, World

Doing = Callable[[World], Awaitable[Seen | None]]


@dataclass(frozen=True)
class Operation:
    """A deed of somebody: `label` is where he acts, `query` what it asks for, if it asks."""

    name: str
    who: str
    label: str
    do: Doing
    query: str = ""
    roles: tuple[str, ...] = ("user", "auditor")


@dataclass(frozen=True)
class Maker:
    """Makes operations of one name; `routes` are (method, path) of the routes that it drives."""

    name: str
    routes: tuple[tuple[str, str], ...]
    make: Callable[[random.Random, str, str], Operation]


MAKERS: dict[str, Maker] = {}
AT = (
    "agency=EXERCISE",
    "agency=EXERCISE + us:SECRET//REL=USA",
    "agency=EXERCISE + us:TOP SECRET//REL=USA//SCI=SI",
    "agency=EXERCISE + fr:SECRET",
)
ONE_OF_TWO = "ALPHA&(BRAVO|CHARLIE)"  # a class that no label can say
WORDS = (
    "convoy",
    "harbour",
    "fever",
    "filter",
    "lantern",
    "storm",
    "cable",
    "ferry",
    "sensor",
    "ration",
    "dawn",
    "pier",
)


def operation(*routes: tuple[str, str], roles: tuple[str, ...] = ()) -> Callable[[Any], Any]:
    """Register a maker. The decorated function gives the deed and, where it asks, its query.

    With `roles` it is done by a principal of its own, who holds them.
    """

    def register(f: Callable[[random.Random, str, str], tuple[Doing, str]]) -> Any:
        name = f.__name__

        def make(rng: random.Random, who: str, label: str) -> Operation:
            who = "-".join((who, *roles))
            doing, query = f(rng, who, label)
            operation = Operation(name, who, label, doing, query)
            return replace(operation, roles=roles) if roles else operation

        MAKERS[name] = Maker(name, routes, make)
        return f

    return register


def sentence(rng: random.Random, size: int = 5) -> str:
    """A short text of the law's own words."""
    return " ".join(rng.choice(WORDS) for _ in range(size)).capitalize() + "."


def question(rng: random.Random) -> str:
    return " ".join(rng.sample(WORDS, 3)) + "?"


def model(rng: random.Random) -> str:
    """Mostly the reader; an engine elsewhere, to which each rung is lent; one that is not there."""
    return rng.choice(("casemate/extractive-reader",) * 5 + ("law/far",) * 2 + ("nobody/nothing",))


def somebody(rng: random.Random) -> str:
    """A principal who may exist, whatever his label; mostly oneself."""
    part = rng.choice(("hidden", "seen", "observer"))
    return rng.choice(("", "", "nobody", f"{part}-{rng.randrange(6)}"))


@operation(("POST", "/api/documents"))
def add_document(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    text = "\n\n".join(sentence(rng, rng.randint(4, 9)) for _ in range(rng.randint(1, 3)))
    name = f"note-{rng.randrange(10**9)}.txt"
    need = ONE_OF_TWO if "need=CHARLIE" in label and rng.random() < 0.8 else ""
    stated = label.replace(" + need=CHARLIE", "") if need else label

    async def do(world: World) -> Seen:
        target = f"/api/documents?name={name}&base=law&label={_quoted(stated)}&need={_quoted(need)}"
        seen = await world.call(who, "POST", target, text.encode(), label)
        await world.step("knowledge.ingest")
        return seen

    return do, text


@operation(("POST", "/api/ask"))
def ask(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    asked, mode = question(rng), rng.choice(("rungs", "rungs", "single"))
    body = {"question": asked, "mode": mode, "model": model(rng)}

    async def do(world: World) -> Seen:
        return await world.call(who, "POST", "/api/ask", body, label)

    return do, asked


@operation(("POST", "/api/ask/stream"))
def ask_streamed(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    asked = question(rng)

    async def do(world: World) -> Seen:
        return await world.call(who, "POST", "/api/ask/stream", {"question": asked}, label)

    return do, asked


@operation(("POST", "/v1/chat/completions"))
def openai_chat(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    asked, stream = question(rng), rng.random() < 0.5
    name = model(rng)
    knowledge = rng.choice(("all", "law", "law", "never"))

    async def do(world: World) -> Seen:
        body = {
            "model": name,
            "messages": [{"role": "user", "content": asked}],
            "stream": stream,
            "metadata": {"knowledge": knowledge},
        }
        return await world.call(who, "POST", "/v1/chat/completions", body, label)

    return do, asked


@operation(("GET", "/api/search"))
def search(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    asked = question(rng)

    async def do(world: World) -> Seen:
        return await world.call(who, "GET", f"/api/search?q={_quoted(asked)}", acting=label)

    return do, asked


@operation(("POST", "/api/answers"), ("GET", "/api/answers"))
def keep_answer(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    body = {"text": sentence(rng), "label": rng.choice(("", label, "agency=EXERCISE"))}

    async def do(world: World) -> Seen:
        return await world.call(who, "POST", "/api/answers", body, label)

    return do, ""


def reading(name: str, *targets: str) -> None:
    """Operations that only look: one for each target, whose route it covers."""
    for number, target in enumerate(targets):

        @operation(("GET", target.split("?")[0]))
        def look(rng: random.Random, who: str, label: str, target: str = target) -> tuple[Doing, str]:
            async def do(world: World) -> Seen:
                return await world.call(who, "GET", target, acting=label)

            return do, ""

        MAKERS[f"{name}-{number}"] = Maker(f"{name}-{number}", (("GET", target.split("?")[0]),), MAKERS["look"].make)
    MAKERS.pop("look", None)


reading(
    "list",
    "/api/answers",
    "/api/documents",
    "/api/keys",
    "/api/ledger?limit=50",
    "/api/region",
    "/api/session",
    "/api/today",
    "/api/principals",
    "/api/ledger/heads",
    "/v1/models",
)


@operation(("GET", "/api/ledger"))
def the_log(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    """All that an auditor reads: what hidden sessions left there would stand in it."""
    del rng

    async def do(world: World) -> Seen:
        return await world.call(who, "GET", "/api/ledger?limit=1000", acting=label)

    return do, ""


@operation(("GET", "/api/documents/{id}"))
def read_document(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    place = rng.random()

    async def do(world: World) -> Seen:
        """A document that exists somewhere in either world, or never did: the id is the law's choice."""
        known = sorted(world.prints)
        id = known[int(place * len(known))] if known and place < 0.8 else "doc_neverexisted"
        return await world.call(who, "GET", f"/api/documents/{id}", acting=label)

    return do, ""


@operation(("GET", "/v1/models/{id*}"), ("GET", "/api/ledger/{id}"), ("DELETE", "/api/keys/{id}"))
def read_absent(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    method, target = rng.choice(
        (("GET", "/v1/models/nobody/nothing"), ("GET", "/api/ledger/ent_none"), ("DELETE", "/api/keys/none"))
    )

    async def do(world: World) -> Seen:
        return await world.call(who, method, target, acting=label)

    return do, ""


@operation(("POST", "/api/keys"))
def issue_key(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    body = {
        "client": rng.choice(("openai", "anthropic", "boto3")),
        "days": rng.choice((1, 30, 0)),
        "floor": rng.choice(("", "", *AT)),
        "ceiling": rng.choice(("", "", *AT)),
        "principal": somebody(rng),
    }

    async def do(world: World) -> Seen:
        return await world.call(who, "POST", "/api/keys", body, label)

    return do, ""


@operation(("POST", "/api/ledger/verify"))
def verify_ledger(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    del rng

    async def do(world: World) -> Seen:
        return await world.call(who, "POST", "/api/ledger/verify", {}, label)

    return do, ""


@operation(("POST", "/api/prove"))
def prove(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    asked = question(rng)
    body = {"question": asked, "who": somebody(rng), "reason": "law", "at": rng.choice(("", "", *AT))}
    if rng.random() < 0.2:
        body = {**body, "question": "", "last": True}

    async def do(world: World) -> Seen:
        return await world.call(who, "POST", "/api/prove", body, label)

    return do, asked


@operation(
    ("POST", "/api/region/policies"),
    ("POST", "/api/region/two-person"),
    ("POST", "/api/principals"),
    ("PUT", "/api/principals/{id}"),
    ("POST", "/api/principals/{id}/confirm"),
    ("DELETE", "/api/principals/{id}/confirm"),
    ("POST", "/api/documents/label"),
    ("POST", "/api/ledger/{id}/open"),
    ("GET", "/api/ledger/logs/{log}"),
    ("GET", "/api/doctor"),
)
def not_allowed(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    method, target, body = rng.choice(
        (
            ("POST", "/api/region/policies", {"name": "us"}),
            ("POST", "/api/principals", {"name": "x", "clearance": "PUBLIC"}),
            ("PUT", "/api/principals/prn_x", {"name": "x", "clearance": "PUBLIC"}),
            ("POST", "/api/principals/prn_x/confirm", None),
            ("DELETE", "/api/principals/prn_x/confirm", None),
            ("POST", "/api/documents/label", {"label": "us:SECRET", "ids": ["doc_none"]}),
            ("POST", "/api/ledger/ent_x/open", {"reason": "law"}),
            ("GET", "/api/ledger/logs/none", None),
            ("POST", "/api/region/two-person", None),
            ("GET", "/api/doctor", None),
        )
    )

    async def do(world: World) -> Seen:
        return await world.call(who, method, target, body, label)

    return do, ""


@operation(("GET", "/api/principals"), ("POST", "/api/principals"), ("PUT", "/api/principals/{id}"), roles=("officer",))
def officers_deed(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    """Names are the region's own: that one is taken is told to every officer, so no two ask for the same here."""
    person = {"name": f"{who}-{rng.randrange(10**9)}", "clearance": rng.choice((label, "agency=EXERCISE"))}
    place = rng.random()

    async def do(world: World) -> Seen:
        listed = await world.call(who, "GET", "/api/principals", acting=label)
        if place < 0.3:
            return listed
        people = [] if listed.status != 200 else listed.json["data"]["principals"]
        if place < 0.6 or not people:
            return await world.call(who, "POST", "/api/principals", person, label)
        id = people[int(place * len(people))]["id"]
        return await world.call(who, "PUT", f"/api/principals/{id}", {**person, "roles": ["user"]}, label)

    return do, ""


@operation(("POST", "/api/ask"))
def marked_question(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    mark = rng.choice(("(U)", "(S//NF)", "(TS//SI//NF)", "(S//BANANA)", "SECRET//NOFORN\n"))
    asked = f"{mark} {question(rng)}"

    async def do(world: World) -> Seen:
        return await world.call(who, "POST", "/api/ask", {"question": asked}, label)

    return do, asked


@operation(("POST", "/v1/chat/completions"))
def malformed(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    body = rng.choice((b"{", b"\xff\xfe", b"[]", b'{"model": 3}', b'{"model": "m", "messages": []}'))

    async def do(world: World) -> Seen:
        return await world.call(who, "POST", "/v1/chat/completions", body, label)

    return do, ""


@operation(("POST", "/model/{model}/converse"), ("POST", "/model/{model}/converse-stream"))
def bedrock_converse(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    asked, knowledge = question(rng), rng.choice(("all", "law", "never"))
    verb = rng.choice(("converse", "converse", "converse", "converse-stream"))

    async def do(world: World) -> Seen:
        body = {
            "messages": [{"role": "user", "content": [{"text": asked}]}],
            "requestMetadata": {"knowledge": knowledge},
        }
        return await world.call(who, "POST", f"/model/casemate.extractive-reader/{verb}", body, label, signed=True)

    return do, asked


@operation(("GET", "/foundation-models"), ("GET", "/foundation-models/{model}"))
def bedrock_models(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    target = rng.choice(
        ("/foundation-models", "/foundation-models/casemate.extractive-reader", "/foundation-models/no")
    )

    async def do(world: World) -> Seen:
        return await world.call(who, "GET", target, acting=label, signed=True)

    return do, ""


def _quoted(text: str) -> str:
    from urllib.parse import quote

    return quote(text, safe="")
