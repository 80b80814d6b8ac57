"""What the two worlds do with channels and bundles: open both ends in one region, send, take, give up, list.

A bundle is sealed with a key of its own and signed with random bytes (ML-DSA), so of a file and of an introduction
the law compares all but their bytes: status, headers and how many they are.
"""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

from casemate.crypto import Keeper
from tests.laws.operations import Doing, operation
from tests.laws.world import Seen, World

AT = "/api/transfer/channels"
WAYS = ("out", "back")
CARD = {
    "region": "law",
    "ceiling": "agency=EXERCISE + fr:SECRET + us:TOP SECRET//REL=//SCI=SI",
    "recipient": Keeper(b"\x01" * 112).recipient.public.hex(),
}


def sized(seen: Seen) -> Seen:
    """The same, with how many bytes there are in the place of bytes that are random."""
    return replace(seen, pieces=tuple(str(len(piece)).encode() for piece in seen.pieces)) if seen.status < 400 else seen


async def data(world: World, who: str, path: str, label: str) -> Any:
    seen = await world.call(who, "GET", path, None, label)
    return seen.json["data"] if seen.status < 400 else None


@operation(
    ("GET", AT),
    ("POST", AT),
    ("GET", f"{AT}/{{name}}"),
    ("GET", f"{AT}/{{name}}/introduction"),
    ("POST", f"{AT}/{{name}}/trust"),
    ("POST", f"{AT}/{{name}}/skip"),
    ("POST", f"{AT}/{{name}}/permit"),
    ("POST", f"{AT}/{{name}}/rotate"),
    ("POST", f"{AT}/{{name}}/renew"),
    ("POST", f"{AT}/{{name}}/revoke"),
    ("POST", f"{AT}/{{name}}/fetching"),
    ("GET", "/transfer"),
    ("GET", "/transfer.json"),
    roles=("officer",),
)
def keep_channels(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    deeds = (
        "open",
        "open",
        "both",
        "both",
        "look",
        "skip",
        "permit",
        "list",
        "page",
        "told",
        "rotate",
        "renew",
        "revoke",
        "fetch",
    )
    way, deed = rng.choice(WAYS), rng.choice(deeds)
    number, lost = rng.randint(1, 3), rng.random() < 0.5

    async def do(world: World) -> Seen:
        if deed == "both":
            await world.call(who, "POST", AT, {"name": "out", "card": CARD}, label)
            await world.call(who, "POST", AT, {"name": "back", "source": "law"}, label)
            told = await data(world, who, f"{AT}/out/introduction", label)
            return await world.call(who, "POST", f"{AT}/back/trust", told or {}, label)
        if deed == "open":
            body = {"name": way, "card": CARD} if way == "out" else {"name": way, "source": "law"}
            return await world.call(who, "POST", AT, body, label)
        if deed == "look":
            return await world.call(who, "GET", f"{AT}/{way}", None, label)
        if deed == "skip":
            return await world.call(who, "POST", f"{AT}/back/skip", {"sequence": number}, label)
        if deed == "permit":
            return await world.call(who, "POST", f"{AT}/{way}/permit", {"kinds": ["clearances"][number - 1 :]}, label)
        if deed == "rotate":
            return await world.call(who, "POST", f"{AT}/{way}/rotate", {"revoke": lost}, label)
        if deed == "renew":
            told = await data(world, who, f"{AT}/out/introduction", label)
            return await world.call(who, "POST", f"{AT}/back/renew", {"introduction": told}, label)
        if deed == "fetch":
            timetable = {"every": 3600, "step": 1 << 20, "window": 1000, "resolution": 1000} if lost else None
            return await world.call(who, "POST", f"{AT}/{way}/fetching", {"timetable": timetable}, label)
        if deed == "revoke":
            keys = ((await data(world, who, f"{AT}/back", label)) or {"keys": {"signers": ["none"]}})["keys"]["signers"]
            return await world.call(who, "POST", f"{AT}/back/revoke", {"keys": keys}, label)
        if deed == "told":
            return sized(await world.call(who, "GET", f"{AT}/out/introduction", None, label))
        page = {"list": AT, "page": "/transfer"}.get(deed, "/transfer.json")
        return await world.call(who, "GET", page, None, label)

    return do, ""


@operation(("GET", "/api/transfer/requests"), ("POST", "/api/transfer/requests/{id}"), roles=("user", "operator"))
def settle_requests(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    """Whoever sees requests takes the first, or one that never was; job ids are nobody's here."""
    deed, accepts, job = rng.choice(("list", "settle", "settle")), rng.random() < 0.5, rng.choice(("", "", "job_x"))

    async def do(world: World) -> Seen:
        listed = await world.call(who, "GET", "/api/transfer/requests", None, label)
        if deed == "list" or listed.status >= 400:
            return listed
        ids = [each["id"] for each in listed.json["data"]] or ["req_none"]
        body = {"accepts": accepts, "job": job}
        return await world.call(who, "POST", f"/api/transfer/requests/{ids[0]}", body, label)

    return do, ""


@operation(
    ("GET", "/api/transfer/bundles"),
    ("GET", "/api/transfer/bundles/{id}/file"),
    ("POST", f"{AT}/{{name}}/bundles"),
    ("PUT", f"{AT}/{{name}}/bundles"),
    ("POST", "/api/transfer/bundles/{id}/sign"),
    ("POST", "/api/transfer/bundles/{id}/approve"),
    ("POST", "/api/transfer/bundles/{id}/withdraw"),
    roles=("operator", "releaser", "officer", "user"),
)
def move_bundles(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    deeds = ("send", "send", "loop", "loop", "list", "junk", "sign", "approve", "withdraw")
    deed, policy, several = rng.choice(deeds), rng.choice(("us", "us", "never")), rng.random() < 0.5
    asks = rng.random() < 0.3

    async def opened(world: World) -> None:
        await world.call(who, "POST", AT, {"name": "out", "card": CARD}, label)
        await world.call(who, "POST", AT, {"name": "back", "source": "law"}, label)
        card = (await data(world, who, f"{AT}/back", label) or {}).get("card", CARD)
        people = {"signatures": 2, "approvals": 1} if several else {}
        await world.call(who, "POST", AT, {"name": "round", "card": card, **people}, label)
        told = await data(world, who, f"{AT}/round/introduction", label)
        await world.call(who, "POST", f"{AT}/back/trust", told or {}, label)

    async def do(world: World) -> Seen:
        if deed == "list":
            return await world.call(who, "GET", "/api/transfer/bundles", None, label)
        if deed == "junk":
            return await world.call(who, "PUT", f"{AT}/back/bundles", b"no bundle", label)
        if deed in ("sign", "approve", "withdraw"):
            listed = await data(world, who, "/api/transfer/bundles", label) or []
            waits = [each["id"] for each in listed if each["verdict"] == "waiting"] or ["bundle-none"]
            return await world.call(who, "POST", f"/api/transfer/bundles/{waits[0]}/{deed}", None, label)
        await opened(world)
        members = [{"kind": "policy", "id": policy}]
        if asks:
            told = {"purpose": "job-request", "text": '{"name":"a","program":"b","why":"c"}'}
            kept = await world.call(who, "POST", "/api/dispatches", told, label)
            members = [{"kind": "request", "id": kept.json["data"]["id"]}] if kept.status < 400 else members
        body = {"members": members}
        sent = await world.call(who, "POST", f"{AT}/round/bundles", body, label)
        if deed == "send" or sent.status >= 400:
            return sent
        if sent.json["data"]["verdict"] == "waiting":
            return sent
        file = await world.call(who, "GET", f"/api/transfer/bundles/{sent.json['data']['id']}/file", None, label)
        return await world.call(who, "PUT", f"{AT}/back/bundles", file.body, label)

    return do, ""
