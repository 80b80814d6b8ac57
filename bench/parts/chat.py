"""What a local chat model costs through its adapter: the cell's own loop alone, and the same tokens through the pipe.

The model is the tests' tiny one, so that nearly all that is measured is ours; a real model's token takes milliseconds.
"""

from __future__ import annotations

import asyncio
import os
import resource
import tempfile
from pathlib import Path

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

from casemate.engines.onnx_chat import OnnxChat
from casemate.engines.sandbox import Sandbox
from casemate.models import Message, Prompt
from tests.engines import chat_tiny

__all__ = ["overhead"]

TOKENS = 2000


def overhead(tokens: int = TOKENS, rounds: int = 3) -> dict[str, float]:
    """Microseconds of CPU for a token, the least of some rounds.

    `cell_token_us`: the cell's own loop, in this process, without a pipe. `adapter_token_us`: what this process spends
    on the same tokens when a fenced child writes them.
    """
    with tempfile.TemporaryDirectory() as folder:
        model = chat_tiny.folder(Path(folder) / "m", context=1 << 16)
        ours = min(asyncio.run(_through(model, tokens)) for _ in range(rounds))
        alone = min(_alone(model, tokens) for _ in range(rounds))
    return {"cell_token_us": alone, "adapter_token_us": ours}


def _alone(model: Path, tokens: int) -> float:
    from casemate.cells.generate.loop import Chat
    from casemate.cells.generate.spoken import Ask, Turn

    chat = Chat(model)
    ask = Ask(turns=(Turn("user", "hi"),), max_tokens=tokens, seconds=600.0)
    before = _used()
    last = chat.answer(ask, lambda _: None, lambda: True)
    return (_used() - before) / last.tokens * 1e6


async def _through(model: Path, tokens: int) -> float:
    sandbox = Sandbox()
    engine = OnnxChat("bench", model, sandbox)
    asked = Prompt(model="m", messages=(Message("user", "hi"),), max_tokens=tokens, partition="a")
    try:
        async for _ in engine.generate(Prompt(model="m", messages=asked.messages, max_tokens=1, partition="a"), 60.0):
            pass
        before, written = _used(), 1
        async for delta in engine.generate(asked, 600.0):
            written = delta.usage.completion if delta.usage is not None else written
        return (_used() - before) / written * 1e6
    finally:
        await engine.close()
        sandbox.close()


def _used() -> float:
    told = resource.getrusage(resource.RUSAGE_SELF)
    return told.ru_utime + told.ru_stime
