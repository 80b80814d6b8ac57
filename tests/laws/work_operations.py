"""What the two worlds do with long work: begun through the wires, then listed, shown and ended through the native door.

Ids are those of either world, so that a hidden batch is asked for as well as one's own and one that never was.
"""

from __future__ import annotations

import json
import random

from tests.laws.console_operations import browse
from tests.laws.openai_operations import FORM, answered, form
from tests.laws.operations import Doing, model, operation, question
from tests.laws.vector_operations import _file as filed
from tests.laws.vector_operations import _store as stored
from tests.laws.world import Seen, World

NEVER = ("batch_never", "vsfb_never", "base:never", "never")
PREFIXES = ("batch_", "vsfb_", "base:")


def chosen(world: World, place: float) -> str:
    """Work of either world, or some that never was."""
    known = sorted(id for id in world.prints if id.startswith(PREFIXES)) + list(NEVER)
    return known[int(place * len(known))]


async def begun(world: World, who: str, label: str, name: str, asked: str, way: int) -> None:
    """A batch of requests, a batch of files, or a base that is to have another embedder."""
    if way == 0:
        body = {"model": name, "messages": [{"role": "user", "content": asked}]}
        row = {"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": body}
        sent = form(json.dumps(row).encode(), "batch")
        file = await world.call(who, "POST", "/v1/files", sent, label, (FORM,))
        if file.status == 200:
            made = {"input_file_id": file.json["id"], "endpoint": "/v1/chat/completions"}
            seen = await world.call(who, "POST", "/v1/batches", made, label)
            _remember(world, seen, label)
    elif way == 1:
        base, file_id = await stored(world, who, label, ""), await filed(world, who, label, "", asked)
        path = f"/v1/vector_stores/{base}/file_batches"
        _remember(world, await world.call(who, "POST", path, {"file_ids": [file_id]}, label), label)
    else:
        seen = await world.call(who, "POST", "/api/knowledge", {"name": "law", "embedder": "hashing"}, label)
        if seen.status == 201:
            world.prints["base:law"] = label


def _remember(world: World, seen: Seen, label: str) -> None:
    if seen.status == 200:
        world.prints[seen.json["id"]] = label


@operation(
    ("GET", "/api/work"),
    ("GET", "/api/work/{id}"),
    ("POST", "/api/work/{id}/cancel"),
)
def long_work(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    place, way, asked, name = rng.random(), rng.randrange(5), question(rng), model(rng)
    method, target = rng.choice(
        (
            ("GET", ""),
            ("GET", "?open=yes"),
            ("GET", "?limit=1"),
            ("GET", "?kind=batch"),
            ("GET", "/{}"),
            ("POST", "/{}/cancel"),
        )
    )
    goes_on = rng.random() < 0.5

    async def do(world: World) -> Seen:
        if way < 3:
            await begun(world, who, label, name, asked, way)
        if goes_on:
            await answered(world, label)
        seen = await world.call(who, method, f"/api/work{target.format(chosen(world, place))}", acting=label)
        if target == "?limit=1" and seen.status == 200 and seen.json["data"]["after"]:
            return await world.call(who, "GET", f"/api/work?after={seen.json['data']['after']}", acting=label)
        return seen

    return do, asked


@operation(("GET", "/work"), ("GET", "/work.json"), ("GET", "/work/{id}"), ("POST", "/work/{id}/cancel"))
def work_in_console(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    place, script = rng.random(), rng.choice(((), (("hx-request", "true"),)))
    method, target, sent = rng.choice(
        (
            ("GET", "/work", None),
            ("GET", "/work?all=1", None),
            ("GET", "/work.json?all=1", None),
            ("GET", "/work/{}", None),
            ("GET", "/work/{}.json", None),
            ("POST", "/work/{}/cancel", rng.choice(({"sure": "yes"}, {}))),
        )
    )

    async def do(world: World) -> Seen | None:
        return await browse(method, target.format(chosen(world, place)), sent, *script)(who, label)(world)

    return do, ""
