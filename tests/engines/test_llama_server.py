"""The supervisor of llama-server, with a program that speaks like one and tells what its fence lets it do."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from casemate.engines import llama_server
from casemate.engines.llama_server import LlamaServer, flags
from casemate.engines.sandbox import Sandbox
from casemate.errors import EngineFailed, Misconfigured, SandboxMissing
from casemate.models import Message, Prompt
from tests.engines import fake_llama
from tests.engines.sandboxed import needs_kernel

PYTHON = Path(os.path.realpath(sys.executable))


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """The program, its help and its weights, in a folder of their own."""
    folder = tmp_path / "operator"
    folder.mkdir()
    found = folder / "llama-server"
    found.write_text(f"#!{PYTHON} -IB\n" + Path(fake_llama.__file__).read_text())
    found.chmod(0o755)
    (folder / "llama-server.help").write_text(fake_llama.HELP)
    (folder / "tiny.gguf").write_text("weights")
    return found


def use(program: Path, deed: Callable[[LlamaServer], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        sandbox = Sandbox()
        weights = program.with_name("tiny.gguf")
        engine = LlamaServer("llama", program, weights, "tiny", sandbox, (PYTHON.parent,))
        try:
            return await deed(engine)
        finally:
            await engine.close()
            sandbox.close()
            assert engine.pids == {}

    return asyncio.run(run())


async def until(holds: Callable[[], bool]) -> None:
    for _ in range(3_000):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came to hold")


def prompt(text: str, domain: str = "a") -> Prompt:
    return Prompt(model="tiny", messages=(Message("user", text),), partition=domain)


async def said(engine: LlamaServer, text: str, domain: str = "a") -> str:
    return "".join([delta.text async for delta in engine.generate(prompt(text, domain), 60)])


@needs_kernel
def test_it_is_fenced_and_can_reach_nothing(program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "not for children")
    elsewhere = tmp_path / "e.sock"
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(elsewhere))
        other.listen()
        words = use(program, lambda engine: said(engine, f"{elsewhere}|{tmp_path / 'written'}"))
    told = json.loads(words)
    assert "OPENAI_API_KEY" not in told["environment"]
    for deed in ("inet", "datagram", "connect", "fork", "passwd", "write"):
        assert told[deed] == "PermissionError", deed
    given = told["arguments"]
    assert given[given.index("--cache-ram") + 1] == "0"
    assert "--no-cache-idle-slots" in given
    assert "--no-webui" in given
    assert given[given.index("--host") + 1].endswith(".sock")
    assert not (tmp_path / "written").exists()


@needs_kernel
def test_each_domain_has_a_process_of_its_own(program: Path) -> None:
    async def deed(engine: LlamaServer) -> None:
        assert await asyncio.gather(said(engine, "x", "a"), said(engine, "y", "b"), said(engine, "z", "a")) == [*"xyz"]
        assert engine.started == 2
        assert len(set(engine.pids.values())) == 2
        deltas = await engine.whole(prompt("whole", "b"), 60)
        assert deltas[0].text == "whole"
        assert engine.started == 2

    use(program, deed)


@needs_kernel
def test_one_that_dies_is_started_anew(program: Path) -> None:
    async def deed(engine: LlamaServer) -> None:
        await said(engine, "x")
        pid = engine.pids["a"]
        with pytest.raises(EngineFailed) as told:
            await said(engine, "die")
        assert told.value.cause == "down"
        await until(lambda: engine.pids.get("a") != pid)
        assert await said(engine, "y") == "y"
        assert engine.pids["a"] != pid

    use(program, deed)


@needs_kernel
def test_one_that_nobody_asks_is_ended(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(llama_server, "IDLE", 0.01)

    async def deed(engine: LlamaServer) -> None:
        await said(engine, "x")
        (process,) = engine._running.values()
        await until(lambda: not engine._running)
        await process.child.ended()
        assert not process.folder.exists()
        monkeypatch.setattr(llama_server, "IDLE", 900.0)
        assert await said(engine, "y") == "y"
        assert await said(engine, "z") == "z"

    use(program, deed)


@needs_kernel
def test_a_program_that_ends_by_itself(program: Path) -> None:
    program.with_name("tiny.gguf").write_text("broken")
    with pytest.raises(EngineFailed) as told:
        use(program, lambda engine: said(engine, "x"))
    assert told.value.cause == "down"


@needs_kernel
def test_a_program_whose_caches_cannot_be_switched_off(program: Path) -> None:
    program.with_name("llama-server.help").write_text(fake_llama.HELP.replace("--cache-ram", "--other"))
    with pytest.raises(Misconfigured) as told:
        use(program, lambda engine: said(engine, "x"))
    assert told.value.facts == {"setting": "upstreams.llama.program", "why": "it does not know --cache-ram"}


@needs_kernel
@pytest.mark.parametrize("silent", ["help", "start"])
def test_a_program_that_never_comes(program: Path, silent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = program.read_text()
    if silent == "help":
        monkeypatch.setattr(llama_server, "_HELP", 0.2)
        program.write_text(text.replace('["--help"]:', '["--help"]:\n        __import__("time").sleep(600)'))
    else:
        monkeypatch.setattr(llama_server, "START", 0.2)
        program.write_text(text.replace("server.listen()", "__import__('time').sleep(600)"))
    with pytest.raises(EngineFailed) as told:
        use(program, lambda engine: said(engine, "x"))
    assert told.value.cause == ("down" if silent == "help" else "slow")


@needs_kernel
def test_the_deadline_holds_while_it_starts(program: Path) -> None:
    program.write_text(program.read_text().replace("server.listen()", "__import__('time').sleep(600)"))
    with pytest.raises(EngineFailed) as told:
        use(program, lambda engine: engine.whole(prompt("x"), 0.3))
    assert told.value.cause == "slow"


def test_without_a_kernel_that_fences_nothing_is_run(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from casemate.engines.sandbox import serve
    from casemate.engines.sandbox.probe import Support

    monkeypatch.setattr(serve, "support", lambda: Support("no fence here"))
    with pytest.raises(SandboxMissing):
        use(program, lambda engine: said(engine, "x"))


@needs_kernel
def test_a_child_that_does_not_prove_its_fence_is_killed(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from casemate.engines.sandbox import serve

    monkeypatch.setattr(serve, "program", lambda machine, pid: b"")
    with pytest.raises(SandboxMissing):
        use(program, lambda engine: said(engine, "x"))
    monkeypatch.undo()
    monkeypatch.setattr(serve, "_HANDSHAKE", 0.0)
    with pytest.raises(SandboxMissing):
        use(program, lambda engine: said(engine, "x"))


@pytest.mark.parametrize("missing", ["program", "weights"])
def test_paths_that_cannot_be(program: Path, missing: str) -> None:
    paths = {"program": program, "weights": program.with_name("tiny.gguf")} | {missing: Path("not-there")}
    with pytest.raises(Misconfigured) as told:
        LlamaServer("llama", paths["program"], paths["weights"], "tiny", Sandbox())
    assert told.value.facts["setting"] == f"upstreams.llama.{missing}"


def test_flags_of_builds_with_and_without_idle_slots() -> None:
    needed = "--model --alias --host --cache-ram"
    assert flags(needed) == ["--cache-ram", "0"]
    assert flags(f"{needed} --no-cache-idle-slots --offline") == [
        "--cache-ram",
        "0",
        "--no-cache-idle-slots",
        "--offline",
    ]
    with pytest.raises(ValueError, match="--no-cache-idle-slots"):
        flags(f"{needed} --cache-idle-slots")
    with pytest.raises(ValueError, match="--cache-ram"):
        flags("--model --alias --host --cache-ram-something")
