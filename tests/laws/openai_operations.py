"""What the two worlds do through the OpenAI wire beside chats: responses, embeddings, files and batches."""

from __future__ import annotations

import json
import random
from typing import Any

from casemate.models.batches import Batches
from tests.laws.operations import Doing, model, operation, question, sentence
from tests.laws.world import Seen, World

PREFIXES = ("", "", "/openai")
MARKS = ("", "", "(U) ", "(S//NF) ", "(TS//SI//NF) ", "(S//BANANA) ")
FORM = ("content-type", "multipart/form-data; boundary=law")


def both(*routes: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    """The routes, and the same below the other prefix."""
    return (*routes, *((method, f"/openai{path}") for method, path in routes))


def form(data: bytes, purpose: str) -> bytes:
    """A file in a form (RFC 7578)."""
    head = b'--law\r\nContent-Disposition: form-data; name="purpose"\r\n\r\n' + purpose.encode() + b"\r\n"
    name = b'--law\r\nContent-Disposition: form-data; name="file"; filename="in.jsonl"\r\n\r\n'
    return head + name + data + b"\r\n--law--\r\n"


async def answered(world: World, label: str) -> None:
    """One round of the class at which somebody acts: how often the others have theirs is the clock's, and not his."""
    (loop,) = (each for each in world.house.loops if each.name == "models.batch")
    batches: Batches = loop.step.__self__  # type: ignore[attr-defined]
    gate = world.house.gate
    await batches.lane(gate.classes.of(gate.vault.region.reach(label)))


@operation(*both(("POST", "/v1/responses"), ("POST", "/v1/chat/completions")))
def openai_response(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    asked, prefix, stream = question(rng), rng.choice(PREFIXES), rng.random() < 0.5
    said = rng.choice(MARKS) + asked
    more = rng.choice(({}, {}, {"metadata": {"knowledge": "law"}}, {"store": True}, {"instructions": "Be brief."}))
    name = model(rng)
    whole = rng.random() < 0.2

    async def do(world: World) -> Seen:
        body: dict[str, Any] = {"model": name, "stream": stream, **more}
        if whole:
            body = {**body, "messages": [{"role": "user", "content": said}]}
            return await world.call(who, "POST", f"{prefix}/v1/chat/completions", body, label)
        return await world.call(who, "POST", f"{prefix}/v1/responses", {**body, "input": said}, label)

    return do, asked


@operation(
    *both(
        ("POST", "/v1/responses/input_tokens"),
        ("POST", "/v1/embeddings"),
        ("GET", "/v1/responses/{id}"),
        ("DELETE", "/v1/responses/{id}"),
        ("POST", "/v1/responses/{id}/cancel"),
        ("GET", "/v1/responses/{id}/input_items"),
        ("GET", "/v1/models"),
        ("GET", "/v1/models/{id*}"),
    )
)
def openai_beside(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    prefix = rng.choice(PREFIXES)
    text = rng.choice(MARKS) + sentence(rng)
    name = rng.choice(("casemate/hashing", "casemate/hashing", "casemate/extractive-reader", "nobody/nothing"))
    method, path, body = rng.choice(
        (
            ("POST", "/v1/responses/input_tokens", {"model": "casemate/extractive-reader", "input": text}),
            ("POST", "/v1/embeddings", {"model": name, "input": [text, "x"]}),
            ("POST", "/v1/embeddings", {"model": name, "input": text, "encoding_format": "base64"}),
            ("GET", "/v1/responses/resp_none", None),
            ("DELETE", "/v1/responses/resp_none", None),
            ("POST", "/v1/responses/resp_none/cancel", None),
            ("GET", "/v1/responses/resp_none/input_items", None),
            ("GET", "/v1/models", None),
            ("GET", "/v1/models/casemate/hashing", None),
        )
    )

    async def do(world: World) -> Seen:
        return await world.call(who, method, prefix + path, body, label)

    return do, ""


@operation(
    *both(
        ("POST", "/v1/files"),
        ("GET", "/v1/files"),
        ("GET", "/v1/files/{id}"),
        ("GET", "/v1/files/{id}/content"),
        ("DELETE", "/v1/files/{id}"),
    )
)
def openai_files(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    prefix, place = rng.choice(PREFIXES), rng.random()
    data = (rng.choice(MARKS) + sentence(rng)).encode()
    method, more = rng.choice((("GET", ""), ("GET", "/content"), ("DELETE", "")))

    async def do(world: World) -> Seen:
        """Bring one, or do something to one of his own, or to one that never was."""
        if place < 0.4:
            return await world.call(who, "POST", f"{prefix}/v1/files", form(data, "user_data"), label, (FORM,))
        listed = await world.call(who, "GET", f"{prefix}/v1/files?limit=20", acting=label)
        if place < 0.6 or listed.status != 200:
            return listed
        id = next((one["id"] for one in listed.json["data"]), "file-never")
        return await world.call(who, method, f"{prefix}/v1/files/{id}{more}", acting=label)

    return do, ""


@operation(
    *both(
        ("POST", "/v1/batches"),
        ("GET", "/v1/batches"),
        ("GET", "/v1/batches/{id}"),
        ("POST", "/v1/batches/{id}/cancel"),
    )
)
def openai_batches(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    asked, prefix, place = question(rng), rng.choice(PREFIXES), rng.random()
    name = model(rng)
    cancels = rng.random() < 0.2

    async def do(world: World) -> Seen:
        """A batch from its file to its output, whatever else is under way in other classes."""
        listed = await world.call(who, "GET", f"{prefix}/v1/batches", acting=label)
        if place < 0.2:
            return listed
        body = {"model": name, "messages": [{"role": "user", "content": asked}]}
        row = {"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": body}
        data = form(json.dumps(row).encode(), "batch")
        file = await world.call(who, "POST", f"{prefix}/v1/files", data, label, (FORM,))
        if file.status != 200:
            return file
        made = {"input_file_id": file.json["id"], "endpoint": "/v1/chat/completions"}
        begun = await world.call(who, "POST", f"{prefix}/v1/batches", made, label)
        if begun.status != 200:
            return begun
        path = f"{prefix}/v1/batches/{begun.json['id']}"
        if cancels:
            await world.call(who, "POST", f"{path}/cancel", acting=label)
        await answered(world, label)
        seen = await world.call(who, "GET", path, acting=label)
        out = seen.json.get("output_file_id") if seen.status == 200 else None
        if out is None:
            return seen
        return await world.call(who, "GET", f"{prefix}/v1/files/{out}/content", acting=label)

    return do, asked
