"""What the two worlds do with models as data: register, accredit, verify, retire, import, look and ask why.

Names are few and shared, so that hidden sessions register what the observer registers, lists and names.
"""

from __future__ import annotations

import random
import struct
from typing import Any

from tests.laws.operations import AT, Doing, operation
from tests.laws.world import Seen, World

NAMES = ("acme/one", "acme/two", "law/far")
NOWHERE = "http://127.0.0.1:9/v1"  # nothing listens there, and that is told at once
ROUTES = (
    ("GET", "/api/models"),
    ("GET", "/api/models/{name*}"),
    ("POST", "/api/models"),
    ("POST", "/api/models/keys"),
    ("POST", "/api/models/look"),
    ("POST", "/api/models/verify"),
    ("POST", "/api/models/retire"),
    ("POST", "/api/models/accredit"),
)


def deeds(rng: random.Random) -> list[tuple[str, str, Any]]:
    name = rng.choice(NAMES)
    engine = {"kind": "openai", "url": NOWHERE, "model": "m", "key": rng.choice(("", "key"))}
    described = {"vendor": rng.choice(("acme", "other")), "aliases": rng.choice(([], ["pair"], ["acme/two"]))}
    return [
        ("GET", "", None),
        ("GET", f"/{name}", None),
        ("POST", "", {"name": name, "engine": engine, "described": described}),
        ("POST", "", {"name": name, "engine": engine, "described": described}),
        ("POST", "/keys", {"name": "key", "secret": str(rng.random())}),
        ("POST", "/look", {"engine": engine}),
        ("POST", "/verify", {"model": name}),
        ("POST", "/retire", {"model": name}),
        ("POST", "/accredit", {"model": name, "accreditation": rng.choice((*AT, ""))}),
        ("POST", "/accredit", {"model": name, "accreditation": rng.choice(AT)}),
    ]


@operation(*ROUTES, roles=("releaser", "operator", "officer"))
def model_managers(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    """Register and accredit, then whatever else: the last answer counts, and so does what is listed afterwards."""
    some = deeds(rng)
    made = rng.sample(some, rng.randint(1, 4))
    if rng.random() < 0.6:  # a model that can be used: else hidden ones would hardly ever be seen, if they were
        made = [some[2], ("POST", "/accredit", {"model": some[6][2]["model"], "accreditation": label}), *made]

    async def do(world: World) -> Seen:
        seen = Seen(0, (), ())
        for method, path, body in made:
            seen = await world.call(who, method, f"/api/models{path}", body, label)
            if method == "POST" and path != "/accredit":
                listed = await world.call(who, "GET", "/api/models", acting=label)
                seen = Seen(seen.status, seen.headers, (*seen.pieces, *listed.pieces), (*seen.calls, *listed.calls))
        return seen

    return do, ""


@operation(*ROUTES, ("POST", "/api/models/import"))
def model_users(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    """Users list and show; the rest is refused."""
    method, path, body = rng.choice([*deeds(rng), ("POST", "/import", {"name": "x", "token": "x"})])

    async def do(world: World) -> Seen:
        return await world.call(who, method, f"/api/models{path}", body, label)

    return do, ""


@operation(("POST", "/api/models/why"), ("GET", "/v1/models"))
def models_asked_about(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    body = {"model": rng.choice((*NAMES, "pair", "never")), "text": rng.choice(("", "hello", "(S//NF) hello"))}

    async def do(world: World) -> Seen:
        seen = await world.call(who, "POST", "/api/models/why", body, label)
        listed = await world.call(who, "GET", "/v1/models", acting=label)
        return Seen(seen.status, seen.headers, (*seen.pieces, *listed.pieces), (*seen.calls, *listed.calls))

    return do, ""


@operation(("POST", "/api/models/import"), roles=("operator",))
def models_imported(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    token, good = f"{rng.getrandbits(128):032x}", rng.random() < 0.7
    data = b"GGUF" + struct.pack("<IQQ", 3 if good else 9, 0, 0)
    body = {"name": rng.choice(NAMES), "token": token}

    async def do(world: World) -> Seen:
        folder = world.house.folder.path / "models" / "incoming" / token
        folder.mkdir(parents=True)
        (folder / "w.gguf").write_bytes(data)
        return await world.call(who, "POST", "/api/models/import", body, label)

    return do, ""
