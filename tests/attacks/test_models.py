"""Attacks on the catalogue: to learn of models above, to be served by one that nobody accredited, to reach files."""

from __future__ import annotations

from typing import Any

import pytest

from casemate.access import Flow
from casemate.models import Card
from casemate.wiring import registry
from tests.attacks.scene import LOW, SECRET, TOP, kept, log, scene
from tests.laws.world import World, a_world

ENGINE = {"kind": "openai", "url": "http://127.0.0.1:9/v1", "model": "m"}
NAME = "acme/one"


async def cast(world: World) -> None:
    for name, roles in (("olga", ("operator",)), ("sofia", ("officer",)), ("ann", ("user",)), ("oscar", ("operator",))):
        await world.person(name, TOP, roles)


async def register(world: World, at: str, who: str = "olga", **told: Any) -> int:
    body = {"name": NAME, "engine": ENGINE, "described": {"vendor": "acme", **told}}
    made = await world.call(who, "POST", "/api/models", body, at)
    said = await world.call("sofia", "POST", "/api/models/accredit", {"model": NAME, "accreditation": TOP}, at)
    return made.status + said.status


async def lay_down(world: World, who: str, at: str) -> Any:
    """Import a small model under the one name."""
    token = ("a" if at == LOW else "b") * 32
    folder = world.house.folder.path / "models" / "incoming" / token
    folder.mkdir(parents=True)
    (folder / "w").write_bytes(b"GGUF\x03" + b"\0" * 19)
    return await world.call(who, "POST", "/api/models/import", {"name": "acme/files", "token": token}, at)


async def looked(world: World) -> list[Any]:
    """Everything by which somebody below could tell that there is a model."""
    found: list[Any] = []
    asked: list[tuple[str, str, Any]] = [
        *(("GET", path, None) for path in ("/api/models", f"/api/models/{NAME}", "/v1/models", f"/v1/models/{NAME}")),
        ("GET", "/api/region", None),
        ("POST", "/v1/chat/completions", {"model": NAME, "messages": [{"role": "user", "content": "hello"}]}),
        *(("POST", f"/api/models/{verb}", {"model": NAME}) for verb in ("why", "verify", "retire")),
    ]
    for who in ("ann", "oscar"):
        found += [await world.call(who, method, target, body, LOW) for method, target, body in asked]
    found.append(await world.call("oscar", "POST", "/api/models/look", {"engine": {**ENGINE, "key": "key"}}, LOW))
    found.append(await lay_down(world, "oscar", LOW))
    found.append(await register(world, LOW, "oscar"))
    found.append(await world.call("ann", "POST", "/api/models/why", {"model": NAME}, LOW))
    return [(one.status, one.pieces, one.headers, one.calls) if hasattr(one, "pieces") else one for one in found]


async def alike() -> bool:
    """Whether a model that is registered and accredited above changes anything below."""
    told = []
    for hidden in (False, True):
        async with a_world(7, ("us",)) as world:
            await cast(world)
            if hidden:
                assert await register(world, SECRET, aliases=["us-gov.one"], vendor="hidden") == 401
                await world.call("olga", "POST", "/api/models/keys", {"name": "key", "secret": "hidden"}, SECRET)
                await world.call("olga", "POST", "/api/models/verify", {"model": NAME}, SECRET)
                assert (await lay_down(world, "olga", SECRET)).status == 201
                await world.step("models.records")
            told.append(await looked(world))
    return bool(told[0] == told[1])


async def test_a_model_above_shows_nowhere_below() -> None:
    assert await alike()


@pytest.mark.parametrize(
    ("shared", "wrong"),
    [
        ("key_file_of", lambda label, name: f"model-{name}.key"),
        ("folder_of", lambda label, name: name.replace("/", "_")),
    ],
)
async def test_what_two_labels_share_on_the_disk_would_tell(
    monkeypatch: pytest.MonkeyPatch, shared: str, wrong: Any
) -> None:
    monkeypatch.setattr(registry, shared, wrong)
    assert not await alike()


async def test_a_card_without_its_records_label_would_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(self: Card, flow: Flow) -> bool:
        return bool(flow.floor <= self.accreditation)

    monkeypatch.setattr(Card, "usable", wrong)
    assert not await alike()


def test_an_operator_does_not_accredit_and_nothing_is_used_before() -> None:
    async def attack(world: World) -> None:
        await cast(world)
        body = {"name": NAME, "engine": ENGINE}
        assert (await world.call("olga", "POST", "/api/models", body, LOW)).status == 201
        said = await world.call("olga", "POST", "/api/models/accredit", {"model": NAME, "accreditation": TOP}, LOW)
        assert (said.status, said.json["rule"]) == (403, "role")
        chat = {"model": NAME, "messages": [{"role": "user", "content": "hello"}]}
        assert (await world.call("ann", "POST", "/v1/chat/completions", chat, LOW)).status == 404
        for more in ({"accreditation": TOP}, {"accredited_by": "sofia"}, {"retired": False}):
            await world.call("olga", "POST", "/api/models", {**body, "name": f"x{len(more)}", **more}, LOW)
        listed = await world.call("olga", "GET", "/api/models", acting=LOW)
        assert {each["name"] for each in listed.json["data"] if each["usable"]}.isdisjoint({NAME, "x1"})

    scene(attack)


def test_what_was_changed_on_the_disk_is_no_longer_accredited() -> None:
    async def attack(world: World) -> None:
        await cast(world)
        token = "0" * 32
        folder = world.house.folder.path / "models" / "incoming" / token
        folder.mkdir(parents=True)
        (folder / "w").write_bytes(b"GGUF\x03" + b"\0" * 19)
        made = await world.call("olga", "POST", "/api/models/import", {"name": NAME, "token": token}, LOW)
        assert made.status == 201
        await world.call("sofia", "POST", "/api/models/accredit", {"model": NAME, "accreditation": TOP}, LOW)
        [file] = (world.house.folder.path / "models").glob("*/acme%2Fone/w")
        file.write_bytes(b"GGUF\x02" + b"\0" * 19)
        seen = await world.call("olga", "POST", "/api/models/verify", {"model": NAME}, LOW)
        assert (seen.json["data"]["evidence"]["outcome"], seen.json["data"]["accreditation"]) == ("changed", "")
        file.unlink()
        file.symlink_to(world.house.folder.keys / "region.key")
        seen = await world.call("olga", "POST", "/api/models/verify", {"model": NAME}, LOW)
        assert seen.json["data"]["evidence"]["outcome"] == "changed"

    scene(attack)


@pytest.mark.parametrize("token", ["../../keys", "..", "", "0" * 31, "0" * 31 + "/", "0" * 32, "/" + "0" * 31])
def test_an_import_reads_nothing_but_what_was_laid_down(token: str) -> None:
    async def attack(world: World) -> None:
        await cast(world)
        (world.house.folder.path / "models" / "incoming").mkdir(parents=True)
        seen = await world.call("olga", "POST", "/api/models/import", {"name": NAME, "token": token}, LOW)
        assert (seen.status, seen.json["slug"]) == (400, "malformed")

    scene(attack)


@pytest.mark.parametrize("name", ["../master", "..", "master/", "a\0b", "x" * 65, "é"])
def test_a_key_overwrites_no_other_file(name: str) -> None:
    async def attack(world: World) -> None:
        await cast(world)
        before = {str(file): file.read_bytes() for file in world.house.folder.keys.rglob("*") if file.is_file()}
        seen = await world.call("olga", "POST", "/api/models/keys", {"name": name, "secret": "s"}, LOW)
        assert seen.status == 400
        for safe in ("region", "ledger", "classes"):
            assert (
                await world.call("olga", "POST", "/api/models/keys", {"name": safe, "secret": "s"}, LOW)
            ).status == 201
        after = {str(file): file.read_bytes() for file in world.house.folder.keys.rglob("*") if file.is_file()}
        assert {name: after[name] for name in before} == before

    scene(attack)


def test_a_key_is_kept_in_no_log() -> None:
    async def attack(world: World) -> None:
        await cast(world)
        secret = "sk-nobody-ever-reads-this"
        for body in (
            {"name": "k", "secret": secret},
            {"name": "../k", "secret": secret},
            {"name": 3, "secret": secret},
        ):
            seen = await world.call("olga", "POST", "/api/models/keys", body, LOW)
            assert secret.encode() not in seen.body
        for label in (LOW, TOP):
            assert secret not in str(log(world, label))
            assert secret.encode() not in kept(world, label)

    scene(attack)
