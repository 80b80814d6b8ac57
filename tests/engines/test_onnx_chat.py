"""A local chat model in its fenced children: answers, stops, separation of label domains, nothing left behind."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from casemate.engines import onnx_chat, onnx_slot
from casemate.engines.onnx_chat import OnnxChat
from casemate.engines.onnx_slot import Began, Piece, Slot
from casemate.engines.sandbox import Sandbox, support
from casemate.errors import BadInput, EngineFailed, Misconfigured, SandboxMissing
from casemate.models import Choice, Delta, Image, Message, Prompt, Shape, Tool, Usage
from tests.engines import chat_tiny as tiny

HELLO = "Helo wrd."
LONG = 200_000  # tokens: more than all buffers between a child and its reader can hold
INSTALLED = all(importlib.util.find_spec(name) for name in ("onnxruntime_genai", "llguidance"))
pytestmark = [
    pytest.mark.skipif(bool(support().why), reason=f"no sandbox here: {support().why}"),
    pytest.mark.skipif(not INSTALLED, reason="the extra genai is not installed"),
]
TOOL = Tool(
    "find", "looks", b'{"type":"object","properties":{"n":{"enum":[7]}},"required":["n"],"additionalProperties":false}'
)


@pytest.fixture(scope="module")
def scripted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.folder(tmp_path_factory.mktemp("scripted"), HELLO)


@pytest.fixture(scope="module")
def loose(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that does not come to an end by itself within the tests."""
    return tiny.folder(tmp_path_factory.mktemp("loose"), context=1 << 20)


@contextlib.asynccontextmanager
async def engine(folder: Path, **told) -> AsyncIterator[OnnxChat]:
    sandbox = Sandbox()
    made = OnnxChat("tiny", folder, sandbox, **told)
    try:
        yield made
    finally:
        await made.close()
        assert list(sandbox.home.iterdir()) == []
        sandbox.close()


def prompt(text: str = "hi", domain: str = "a", **told) -> Prompt:
    return Prompt(model="tiny", messages=(Message("user", text),), partition=domain, **{"max_tokens": 40, **told})


async def said(made: OnnxChat, asked: Prompt, deadline: float = 60.0) -> tuple[str, Delta]:
    found = [delta async for delta in made.generate(asked, deadline)]
    return "".join(delta.text for delta in found), found[-1]


async def cause(made: OnnxChat, asked: Prompt, deadline: float = 60.0) -> str:
    with pytest.raises(EngineFailed) as told:
        await said(made, asked, deadline)
    return told.value.cause


async def until(condition) -> None:
    while not condition():  # noqa: ASYNC110 - what it waits for happens to a process
        await asyncio.sleep(0.005)


async def test_it_answers_and_counts(scripted) -> None:
    async with engine(scripted) as made:
        text, last = await said(made, prompt())
        assert text == HELLO
        assert last == Delta(finish="stop", usage=Usage(21, len(HELLO) + 1, estimated=False))
        assert await made.count(prompt(), 60.0) == Usage(21, estimated=False)
        assert (await said(made, prompt(max_tokens=3)))[1].finish == "length"
        assert (await said(made, prompt(stop=("wr",))))[0] == "Helo "
        first = made.pids
        assert list(first) == ["a"]
        assert (await said(made, prompt()))[0] == HELLO
        assert made.pids == first


async def test_a_shape_and_a_call(loose) -> None:
    async with engine(loose) as made:
        schema = (
            b'{"type":"object","properties":{"a":{"enum":["x","y"]}},"required":["a"],"additionalProperties":false}'
        )
        text, last = await said(made, prompt(shape=Shape(schema=schema), temperature=1.0, seed=1))
        assert text in ('{"a":"x"}', '{"a":"y"}')
        assert last.finish == "stop"
        found = [
            delta async for delta in made.generate(prompt(tools=(TOOL,), choice=Choice("any"), max_tokens=90), 60.0)
        ]
        assert [(each.call.name, each.call.arguments) for each in found if each.call] == [("find", '{"n": 7}')]
        assert found[-1].finish == "tool"
        assert (await said(made, prompt(shape=Shape(schema=schema), max_tokens=4)))[1].finish == "length"
        with pytest.raises(BadInput):
            await said(made, prompt(shape=Shape(schema=b'{"not": {}}')))


async def test_what_it_does_not_take(scripted) -> None:
    async with engine(scripted) as made:
        picture = Prompt(model="tiny", messages=(Message("user", (Image("image/png", b"x"),)),), partition="a")
        assert await cause(made, picture) == "rejected"
        with pytest.raises(EngineFailed):
            await made.count(picture, 60.0)
        assert made.pids == {}
        assert await cause(made, prompt("x" * tiny.CONTEXT)) == "rejected"
        turned = Prompt(model="tiny", messages=(Message("wizard", "hi"),), partition="a")
        assert await cause(made, turned) == "rejected"
        assert (await said(made, prompt()))[0] == HELLO


async def test_the_child_is_fenced_and_opens_nothing(loose) -> None:
    async with engine(loose) as made:
        deltas = made.generate(prompt(max_tokens=LONG), 60.0)
        await anext(deltas)
        child = Path(f"/proc/{made.pids['a']}")
        held = {str(each.readlink()) for each in (child / "fd").iterdir()}
        assert all(each == "/dev/null" or each.startswith("pipe:") for each in held)
        assert len(list((child / "task").iterdir())) == 1
        assert "Seccomp:\t2" in (child / "status").read_text()
        assert b"ORT_DISABLE_TELEMETRY=1" in (child / "environ").read_bytes()
        await deltas.aclose()


async def test_closing_ends_the_answer_and_not_the_child(loose) -> None:
    async with engine(loose) as made:
        deltas = made.generate(prompt(max_tokens=LONG), 60.0)
        first = [await anext(deltas) for _ in range(3)]
        assert all(delta.text for delta in first)
        pid = made.pids["a"]
        await deltas.aclose()
        assert (await said(made, prompt(max_tokens=2)))[1].finish == "length"
        assert made.pids["a"] == pid


async def test_a_reader_that_does_not_read_keeps_the_child_until_its_deadline_alone(loose) -> None:
    async with engine(loose) as made:
        await said(made, prompt(max_tokens=1))
        pid = made.pids["a"]
        stalled = made.generate(prompt(max_tokens=LONG), 1.0)
        await anext(stalled)
        assert (await said(made, prompt(max_tokens=2)))[1].finish == "length"
        assert made.pids["a"] == pid
        with pytest.raises(EngineFailed) as told:
            async for _ in stalled:
                pass
        assert told.value.cause == "slow"


async def test_a_deadline_ends_it(loose) -> None:
    async with engine(loose) as made:
        await said(made, prompt(max_tokens=1))
        pid = made.pids["a"]
        assert await cause(made, prompt(max_tokens=LONG), 0.05) == "slow"
        assert await cause(made, prompt(), 0.0) == "slow"
        assert (await said(made, prompt(max_tokens=2)))[1].finish == "length"
        assert made.pids["a"] == pid


async def test_each_domain_has_a_child_and_waits_for_no_other(loose) -> None:
    async with engine(loose) as made:
        held = made.generate(prompt(domain="high", max_tokens=LONG), 60.0)
        await anext(held)
        queue = [asyncio.ensure_future(said(made, prompt(domain="high"))) for _ in range(onnx_slot.WAITING - 1)]
        await asyncio.sleep(0)
        assert await cause(made, prompt(domain="high")) == "busy"
        _, last = await said(made, prompt(domain="low", max_tokens=3))  # the high one is full, and still at it
        assert last.finish == "length"
        assert not any(task.done() for task in queue)
        assert len(set(made.pids.values())) == 2
        await held.aclose()
        await asyncio.gather(*queue)


async def test_an_answer_is_the_same_whatever_another_domain_asked(loose) -> None:
    async with engine(loose) as made:
        alone = await said(made, prompt("the question", max_tokens=30))
        await said(made, prompt("the question", domain="b", max_tokens=30))
        assert await said(made, prompt("the question", max_tokens=30)) == alone


async def test_a_child_that_dies_is_a_failure_and_the_next_request_has_another(loose) -> None:
    async with engine(loose) as made:
        deltas = made.generate(prompt(max_tokens=LONG), 60.0)
        await anext(deltas)
        pid = made.pids["a"]
        other = (await said(made, prompt(domain="b", max_tokens=1)), made.pids["b"])[1]
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(EngineFailed):
            async for _ in deltas:
                pass
        assert (await said(made, prompt(max_tokens=2)))[1].finish == "length"
        assert made.pids["a"] != pid
        assert made.pids["b"] == other


async def test_an_idle_child_ends_and_one_without_a_domain_serves_once(loose) -> None:
    async with engine(loose, idle=0.0) as made:
        await said(made, prompt(max_tokens=1))
        await until(lambda: not made.pids)
        assert (await said(made, prompt(max_tokens=1)))[1].finish == "length"
    async with engine(loose) as made:
        await said(made, prompt(domain="", max_tokens=1))
        await until(lambda: not made.pids)
        await said(made, prompt(max_tokens=1))
        assert list(made.pids) == ["a"]


async def test_a_request_that_comes_in_time_keeps_an_idle_child(loose) -> None:
    async with engine(loose, idle=3600.0) as made:
        await said(made, prompt(max_tokens=1))
        await until(lambda: "a" in made._ending)
        deltas = made.generate(prompt(max_tokens=LONG), 60.0)
        await anext(deltas)
        assert made._ending == {}
        made._end("a")  # a timer that was late ends nobody who works
        assert made.pids
        await deltas.aclose()


async def test_no_number_of_other_domains_turns_one_away(loose) -> None:
    """Use above never refuses below: what has begun in forty domains leaves the next one its own."""
    async with engine(loose) as made:
        for other in range(40):
            made._slot(f"above {other}")
        assert (await said(made, prompt(domain="below", max_tokens=1)))[1].finish == "length"
        assert list(made.pids) == ["below"]


async def test_a_model_that_cannot_be_loaded(tmp_path) -> None:
    tiny.folder(tmp_path)
    (tmp_path / "model.onnx").write_bytes(b"nothing")
    async with engine(tmp_path) as made:
        assert await cause(made, prompt()) == "down"
        assert made.pids == {}


async def test_closing_everything_ends_who_waits(loose) -> None:
    sandbox = Sandbox()
    made = OnnxChat("tiny", loose, sandbox)
    deltas = made.generate(prompt(max_tokens=LONG), 60.0)
    await anext(deltas)
    waiting = asyncio.ensure_future(said(made, prompt()))
    await asyncio.sleep(0)
    await made.close()
    with pytest.raises(EngineFailed):
        async for _ in deltas:
            pass
    with pytest.raises(EngineFailed):
        await waiting
    assert made.pids == {}
    sandbox.close()


async def test_without_a_fence_nothing_is_sent(scripted, monkeypatch) -> None:
    async with engine(scripted) as made:

        async def missing(*_, **__):
            raise SandboxMissing(why="test")

        monkeypatch.setattr(made._sandbox, "spawn", missing)
        with pytest.raises(SandboxMissing):
            await said(made, prompt())


async def test_a_template_that_hangs_is_ended(tmp_path, monkeypatch) -> None:
    """What no line count sees: one step that takes forever. The child is killed, and the next one as well."""
    monkeypatch.setattr(onnx_slot, "PREPARE", 0.5)
    tiny.folder(tmp_path, template="{{ tools }}<tool_call>{{ messages[0].content }}{{ '%0999999999d' | format(1) }}")
    async with engine(tmp_path) as made:
        for _ in range(2):
            assert await cause(made, prompt()) == "slow"
            assert made.pids == {}


async def test_weights_are_loaded_ahead(scripted) -> None:
    sandbox = Sandbox()
    made = OnnxChat("tiny", scripted, sandbox)
    slot = Slot(sandbox, made._program)
    await slot.ready()
    assert slot.context == tiny.CONTEXT
    pid = slot.pid
    told = {"turns": [{"role": "user", "text": "hi"}], "max_tokens": 2}
    found = [piece async for piece in slot.pieces(told, 60.0)]
    assert isinstance(found[0], Began)
    assert isinstance(found[-1], Piece)
    assert slot.pid == pid
    await slot.close()
    sandbox.close()


def test_without_the_extra_it_says_so(scripted, monkeypatch) -> None:
    monkeypatch.setattr(onnx_chat, "installed", lambda: False)
    with pytest.raises(Misconfigured) as told:
        OnnxChat("tiny", scripted, Sandbox())
    assert "casemate[genai]" in str(told.value.facts["why"])


async def test_a_child_that_is_out_of_memory_or_broken_is_told_as_such(loose) -> None:
    async with engine(loose) as made:
        slot = made._slot("a")
        for last, ending in ((Piece(failure="memory"), "memory"), (Piece(failure="broken", why="KeyError"), "broken")):
            with pytest.raises(EngineFailed) as told:
                await slot._ended(last, onnx_slot._Talk(0.0))
            assert told.value.facts["ending"] == ending


async def test_a_deadline_while_weights_load_leaves_them_loading(loose) -> None:
    async with engine(loose) as made:
        assert await cause(made, prompt(), 0.01) == "slow"
        await until(lambda: made._slots["a"].context)
        first = made.pids["a"]
        assert (await said(made, prompt(max_tokens=1)))[1].finish == "length"
        assert made.pids["a"] == first


async def test_a_child_that_does_not_obey_is_killed(loose, monkeypatch) -> None:
    monkeypatch.setattr(onnx_slot, "GRACE", 0.05)
    async with engine(loose) as made:
        deltas = made.generate(prompt(max_tokens=LONG), 60.0)
        await anext(deltas)
        pid = made.pids["a"]
        os.kill(pid, signal.SIGSTOP)
        await deltas.aclose()
        assert (await said(made, prompt(max_tokens=1)))[1].finish == "length"
        assert made.pids["a"] != pid


async def test_a_template_that_fails_on_a_count_is_a_refusal(tmp_path) -> None:
    tiny.folder(tmp_path, template="{{ raise_exception('no') }}")
    async with engine(tmp_path) as made:
        with pytest.raises(EngineFailed) as told:
            await made.count(prompt(), 60.0)
        assert told.value.cause == "rejected"
