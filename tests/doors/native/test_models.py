"""Models through the native API: registered, accredited, verified, retired; and for whom each of them exists."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from casemate.policy import Action
from tests.attacks.scene import LOW, SECRET, TOP, Writer, connect, flow_of, log, principal
from tests.laws.world import Seen, World

FAR = {"kind": "openai", "url": "https://models.example/v1", "model": "m"}


class Server:
    """An OpenAI-shaped server on a loopback port of its own; `routes` answer by method and path."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []
        self.status = 200
        self.headers = ""
        self.models = ["small", "large"]
        self.listed: bytes | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @asynccontextmanager
    async def up(self) -> AsyncIterator[Server]:
        listening = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = listening.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            listening.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            (int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")), 0
        )
        self.asked.append(head + await reader.readexactly(length))
        media, body = self._answer(head)
        writer.write(
            f"HTTP/1.1 {self.status} X\r\nContent-Type: {media}\r\n{self.headers}"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
            + body
        )
        await writer.drain()
        writer.close()

    def _answer(self, head: bytes) -> tuple[str, bytes]:
        if self.listed is not None:
            return "application/json", self.listed
        if head.startswith(b"GET /v1/models"):
            return "application/json", json.dumps({"data": [{"id": name} for name in self.models]}).encode()
        piece = {"model": "small", "choices": [{"index": 0, "delta": {"content": "yes"}, "finish_reason": "stop"}]}
        return "text/event-stream", b"data: " + json.dumps(piece).encode() + b"\n\ndata: [DONE]\n\n"


async def cast(world: World) -> None:
    await world.person("olga", TOP, ("operator",))
    await world.person("sofia", TOP, ("officer",))
    await world.person("ann", TOP)
    await world.person("bob", LOW)


async def add(world: World, name: str = "acme/one", at: str = LOW, engine: Any = None, **told: Any) -> Seen:
    body = {"name": name, "engine": engine or FAR, "described": {"vendor": "acme", **told}}
    return await world.call("olga", "POST", "/api/models", body, at)


async def say(world: World, name: str, label: str, at: str = LOW, who: str = "sofia") -> Seen:
    return await world.call(who, "POST", "/api/models/accredit", {"model": name, "accreditation": label}, at)


async def names(world: World, who: str, at: str, target: str = "/api/models") -> list[str]:
    seen = await world.call(who, "GET", target, acting=at)
    return [each.get("name") or each["id"] for each in seen.json["data"]]


async def test_nobody_uses_a_model_before_the_officer_has_said_how_high(world: World) -> None:
    await cast(world)
    made = await add(world, aliases=["us-gov.one"])
    assert (made.status, made.json["data"]["accreditation"], made.json["data"]["usable"]) == (201, "", False)
    assert made.json["data"]["proposed"] == world.house.gate.vault.region.floor.text
    assert "acme/one" not in await names(world, "ann", LOW)
    assert "acme/one" in await names(world, "olga", LOW)
    assert (await world.call("ann", "GET", "/api/models/acme/one", acting=LOW)).status == 404
    assert (await say(world, "acme/one", LOW, who="olga")).status == 403
    assert (await say(world, "acme/one", SECRET)).json["data"]["accreditation"] == SECRET
    for at in (LOW, SECRET, TOP):
        assert "acme/one" in await names(world, "ann", at)
        assert "acme/one" in await names(world, "ann", at, "/v1/models")
    shown = (await world.call("ann", "GET", "/api/models/acme/one", acting=LOW)).json["data"]
    assert (shown["vendor"], shown["outside"], shown["bom"]["bomFormat"]) == ("acme", True, "CycloneDX")
    assert [entry.action for entry in log(world, LOW)].count("model.accredit") >= 1
    assert (await world.call("olga", "POST", "/api/models/retire", {"model": "acme/one"}, LOW)).status == 200
    assert "acme/one" not in await names(world, "ann", LOW)
    assert (await add(world)).status == 409
    assert (await say(world, "acme/one", LOW)).status == 409
    assert (await say(world, "acme/one", "")).status == 200


async def test_an_officer_goes_no_higher_than_himself_and_the_region(world: World) -> None:
    await cast(world)
    await world.person("carl", SECRET, ("officer",))
    await add(world)
    seen = await say(world, "acme/one", TOP, who="carl")
    assert (seen.status, seen.json["rule"]) == (403, "clearance")
    assert (await say(world, "acme/one", "us:PURPLE")).status == 400
    assert (await say(world, "acme/one", LOW, at=SECRET)).status == 404, "a record is changed where it lies"
    assert (await say(world, "acme/none", LOW)).status == 404
    assert (await say(world, "acme/one", TOP)).status == 200
    assert (await say(world, "acme/one", "")).json["data"]["accreditation"] == ""
    assert "acme/one" not in await names(world, "ann", LOW)


async def test_where_two_must_two_officers_say_the_same(world: World) -> None:
    await cast(world)
    await world.person("carl", TOP, ("officer",))
    await add(world)
    assert (await world.call("sofia", "POST", "/api/region/two-person", None, TOP)).status == 200
    assert (await say(world, "acme/one", SECRET)).status == 202
    assert (await say(world, "acme/one", SECRET)).json["rule"] == "two-person"
    assert (await say(world, "acme/one", TOP, who="carl")).status == 202, "another label is another question"
    assert "acme/one" not in await names(world, "ann", LOW)
    assert (await say(world, "acme/one", SECRET, who="carl")).status == 200
    assert "acme/one" in await names(world, "ann", LOW)


async def test_a_model_registered_above_never_was_below(world: World) -> None:
    await cast(world)
    await add(world, at=SECRET)
    assert (await say(world, "acme/one", TOP, at=SECRET)).status == 200
    for who in ("ann", "olga", "sofia"):
        assert "acme/one" not in await names(world, who, LOW)
        assert "acme/one" in await names(world, who, SECRET)
        there = await world.call(who, "GET", "/api/models/acme/one", acting=LOW)
        never = await world.call(who, "GET", "/api/models/acme/two", acting=LOW)
        assert (there.status, never.status) == (404, 404)
        assert (
            there.body.replace(b"acme/one", b"X").split(b'"entry"')[0]
            == never.body.replace(b"acme/two", b"X").split(b'"entry"')[0]
        )
    assert (await add(world, at=LOW)).status == 201, "what lies above takes no name away"
    assert (await add(world, at=TOP)).status == 409
    await say(world, "acme/one", LOW)
    shown = await world.call("ann", "GET", "/api/models/acme/one", acting=LOW)
    assert shown.json["data"]["accreditation"] == world.house.gate.vault.region.floor.text
    assert (await names(world, "ann", SECRET)).count("acme/one") == 1
    shown = await world.call("ann", "GET", "/api/models/acme/one", acting=SECRET)
    assert shown.json["data"]["accreditation"] == TOP


async def test_why_tells_of_visible_models_alone(world: World) -> None:
    await cast(world)
    connect(world, Writer("x"), SECRET)
    body = {"model": "far", "text": "hello"}
    seen = await world.call("ann", "POST", "/api/models/why", body, TOP)
    assert seen.json["data"] == [{"model": "far", "rule": "", "place": 1}]
    for asked in ({"model": "never"}, {"model": "far", "text": "(TS//SI//NF) hello"}):
        seen = await world.call("ann", "POST", "/api/models/why", asked, TOP)
        assert (seen.status, seen.json["slug"]) == (404, "unknown-model"), asked
    await add(world, "acme/high", at=SECRET, aliases=["pair"])
    await say(world, "acme/high", TOP, at=SECRET)
    assert (await world.call("ann", "POST", "/api/models/why", {"model": "pair"}, LOW)).status == 404
    assert (await world.call("ann", "POST", "/api/models/why", {"model": "pair"}, SECRET)).status == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "http://models.example/v1"},
        {"url": "http://169.254.169.254/latest"},
        {"url": "https://169.254.169.254/latest"},
        {"url": "https://[fe80::1]/"},
        {"url": "https://[::ffff:169.254.169.254]/"},
        {"url": "https://0.0.0.0/"},
        {"url": "https://2852039166/"},
        {"url": "https://a.0x7f/"},
        {"url": "https://user@models.example/v1"},
        {"url": "https://models.example/v1?key=x"},
        {"url": "file:///etc/passwd"},
        {"url": "https://"},
        {"url": "https://[::1/"},
        {"url": "https://x y/"},
        {"model": ""},
        {"key": "../master"},
        {"kind": "llama"},
        {"kind": ""},
        {"kind": "bedrock"},
        {"region": "EU"},
    ],
)
async def test_what_cannot_be_asked_is_not_registered(world: World, wrong: dict[str, str]) -> None:
    await cast(world)
    assert (await add(world, engine={**FAR, **wrong})).status == 400
    assert await names(world, "olga", LOW) == await names(world, "ann", LOW)


@pytest.mark.parametrize(
    "told",
    [
        {"name": "../x"}, {"name": ""}, {"name": "a/../b"}, {"vendor": ""}, {"licence": "x" * 300}, {"tasks": ["fly"]},
        {"takes": ["money"]}, {"tasks": []}, {"context": -1}, {"price": -1}, {"aliases": ["a b"]}, {"state": "odd"},
        {"aliases": ["a"] * 65}, {"vendor": "a\nb"},
    ],
)  # fmt: skip
async def test_what_cannot_be_said_of_a_model(world: World, told: dict[str, Any]) -> None:
    await cast(world)
    name = told.pop("name", "acme/one")
    assert (await add(world, name, **told)).status == 400


async def test_what_is_written_above_the_label_is_refused(world: World) -> None:
    await cast(world)
    assert (await add(world, licence="(TS//SI//NF) ours")).status == 403


async def test_a_model_is_verified_with_one_small_question(world: World) -> None:
    await cast(world)
    async with Server().up() as server:
        await add(world, engine={"kind": "openai", "url": server.url, "model": "small"})
        assert (await names(world, "olga", LOW)).count("acme/one") == 1
        seen = await world.call("olga", "POST", "/api/models/verify", {"model": "acme/one"}, LOW)
        assert seen.json["data"]["evidence"]["outcome"] == "answered", seen.json
        assert seen.json["data"]["proposed"] == world.house.gate.vault.region.ceiling.text
        [asked] = server.asked
        assert b"Answer with the word yes." in asked
        server.status = 302
        server.headers = f"Location: {server.url}/elsewhere\r\n"
        seen = await world.call("olga", "POST", "/api/models/verify", {"model": "acme/one"}, LOW)
        assert seen.json["data"]["evidence"]["outcome"] == "failed"
        assert len(server.asked) == 2, "no redirect is followed"
    seen = await world.call("olga", "POST", "/api/models/verify", {"model": "acme/one"}, LOW)
    assert seen.json["data"]["evidence"]["detail"].startswith("down")
    assert (await world.call("olga", "POST", "/api/models/verify", {"model": "no"}, LOW)).status == 404


async def test_a_server_is_looked_at_and_its_key_is_shown_to_nobody(world: World) -> None:
    await cast(world)
    secret = "sk-verysecret-0123456789"
    async with Server().up() as server:
        kept = await world.call("olga", "POST", "/api/models/keys", {"name": "acme", "secret": secret}, LOW)
        assert kept.status == 201
        [file] = world.house.folder.keys.glob("model-*.key")
        assert (file.stat().st_mode & 0o777, file.read_text().strip()) == (0o600, secret)
        engine = {"kind": "openai", "url": server.url, "key": "acme"}
        seen = await world.call("olga", "POST", "/api/models/look", {"engine": engine}, LOW)
        assert seen.json["data"] == ["small", "large"]
        assert secret.encode() in server.asked[0]
        await add(world, engine={**engine, "model": "small"})
        for missing, at in ((engine, SECRET), ({**engine, "key": "never"}, LOW)):
            seen = await world.call("olga", "POST", "/api/models/look", {"engine": missing}, at)
            assert seen.status == 400
            assert "No key of that name" in seen.body.decode()
    for name in ("olga", "sofia"):
        shown = await world.call(name, "GET", "/api/models/acme/one", acting=LOW)
        assert shown.json["data"]["engine"]["key"] == "acme"
        assert secret.encode() not in shown.body
    for label in (LOW, SECRET, TOP):
        assert secret not in str(log(world, label))
    for bad in ({"name": "../x", "secret": "s"}, {"name": "x", "secret": ""}, {"name": "x", "secret": "é"}):
        assert (await world.call("olga", "POST", "/api/models/keys", bad, LOW)).status == 400
    assert (
        await world.call("olga", "POST", "/api/models/look", {"engine": {**engine, "kind": "bedrock"}}, LOW)
    ).status == 400


async def test_a_card_that_a_request_has_stays_its_own(world: World) -> None:
    await cast(world)
    await add(world)
    await say(world, "acme/one", LOW)
    flow = await flow_of(
        world,
        principal(world, "x", LOW),
        Action("ask", "answer"),
        LOW,
    )
    card = world.house.catalogue.named(flow, "acme/one")
    await world.step("models.records")
    assert world.house.catalogue.named(flow, "acme/one") is card, "nothing changed, so the engine is kept"
    await say(world, "acme/one", SECRET)
    assert world.house.catalogue.named(flow, "acme/one") is not card
    assert card.engine is not None


@pytest.mark.parametrize(
    ("listed", "found"),
    [
        (b'{"data": [{"id": "a"}, {"id": "a"}, {"id": ""}, {"id": "b\\n"}]}', ["a"]),
        (b"[]", None),
        (b"\xff", None),
        (b"[" * 100_000, None),
        (b" " * ((1 << 20) + 1), None),
    ],
)
async def test_nothing_of_a_servers_list_is_believed(world: World, listed: bytes, found: list[str] | None) -> None:
    await cast(world)
    async with Server().up() as server:
        server.listed = listed
        for kind in ("openai", "anthropic"):
            engine = {"kind": kind, "url": server.url.removesuffix("/v1" if kind == "anthropic" else "")}
            seen = await world.call("olga", "POST", "/api/models/look", {"engine": engine}, LOW)
            assert (seen.json.get("data"), seen.status) == (found, 200 if found else 502)
            assert b"/v1/models" in server.asked[-1]


async def test_what_is_verified_is_told_as_it_was_found(world: World) -> None:
    """No key, vectors, an answer without an end: each stands in the record, and none of them is an error."""
    await cast(world)
    async with Server().up() as server:
        engine = {"kind": "openai", "url": server.url, "model": "small"}
        vectors = {"data": [{"index": 0, "object": "embedding", "embedding": [0.5, 0.5]}], "model": "small"}
        for name, more, told, answer, outcome in (
            ("a/keyless", {"key": "none"}, {}, None, "failed"),
            ("a/vectors", {}, {"tasks": ["embeddings"]}, json.dumps(vectors).encode(), "answered"),
            ("a/endless", {"kind": "anthropic"}, {}, None, "failed"),
            ("a/claude", {"kind": "anthropic"}, {"tasks": ["embeddings"]}, None, "failed"),
            ("a/salted", {}, {"state": "salted"}, None, "answered"),
        ):
            server.listed = answer
            assert (await add(world, name, engine={**engine, **more}, **told)).status == 201
            seen = await world.call("olga", "POST", "/api/models/verify", {"model": name}, LOW)
            assert seen.json["data"]["evidence"]["outcome"] == outcome, seen.json
        assert any(b"cache_salt" in asked for asked in server.asked)


async def test_a_model_that_may_not_be_used_is_changed_by_nobody_who_carries_more(world: World) -> None:
    """A session whose floor lies above the accreditation: for it the record never was."""
    await cast(world)
    await add(world, at=SECRET)
    assert (await say(world, "acme/one", LOW, at=SECRET)).status == 200
    key = await world.call("olga", "POST", "/api/keys", {"floor": SECRET, "ceiling": SECRET}, SECRET)
    world.keys["high"] = key.json["data"]["secret"]
    for verb in ("verify", "retire"):
        there = await world.call("high", "POST", f"/api/models/{verb}", {"model": "acme/one"}, SECRET)
        never = await world.call("high", "POST", f"/api/models/{verb}", {"model": "acme/two"}, SECRET)
        assert (there.status, never.status) == (404, 404)
    assert "acme/one" not in await names(world, "high", SECRET)
    assert (await world.call("high", "GET", "/api/models/acme/one", acting=SECRET)).status == 404
