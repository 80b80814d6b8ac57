"""What the two worlds do with the ledger's files: keys, notes and proofs are carried away, witnesses sign."""

from __future__ import annotations

import random

from casemate.crypto import KeySigner
from tests.laws.operations import Doing, operation
from tests.laws.world import Seen, World
from tests.ledger.histories import SIGNER, checkpoint, history


@operation(("GET", "/api/ledger/key"), ("GET", "/api/ledger/notes"), roles=("auditor", "officer"))
def carry_heads(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    target = rng.choice(("/api/ledger/key", "/api/ledger/notes", "/api/ledger/notes"))

    async def do(world: World) -> Seen:
        return await world.call(who, "GET", target, acting=label)

    return do, ""


@operation(
    ("GET", "/api/ledger/witnesses"),
    ("POST", "/api/ledger/witnesses"),
    ("GET", "/api/ledger/cosignatures"),
    ("POST", "/api/ledger/witnesses/{name}/cosign"),
    roles=("auditor", "officer"),
)
def witness(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    number = rng.randrange(3)
    signer = (SIGNER, KeySigner(bytes(range(1, 33))))[number % 2]
    deed, size = rng.randrange(4), rng.randrange(1, 4)

    async def do(world: World) -> Seen:
        if deed == 0:
            return await world.call(who, "GET", "/api/ledger/witnesses", acting=label)
        if deed == 1:
            return await world.call(who, "GET", "/api/ledger/cosignatures", acting=label)
        if deed == 2:
            body = {"name": f"region{number}", "public": signer.public.hex()}
            return await world.call(who, "POST", "/api/ledger/witnesses", body, label)
        from casemate.ledger import write_export

        records = history(size)
        export = write_export("class_a", records, [checkpoint(records)], SIGNER.public).decode()
        return await world.call(who, "POST", f"/api/ledger/witnesses/region{number}/cosign", {"export": export}, label)

    return do, ""


@operation(("GET", "/api/ledger/{id}/proof"), ("POST", "/api/ledger/{id}/redact"), roles=("officer", "auditor"))
def prove_or_redact(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    place, deed = rng.random(), rng.random()

    async def do(world: World) -> Seen:
        """An entry that stands somewhere in either world, or never did."""
        seen = await world.call(who, "GET", "/api/ledger?limit=50", acting=label)
        known = [each["entry"]["id"] for each in (seen.json.get("data") or [])] if seen.status == 200 else []
        id = known[int(place * len(known))] if known and place < 0.8 else "ent_none"
        if deed < 0.6:
            return await world.call(who, "GET", f"/api/ledger/{id}/proof", acting=label)
        return await world.call(who, "POST", f"/api/ledger/{id}/redact", {"reason": "law"}, label)

    return do, ""
