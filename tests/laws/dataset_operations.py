"""What the two worlds do with datasets in place, and with backups: register, look, digest, forget; and ask how far."""

from __future__ import annotations

import random

from tests.laws.operations import Doing, operation
from tests.laws.trees import ROOT
from tests.laws.world import Seen, World

NAMES = ("corpus", "images", "never")


@operation(
    ("GET", "/api/datasets"),
    ("POST", "/api/datasets"),
    ("GET", "/api/datasets/{name}"),
    ("GET", "/api/datasets/{name}/files"),
    ("POST", "/api/datasets/{name}/verify"),
    ("POST", "/api/datasets/{name}/digest"),
    ("DELETE", "/api/datasets/{name}"),
    ("GET", "/datasets"),
    ("GET", "/datasets.json"),
    roles=("operator", "user"),
)
def tend_datasets(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    at = f"/api/datasets/{rng.choice(NAMES)}"
    body = {"name": rng.choice(NAMES), "path": str(ROOT / rng.choice(("one", "two", "none", "one/deep")))}
    method, target, said = rng.choice(
        (
            ("POST", "/api/datasets", body),
            ("POST", "/api/datasets", body),
            ("GET", "/api/datasets", None),
            ("GET", at, None),
            ("GET", f"{at}/files?after=0&limit=2", None),
            ("POST", f"{at}/verify", None),
            ("POST", f"{at}/digest", None),
            ("DELETE", at, None),
            ("GET", "/datasets.json", None),
            ("GET", "/datasets", None),
        )
    )

    async def do(world: World) -> Seen:
        seen = await world.call(who, method, target, said, label)
        await world.step("datasets.digest")
        return seen

    return do, ""


@operation(("GET", "/api/backup"), ("POST", "/api/backup"), ("POST", "/api/backup/drill"), roles=("operator",))
def ask_of_backups(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    method, path = rng.choice((("GET", ""), ("POST", ""), ("POST", "/drill")))

    async def do(world: World) -> Seen:
        return await world.call(who, method, f"/api/backup{path}", None, label)

    return do, ""
