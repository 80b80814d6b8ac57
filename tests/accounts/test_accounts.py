"""Keys and principals through their door: ranges, refusals, lists and revocation."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.laws.world import World, a_world

LOW = "agency=EXERCISE"
SECRET = "agency=EXERCISE + us:SECRET//REL=USA"


def inside(work: Callable[[World], Awaitable[None]]) -> None:
    async def run() -> None:
        async with a_world() as world:
            await world.person("analyst", SECRET)
            await world.person("guest", LOW)
            await work(world)

    asyncio.run(run())


async def key(world: World, who: str, **asked: Any) -> Any:
    return await world.call(who, "POST", "/api/keys", asked)


def test_a_key_s_range_defaults_to_the_acting_label_and_stays_below_it() -> None:
    async def work(world: World) -> None:
        made = (await key(world, "analyst")).json["data"]["key"]
        assert (made["floor"], made["ceiling"]) == (SECRET, SECRET)
        low = await key(world, "analyst", floor="us:UNCLASSIFIED", ceiling="us:SECRET//NOFORN")
        assert low.status == 403, "FOUO, which SECRET leaves unwritten, is not in this clearance's canonical text"
        ranged = (await key(world, "analyst", floor=LOW, ceiling=SECRET)).json["data"]["key"]
        assert (ranged["floor"], ranged["ceiling"]) == (LOW, SECRET)

    inside(work)


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"ceiling": "us:TOP SECRET//SI"}, 403),
        ({"floor": SECRET, "ceiling": LOW}, 400),
        ({"client": "telnet"}, 400),
        ({"days": 0}, 400),
        ({"days": 1000}, 400),
        ({"principal": "guest"}, 404),
        ({"ceiling": "us:BANANA"}, 400),
    ],
)
def test_what_cannot_be_issued(asked: dict[str, Any], status: int) -> None:
    async def work(world: World) -> None:
        assert (await key(world, "analyst", **asked)).status == status

    inside(work)


def test_keys_are_listed_to_their_owner_and_to_officers_and_revoked_at_once() -> None:
    async def work(world: World) -> None:
        made = (await key(world, "analyst", name="laptop")).json["data"]
        world.keys["laptop"] = made["secret"]
        assert (await world.call("laptop", "GET", "/api/session")).status == 200
        mine = (await world.call("analyst", "GET", "/api/keys")).json["data"]
        assert made["key"]["id"] in {k["id"] for k in mine}
        assert {k["owner_name"] for k in mine} == {"analyst"}
        every = (await world.call("owner", "GET", "/api/keys")).json["data"]
        assert {"analyst", "guest"} <= {k["owner_name"] for k in every}
        assert (await world.call("guest", "GET", "/api/keys")).json["data"] == []
        hidden = await world.call("guest", "DELETE", f"/api/keys/{made['key']['id']}")
        never = await world.call("guest", "DELETE", "/api/keys/never")
        assert hidden.status == never.status == 404
        assert (await world.call("analyst", "DELETE", f"/api/keys/{made['key']['id']}")).status == 200
        assert (await world.call("laptop", "GET", "/api/session")).status == 401

    inside(work)


def test_the_secret_of_a_key_is_in_no_ledger_content() -> None:
    async def work(world: World) -> None:
        seen = await key(world, "analyst")
        entry = seen.header("casemate-ledger")
        opened = await world.call("owner", "POST", f"/api/ledger/{entry}/open", {"reason": "test"})
        assert opened.status == 200
        assert seen.json["data"]["secret"] not in opened.body.decode()

    inside(work)


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"name": "", "clearance": LOW}, 400),
        ({"name": "a:b", "clearance": LOW}, 400),
        ({"name": "x", "clearance": LOW, "roles": ["king"]}, 400),
        ({"name": "x", "clearance": LOW, "roles": []}, 400),
        ({"name": "analyst", "clearance": LOW}, 409),
        ({"name": "x", "clearance": "us:BANANA"}, 400),
        ({"name": "x", "clearance": SECRET}, 201),
    ],
)
def test_principals_are_checked(asked: dict[str, Any], status: int) -> None:
    async def work(world: World) -> None:
        assert (await world.call("owner", "POST", "/api/principals", asked)).status == status

    inside(work)


def test_an_officer_grants_no_more_than_he_sees() -> None:
    async def work(world: World) -> None:
        asked = {"name": "x", "clearance": "us:TOP SECRET//SI"}
        seen = await world.call("owner", "POST", "/api/principals", asked, acting=SECRET)
        assert seen.status == 403
        assert seen.json["rule"] == "clearance"

    inside(work)


def test_nobody_grants_to_himself() -> None:
    async def work(world: World) -> None:
        people = (await world.call("owner", "GET", "/api/principals")).json["data"]["principals"]
        [owner] = [p for p in people if p["name"] == "owner"]
        asked = {"name": "owner", "clearance": LOW, "roles": ["user", "releaser"]}
        seen = await world.call("owner", "PUT", f"/api/principals/{owner['id']}", asked)
        assert (seen.status, seen.json["rule"]) == (403, "self-grant")

    inside(work)
