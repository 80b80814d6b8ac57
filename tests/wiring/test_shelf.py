"""The shelf over the relay: results as they are, errors as they were, and nothing of the answer process beside it."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from casemate.access import Flow, Gate
from casemate.errors import CasemateError, Conflict, EngineFailed, Internal, UnknownKnowledge
from casemate.identity import Bearer
from casemate.models import ByPieces, Chat, Message
from casemate.models.shelf import BaseSeen, Compare, FileSeen, HitSeen, NewBase, Search, Searched, Shelf
from casemate.policy import Action
from casemate.wiring import relay
from casemate.wiring.relay import AnswerServer, called
from casemate.wiring.shelf import _VERBS, FarShelf, performing
from tests.laws.world import a_world
from tests.wiring.split import a_split

BASE = BaseSeen("vs_a", "A", "", "portion", {"k": "v"}, 60, "ana", 1, 2, 3, 4, 5, 6, "agency=EXERCISE")
FILE = FileSeen("file-a", "vs_a", "doc_a", "a.txt", "ready", "", {"n": 1.0, "b": True, "s": "x"}, 1, 2, "l", "slug")
HIT = HitSeen("doc_a", "file-a", "psg_a", "vs_a", "T", "a.txt", "H", "été", 3, 0.5, {"n": 1.0}, "l", "(U)")
SEARCH = Search(("q",), ("vs_a",), 3, Compare("attr.k", "in", ("a", 2.0, True)), "text", 0.25)
CALLS: list[tuple[str, tuple[Any, ...], Any]] = [
    ("make", (NewBase(title="A", metadata={"k": "v"}),), BASE),
    ("change", ("vs_a", NewBase(expires_after=0)), BASE),
    ("bases", (), [BASE, BASE]),
    ("base", ("vs_a",), BASE),
    ("remove", ("vs_a",), None),
    ("attach", ("vs_a", "file-a", {"n": 1.0, "b": False, "s": "x"}), FILE),
    ("files", ("vs_a",), []),
    ("file", ("vs_a", "file-a"), FILE),
    ("describe", ("vs_a", "file-a", {}), FILE),
    ("known", (("doc_a", "doc_b"),), [FILE]),
    ("content", ("vs_a", "file-a"), ["été", ""]),
    ("detach", ("vs_a", "file-a"), None),
    ("search", (SEARCH,), Searched((HIT,))),
]


class Answers(ByPieces):
    """Nobody chats here."""

    async def answer(self, flow: Flow, chat: Chat) -> AsyncIterator[Any]:
        raise AssertionError("somebody asked")
        yield


class Noted:
    """A shelf that says what it was told to, and notes what it was asked."""

    def __init__(self, says: Any = None) -> None:
        self.says = says
        self.asked: list[tuple[Any, ...]] = []
        self.flows: list[Flow] = []

    def __getattr__(self, verb: str) -> Any:
        async def done(flow: Flow, *given: Any) -> Any:
            self.asked.append((verb, *given))
            self.flows.append(flow)
            if isinstance(self.says, Exception):
                raise self.says
            if isinstance(self.says, str):
                flow.bear(flow.gate.vault.region.label(self.says))
                return None
            return self.says

        return done


@asynccontextmanager
async def behind(gate: Gate, path: Path, noted: Any) -> AsyncIterator[FarShelf]:
    server = AnswerServer(path, gate, Answers(), performing(noted))
    await server.start()
    try:
        yield FarShelf(path)
    finally:
        await server.stop()


def run(story: Callable[[Gate, Flow, Path], Awaitable[None]], tmp_path: Path) -> None:
    async def told() -> None:
        async with a_world() as world:
            await world.person("ana", "us:SECRET//NOFORN")
            gate = world.house.gate
            flow = await gate.open(gate.admit(Bearer(world.keys["ana"])), Action("search", "knowledge"))
            await asyncio.wait_for(story(gate, flow, tmp_path / "answer.sock"), 30)

    asyncio.run(told())


@pytest.mark.parametrize(("verb", "given", "result"), CALLS, ids=lambda each: each if isinstance(each, str) else "")
def test_a_call_goes_over_and_its_result_comes_back(
    tmp_path: Path, verb: str, given: tuple[Any, ...], result: Any
) -> None:
    async def story(gate: Gate, flow: Flow, path: Path) -> None:
        noted = Noted(result)
        async with behind(gate, path, noted) as far:
            assert await getattr(far, verb)(flow, *given) == result
        assert noted.asked == [(verb, *given)]
        [there] = noted.flows
        assert (there.acting, there.floor, there.action) == (flow.acting, flow.floor, flow.action)
        assert there.session.principal == flow.session.principal

    run(story, tmp_path)


def test_every_verb_of_the_shelf_goes_over() -> None:
    verbs = {name for name, _ in inspect.getmembers(Shelf, inspect.isfunction) if not name.startswith("_")}
    assert set(_VERBS) == verbs == {verb for verb, _, _ in CALLS}


@pytest.mark.parametrize("error", [UnknownKnowledge(name="x"), Conflict(what="x"), ValueError("of ours")])
def test_an_error_is_the_same_error_here(tmp_path: Path, error: Exception) -> None:
    async def story(gate: Gate, flow: Flow, path: Path) -> None:
        async with behind(gate, path, Noted(error)) as far:
            with pytest.raises(CasemateError) as told:
                await far.base(flow, "x")
        assert type(told.value) is (type(error) if isinstance(error, CasemateError) else Internal)
        assert told.value.facts == getattr(error, "facts", {})

    run(story, tmp_path)


def test_a_floor_that_rises_there_rises_here(tmp_path: Path) -> None:
    async def story(gate: Gate, flow: Flow, path: Path) -> None:
        async with behind(gate, path, Noted("us:SECRET//NOFORN")) as far:
            await far.remove(flow, "x")
        assert flow.floor == gate.vault.region.label("us:SECRET//NOFORN")

    run(story, tmp_path)


def test_a_large_result_comes_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "PIECE", 100)
    texts = ["passage " * 40, "", "end"]

    async def story(gate: Gate, flow: Flow, path: Path) -> None:
        async with behind(gate, path, Noted(texts)) as far:
            assert await far.content(flow, "a", "b") == texts

    run(story, tmp_path)


@pytest.mark.parametrize(
    "call", [{"verb": "__init__", "given": []}, {"verb": "base", "given": [3]}, {"verb": "base"}, 3]
)
def test_what_is_no_call_of_the_shelf_is_refused(tmp_path: Path, call: Any) -> None:
    async def story(gate: Gate, flow: Flow, path: Path) -> None:
        noted = Noted()
        async with behind(gate, path, noted):
            with pytest.raises(Internal):
                await called(path, flow, call)
        assert noted.asked == []

    run(story, tmp_path)


def test_a_call_is_no_chat_and_a_chat_no_call(tmp_path: Path) -> None:
    async def story(gate: Gate, flow: Flow, path: Path) -> None:
        noted = Noted()
        async with behind(gate, path, noted):
            with pytest.raises(Internal):
                await called(path, flow, Chat(model="m", messages=(Message("user", "When?"),)))
        server = AnswerServer(path, gate, Answers())
        await server.start()
        with pytest.raises(Internal):
            await FarShelf(path).base(flow, "x")
        await server.stop()
        assert noted.asked == []

    run(story, tmp_path)


def test_where_no_answer_process_is_it_is_an_engine_that_failed(tmp_path: Path) -> None:
    async def story(gate: Gate, flow: Flow, path: Path) -> None:
        del gate
        with pytest.raises(EngineFailed):
            await FarShelf(path).bases(flow)

    run(story, tmp_path)


async def test_a_data_process_has_vector_stores() -> None:
    """From the wire over the relay to knowledge and back."""
    async with a_world() as world:
        await world.person("ana", "us:SECRET//NOFORN")
        async with a_split(world, answer=True) as split:
            await split.spread()
            made = await split.call("ana", "POST", "/v1/vector_stores", {"name": "Harbour"})
            assert made.status == 200, made.body
            listed = await split.call("ana", "GET", "/v1/vector_stores")
            assert msgspec.json.decode(listed.body)["data"] == [made.json]
            found = await split.call("ana", "POST", f"/v1/vector_stores/{made.json['id']}/search", {"query": "x"})
            assert (found.status, found.json["data"]) == (200, [])
            absent = await split.call("ana", "GET", "/v1/vector_stores/vs_never")
            assert (absent.status, absent.json["error"]["code"]) == (404, "unknown-knowledge")


def test_only_verbs_of_the_shelf_are_done(tmp_path: Path) -> None:
    """Whatever else the shelf can do, it does not do for a call: a name that is no verb is looked up nowhere."""

    class More(Noted):
        async def secret(self, flow: Flow) -> str:
            self.asked.append("secret")
            return "hidden"

    async def story(gate: Gate, flow: Flow, path: Path) -> None:
        noted = More()
        async with behind(gate, path, noted):
            with pytest.raises(CasemateError):
                await called(path, flow, {"verb": "secret", "given": []})
        assert noted.asked == []

    run(story, tmp_path)
