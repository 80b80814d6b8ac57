"""Writing, recording or restating below the label of the request."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from casemate.access import HELD, Ceiling
from casemate.errors import Absent, BadInput, Conflict, Refused
from casemate.labels import Labelled
from casemate.objects import Delete, Kind, Put, Ref
from casemate.policy import Action
from tests.attacks.scene import (
    ASKED,
    LOW,
    SECRET,
    TOP,
    Writer,
    bring,
    connect,
    flow_of,
    hide,
    label_of,
    log,
    principal,
    scene,
)
from tests.laws.world import World


class Note(msgspec.Struct, frozen=True):
    text: str


NOTE = Kind("attack.note", Note)
KEEP = Action("keep", "answer")


def test_a_rung_that_is_lent_out_is_recorded_at_the_requests_label() -> None:
    """Each rung is lent at its own label; that it was lent at all is the whole request's doing."""

    async def do(world: World) -> None:
        await world.person("analyst", TOP)
        connect(world, Writer("A lantern. [1]"))
        await hide(world, "analyst", LOW, b"No hidden lantern stands at the pier.")
        await hide(world, "analyst", TOP)
        below = len(log(world, LOW))
        asked = {"question": ASKED, "model": "far"}
        told = await world.call("analyst", "POST", "/api/ask", asked, TOP)
        assert [rung["label"] for rung in told.json["data"]["rungs"]] == [LOW, TOP]
        assert len(log(world, LOW)) == below
        lent = [entry.facts["label"] for entry in log(world, TOP) if entry.outcome == "lent"]
        assert lent == [LOW, TOP]

    scene(do)


def test_a_refused_lend_of_a_rung_is_recorded_at_the_requests_label() -> None:
    async def do(world: World) -> None:
        flow = await flow_of(world, principal(world, "analyst", TOP), KEEP)
        lower = flow.at(label_of(world, LOW))
        with pytest.raises(Refused):
            await lower.lend(Labelled(label_of(world, SECRET), "said"), Ceiling("far", label_of(world, LOW)))
        with pytest.raises(Absent):
            await lower.read(NOTE, "none")
        assert [entry.outcome for entry in log(world, TOP)][-2:] == ["refused", "absent"]
        assert log(world, LOW) == []

    scene(do)


def test_nothing_is_stored_through_the_world_of_a_rung() -> None:
    async def do(world: World) -> None:
        flow = await flow_of(world, principal(world, "analyst", TOP), KEEP)
        lower = flow.at(label_of(world, LOW))
        with pytest.raises(Refused, match="no-write-down"):
            await lower.commit(Put(NOTE, "n", Note("came down")))
        with pytest.raises(Refused, match="no-write-down"):
            await lower.deposit(label_of(world, SECRET), Put(NOTE, "n", Note("came down")))

    scene(do)


@pytest.mark.parametrize("change", [Delete(NOTE, "n"), Put(NOTE, "n", Note("new"), expect=0)])
def test_a_deposit_neither_removes_nor_tries_out(change: Any) -> None:
    """With `expect` the receipt would say whether the id is taken above; a Delete would reach what is not seen."""

    async def do(world: World) -> None:
        low = await flow_of(world, principal(world, "low", LOW), KEEP)
        with pytest.raises(BadInput):
            await low.deposit(label_of(world, SECRET), change)

    scene(do)


def test_a_deposit_replaces_nothing_above() -> None:
    async def do(world: World) -> None:
        high = await flow_of(world, principal(world, "high", SECRET), KEEP)
        await high.commit(Put(NOTE, "n", Note("true")))
        low = await flow_of(world, principal(world, "low", LOW), KEEP)
        await low.deposit(label_of(world, SECRET), Put(NOTE, "n", Note("false")))
        assert (await high.read(NOTE, "n")).value.text == "true"
        assert sorted(found.value.text for found in await high.every(NOTE)) == ["false", "true"]

    scene(do)


def test_a_child_has_only_parents_that_its_maker_sees() -> None:
    async def do(world: World) -> None:
        high = await flow_of(world, principal(world, "high", SECRET), KEEP)
        await high.commit(Put(NOTE, "n", Note("true")))
        low = await flow_of(world, principal(world, "low", LOW), KEEP)
        with pytest.raises(Absent):
            await low.commit(Put(NOTE, "c", Note("child"), parents=(Ref(NOTE.name, "n", high.access.id),)))

    scene(do)


def test_a_restated_document_carries_the_floor_of_whoever_restates_it() -> None:
    """A program whose key has the floor SECRET chose, document by document, what came to rest below."""

    async def do(world: World) -> None:
        await world.person("analyst", SECRET)
        seen = await bring(world, "analyst", b"Nothing is marked here.", SECRET)
        id = seen.json["data"]["id"]
        key = await world.call("analyst", "POST", "/api/keys", {"floor": SECRET, "ceiling": SECRET}, SECRET)
        world.keys["analyst"] = key.json["data"]["secret"]
        told = await world.call("analyst", "POST", "/api/documents/label", {"label": LOW, "ids": [id]}, SECRET)
        assert (told.status, told.json["rule"]) == (403, "marks-of-origin")
        assert (await world.call("analyst", "POST", "/api/documents/label", {"label": SECRET}, SECRET)).status == 200

    scene(do)


def test_a_label_that_is_said_while_the_document_settles_counts() -> None:
    """The loop had read the first label; the owner had said a higher one, and been told yes."""

    async def do(world: World) -> None:
        await world.person("analyst", SECRET)
        seen = await bring(world, "analyst", b"Nothing is marked here.", SECRET)
        gate = world.house.gate
        service = gate.service("knowledge", gate.classes.of(label_of(world, SECRET)))
        flow = await gate.open(service, Action("settle", "document"))
        held = await flow.read(HELD, seen.json["data"]["id"])
        settling = flow.settle(held)
        settling.change(label_of(world, LOW), Put(NOTE, "n", Note("at the first label")))
        assert (await world.call("analyst", "POST", "/api/documents/label", {"label": SECRET}, SECRET)).status == 200
        with pytest.raises(Conflict):
            await settling.commit("settled", {})
        low = await flow_of(world, principal(world, "low", LOW), KEEP)
        assert await low.every(NOTE) == []

    scene(do)


def test_marks_taken_as_text_are_named_in_the_entry() -> None:
    async def do(world: World) -> None:
        await world.person("analyst", SECRET)
        await bring(world, "analyst", b"(S//NF) Only an example.", SECRET, label=LOW, marks="text")
        held = [entry for entry in log(world, SECRET) if entry.action == "document.add" and "marks" in entry.facts]
        assert [entry.facts["marks"] for entry in held] == ["text"]

    scene(do)
