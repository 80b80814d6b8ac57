"""An engine behind any OpenAI-shaped server: llama-server, Ollama, vLLM, SGLang, a vendor.

    generate   POST {url}/chat/completions, streamed          whole   the same at once
    vectors    POST {url}/embeddings, a request for each text

It sends what it was lent and its key, nothing else, and believes nothing that comes back: lines, frames and the whole
answer are bounded, and what is not a proper end is a failure. What must never happen: a client's field in the place of
one of ours, two texts in one request for vectors, a key in an error.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

import msgspec

from casemate.engines import openai_answer
from casemate.engines.http_exchange import Broken
from casemate.engines.http_target import Target
from casemate.engines.openai_body import body
from casemate.engines.remote import Remote, Upstream
from casemate.models import Delta, Prompt

__all__ = ["WHOLE", "OpenAILike"]

WHOLE = 8 << 20  # bytes of an answer that is made at once
_TOGETHER = 8  # texts on their way at once, each in a request of its own
_STREAM, _JSON = b"text/event-stream", "application/json"
_NEWER = (".openai.com", ".openai.azure.com")  # where max_tokens is called max_completion_tokens


class OpenAILike:
    """Implements `models.Generator` and `models.Vectors`. `upstream.url` ends with its version (`.../v1`)."""

    dialect = "openai"

    def __init__(self, upstream: Upstream, target: Target | None = None) -> None:
        self._remote = remote = Remote(upstream, target)
        self._streams = remote.head("/chat/completions", _STREAM.decode())
        self._wholes = remote.head("/chat/completions", _JSON)
        self._embeds = remote.head("/embeddings", _JSON)
        self._limit = "max_completion_tokens" if remote.target.host.endswith(_NEWER) else "max_tokens"

    def generate(self, prompt: Prompt, deadline: float) -> AsyncGenerator[Delta, None]:
        """Deltas as they come, then one with finish and usage. Raises EngineFailed; closing it hangs up."""
        told = self._remote.upstream
        reading = openai_answer.Chunks(prompt.model, told.answers, bool(prompt.salt) or told.counts_cache)
        sent = self._body(prompt, stream=True)
        return self._remote.streamed(self._head(self._streams), sent, _STREAM, reading, deadline, prompt.partition)

    async def whole(self, prompt: Prompt, deadline: float) -> list[Delta]:
        """All deltas of an answer that is made at once, the last one with finish and usage. Raises EngineFailed."""
        told, sent = self._remote.upstream, self._body(prompt, stream=False)
        data = await self._remote.whole(self._head(self._wholes), sent, deadline, prompt.partition, WHOLE)
        try:
            cached = bool(prompt.salt) or told.counts_cache
            return openai_answer.completion(data, prompt.model, told.answers, cached)
        except Broken as broken:
            raise self._remote.failed(broken) from None

    async def vectors(
        self, model: str, texts: Sequence[str], deadline: float, partition: str = ""
    ) -> list[list[float]]:
        """One vector for each text, in order, of one dimension. Raises EngineFailed."""
        found: list[list[float]] = []
        try:
            async with asyncio.timeout(deadline):
                for start in range(0, len(texts), _TOGETHER):
                    found += await self._some(model, texts[start : start + _TOGETHER], deadline, partition)
        except TimeoutError:
            raise self._remote.failed(Broken("slow", "it did not answer in time")) from None
        if len({len(vector) for vector in found}) > 1:
            raise self._remote.failed(Broken("broken", "its vectors differ in length"))
        return found

    async def close(self) -> None:
        """End its connections."""
        self.cut()

    def cut(self) -> None:
        """The same, from where nothing can be awaited."""
        self._remote.pool.close()

    async def _some(self, model: str, texts: Sequence[str], deadline: float, partition: str) -> list[list[float]]:
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._vector(model, text, deadline, partition)) for text in texts]
        except BaseExceptionGroup as failed:  # the first failure ends the others
            raise failed.exceptions[0] from None
        return [task.result() for task in tasks]

    async def _vector(self, model: str, text: str, deadline: float, partition: str) -> list[float]:
        sent = msgspec.json.encode({"model": model, "input": text, "encoding_format": "float"})
        data = await self._remote.whole(self._head(self._embeds), sent, deadline, partition, WHOLE)
        try:
            return openai_answer.embedding(data, model, self._remote.upstream.answers)
        except Broken as broken:
            raise self._remote.failed(broken) from None

    def _body(self, prompt: Prompt, stream: bool) -> bytes:
        try:
            return body(prompt, stream, self._limit)
        except msgspec.DecodeError:
            raise self._remote.failed(Broken("rejected", "a schema of the request is not JSON")) from None

    def _head(self, head: bytes) -> bytes:
        """With the key, read at each request, so that a new one needs no restart."""
        key = self._remote.key
        return head if key is None else b"%bAuthorization: Bearer %b\r\n" % (head, key.line().encode("ascii"))
