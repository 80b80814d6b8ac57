"""What the two worlds do with names outside: bindings and attribute files."""

from __future__ import annotations

import random

from casemate.crypto import KeySigner
from casemate.identity.attributes import Statement, sign
from tests.laws.operations import Doing, operation
from tests.laws.world import Seen, World

BOUND = "/api/principals/{id}/bindings"
ROUTES = (
    ("POST", BOUND),
    ("GET", "/api/bindings"),
    ("DELETE", "/api/bindings/{id}"),
    ("PUT", "/api/attributes/{authority}"),
    ("GET", "/api/attributes"),
    ("POST", "/api/statements"),
    ("GET", "/api/statements"),
)

_STATED = Statement("hq", "elsewhere", 1, "2026-12-31T00:00:00Z", (), ("somebody",))
CARRIED = sign(_STATED, KeySigner(b"\x01" * 32)).decode()


def deeds(rng: random.Random) -> tuple[tuple[str, str, object], ...]:
    """An outside name is the region's own, like a principal's: no two ask for the same here."""
    bound = {"scheme": "oidc", "issuer": "https://login.law", "subject": str(rng.randrange(10**9))}
    return (
        ("POST", "/api/principals/prn_x/bindings", bound),
        ("GET", "/api/bindings", None),
        ("DELETE", "/api/bindings/bnd_x", None),
        ("PUT", "/api/attributes/nobody", {"file": "{}"}),
        ("GET", "/api/attributes", None),
        ("POST", "/api/statements", {"file": rng.choice(("{}", CARRIED))}),
        ("GET", "/api/statements", None),
    )


@operation(*ROUTES)
def outsiders_not_allowed(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    method, target, body = rng.choice(deeds(rng))

    async def do(world: World) -> Seen:
        return await world.call(who, method, target, body, label)

    return do, ""


@operation(*ROUTES, roles=("officer",))
def outsiders_deed(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    """An officer binds somebody of his own, lists, and takes back what he sees first."""
    method, target, body = rng.choice(deeds(rng))
    back = rng.random() < 0.5

    async def do(world: World) -> Seen:
        if method == "POST" and "principals" in target:
            found = await world.call(who, "GET", "/api/principals", acting=label)
            people = found.json["data"]["principals"] if found.status == 200 else []
            id = people[0]["id"] if people else "prn_x"
            return await world.call(who, method, f"/api/principals/{id}/bindings", body, label)
        if method == "DELETE" and back:
            found = await world.call(who, "GET", "/api/bindings", acting=label)
            listed = found.json["data"] if found.status == 200 else []
            return await world.call(who, method, f"/api/bindings/{listed[0]['id'] if listed else 'bnd_x'}", None, label)
        return await world.call(who, method, target, body, label)

    return do, ""
