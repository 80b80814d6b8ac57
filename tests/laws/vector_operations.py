"""What the two worlds do with vector stores: make, fill, look, search, answer from them, take away."""

from __future__ import annotations

import random
from typing import Any

from tests.laws.openai_operations import FORM, MARKS, PREFIXES, both, form
from tests.laws.operations import Doing, model, operation, question, sentence
from tests.laws.world import Seen, World

STORES = "/v1/vector_stores"
PORTS = ("Sable", "Noir", "Grand")


async def _store(world: World, who: str, label: str, prefix: str, make: bool = True) -> str:
    """The newest store that is visible to him, or one that he makes where there is none; "" where he may not."""
    listed = await world.call(who, "GET", f"{prefix}{STORES}?limit=1", acting=label)
    if listed.status == 200 and listed.json["data"]:
        return str(listed.json["data"][0]["id"])
    if not make:
        return "vs_never"
    made = await world.call(who, "POST", f"{prefix}{STORES}", {"name": "Law"}, label)
    return str(made.json["id"]) if made.status == 200 else ""


async def _file(world: World, who: str, label: str, prefix: str, text: str) -> str:
    sent = form(text.encode(), "assistants").replace(b"in.jsonl", b"in.txt")
    seen = await world.call(who, "POST", f"{prefix}/v1/files", sent, label, (FORM,))
    return str(seen.json["id"]) if seen.status == 200 else ""


def _filter(rng: random.Random) -> dict[str, Any]:
    one = {"type": rng.choice(("eq", "ne")), "key": "port", "value": rng.choice(PORTS)}
    return {} if rng.random() < 0.5 else {"filters": one}


@operation(
    *both(
        ("POST", STORES),
        ("GET", STORES),
        ("GET", f"{STORES}/{{id}}"),
        ("POST", f"{STORES}/{{id}}"),
        ("DELETE", f"{STORES}/{{id}}"),
    )
)
def vector_stores(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    prefix, place = rng.choice(PREFIXES), rng.random()
    name = rng.choice(MARKS) + sentence(rng, 2)
    method, body = rng.choice((("GET", None), ("POST", {"name": name}), ("DELETE", None)))

    async def do(world: World) -> Seen:
        """Make one, list them, or do something to the newest or to the one that every hidden document lies in."""
        if place < 0.3:
            return await world.call(who, "POST", f"{prefix}{STORES}", {"name": name}, label)
        if place < 0.5:
            return await world.call(who, "GET", f"{prefix}{STORES}?limit=50&order=asc", acting=label)
        id = "law" if place < 0.7 else await _store(world, who, label, prefix, make=False)
        return await world.call(who, method, f"{prefix}{STORES}/{id}", body, label)

    return do, ""


@operation(
    *both(
        ("POST", f"{STORES}/{{id}}/files"),
        ("GET", f"{STORES}/{{id}}/files"),
        ("GET", f"{STORES}/{{id}}/files/{{file}}"),
        ("GET", f"{STORES}/{{id}}/files/{{file}}/content"),
        ("POST", f"{STORES}/{{id}}/files/{{file}}"),
        ("DELETE", f"{STORES}/{{id}}/files/{{file}}"),
    )
)
def vector_files(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    prefix, place, pick = rng.choice(PREFIXES), rng.random(), rng.random()
    text = "\n\n".join(rng.choice(MARKS) + sentence(rng) for _ in range(rng.randint(1, 3)))
    told = {"attributes": {"port": rng.choice(PORTS)}}
    deed: tuple[str, str, Any] = rng.choice(
        (("GET", "", None), ("GET", "/content", None), ("POST", "", told), ("DELETE", "", None))
    )

    async def do(world: World) -> Seen:
        """Bring a file and have it read, or do something to one of those that are visible in a base."""
        base = "law" if pick < 0.4 else await _store(world, who, label, prefix)
        path = f"{prefix}{STORES}/{base}/files"
        if place < 0.5:
            file = await _file(world, who, label, prefix, text)
            seen = await world.call(who, "POST", path, {"file_id": file or "file-never", **told}, label)
            await world.step("knowledge.ingest")
            return seen
        listed = await world.call(who, "GET", f"{path}?limit=100", acting=label)
        if place < 0.6 or listed.status != 200:
            return listed
        ids = [one["id"] for one in listed.json["data"]] or ["file-never"]
        method, more, body = deed
        return await world.call(who, method, f"{path}/{ids[int(pick * len(ids))]}{more}", body, label)

    return do, text


@operation(
    *both(
        ("POST", f"{STORES}/{{id}}/file_batches"),
        ("GET", f"{STORES}/{{id}}/file_batches/{{batch}}"),
        ("GET", f"{STORES}/{{id}}/file_batches/{{batch}}/files"),
        ("POST", f"{STORES}/{{id}}/file_batches/{{batch}}/cancel"),
    )
)
def vector_batches(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    prefix = rng.choice(PREFIXES)
    texts = [sentence(rng) for _ in range(2)]
    cancels, looks = rng.random() < 0.4, rng.choice(("", "/files", "/files?filter=cancelled"))

    async def do(world: World) -> Seen:
        base = await _store(world, who, label, prefix)
        files = [await _file(world, who, label, prefix, text) for text in texts]
        path = f"{prefix}{STORES}/{base}/file_batches"
        begun = await world.call(who, "POST", path, {"file_ids": files}, label)
        if begun.status != 200:
            return await world.call(who, "GET", f"{path}/vsfb_never", acting=label)
        one = f"{path}/{begun.json['id']}"
        if cancels:
            await world.call(who, "POST", f"{one}/cancel", acting=label)
        await world.step("knowledge.ingest")
        return await world.call(who, "GET", one + looks, acting=label)

    return do, ""


@operation(*both(("POST", f"{STORES}/{{id}}/search"), ("POST", "/v1/responses")))
def vector_search(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    asked, prefix, pick = question(rng), rng.choice(PREFIXES), rng.random()
    filters = _filter(rng)
    more = rng.choice(({}, {"max_num_results": 2}, {"ranking_options": {"score_threshold": 0.5}}))
    name, stream, answers = model(rng), rng.random() < 0.5, rng.random() < 0.5

    async def do(world: World) -> Seen:
        """Search in the base of every hidden document, or in another one; or be answered from it."""
        base = "law" if pick < 0.7 else await _store(world, who, label, prefix, make=False)
        if not answers:
            body = {"query": [asked, asked.upper()] if pick < 0.2 else asked, **filters, **more}
            return await world.call(who, "POST", f"{prefix}{STORES}/{base}/search", body, label)
        tool = {"type": "file_search", "vector_store_ids": [base], **filters, **more}
        body = {"model": name, "input": asked, "tools": [tool], "stream": stream}
        included = {**body, "include": ["file_search_call.results"]}
        return await world.call(who, "POST", f"{prefix}/v1/responses", included, label)

    return do, asked
