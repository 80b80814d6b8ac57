"""The release door under attack: what leaves, and when. People and keys are the other file's."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from casemate.assistants import KEPT
from casemate.errors import Conflict, Unavailable
from casemate.identity import Bearer
from casemate.objects import Delete, Put
from casemate.policy import Action
from tests.attacks.releasing import (
    TEXT,
    answer,
    approve,
    ask,
    asked,
    below,
    both,
    carry,
    refused,
    scene,
)
from tests.attacks.scene import LOW, SECRET, TOP, flow_of, log
from tests.laws.world import World

MIDDLE = "agency=EXERCISE + us:SECRET//REL=FRA,USA"


def test_nothing_is_seen_from_below_before_it_is_carried_out() -> None:
    async def do(world: World) -> None:
        async def seen() -> list[Any]:
            targets = ("/api/releases", "/api/answers", "/api/ledger?limit=100", "/api/documents", "/api/release-keys")
            return [(await world.call("low", "GET", target, acting=LOW)).json["data"] for target in targets[:4]]

        await world.person("low", LOW, ("user", "auditor", "releaser"))
        before = await seen()
        request = await asked(world)
        await both(world, request)
        after = await seen()
        assert [before[0], before[1], before[3]] == [after[0], after[1], after[3]]
        assert not any(request in str(each) for each in after)
        for method, tail, body in (
            ("GET", "", None),
            ("POST", "/approve", {"key": "k", "signature": "s"}),
            ("POST", "/refuse", {}),
            ("POST", "/carry", None),
        ):
            there = await world.call("low", method, f"/api/releases/{request}{tail}", body, LOW)
            never = await world.call("low", method, f"/api/releases/rel_never{tail}", body, LOW)
            assert there.status == never.status == 404
            assert there.json["detail"] == never.json["detail"].replace("rel_never", request)
        await world.call("ann", "POST", f"/api/releases/{request}/refuse", {"why": "no"}, SECRET)
        assert (await below(world, "low")) == []

    scene(do)


def test_a_release_is_carried_out_again() -> None:
    async def do(world: World) -> None:
        request = await asked(world)
        await both(world, request)
        first, second = await carry(world, request), await carry(world, request, "ben")
        assert (first.status, second.status) == (200, 200)
        assert first.json["data"] == second.json["data"]
        assert len(await below(world)) == 1
        assert [entry.outcome for entry in log(world, SECRET)].count("released") == 1
        for name in ("approve", "refuse"):
            body = {"key": "k", "signature": "s"} if name == "approve" else {}
            again = await world.call("ben", "POST", f"/api/releases/{request}/{name}", body, SECRET)
            assert again.status == 409

    scene(do)


def test_the_content_changes_after_the_approvals() -> None:
    async def do(world: World) -> None:
        kept_id = await answer(world)
        request = (await ask(world, kept_id)).json["data"]["id"]
        await both(world, request)
        flow = await flow_of(world, world.house.gate.admit(Bearer(world.keys["ann"])), Action("keep", "answer"), SECRET)
        found = await flow.read(KEPT, kept_id)
        await flow.commit(Put(KEPT, kept_id, msgspec.structs.replace(found.value, text=TEXT + " At night."), expect=1))
        shown = (await world.call("ben", "GET", f"/api/releases/{request}", acting=SECRET)).json["data"]
        assert shown["text"] == ""
        refused(await carry(world, request), "release-changed")
        await flow.commit(Delete(KEPT, kept_id))
        refused(await carry(world, request), "release-changed")
        refused(await approve(world, "ben", request), "release-changed")
        assert await below(world) == []

    scene(do)


@pytest.mark.parametrize("to", [SECRET, TOP, "agency=EXERCISE + us:UNCLASSIFIED//DISSEM=FOUO", "bottom"])
def test_a_target_that_is_not_below(to: str) -> None:
    async def do(world: World) -> None:
        seen = await ask(world, await answer(world), to=to)
        if to == "bottom":  # what is said below the region's floor is the floor
            assert seen.status == 201
            assert seen.json["data"]["target"]["label"] == LOW
        else:
            refused(seen, "release-target")

    scene(do)


@pytest.mark.parametrize(
    "text",
    [
        "(S//NF) The pier is open.",
        "The pier (S//NF) is open.",
        "The pier is open (S)",
        "SECRET//NOFORN\n\nThe pier is open.",
        "It says SECRET//NOFORN on the pier.",
        "(S\u200b//\u2060NF) The pier.",
        "\uff08\uff33\uff0f\uff0f\uff2e\uff26\uff09 The pier.",
        "(\u0405//NF) The pier.",
        "(\u202eFN//S\u202c) The pier.",
        "[S//NF] The pier.",
        "<S//NF> The pier.",
        "The pier S E C R E T//NOFORN is open.",
        "(S//BANANA) The pier.",
        "S\u0335ECRET//NOFORN",
        "(TS//SI//NF)\u00a0The pier.",
        "TOP\u3000SECRET",
    ],
)
def test_marks_in_disguise(text: str) -> None:
    async def do(world: World) -> None:
        seen = await ask(world, await answer(world, text=text))
        refused(seen, "release-mark")
        assert await below(world) == []

    scene(do)


def test_what_hides_does_not_leave() -> None:
    """A message in characters that nobody sees would go down with the approvers' yes."""

    async def do(world: World) -> None:
        hidden = "".join("\u200b" if bit == "1" else "\u200c" for bit in "1011")
        tags = "".join(chr(0xE0000 + ord(c)) for c in "secret")
        text = f"The pier{hidden} is\u00a0 open.{tags}\x07  \n\n\n\nFerries\u2028leave\ufe0f at\u3164 dawn.   "
        request = await asked(world, text=text)
        shown = (await world.call("ben", "GET", f"/api/releases/{request}", acting=SECRET)).json["data"]["text"]
        await both(world, request)
        assert (await carry(world, request)).status == 200
        [low] = await below(world)
        assert low["answer"]["text"] == shown == "The pier is open.\n\nFerries\nleave at dawn."

    scene(do)


def test_nothing_is_left_to_release() -> None:
    async def do(world: World) -> None:
        refused(
            await ask(world, await answer(world, text="\u200b.\u200b".replace(".", "\u2800x")[:2])), "release-empty"
        )

    scene(do)


def test_it_breaks_between_approval_and_carrying_out() -> None:
    """Nothing is half-written, whichever side of the commit it breaks on, and doing it again does it once."""

    async def do(world: World) -> None:
        request = await asked(world)
        await both(world, request)
        vault = world.house.gate.vault
        right = vault.committer

        class Breaks:
            def __init__(self, after: bool) -> None:
                self.after = after

            async def commit(self, batch: Any) -> Any:
                if self.after:
                    await right.commit(batch)
                raise Unavailable(what="store")

        object.__setattr__(vault, "committer", Breaks(after=False))
        assert (await carry(world, request)).status == 503
        object.__setattr__(vault, "committer", right)
        assert await below(world) == []
        state = (await world.call("ben", "GET", f"/api/releases/{request}", acting=SECRET)).json["data"]
        assert (state["request"]["state"], state["release"], len(state["approvals"])) == ("asked", None, 2)
        object.__setattr__(vault, "committer", Breaks(after=True))
        assert (await carry(world, request)).status == 503
        object.__setattr__(vault, "committer", right)
        assert (await carry(world, request)).status == 200
        assert len(await below(world)) == 1
        assert [entry.outcome for entry in log(world, SECRET)].count("released") == 1

    scene(do)


def test_a_reason_that_bears_a_mark_or_a_line_is_not_what_it_seems() -> None:
    async def do(world: World) -> None:
        kept_id = await answer(world)
        refused(await ask(world, kept_id, reason="(TS//SI//NF) because"), "mark-above")
        assert (await ask(world, kept_id, reason=" ")).status == 400
        seen = await ask(world, kept_id, reason="one\ntarget: two")
        assert seen.json["data"]["request"]["reason"] == "one target: two"

    scene(do)


@pytest.mark.parametrize("said", [{"kind": "principal"}, {"days": 0}, {"days": 31}, {"sanitiser": "none"}])
def test_a_request_that_cannot_be(said: dict[str, Any]) -> None:
    async def do(world: World) -> None:
        assert (await ask(world, await answer(world), **said)).status == 400

    scene(do)


def test_a_mark_that_the_target_dominates_stays_in_the_text() -> None:
    async def do(world: World) -> None:
        text = "(U) The pier is open.\n\n(S//REL TO USA, FRA) Ferries leave at dawn."
        request = await asked(world, text=text, to=MIDDLE)
        await both(world, request)
        assert (await carry(world, request)).status == 200
        found = await world.call("ann", "GET", "/api/answers", acting=MIDDLE)
        assert [each["answer"]["text"] for each in found.json["data"]] == [text]
        refused(await ask(world, await answer(world, text=text + " Again.")), "release-mark")

    scene(do)


def test_somebody_else_was_faster() -> None:
    """The commit of whoever comes second is a conflict; he is told what the first one did."""

    async def do(world: World) -> None:
        request = await asked(world)
        await both(world, request)
        vault = world.house.gate.vault
        right = vault.committer

        class Second:
            async def commit(self, batch: Any) -> Any:
                await right.commit(batch)
                raise Conflict(what="Release")

        object.__setattr__(vault, "committer", Second())
        seen = await carry(world, request)
        object.__setattr__(vault, "committer", right)
        assert seen.status == 200
        assert len(await below(world)) == 1

    scene(do)
