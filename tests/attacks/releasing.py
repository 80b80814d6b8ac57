"""People who release: keys of their own, what is asked to go down, and approvals, as a client makes them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from casemate.crypto import KeySigner, generate
from casemate.identity.approval import Statement, sign, sign_offer
from tests.attacks import scene as scenes
from tests.attacks.scene import LOW, SECRET, TOP
from tests.laws.world import Seen, World

TEXT = "The pier is open again. Ferries leave at dawn."
PRIVATE: dict[tuple[int, str], bytes] = {}  # of each world's people: never anywhere else


async def people(world: World) -> None:
    """Ann asks; Ben and Carl approve; Dan is an officer, and the owner registers their keys."""
    await world.person("ann", SECRET)
    for name in ("ben", "carl"):
        await world.person(name, SECRET, ("releaser",))
        await key(world, name)
    await world.person("dan", TOP, ("officer",))


async def key(world: World, name: str, acting: str = SECRET, **said: Any) -> str:
    """A key of that principal, offered and registered; its id."""
    id = await offered(world, name, acting)
    asked = {"lowest": LOW, **said}
    seen = await world.call(said.pop("by", "owner"), "POST", f"/api/release-keys/{id}/register", asked, acting)
    assert seen.status == 200, seen.body
    return id


async def offered(world: World, name: str, acting: str = SECRET, private: bytes = b"") -> str:
    """A key of that principal, offered; its id."""
    PRIVATE[id(world), name] = private or generate()
    public, proof = sign_offer("law", name, PRIVATE[id(world), name])
    seen = await world.call(name, "POST", "/api/release-keys", {"public": public, "proof": proof}, acting)
    assert seen.status == 201, seen.body
    return str(seen.json["data"]["id"])


async def answer(world: World, who: str = "ann", text: str = TEXT, label: str = SECRET) -> str:
    """A kept answer; its id."""
    assert (
        await world.call(who, "POST", "/api/answers", {"text": text, "question": "Which pier?"}, label)
    ).status == 201
    listed = (await world.call(who, "GET", "/api/answers", acting=label)).json["data"]
    return str(next(each["id"] for each in listed if each["answer"]["text"] == text))


async def ask(world: World, kept_id: str, who: str = "ann", label: str = SECRET, **said: Any) -> Seen:
    body = {"kind": "answer", "id": kept_id, "to": LOW, "reason": "for the ferry people", **said}
    return await world.call(who, "POST", "/api/releases", body, label)


async def asked(world: World, text: str = TEXT, **said: Any) -> str:
    """A request of Ann's that waits; its id."""
    seen = await ask(world, await answer(world, text=text), **said)
    assert seen.status == 201, seen.body
    return str(seen.json["data"]["id"])


async def statement(world: World, who: str, request: str, label: str = SECRET) -> Statement:
    seen = await world.call(who, "GET", f"/api/releases/{request}", acting=label)
    assert seen.status == 200, seen.body
    return msgspec.convert(seen.json["data"]["statement"], Statement)


async def approve(world: World, who: str, request: str, label: str = SECRET, key: bytes = b"", **other: Any) -> Seen:
    """That principal's yes; `other` changes what he signs, `key` with what."""
    said = msgspec.structs.replace(await statement(world, who, request, label), **other)
    private = key or PRIVATE[id(world), who]
    _, signature = sign(said, private)
    body = {"key": KeySigner(private).key_id, "signature": signature}
    return await world.call(who, "POST", f"/api/releases/{request}/approve", body, label)


async def both(world: World, request: str) -> None:
    for who in ("ben", "carl"):
        seen = await approve(world, who, request)
        assert seen.status == 201, seen.body


async def carry(world: World, request: str, who: str = "ann", label: str = SECRET) -> Seen:
    return await world.call(who, "POST", f"/api/releases/{request}/carry", acting=label)


async def below(world: World, who: str = "ann") -> list[dict[str, Any]]:
    """The kept answers that are seen at the floor."""
    found: list[dict[str, Any]] = (await world.call(who, "GET", "/api/answers", acting=LOW)).json["data"]
    return found


def scene(do: Callable[[World], Awaitable[None]]) -> None:
    async def peopled(world: World) -> None:
        await people(world)
        await do(world)

    scenes.scene(peopled)


def refused(seen: Seen, rule: str) -> None:
    assert (seen.status, seen.json.get("rule")) == (403, rule), seen.body
