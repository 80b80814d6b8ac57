"""Every BEGIN has one END, on every way out; BEGIN is durable before the first byte; nothing else bears a `ref`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from casemate.access import Flow
from casemate.errors import EngineFailed
from casemate.ledger import Entry
from casemate.models import ByPieces, Chat, Delta
from tests.attacks.scene import SECRET, label_of, log, scene
from tests.laws.world import World

CHAT = {"model": "casemate/extractive-reader", "messages": [{"role": "user", "content": "pier"}]}
TARGETS = (
    ("/api/ask", {"question": "pier"}),
    ("/api/ask/stream", {"question": "pier"}),
    ("/v1/chat/completions", CHAT),
    ("/v1/chat/completions", {**CHAT, "stream": True}),
    ("/ask/stream", {"question": "pier"}),
)


class Breaks(ByPieces):
    """An answerer that ends otherwise than well: before its first delta, or after it."""

    def __init__(self, how: str, late: bool) -> None:
        self.how, self.late = how, late
        self.under_way = asyncio.Event()

    async def answer(self, flow: Flow, chat: Chat) -> AsyncIterator[Delta]:
        del flow, chat
        if self.late:
            yield Delta(text="half", mark="(S)", label=SECRET)
        self.under_way.set()
        if self.how == "waits":
            await asyncio.Event().wait()
        if self.how == "stops":
            return
        raise EngineFailed(engine="far", why="it hung up") if self.how == "fails" else ValueError("a defect")


def hang(world: World, answerer: Any) -> None:
    """Put an answerer in the place of the region's own, wherever a handler holds it."""
    world.house.answerer = answerer
    own = {id(route): route.handler for route in world.house.app.table.routes}
    for handler in own.values():
        seen = [handler, getattr(handler, "__self__", None), *getattr(handler, "args", ())]
        for cell in getattr(handler, "__closure__", None) or ():
            seen += [cell.cell_contents, getattr(cell.cell_contents, "__self__", None)]
        for each in seen:
            if hasattr(each, "answerer"):
                object.__setattr__(each, "answerer", answerer)
            for name in ("_rooms", "rooms"):
                rooms = getattr(each, name, None)
                if hasattr(rooms, "answerer"):
                    object.__setattr__(rooms, "answerer", answerer)
            face = getattr(each, "_face", None)
            if face is not None:
                object.__setattr__(face.rooms, "answerer", answerer)


def paired(world: World) -> list[Entry]:
    """The ENDs of a log in which every BEGIN has exactly one, after it, and nothing else refers to anything."""
    entries = log(world, SECRET)
    begun = [entry.id for entry in entries if entry.outcome == "begin"]
    ends = [entry for entry in entries if entry.ref]
    assert begun
    assert sorted(entry.ref for entry in ends) == sorted(begun)
    places = {entry.id: place for place, entry in enumerate(entries)}
    assert all(places[entry.ref] < places[entry.id] for entry in ends)
    assert not world.house.gate.running
    return ends


@pytest.mark.parametrize("late", [False, True], ids=["before the first delta", "after it"])
@pytest.mark.parametrize("how", ["fails", "breaks", "stops"])
def test_whatever_happens_there_is_one_end(how: str, late: bool) -> None:
    async def do(world: World) -> None:
        await world.person("analyst", SECRET)
        hang(world, Breaks(how, late))
        for target, body in TARGETS:
            seen = await world.call("analyst", "POST", target, body, SECRET)
            assert seen.header("casemate-ledger")
        assert len(paired(world)) == len(TARGETS)

    scene(do)


@pytest.mark.parametrize("late", [False, True], ids=["before the first byte", "in the middle"])
def test_a_client_that_leaves_ends_what_it_began(late: bool) -> None:
    async def do(world: World) -> None:
        await world.person("analyst", SECRET)
        for target, body in TARGETS:
            answerer = Breaks("waits", late)
            hang(world, answerer)
            await _leaves(world, target, body, answerer.under_way)
        assert {entry.outcome for entry in paired(world)} == {"cancelled"}

    scene(do)


@pytest.mark.parametrize("late", [False, True], ids=["before the first byte", "in the middle"])
def test_a_process_that_stops_ends_what_it_began(late: bool) -> None:
    async def do(world: World) -> None:
        await world.person("analyst", SECRET)
        for target, body in TARGETS:
            answerer = Breaks("waits", late)
            hang(world, answerer)
            work = asyncio.create_task(world.call("analyst", "POST", target, body, SECRET))
            await answerer.under_way.wait()
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
        assert {entry.outcome for entry in paired(world)} == {"cancelled"}

    scene(do)


async def _leaves(world: World, target: str, body: Any, when: asyncio.Event) -> None:
    """A call whose client hangs up when the answer is under way."""
    import msgspec

    raw = msgspec.json.encode(body)
    sent = [{"type": "http.request", "body": raw, "more_body": False}]

    async def receive() -> dict[str, Any]:
        if sent:
            return sent.pop()
        await when.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        del message

    headers = {"authorization": f"Bearer {world.keys['analyst']}", "casemate-acting-label": SECRET, "host": "x"}
    scope = {
        "type": "http",
        "method": "POST",
        "path": target,
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
    }
    await asyncio.wait_for(world.house.app(scope, receive, send), 10)


def test_begin_is_durable_before_the_first_byte_and_an_outside_lend_before_it_is_made() -> None:
    from tests.attacks.scene import ASKED, Writer, connect, hide

    async def do(world: World) -> None:
        await world.person("analyst", SECRET)
        await hide(world, "analyst")
        engine = Writer("A lantern. [1]")
        connect(world, engine)
        told: list[str] = []
        generate, journal = engine.generate, world.house.gate.vault.journal

        def watched(*given: Any) -> AsyncIterator[Any]:
            told.append("lent")
            return generate(*given)

        def append(*given: Any) -> Any:
            future = journal.append(*given)
            future.add_done_callback(lambda _: told.append("durable"))
            return future

        engine.generate = watched  # type: ignore[method-assign, assignment]
        object.__setattr__(world.house.gate.vault, "journal", _Journal(append, journal.fold))
        body = {"question": ASKED, "model": "far"}
        seen = await world.call("analyst", "POST", "/api/ask/stream", body, SECRET)
        assert seen.status == 200
        assert told == ["durable", "durable", "lent", "durable"]
        outcomes = [entry.outcome for entry in log(world, SECRET)][-3:]
        assert outcomes == ["begin", "lent", "complete"]

    scene(do)


class _Journal:
    def __init__(self, append: Any, fold: Any) -> None:
        self.append, self.fold = append, fold


def test_a_request_under_way_is_not_interrupted_and_one_that_was_killed_is() -> None:
    async def do(world: World) -> None:
        await world.person("auditor", SECRET, ("user", "auditor"))
        answerer = Breaks("waits", False)
        hang(world, answerer)
        work = asyncio.create_task(world.call("auditor", "POST", "/api/ask", {"question": "pier"}, SECRET))
        await answerer.under_way.wait()
        assert await _state(world) == "ok"
        world.house.gate.running.clear()  # as after a crash
        assert await _state(world) == "interrupted"
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)

    scene(do)


async def _state(world: World) -> str:
    seen = await world.call("auditor", "POST", "/api/ledger/verify", {}, SECRET)
    found = [each["verdict"]["state"] for each in seen.json["data"] if each["label"] == label_of(world, SECRET).text]
    return str(found[0])
