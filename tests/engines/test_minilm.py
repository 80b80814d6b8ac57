from __future__ import annotations

import asyncio
import hashlib
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from casemate.cells.embed import Encoder
from casemate.engines import minilm, minilm_graph, minilm_model
from casemate.engines.minilm import MiniLMEmbedder
from casemate.engines.sandbox import Sandbox, support
from casemate.errors import Damaged, EngineFailed, Misconfigured
from tests.engines import minilm_tiny as tiny

fenced = pytest.mark.skipif(bool(support().why), reason=f"no child can be fenced here: {support().why}")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model folder with random weights, and its digests in the place of the real ones."""
    files = {
        "model.onnx": minilm_graph.Encoder(tiny.weights(layers=1)).model({}),
        "tokenizer.json": tiny.tokenizer().encode(),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    monkeypatch.setattr(minilm_model, "FILES", digests)
    return tmp_path


def using(folder: Path, work: Callable[[MiniLMEmbedder], Awaitable[None]]) -> None:
    """Run `work` with an embedder and end its child."""

    async def run() -> None:
        sandbox = Sandbox()
        embedder = MiniLMEmbedder(sandbox, folder)
        try:
            await asyncio.wait_for(work(embedder), 60)
        finally:
            await embedder.close()
            sandbox.close()

    asyncio.run(run())


@fenced
def test_a_fenced_vector_is_the_unfenced_one(folder: Path) -> None:
    texts = ["convoy", "", "river 12", "convoy"]
    encoder = Encoder(folder)

    async def work(embedder: MiniLMEmbedder) -> None:
        await embedder.start()
        assert await embedder.embed(texts) == [encoder.vector(text) for text in texts]
        assert await embedder.embed([]) == []
        assert await embedder.embed(["a\ud800b"]) == [encoder.vector("a?b")]

    using(folder, work)


@fenced
def test_calls_at_the_same_time_get_their_own(folder: Path) -> None:
    encoder = Encoder(folder)
    sets = [[f"convoy {number}", "river", f"{number}"] for number in range(6)]

    async def work(embedder: MiniLMEmbedder) -> None:
        found = await asyncio.gather(*(embedder.embed(texts) for texts in sets))
        assert found == [[encoder.vector(text) for text in texts] for texts in sets]

    using(folder, work)


@fenced
def test_a_question_does_not_wait_for_all_that_was_asked_before(folder: Path) -> None:
    ended: list[str] = []

    async def ask(embedder: MiniLMEmbedder, name: str, texts: list[str]) -> None:
        await embedder.embed(texts)
        ended.append(name)

    async def work(embedder: MiniLMEmbedder) -> None:
        document = asyncio.ensure_future(ask(embedder, "document", ["river"] * 30))
        await asyncio.sleep(0)
        await ask(embedder, "question", ["convoy"])
        await document

    using(folder, work)
    assert ended == ["question", "document"]


@fenced
def test_a_call_that_is_given_up_leaves_the_child_alone(folder: Path) -> None:
    async def work(embedder: MiniLMEmbedder) -> None:
        await embedder.start()
        child = embedder.pid
        given_up = asyncio.ensure_future(embedder.embed(["river " * 200] * 3))
        await asyncio.sleep(0.002)
        given_up.cancel()
        with pytest.raises(asyncio.CancelledError):
            await given_up
        assert len(await embedder.embed(["convoy"])) == 1
        assert embedder.pid == child

    using(folder, work)


@fenced
def test_a_child_that_was_killed_is_replaced(folder: Path) -> None:
    async def work(embedder: MiniLMEmbedder) -> None:
        [before] = await embedder.embed(["convoy"])
        child = embedder.pid
        assert child is not None
        os.kill(child, signal.SIGSTOP)
        asked = asyncio.ensure_future(embedder.embed(["convoy"]))
        await asyncio.sleep(0.02)
        os.kill(child, signal.SIGKILL)
        assert await asked == [before]
        assert embedder.pid != child

    using(folder, work)


@fenced
def test_too_little_memory_is_told_as_a_failure(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minilm, "MEMORY", 64 << 20)

    async def work(embedder: MiniLMEmbedder) -> None:
        with pytest.raises(EngineFailed):
            await embedder.embed(["convoy"])
        assert embedder.pid is None

    using(folder, work)


@fenced
def test_a_child_that_does_not_answer_is_not_asked_twice(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minilm, "DEADLINE", 0.2)

    async def work(embedder: MiniLMEmbedder) -> None:
        await embedder._cell.start()
        child = embedder.pid
        assert child is not None
        os.kill(child, signal.SIGSTOP)
        with pytest.raises(EngineFailed) as caught:
            await embedder.embed(["convoy"])
        assert caught.value.facts["ending"] == "time"
        assert embedder.pid is None

    using(folder, work)


@fenced
def test_closing_ends_what_is_under_way(folder: Path) -> None:
    async def work(embedder: MiniLMEmbedder) -> None:
        await embedder.start()
        child = embedder.pid
        assert child is not None
        os.kill(child, signal.SIGSTOP)
        asked = asyncio.ensure_future(embedder.embed(["convoy"]))
        await asyncio.sleep(0.02)
        await embedder.close()
        with pytest.raises(asyncio.CancelledError):
            await asked
        assert embedder.pid is None

    using(folder, work)


@fenced
def test_an_answer_that_is_no_vector_is_a_failure(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minilm, "DIMENSIONS", 1024)

    async def work(embedder: MiniLMEmbedder) -> None:
        with pytest.raises(EngineFailed) as caught:
            await embedder.embed(["convoy"])
        assert "no vector" in str(caught.value)

    using(folder, work)


def test_a_folder_without_the_model_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured):
        MiniLMEmbedder(Sandbox(), tmp_path)


def test_an_altered_model_is_refused_before_anything_starts(folder: Path) -> None:
    with (folder / "model.onnx").open("ab") as file:
        file.write(b"\x00")
    with pytest.raises(Damaged):
        MiniLMEmbedder(Sandbox(), folder)


def test_it_says_what_it_is() -> None:
    told = (MiniLMEmbedder.name, MiniLMEmbedder.language, MiniLMEmbedder.max_tokens, MiniLMEmbedder.state)
    assert told == ("minilm-l6-v2-int8", "en", 256, "none")
