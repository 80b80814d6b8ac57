"""The proof over everybody: equal where nothing leaks, unequal where something does, and no content in what is told."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from casemate.access import Flow
from casemate.accounts import PersonRequest, add_person
from casemate.assistants import Tally, stands
from casemate.assistants.prove_all import TRIES
from casemate.assistants.tally import Digest, spelled
from casemate.errors import Refused
from casemate.identity import Peer
from casemate.knowledge import Library
from casemate.policy import Action
from tests.assistants.test_prove import searches_everything
from tests.attacks.scene import ASKED, LOW, SECRET, TOP, bring, label_of, log
from tests.laws import breaks
from tests.laws.world import World

QUESTIONS = [ASKED, "Where does the lantern of pier 3 burn?", "xyzzy quux"]
BODY = {"questions": QUESTIONS, "reason": "the yearly look"}


async def people(world: World) -> None:
    """Ann and ben ask, each from another height; hidden documents answer better than open ones. The owner looks."""
    await world.person("ann", LOW)
    await world.person("ben", SECRET)
    await bring(world, "ann", b"A lantern at the pier, said the keeper of a mill near the river bend.", LOW, label=LOW)
    await bring(world, "ann", b"A ferry at the pier of the harbour, said the master.", LOW, label=LOW)
    for place in range(6):
        await bring(world, "ben", b"The hidden lantern of pier %d burns at the pier." % place, SECRET, label=SECRET)


def told(body: bytes) -> list[tuple[str, Any]]:
    """The events of a stream."""
    found = []
    for block in body.decode().strip().split("\n\n"):
        event, data = block.split("\n")
        found.append((event.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


async def proved(world: World, body: dict[str, Any] | None = None, acting: str = "") -> tuple[Tally, str]:
    """The tally and its salt."""
    seen = await world.call("owner", "POST", "/api/prove/all", body or BODY, acting)
    assert seen.status == 200, seen.body
    *steps, (last, end) = told(seen.body)
    assert last == "tally", end
    assert [name for name, _ in steps] == ["step"] * len(steps)
    assert [step["done"] for _, step in steps] == list(range(len(steps)))
    assert {step["total"] for _, step in steps} == {len(steps) - 1}
    return msgspec.convert(end["tally"], Tally), end["salt"]


async def test_everybody_whom_the_auditor_sees_at_his_own_ceiling(world: World) -> None:
    await people(world)
    tally, _ = await proved(world)
    ann, ben, owner = tally.worlds
    assert (ann.principal, ann.acting, ann.equal, ann.unequal) == ("ann", LOW, 3, 0)
    assert (ben.principal, ben.acting, ben.equal, ben.unequal) == ("ben", SECRET, 3, 0)
    assert (owner.principal, owner.equal, owner.documents) == ("owner", 3, 8)
    assert (ann.documents, ben.documents, ann.classes, ben.classes) == (2, 8, 1, 2)
    assert tally.good
    assert (tally.questions, tally.by, tally.region, tally.solo) == (3, "owner", "law", True)
    assert (ann.first, ben.first) == (ann.second, ben.second)
    assert ann.first != ben.first


async def test_an_auditor_counts_those_alone_whom_his_acting_label_sees(world: World) -> None:
    """Ann and ben were enrolled by an officer who acted at the top: below it nobody knows of them."""
    await people(world)
    await world.person("low", SECRET, ("auditor",))
    gate = world.house.gate
    officer = await gate.open(gate.admit(Peer(0)), Action("add", "principal"), label_of(world, SECRET))
    await add_person(officer, PersonRequest("cleo", SECRET))
    seen = await world.call("low", "POST", "/api/prove/all", BODY, SECRET)
    names = [step["world"]["principal"] for name, step in told(seen.body) if name == "step" and step["world"]]
    assert names == ["cleo"]
    assert b"ann" not in seen.body


async def test_a_tally_of_nobody_is_not_good(world: World) -> None:
    await world.person("low", SECRET, ("auditor",))
    seen = await world.call("low", "POST", "/api/prove/all", BODY, SECRET)
    (_, end) = told(seen.body)[-1]
    assert (end["good"], end["tally"]["worlds"]) == (False, [])


async def test_a_tally_is_signed_by_the_region_and_by_nobody_else(world: World) -> None:
    await people(world)
    tally, _ = await proved(world)
    public = world.house.gate.vault.signer.public
    replace = msgspec.structs.replace

    def standing(one: Tally) -> bool:
        return stands(one.body(), one.signature, one.key_id, public)

    assert standing(tally)
    assert not stands(tally.body(), tally.signature, tally.key_id, bytes(32))
    assert not standing(replace(tally, signature="no"))
    first, second, _ = tally.worlds
    changed = (
        replace(tally, at=tally.at + 1),
        replace(tally, by="ann"),
        replace(tally, solo=False),
        replace(tally, questions=4),
        replace(tally, software="0"),
        replace(tally, left=("x",)),
        replace(tally, key_id="ed25519-other"),
        replace(tally, worlds=(first,)),
        replace(tally, worlds=(replace(first, unequal=1), second)),
    )
    assert not any(standing(other) for other in changed)


@pytest.mark.parametrize(
    "mutant",
    [searches_everything, breaks.scan_then_filter, breaks.shared_df],
    ids=["hidden shards", "check after ranking", "global df"],
)
async def test_a_leak_makes_the_tally_unequal_and_names_whom_it_reached(world: World, mutant: Any) -> None:
    await people(world)
    with mutant():
        tally, _ = await proved(world)
    assert not tally.good
    ann, ben, *_ = tally.worlds
    assert ann.unequal
    assert ann.first != ann.second
    assert (ben.unequal, ben.equal) == (0, 3)  # nothing is hidden from him
    assert stands(tally.body(), tally.signature, tally.key_id, world.house.gate.vault.signer.public)


async def test_a_leak_in_search_alone_is_seen_where_the_answer_is_the_same(world: World) -> None:
    """Scores that shift without changing which sentence is quoted differ in the results."""
    await people(world)
    right = Library.search

    async def shifted(self: Library, flow: Flow, *more: Any, **named: Any) -> Any:
        from dataclasses import replace

        found = await right(self, flow, *more, **named)
        if flow.gate is world.house.gate and flow.acting is label_of(world, LOW):
            return replace(found, hits=tuple(replace(hit, fused=hit.fused + 2**-40) for hit in found.hits))
        return found

    with breaks.swap(Library, "search", shifted)():
        tally, _ = await proved(world)
    assert tally.worlds[0].unequal == 2  # the third question finds nothing


async def test_no_question_and_no_answer_is_kept_and_a_guess_cannot_be_tried(world: World) -> None:
    await people(world)
    tally, salt = await proved(world)
    again, other = await proved(world)
    assert salt != other
    assert tally.worlds[0].first != again.worlds[0].first
    assert tally.asked != again.asked
    asked = Digest(bytes.fromhex(salt))
    asked.add(question.encode() for question in QUESTIONS)
    assert asked.hex == tally.asked
    listed = await world.call("owner", "GET", "/api/proofs")
    assert len(listed.json["data"]["proofs"]) == 2
    for word in ("lantern", "xyzzy", salt, "The hidden"):
        assert word.encode() not in listed.body
    entries = log(world, world.house.gate.vault.region.ceiling.text)
    assert [e.outcome for e in entries if e.action == "proof.make"].count("as-another") == 4


async def test_an_officer_reads_what_he_dominates_and_nobody_else_does(world: World) -> None:
    await people(world)
    await world.person("olga", TOP, ("officer",))
    await world.person("otto", SECRET, ("officer",))
    await proved(world, acting=TOP)
    above = (await world.call("olga", "GET", "/api/proofs", acting=TOP)).json["data"]
    (kept,) = above["proofs"]
    assert (kept["stands"], kept["label"]) == (True, TOP)
    assert above["public"] == world.house.gate.vault.signer.public.hex()
    assert (await world.call("otto", "GET", "/api/proofs", acting=SECRET)).json["data"]["proofs"] == []
    assert (await world.call("ben", "GET", "/api/proofs", acting=SECRET)).status == 403
    assert (await world.call("olga", "POST", "/api/prove/all", BODY, TOP)).status == 403
    assert (await world.call("ben", "POST", "/api/prove/all", BODY, SECRET)).status == 403


@pytest.mark.parametrize(
    "body",
    [
        {"questions": [], "reason": "x"},
        {"questions": ["  "], "reason": "x"},
        {"questions": ["a"] * 501, "reason": "x"},
        {"questions": ["a"], "reason": " "},
        {"questions": "a", "reason": "x"},
    ],
)
async def test_what_is_asked_of_everybody(world: World, body: dict[str, Any]) -> None:
    assert (await world.call("owner", "POST", "/api/prove/all", body)).status == 400


async def test_a_base_that_somebody_does_not_see_is_unknown_to_him_in_both_worlds(world: World) -> None:
    await people(world)
    tally, _ = await proved(world, {**BODY, "knowledge": "nowhere"})
    assert [(w.equal, w.unequal) for w in tally.worlds] == [(3, 0)] * 3
    assert tally.worlds[0].first == tally.worlds[1].first


async def test_who_may_not_be_asked_as_is_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await people(world)
    right = Flow.as_seen_by

    async def refuses(self: Flow, name: str, *more: Any) -> Flow:
        if name == "ben":
            raise Refused(rule="as-another")
        return await right(self, name, *more)

    monkeypatch.setattr(Flow, "as_seen_by", refuses)
    tally, _ = await proved(world)
    assert (tally.left, [w.principal for w in tally.worlds]) == (("ben",), ["ann", "owner"])


@pytest.mark.parametrize(("moves", "settled"), [(1, True), (9 * TRIES, False)])
async def test_a_world_that_moves_is_compared_again(
    world: World, monkeypatch: pytest.MonkeyPatch, moves: int, settled: bool
) -> None:
    """What came while it was compared is no difference: it is looked at again, and said where it never rests."""
    await people(world)
    right, left = Library.ask, [moves]

    async def moving(self: Library, flow: Flow, *more: Any) -> Any:
        if (
            flow.gate is world.house.gate
            and flow.acting is label_of(world, LOW)
            and left[0]
            and more[0] == QUESTIONS[0]
        ):
            left[0] -= 1
            await bring(world, "ann", b"Another lantern at the pier, number %d." % left[0], LOW, label=LOW)
        return await right(self, flow, *more)

    monkeypatch.setattr(Library, "ask", moving)
    tally, _ = await proved(world)
    ann, ben, *_ = tally.worlds
    assert ann.settled is settled
    assert (ann.equal, ann.unequal) == ((3, 0) if settled else (0, 0))
    assert ben.settled


async def test_a_view_that_is_too_wide_is_seen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is searched for is compared as people see it too: totals, facets, snippets and suggestions."""
    await people(world)
    right, low = Library.view, label_of(world, LOW)

    async def wider(self: Library, flow: Flow, names: Any) -> Any:
        if flow.gate is world.house.gate and flow.acting is low:
            with breaks.swap(breaks.classes.Classes, "visible", breaks.all_visible)():
                return await right(self, flow, names)
        return await right(self, flow, names)

    monkeypatch.setattr(Library, "view", wider)
    tally, _ = await proved(world)
    assert tally.worlds[0].unequal


def test_nobody_guesses_how_a_value_is_written() -> None:
    with pytest.raises(TypeError, match="object"):
        spelled(object())
