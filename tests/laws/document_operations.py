"""What the two worlds do with documents after they came: remove, replace, raise, describe, review; bases and sources.

Ids are those of documents that either world has ever seen, so that a hidden one's is asked for as well as a visible
one's; the loops that tidy up have their turn in both worlds after every step.
"""

from __future__ import annotations

import random

from tests.laws.operations import AT, Doing, operation, question, reading, sentence
from tests.laws.operations import _quoted as quoted
from tests.laws.world import Seen, World

BASES = ("law", "law", "pier", "never")
DECISIONS = ("restate", "text", "remove")


def chosen(world: World, place: float) -> str:
    """A document that exists in either world, or never did."""
    known = sorted(world.prints)
    return known[int(place * len(known))] if known and place < 0.9 else "doc_neverexisted"


@operation(
    ("DELETE", "/api/documents/{id}"),
    ("PUT", "/api/documents/{id}/label"),
    ("PUT", "/api/documents/{id}/attributes"),
    ("POST", "/api/documents/{id}/review"),
    ("GET", "/api/documents/{id}/lineage"),
    ("GET", "/api/documents/{id}/source"),
)
def tend_document(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    place = rng.random()
    method, tail, body = rng.choice(
        (
            ("DELETE", "", None),
            ("DELETE", "", None),
            ("PUT", "/label", {"label": rng.choice((label, *AT))}),
            ("PUT", "/attributes", {"attributes": {"year": rng.randrange(3)}}),
            ("POST", "/review", {"decision": rng.choice(DECISIONS), "label": rng.choice((label, *AT))}),
            ("GET", "/lineage", None),
            ("GET", "/source", None),
        )
    )

    async def do(world: World) -> Seen:
        seen = await world.call(who, method, f"/api/documents/{chosen(world, place)}{tail}", body, label)
        await world.step("knowledge.ingest")
        return seen

    return do, ""


@operation(("POST", "/api/documents"), ("DELETE", "/api/documents/{id}"))
def bring_and_remove(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    """One's own: brought, found, and then gone; or replaced by another."""
    text, asked, replaced = sentence(rng, 6), question(rng), rng.random() < 0.5
    name = f"own-{rng.randrange(10**9)}.txt"

    async def do(world: World) -> Seen:
        target = f"/api/documents?name={name}&base=law&label={quoted(label)}"
        first = await world.call(who, "POST", target, text.encode(), label)
        await world.step("knowledge.ingest")
        id = first.json["data"]["id"] if first.status == 202 else "doc_neverexisted"
        if replaced:
            await world.call(who, "POST", f"{target}&replaces={id}", f"{text} Newer.".encode(), label)
            await world.step("knowledge.ingest")
        else:
            await world.call(who, "DELETE", f"/api/documents/{id}", None, label)
        return await world.call(who, "GET", f"/api/search?q={quoted(asked)}", acting=label)

    return do, text


@operation(
    ("POST", "/api/knowledge"),
    ("DELETE", "/api/knowledge/{base}"),
    ("POST", "/api/knowledge/{base}/embedder"),
)
def tend_base(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    base, draw = rng.choice(BASES), rng.random()
    made = {"name": base, "title": sentence(rng, 2), "granularity": rng.choice(("portion", "document"))}

    async def do(world: World) -> Seen:
        if draw < 0.5:
            return await world.call(who, "POST", "/api/knowledge", made, label)
        if draw < 0.75:
            body = {"embedder": "hashing" if draw < 0.7 else "never"}
            return await world.call(who, "POST", f"/api/knowledge/{base}/embedder", body, label)
        return await world.call(who, "DELETE", f"/api/knowledge/{base}", None, label)

    return do, ""


@operation(("POST", "/api/sources"), ("DELETE", "/api/sources/{id}"))
def tend_source(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    body = {"base": rng.choice(BASES), "place": "nowhere", "every": rng.choice((60, 5))}
    method, target = rng.choice((("POST", "/api/sources"), ("DELETE", "/api/sources/src_never")))

    async def do(world: World) -> Seen:
        return await world.call(who, method, target, body if method == "POST" else None, label)

    return do, ""


reading("tended", "/api/knowledge", "/api/review", "/api/sources")
