"""Signed clearances and revocations: applied where their channel may carry them, and at once; nowhere else."""

from __future__ import annotations

from typing import Any

import pytest

from casemate.crypto import KeySigner, generate
from casemate.errors import Unauthenticated
from casemate.identity import Bearer
from casemate.identity.attributes import Statement, Subject, sign
from casemate.transfer.region import Content, Outgoing
from casemate.transfer.region.channel import CLEARANCES_TYPE
from tests.access.outside import ISSUER, believe, shown, statement
from tests.laws.world import World
from tests.transfer.regions import LOW, Pair, a_pair

AT = "/api/transfer/channels/up"
SECRET = Subject(ISSUER, "ann", "us:SECRET", ("EXERCISE",))


def admitted(world: World) -> Any:
    return world.house.gate.admit(Bearer(shown(world.house.gate)))


def stranger(world: World) -> None:
    with pytest.raises(Unauthenticated):
        admitted(world)


async def permitted(pair: Pair, *sides: str) -> None:
    """The officers of these sides say that the channel carries clearances."""
    for side in sides:
        world, label = (pair.low, pair.below) if side == "low" else (pair.high, pair.above)
        seen = await world.call("officer", "POST", f"{AT}/permit", {"kinds": ["clearances"]}, label)
        assert seen.status == 200, seen.body
        assert seen.json["data"]["carries"] == ["clearances"]


async def kept(pair: Pair, file: bytes) -> str:
    """The statement, kept in the low region for the high one; its id."""
    seen = await pair.low.call("officer", "POST", "/api/statements", {"file": file.decode()}, pair.below)
    assert seen.status == 201, seen.body
    listed = await pair.low.call("officer", "GET", "/api/statements", None, pair.below)
    assert seen.json["data"]["id"] in [each["id"] for each in listed.json["data"]]
    return str(seen.json["data"]["id"])


def carried(file: bytes) -> Outgoing:
    return Outgoing("clearances-1", CLEARANCES_TYPE, LOW, (Content("statement.json", file),))


async def rises(pair: Pair, file: bytes) -> dict[str, Any]:
    """Kept, sent and taken; what became of it."""
    sent, bundle = await pair.send(("clearances", await kept(pair, file)))
    assert sent.status == 201, sent.body
    return await pair.take(bundle)


async def test_a_clearance_rises_counts_in_its_time_and_is_revoked_at_once() -> None:
    async with a_pair() as pair:
        gate = pair.high.house.gate
        believe(gate)
        await permitted(pair, "low", "high")
        stranger(pair.high)
        told = await rises(pair, statement(gate, SECRET))
        assert told["verdict"] == "accept", told
        assert admitted(pair.high).principal.clearance.text.startswith("agency=EXERCISE + us:SECRET//")
        logged = await pair.high.call("officer", "GET", "/api/ledger", None, pair.above)
        entries = [each["entry"] for each in logged.json["data"] if each["entry"]["action"] == "bundle.take"]
        assert "accept" in [entry["facts"].get("verdict") for entry in entries]
        told = await rises(pair, statement(gate, number=2))  # ann is in it no more
        assert told["verdict"] == "accept", told
        stranger(pair.high)


async def test_a_clearance_counts_from_its_moment_and_until_it() -> None:
    async with a_pair() as pair:
        gate, clock = pair.high.house.gate, pair.high.clock
        believe(gate)
        await permitted(pair, "high")
        day = 86_400 * 1_000_000
        from casemate.clock import iso

        begins, ends = iso(clock.now() + day), iso(clock.now() + 3 * day)
        timed = Subject(ISSUER, "ann", "us:SECRET", ("EXERCISE",), not_before=begins, not_after=ends)
        assert (await pair.take(await pair.made([carried(statement(gate, timed))])))["verdict"] == "accept"
        stranger(pair.high)
        clock.forward(2 * 86_400)
        assert admitted(pair.high).principal.clearance.text.startswith("agency=EXERCISE + us:SECRET//")
        clock.forward(2 * 86_400)
        stranger(pair.high)


async def test_a_principal_who_is_revoked_is_nobody_in_sessions_jobs_and_grants() -> None:
    async with a_pair() as pair:
        gate = pair.high.house.gate
        believe(gate)
        await permitted(pair, "low", "high")
        await pair.high.person("bea", pair.above, ("user",))
        known = gate.directory.named("bea")
        assert known is not None
        asked = {"spec": {"command": ["true"]}}
        assert (await pair.high.call("bea", "GET", "/api/documents", None, pair.above)).status == 200
        top = gate.vault.region.ceiling.text
        bound = {"scheme": "oidc", "issuer": ISSUER, "subject": "ann"}
        seen = await pair.high.call("officer", "POST", f"/api/principals/{known.id}/bindings", bound, top)
        assert seen.status == 201, seen.body
        assert admitted(pair.high).principal.name == "bea"
        pair.high.clock.forward(1)
        assert (await rises(pair, statement(gate, revoked=("bea", "nobody here"))))["verdict"] == "accept"
        now = gate.directory.principal(known.id)
        assert now is not None
        assert (now.roles, now.clearance is gate.vault.region.floor) == (frozenset(), True)
        for method, path, body in (("GET", "/api/documents", None), ("POST", "/api/jobs", asked)):
            assert (await pair.high.call("bea", method, path, body, pair.above)).status in (401, 403)
        assert admitted(pair.high).principal.roles == frozenset()
        listed = await pair.high.call("officer", "GET", "/api/principals", None, top)
        people = listed.json["data"]["principals"]
        assert [(each["roles"], each["granted_by"]) for each in people if each["name"] == "bea"] == [([], "hq 1")]


@pytest.mark.parametrize("sides", [(), ("low",), ("high",)])
async def test_a_channel_of_which_nobody_has_said_so_carries_no_clearance(sides: tuple[str, ...]) -> None:
    async with a_pair() as pair:
        gate = pair.high.house.gate
        believe(gate)
        await permitted(pair, *sides)
        file = statement(gate, SECRET)
        sent, _ = await pair.send(("clearances", await kept(pair, file)))
        assert (sent.status, sent.json.get("rule")) == ((201, None) if "low" in sides else (403, "not-carried"))
        told = await pair.take(await pair.made([carried(file)], sequence=1, previous=""))
        assert (told["verdict"], told["rule"]) == (
            ("accept", "accepted") if "high" in sides else ("quarantine", "unfit")
        )
        if "high" not in sides:
            stranger(pair.high)


@pytest.mark.parametrize("wrong", ["signer", "authority", "region", "above", "ended", "old", "twice", "shape"])
async def test_what_its_authority_may_not_say_does_not_count(wrong: str) -> None:
    async with a_pair() as pair:
        gate = pair.high.house.gate
        believe(gate, ceiling=gate.vault.region.floor if wrong == "above" else gate.vault.region.ceiling)
        await permitted(pair, "high")
        file = statement(gate, SECRET)
        objects = [carried(file)]
        if wrong == "signer":
            end = "2026-12-31T00:00:00Z"
            forged = sign(Statement("hq", "highland", 1, end, (SECRET,)), KeySigner(generate()))
            objects = [carried(forged)]
        elif wrong in ("authority", "region"):
            objects = [carried(statement(gate, SECRET, **{wrong: "other"}))]
        elif wrong == "above":
            objects = [carried(statement(gate, Subject(ISSUER, "ann", "us:TOP SECRET", ("EXERCISE",))))]
        elif wrong == "ended":
            objects = [carried(statement(gate, SECRET, days=-1))]
        elif wrong == "old":
            assert (await pair.take(await pair.made([carried(statement(gate, number=5))])))["verdict"] == "accept"
            objects = [carried(statement(gate, SECRET, number=4))]
        elif wrong == "twice":
            two = carried(statement(gate, number=2))
            objects = [carried(file), Outgoing("clearances-2", two.type, two.label, two.contents)]
        else:
            objects = [carried(b"{}")]
        after = {"sequence": 2, "previous": (await pair.state()).previous} if wrong == "old" else {}
        told = await pair.take(await pair.made(objects, **after))
        assert (told["verdict"], told["rule"]) == ("quarantine", "unfit"), told
        stranger(pair.high)
