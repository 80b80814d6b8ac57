"""Between data and answer processes: deltas as they were, errors as they were, and nobody waits for the dead."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from casemate import frames
from casemate.access import Flow
from casemate.errors import EngineFailed, Internal, Refused, UnknownKnowledge
from casemate.identity import Bearer
from casemate.models import ByPieces, Chat, Delta, Message, Usage
from casemate.policy import Action
from casemate.wiring.local import answers as answers_there
from casemate.wiring.local import connect, listen
from casemate.wiring.relay import AnswerServer, Relay
from tests.laws.world import a_world

CHAT = Chat(model="m", messages=(Message("user", "When?"),))
DELTAS = [Delta(text="(U) one", mark="(U)", label="agency=EXERCISE"), Delta(finish="stop", usage=Usage(1, 2))]


class Answers(ByPieces):
    """An answerer that says what it was told to, and notes what it saw."""

    def __init__(self, *said: Delta | Exception, wait: bool = False) -> None:
        self.said = said
        self.wait = wait
        self.seen: list[tuple[Flow, Chat]] = []
        self.closed = asyncio.Event()

    async def answer(self, flow: Flow, chat: Chat) -> AsyncIterator[Delta]:
        self.seen.append((flow, chat))
        try:
            for each in self.said:
                if isinstance(each, Exception):
                    raise each
                yield each
            if self.wait:
                await asyncio.sleep(60)
        finally:
            flow.lent.append("far")
            self.closed.set()


def run(story: Callable[[Any, Flow, Path], Awaitable[None]], tmp_path: Path) -> None:
    async def told() -> None:
        async with a_world() as world:
            await world.person("ana", "us:SECRET//NOFORN")
            gate = world.house.gate
            flow = await gate.open(gate.admit(Bearer(world.keys["ana"])), Action("ask", "answer"))
            await flow.begin(b"When?")
            await asyncio.wait_for(story(gate, flow, tmp_path / "answer.sock"), 30)

    asyncio.run(told())


@contextlib.asynccontextmanager
async def answering(gate: Any, path: Path, answers: Answers) -> AsyncIterator[None]:
    server = AnswerServer(path, gate, answers)
    await server.start()
    try:
        yield
    finally:
        await server.stop()


def test_deltas_come_through_in_a_flow_that_is_the_same(tmp_path: Path) -> None:
    async def story(gate: Any, flow: Flow, path: Path) -> None:
        answers = Answers(*DELTAS)
        async with answering(gate, path, answers):
            assert [delta async for delta in Relay(path).answer(flow, CHAT)] == DELTAS
        there, chat = answers.seen[0]
        assert chat == CHAT
        assert (there.acting, there.floor, there.begun) == (flow.acting, flow.floor, flow.begun)
        assert there.session.principal == flow.session.principal
        assert flow.lent == ["far"], "what was lent is noted where the answer is released"
        assert not answers_there(path)

    run(story, tmp_path)


@pytest.mark.parametrize("before", [0, 1])
@pytest.mark.parametrize(
    ("raised", "kind", "facts"),
    [
        (UnknownKnowledge(name="x"), UnknownKnowledge, {"name": "x"}),
        (Refused(rule="accreditation", acting="a"), Refused, {"rule": "accreditation", "acting": "a"}),
        (ValueError("of ours, and maybe of the text"), Internal, {}),
    ],
)
def test_an_error_is_the_same_error_here(
    tmp_path: Path, raised: Exception, kind: type[Exception], facts: dict[str, str], before: int
) -> None:
    async def story(gate: Any, flow: Flow, path: Path) -> None:
        async with answering(gate, path, Answers(*DELTAS[:before], raised)):
            got: list[Delta] = []
            with pytest.raises(kind) as told:
                await _gather(Relay(path).answer(flow, CHAT), got)
            assert got == DELTAS[:before]
            assert told.value.facts == facts  # type: ignore[attr-defined]

    run(story, tmp_path)


async def _gather(deltas: AsyncIterator[Delta], got: list[Delta]) -> None:
    async for delta in deltas:
        got.append(delta)  # noqa: PERF401 - what came before an error counts


def test_where_no_answer_process_is_it_is_an_engine_that_failed(tmp_path: Path) -> None:
    async def story(gate: Any, flow: Flow, path: Path) -> None:
        del gate
        with pytest.raises(EngineFailed):
            await anext(Relay(path).answer(flow, CHAT))
        listen(path).close()
        with pytest.raises(EngineFailed):
            await anext(Relay(path).answer(flow, CHAT))

    run(story, tmp_path)


@pytest.mark.parametrize("raw", [b"", b"\x00", b"\xff\xff\xff\xff", frames.encode(["nonsense"])])
def test_an_answer_process_that_dies_or_babbles_ends_the_answer(tmp_path: Path, raw: bytes) -> None:
    async def story(gate: Any, flow: Flow, path: Path) -> None:
        del gate

        async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(10)
            writer.write(raw)
            writer.close()

        async with await asyncio.start_unix_server(babble, sock=listen(path)):
            with pytest.raises(EngineFailed):
                await anext(Relay(path).answer(flow, CHAT))

    run(story, tmp_path)


def test_whoever_leaves_stops_the_work(tmp_path: Path) -> None:
    async def story(gate: Any, flow: Flow, path: Path) -> None:
        answers = Answers(DELTAS[0], wait=True)
        async with answering(gate, path, answers):
            deltas = Relay(path).answer(flow, CHAT)
            assert await anext(deltas) == DELTAS[0]
            await deltas.aclose()  # type: ignore[attr-defined]
            await asyncio.wait_for(answers.closed.wait(), 10)

    run(story, tmp_path)


@pytest.mark.parametrize("raw", [b"", b"\x00", frames.encode({"sealed": b"forged"}), frames.encode({"x": 1})])
def test_what_the_region_did_not_seal_is_not_answered(tmp_path: Path, raw: bytes) -> None:
    async def story(gate: Any, flow: Flow, path: Path) -> None:
        answers = Answers(*DELTAS)
        async with answering(gate, path, answers):
            reader, writer = await connect(path)
            writer.write(raw)
            writer.write_eof()
            said = await asyncio.wait_for(reader.read(), 10)
            writer.close()
            assert b"one" not in said
            assert answers.seen == []
            assert [delta async for delta in Relay(path).answer(flow, CHAT)] == DELTAS, "it goes on"

    run(story, tmp_path)
