"""The release door under attack: each test is named after what somebody tries, and nothing comes down by it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from casemate.access import ReleaseDoor
from casemate.assistants import RELEASABLE
from casemate.crypto import KeySigner, generate
from casemate.errors import Refused
from casemate.identity.approval import sign, sign_offer
from casemate.identity.release import Release, verify_release
from casemate.policy import Action
from casemate.transfer.dispatch import OutwardGuard
from tests.attacks import scene as scenes
from tests.attacks.releasing import (
    PRIVATE,
    TEXT,
    answer,
    approve,
    ask,
    asked,
    below,
    both,
    carry,
    key,
    offered,
    refused,
    scene,
    statement,
)
from tests.attacks.scene import LOW, SECRET, TOP, flow_of, kept, label_of, log, principal
from tests.laws.world import World

MIDDLE = "agency=EXERCISE + us:SECRET//REL=FRA,USA"


def test_two_people_release_what_a_third_asks_for() -> None:
    """The way as it is meant: what comes down is new, bears nothing of above, and each log says what it may."""

    async def do(world: World) -> None:
        request = await asked(world)
        before = log(world, LOW)
        assert await below(world) == []
        await both(world, request)
        seen = await carry(world, request)
        assert seen.status == 200, seen.body
        [low] = await below(world)
        assert low["answer"]["text"] == TEXT
        assert (low["answer"]["question"], low["answer"]["asked"], low["answer"]["by"]) == ("", "", "service:release")
        release = msgspec.convert(seen.json["data"], Release)
        assert verify_release(release, world.house.gate.vault.signer.public)
        assert low["id"] in release.landed
        arrived = [entry for entry in log(world, LOW)[len(before) :] if entry.principal == "service:release"]
        assert [(e.action, e.outcome, e.rule, e.facts) for e in arrived] == [
            ("release.carry", "arrived", "release", {})
        ]
        low_class = world.house.gate.classes.of(label_of(world, LOW)).id
        assert arrived[0].subjects == (f"answer/{low['id']}@{low_class}",)
        [above] = [entry for entry in log(world, SECRET) if entry.outcome == "released"]
        assert (above.facts["approvers"], above.facts["requester"]) == ("ben, carl", "ann")
        assert above.facts["reason"] == "for the ferry people"
        told = "".join(map(str, log(world, LOW))) + kept(world, LOW).decode()
        for word in (request, "ben", "carl", "ferry people", release.statement.content):
            assert word not in told

    scene(do)


def test_the_requester_approves_himself() -> None:
    async def do(world: World) -> None:
        await world.person("eve", SECRET, ("user", "releaser"))
        await key(world, "eve")
        kept_id = await answer(world)
        request = (await ask(world, kept_id, "eve")).json["data"]["id"]
        refused(await approve(world, "eve", request), "release-self")
        await approve(world, "ben", request)
        refused(await carry(world, request, "eve"), "release-approvals")
        assert await below(world) == []

    scene(do)


def test_one_person_with_two_keys() -> None:
    async def do(world: World) -> None:
        request = await asked(world)
        await approve(world, "ben", request)
        await key(world, "ben")
        refused(await approve(world, "ben", request), "release-two-people")
        refused(await carry(world, request), "release-approvals")

    scene(do)


def test_two_people_with_one_key() -> None:
    """Carl offers Ben's key as his own, and cannot prove that he holds it; with the private half it is taken."""

    async def do(world: World) -> None:
        private = PRIVATE[id(world), "ben"]
        public, _ = sign_offer("law", "ben", private)
        _, proof = sign_offer("law", "carl", generate())
        bare = await world.call("carl", "POST", "/api/release-keys", {"public": public, "proof": proof}, SECRET)
        assert bare.status == 400
        mine, right = sign_offer("law", "carl", private)
        taken = await world.call("carl", "POST", "/api/release-keys", {"public": mine, "proof": right}, SECRET)
        assert taken.status == 409

    scene(do)


@pytest.mark.parametrize(
    "other",
    [
        {"content": "0" * 96},
        {"leaves": "0" * 96},
        {"target": MIDDLE},
        {"expires": 1},
        {"request": "rel_other"},
        {"object": "answer/ans_other@x"},
        {"reason": "another reason"},
        {"region": "elsewhere"},
        {"approver": "prn_other"},
        {"requester": "prn_other"},
        {"sanitiser": "none"},
        {"source": TOP},
        {"key": "ed25519-x"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_a_signature_over_something_else(other: dict[str, Any]) -> None:
    async def do(world: World) -> None:
        request = await asked(world)
        said = msgspec.structs.replace(await statement(world, "ben", request), **other)
        private = PRIVATE[id(world), "ben"]
        signature = KeySigner(private).sign(said.body()).hex() if "key" in other else sign(said, private)[1]
        body = {"key": KeySigner(private).key_id, "signature": signature}
        refused(await world.call("ben", "POST", f"/api/releases/{request}/approve", body, SECRET), "release-signature")

    scene(do)


@pytest.mark.parametrize("signature", ["", "00", "zz", "0" * 128, "0" * 129])
def test_a_signature_that_is_none(signature: str) -> None:
    async def do(world: World) -> None:
        request = await asked(world)
        body = {"key": KeySigner(PRIVATE[id(world), "ben"]).key_id, "signature": signature}
        refused(await world.call("ben", "POST", f"/api/releases/{request}/approve", body, SECRET), "release-signature")

    scene(do)


def test_an_approval_is_used_for_another_request() -> None:
    async def do(world: World) -> None:
        first, second = await asked(world), await asked(world, text=TEXT + " Again.")
        said = await statement(world, "ben", first)
        named, signature = sign(said, PRIVATE[id(world), "ben"])
        body = {"key": named.key, "signature": signature}
        refused(await world.call("ben", "POST", f"/api/releases/{second}/approve", body, SECRET), "release-signature")

    scene(do)


def test_the_time_has_ended() -> None:
    async def do(world: World) -> None:
        request = await asked(world, days=1)
        await both(world, request)
        world.clock.forward(86_400)
        refused(await carry(world, request), "release-expired")
        assert await below(world) == []

    scene(do)


@pytest.mark.parametrize("roles", [("officer",), ("operator",), ("auditor",), ("user",), ("officer", "operator")])
def test_somebody_approves_who_is_no_releaser(roles: tuple[str, ...]) -> None:
    async def do(world: World) -> None:
        request = await asked(world)
        await world.person("eve", SECRET, roles)
        body = {"key": "k", "signature": "s"}
        refused(await world.call("eve", "POST", f"/api/releases/{request}/approve", body, SECRET), "role")
        if "user" not in roles:
            refused(await carry(world, request, "eve"), "role")
            refused(await world.call("eve", "GET", f"/api/releases/{request}", acting=SECRET), "role")
        else:
            assert (await carry(world, request, "eve")).status == 404

    scene(do)


def test_an_approver_loses_his_role_his_clearance_or_his_key_before_it_is_carried_out() -> None:
    async def do(world: World) -> None:
        directory = world.house.gate.directory
        carl = directory.named("carl")
        assert carl is not None
        for change, rule in (
            ({"clearance": SECRET, "roles": ["user"]}, "release-approver"),
            ({"clearance": LOW, "roles": ["releaser"]}, "release-approver"),
        ):
            request = await asked(world, text=f"{TEXT} {len(str(change))}")
            await both(world, request)
            assert (
                await world.call("owner", "PUT", f"/api/principals/{carl.id}", {"name": "carl", **change})
            ).status == 200
            refused(await carry(world, request), rule)
            right = {"name": "carl", "clearance": SECRET, "roles": ["releaser"]}
            assert (await world.call("owner", "PUT", f"/api/principals/{carl.id}", right)).status == 200
        request = await asked(world, text=TEXT)
        await both(world, request)
        gone = KeySigner(PRIVATE[id(world), "carl"]).key_id
        assert (await world.call("carl", "DELETE", f"/api/release-keys/{gone}", acting=SECRET)).status == 200
        refused(await carry(world, request), "release-key")
        assert await below(world) == []
        await world.person("emil", SECRET, ("releaser",))
        await key(world, "emil")
        assert (await approve(world, "emil", request)).status == 201
        assert (await carry(world, request)).status == 200

    scene(do)


def test_a_key_that_was_never_registered_or_has_ended() -> None:
    async def do(world: World) -> None:
        request = await asked(world, days=30)
        await world.person("eve", SECRET, ("releaser",))
        await offered(world, "eve")
        refused(await approve(world, "eve", request), "release-key")
        await key(world, "eve", days=2)
        assert (await approve(world, "eve", request)).status == 201
        assert (await approve(world, "ben", request)).status == 201
        world.clock.forward(2 * 86_400)
        refused(await carry(world, request), "release-key")

    scene(do)


def test_a_key_may_release_only_so_low() -> None:
    async def do(world: World) -> None:
        await world.person("eve", SECRET, ("releaser",))
        await key(world, "eve", lowest=MIDDLE)
        refused(await approve(world, "eve", await asked(world)), "release-key")
        higher = await asked(world, text=TEXT + " For some.", to=MIDDLE)
        assert (await approve(world, "eve", higher)).status == 201

    scene(do)


def test_an_approver_below_the_object_s_label() -> None:
    """The request lies at the label at which it was asked; whoever does not see it cannot find it."""

    async def do(world: World) -> None:
        await world.person("top", TOP)
        kept_id = await answer(world, "top", TEXT + " Top.", TOP)
        request = (await ask(world, kept_id, "top", TOP)).json["data"]["id"]
        body = {"key": KeySigner(PRIVATE[id(world), "ben"]).key_id, "signature": "00"}
        seen = await world.call("ben", "POST", f"/api/releases/{request}/approve", body, SECRET)
        assert seen.status == 404
        await world.person("high", TOP, ("releaser",))
        await key(world, "high", TOP)
        elsewhere = await world.call("high", "POST", f"/api/releases/{request}/approve", body, SECRET)
        assert elsewhere.status == 404
        assert (await approve(world, "high", request, TOP)).status == 201

    scene(do)


def test_the_officer_who_registered_the_keys_approves() -> None:
    async def do(world: World) -> None:
        await world.person("eve", SECRET, ("officer", "releaser"))
        await world.person("fay", SECRET, ("releaser",))
        await key(world, "eve")
        own = await offered(world, "eve")
        refused(
            await world.call("eve", "POST", f"/api/release-keys/{own}/register", {"lowest": LOW}, SECRET), "self-grant"
        )
        await key(world, "eve")
        id = await offered(world, "fay")
        seen = await world.call("eve", "POST", f"/api/release-keys/{id}/register", {"lowest": LOW}, SECRET)
        assert seen.status == 200
        request = await asked(world)
        assert (await approve(world, "fay", request)).status == 201
        refused(await approve(world, "eve", request), "release-registrar")
        assert (await approve(world, "ben", request)).status == 201

    scene(do)


def test_a_releaser_says_no_and_it_is_final() -> None:
    async def do(world: World) -> None:
        request = await asked(world)
        await both(world, request)
        said = await world.call("ben", "POST", f"/api/releases/{request}/refuse", {"why": "not yet"}, SECRET)
        assert (said.json["data"]["state"], said.json["data"]["ended_by"]) == ("refused", "ben")
        assert (await carry(world, request)).status == 409
        assert (await approve(world, "carl", request)).status == 409
        other = await asked(world, text=TEXT + " 2")
        back = await world.call("ann", "POST", f"/api/releases/{other}/refuse", {}, SECRET)
        assert back.json["data"]["state"] == "withdrawn"
        assert await below(world) == []

    scene(do)


def test_somebody_else_s_request_is_not_there() -> None:
    async def do(world: World) -> None:
        request = await asked(world)
        await world.person("eve", SECRET)
        assert (await world.call("eve", "GET", f"/api/releases/{request}", acting=SECRET)).status == 404
        assert (await world.call("eve", "GET", "/api/releases", acting=SECRET)).json["data"]["requests"] == []
        assert (await world.call("eve", "POST", f"/api/releases/{request}/refuse", {}, SECRET)).status == 404

    scene(do)


def test_with_fewer_than_three_principals_there_is_no_release_door() -> None:
    async def do(world: World) -> None:
        await world.person("ann", SECRET)
        assert (await world.call("ann", "GET", "/api/region", acting=SECRET)).json["data"]["release"] is False
        refused(await ask(world, await answer(world)), "release-door")
        assert (await world.call("ann", "GET", "/api/releases", acting=SECRET)).json["data"]["door"] is False
        await world.person("ben", SECRET)
        assert (await world.call("ann", "GET", "/api/region", acting=SECRET)).json["data"]["release"] is True

    scenes.scene(do)


def test_nothing_of_an_originator_leaves_without_an_approval_in_its_name() -> None:
    originated = "agency=EXERCISE + us:SECRET//DISSEM=ORCON//REL=USA"

    async def do(world: World) -> None:
        await world.person("ora", originated)
        for name in ("oli", "otto", "olga"):
            await world.person(name, originated, ("releaser",))
        await key(world, "oli", originated)
        await key(world, "otto", originated)
        await key(world, "olga", originated, speaks=["EXERCISE"])
        kept_id = await answer(world, "ora", TEXT, originated)
        request = (await ask(world, kept_id, "ora", originated)).json["data"]["id"]
        for who in ("oli", "otto"):
            assert (await approve(world, who, request, originated)).status == 201
        seen = await carry(world, request, "ora", originated)
        refused(seen, "release-originator")
        assert (await approve(world, "olga", request, originated)).status == 201
        assert (await carry(world, request, "ora", originated)).status == 200

    scene(do)


def test_a_session_without_a_directory_record_approves() -> None:
    """Whoever is not in the directory is no releaser, whatever his session says."""

    async def do(world: World) -> None:
        request = await asked(world)
        await approve(world, "ben", request)
        ghost = principal(world, "ghost", SECRET, "releaser")
        flow = await flow_of(world, ghost, Action("approve", "release"), SECRET)
        door = ReleaseDoor(world.house.gate, OutwardGuard(), (RELEASABLE,))
        with pytest.raises(Refused, match="release-approver"):
            await door.approve(flow, request, KeySigner(PRIVATE[id(world), "ben"]).key_id, "00")

    scene(do)
