"""A proof holds where nothing leaks, fails where something does, and is signed by the region."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from casemate.assistants import Proof, question_of
from casemate.crypto import verify
from casemate.errors import EngineFailed
from casemate.knowledge import Library
from casemate.models import ByPieces
from casemate.wiring.twin import Twin
from tests.attacks.scene import ASKED, LOW, SECRET, TOP, bring, hide, log
from tests.laws import breaks
from tests.laws.world import World

OPEN = b"No hidden lantern stands at the pier."


async def proved(world: World, acting: str = LOW, **asked: Any) -> Proof:
    seen = await world.call("ann", "POST", "/api/prove", {"question": ASKED, **asked}, acting)
    assert seen.status == 200, seen.body
    return msgspec.convert(seen.json["data"], Proof)


async def region(world: World) -> None:
    """An open document and several hidden ones about the same words."""
    await world.person("ann", TOP, ("user", "auditor"))
    await hide(world, "ann", LOW, OPEN)
    for number in range(3):
        await hide(world, "ann", SECRET, b"The hidden lantern %d burns at the pier." % number)


async def test_nothing_hidden_shows_in_what_is_seen_below(world: World) -> None:
    await region(world)
    low, high = await proved(world, LOW), await proved(world, SECRET)
    assert low.equal
    assert high.equal
    assert (low.documents, high.documents) == (1, 4)
    assert (low.classes, high.classes) == (1, 2)
    assert (low.first, low.second) == (low.first, low.first)
    assert low.first != high.first
    assert (low.region, low.principal, low.acting, low.solo) == ("law", "ann", LOW, True)
    assert low.answer.text


async def test_a_proof_is_signed_by_the_region_and_by_nobody_else(world: World) -> None:
    await region(world)
    proof = await proved(world)
    signer = world.house.gate.vault.signer
    signature = bytes.fromhex(proof.signature)
    assert proof.key_id == signer.key_id
    assert verify(signer.public, proof.body(), signature)
    assert not verify(bytes(32), proof.body(), signature)
    replace = msgspec.structs.replace
    changed = (
        replace(proof, equal=False),
        replace(proof, acting=SECRET),
        replace(proof, question="other"),
        replace(proof, answer=replace(proof.answer, text=proof.answer.text + " ")),
        replace(proof, at=proof.at + 1),
        replace(proof, solo=False),
    )
    for other in changed:
        assert not verify(signer.public, other.body(), signature)
    body = proof.body()
    for place in range(0, len(body), 11):
        assert not verify(signer.public, body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :], signature)


def searches_everything() -> Any:
    """A library that looks at what may not be seen, and tells it."""
    right = Library.shards

    async def wrong(self: Library, flow: Any, names: Any) -> Any:
        with breaks.swap(breaks.classes.Classes, "visible", breaks.all_visible)():
            return await right(self, flow, names)

    return breaks.swap(Library, "search", _search_with(wrong))()


def _search_with(shards: Callable[..., Any]) -> Any:
    async def search(self: Library, flow: Any, asked: Any, names: Any, k: int) -> Any:
        return asked.search(await shards(self, flow, names), k)

    return search


@pytest.mark.parametrize(
    "mutant",
    [searches_everything, breaks.scan_then_filter, breaks.shared_df],
    ids=["hidden shards", "check after ranking", "shared df"],
)
async def test_a_leak_makes_the_two_answers_differ(world: World, mutant: Any) -> None:
    """What is hidden answers better and changes how rare a word is: without the leak neither shows."""
    await world.person("ann", TOP)
    await bring(
        world, "ann", b"A lantern at the pier, said the keeper of a mill near the river bend.", SECRET, label=LOW
    )
    for place in range(4):
        await bring(world, "ann", b"Something hidden, number %d." % place, SECRET, label=LOW)
    for place in range(30):
        text = b"hidden lantern pier %d" if mutant is not breaks.shared_df else b"the lantern of pier %d"
        await bring(world, "ann", text % place, SECRET, label=SECRET)
    assert (await proved(world, LOW)).equal
    with mutant():
        leaked = await proved(world, LOW)
    assert not leaked.equal
    assert leaked.first != leaked.second
    assert verify(world.house.gate.vault.signer.public, leaked.body(), bytes.fromhex(leaked.signature))


async def test_an_auditor_proves_what_another_sees(world: World) -> None:
    await region(world)
    await world.person("ben", SECRET)
    proof = await proved(world, TOP, who="ben", reason="a complaint")
    assert (proof.principal, proof.acting, proof.equal) == ("ben", SECRET, True)
    low = await proved(world, TOP, who="ben", reason="a complaint", at=LOW)
    assert (low.acting, low.documents) == (LOW, 1)
    refused = await world.call("ann", "POST", "/api/prove", {"question": ASKED, "who": "ben"}, TOP)
    assert (refused.status, refused.json["rule"]) == (403, "as-another")


async def test_nothing_of_the_second_world_stays(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    await region(world)
    before = len(log(world, LOW))
    await proved(world)
    assert not any(os.scandir(tmp_path))
    assert [entry.outcome for entry in log(world, LOW)[before:]] == ["begin", "complete"]


async def test_a_second_world_that_fails_is_closed_too(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    await region(world)
    right = Twin.__call__

    async def failing(self: Twin, flow: Any, copies: Any) -> Any:
        second = await right(self, flow, copies)

        class Fails(ByPieces):
            async def answer(self, *_: Any) -> Any:
                raise EngineFailed(engine="second", why="it hung up")
                yield

        second.answerer = Fails()
        return second

    monkeypatch.setattr(Twin, "__call__", failing)
    seen = await world.call("ann", "POST", "/api/prove", {"question": ASKED}, LOW)
    assert (seen.status, seen.json["slug"]) == (502, "engine-failed")
    assert not any(os.scandir(tmp_path))


@pytest.mark.parametrize(
    ("said", "question"),
    [
        (b'{"question": "why?"}', "why?"),
        (b'{"messages": [{"role": "user", "content": "first"}, {"role": "user", "content": "why?"}]}', "why?"),
        (b'{"messages": [{"role": "user", "content": [{"text": "wh"}, {"text": "y?"}]}]}', "wh\n\ny?"),
        (b'{"messages": [{"role": "user", "content": "why?"}, {"role": "assistant", "content": "so"}]}', "why?"),
        (b'{"messages": []}', ""),
        (b"{}", ""),
        (b"", ""),
        (b"not json", ""),
        (b"[1]", ""),
        (b'{"question": 7}', ""),
        (b"\xff", ""),
        (b"[" * 100_000, ""),
    ],
)
def test_the_question_in_a_kept_request_of_any_wire(said: bytes, question: str) -> None:
    assert question_of(said) == question


async def test_the_last_question_of_any_wire_is_ones_own(world: World) -> None:
    await region(world)
    await world.person("ben", SECRET)
    await world.call("ben", "POST", "/api/ask", {"question": "ben asked this"}, LOW)
    chat = {"model": "casemate/extractive-reader", "messages": [{"role": "user", "content": ASKED}]}
    world.clock.forward(1)
    await world.call("ann", "POST", "/v1/chat/completions", chat, LOW)
    assert (await proved(world, LOW, question="", last=True)).question == ASKED
