"""Content blocks as parts of a message.

What would have to be fetched (a URL, a file's id) is a need that no card can meet here; what cannot be looked at (PDF)
is refused by name. An image is what its first bytes say: other bytes would pass unseen by whoever looks for marks.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from casemate.errors import BadInput
from casemate.models import Image, Part, Text, Thought, ToolCall, ToolResult
from casemate.words import say

__all__ = ["Block", "Reading", "malformed", "parts_of", "words"]

_OPENS = {
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/gif": (b"GIF87a", b"GIF89a"),
    "image/webp": (b"RIFF",),
}
_ELSEWHERE = {"url": "url", "file": "file"}

Block = dict[str, Any]


@dataclass(slots=True)
class Reading:
    """What is gathered beside the parts: `needs`, and names of fields that are `passed` over."""

    language: str
    place: int = 0
    needs: list[str] = field(default_factory=list)
    passed: set[str] = field(default_factory=set)

    def bad(self, kind: str) -> BadInput:
        """A block that is not known, or not whole."""
        return BadInput(what=say("anthropic.block", self.language, place=self.place, kind=kind[:60]))


def malformed(error: msgspec.ValidationError, language: str) -> BadInput:
    """A shape that does not fit, named by its place."""
    return BadInput(what=say("frame.shape", language, why=str(error)[:200]))


def parts_of(content: str | list[Block], reading: Reading) -> Iterator[Part]:
    """The parts of a message's content. Raises BadInput."""
    if isinstance(content, str):
        yield Text(content)
        return
    for block in content:
        kind = block.get("type")
        reader = _READERS.get(kind) if isinstance(kind, str) else None
        if reader is None:
            raise reading.bad(str(kind))
        try:
            yield from reader[0](block, reading)
        except msgspec.ValidationError as error:
            raise malformed(error, reading.language) from None
        if len(block) > 2:
            reading.passed.update(name for name, value in block.items() if name not in reader[1] and value is not None)


def words(parts: list[Part]) -> str | tuple[Part, ...]:
    """Words alone are one text, blocks apart by a blank line; anything else stays in parts.

    An answer of ours that comes back has its blank lines in its blocks already.
    """
    texts = [part.text for part in parts if isinstance(part, Text)]
    if len(texts) < len(parts):
        return tuple(parts)
    return "".join(text if not place or text.startswith("\n") else f"\n\n{text}" for place, text in enumerate(texts))


def _text(block: Block, reading: Reading) -> Iterator[Part]:
    del reading
    text = msgspec.convert(block.get("text"), str)
    if text:
        yield Text(text)


def _source(block: Block, reading: Reading, kind: str) -> Block | None:
    """The source; None where it lies elsewhere, which becomes a need."""
    source = msgspec.convert(block.get("source"), dict[str, Any])
    elsewhere = _ELSEWHERE.get(str(source.get("type")))
    if elsewhere is None:
        return source
    reading.needs.append(f"{kind}.{elsewhere}")
    return None


def _image(block: Block, reading: Reading) -> Iterator[Part]:
    source = _source(block, reading, "image")
    if source is None:
        return
    media, data = source.get("media_type"), source.get("data")
    if source.get("type") != "base64" or not isinstance(media, str) or not isinstance(data, str):
        raise reading.bad("image")
    try:
        raw = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise reading.bad("image") from None
    if not raw.startswith(_OPENS.get(media, ())):
        raise BadInput(what=say("anthropic.picture", reading.language, place=reading.place, media=media[:20]))
    yield Image(media, raw)


def _document(block: Block, reading: Reading) -> Iterator[Part]:
    """A document of plain text, or of blocks: its title and context stand before it."""
    cited = block.get("citations")
    if isinstance(cited, dict) and cited.get("enabled"):
        raise BadInput(what=say("models.not_offered", reading.language, name="document.citations"))
    source = _source(block, reading, "document")
    if source is None:
        return
    for name in ("title", "context"):
        if block.get(name):
            yield Text(msgspec.convert(block[name], str))
    if source.get("type") == "text":
        yield Text(msgspec.convert(source.get("data"), str))
    elif source.get("type") == "content":
        yield from _shown(source.get("content"), reading)
    else:
        raise reading.bad(f"document.{source.get('type')}")


def _found(block: Block, reading: Reading) -> Iterator[Part]:
    """A search result: title, source and text, as one who reads it would see them."""
    head = [msgspec.convert(block.get(name, ""), str) for name in ("title", "source")]
    yield Text("\n".join(text for text in head if text))
    yield from _shown(block.get("content"), reading)


def _called(block: Block, reading: Reading) -> Iterator[Part]:
    caller = block.get("caller")
    if caller is not None and not (isinstance(caller, dict) and caller.get("type") == "direct"):
        raise reading.bad("tool_use.caller")
    given = msgspec.convert(block.get("input"), dict[str, Any])
    id, name = msgspec.convert(block.get("id"), str), msgspec.convert(block.get("name"), str)
    yield ToolCall(id, name, msgspec.json.encode(given).decode())


def _result(block: Block, reading: Reading) -> Iterator[Part]:
    id = msgspec.convert(block.get("tool_use_id"), str)
    yield ToolResult(id, tuple(_shown(block.get("content"), reading)), block.get("is_error") is True)


def _shown(content: Any, reading: Reading) -> Iterator[Text | Image]:
    """What a result or a document shows: text and pictures, whatever form they came in."""
    if content is None:
        return
    for part in parts_of(msgspec.convert(content, str | list[dict[str, Any]]), reading):
        if not isinstance(part, Text | Image):
            raise reading.bad("tool_result")
        yield part


def _thought(block: Block, reading: Reading) -> Iterator[Part]:
    del reading
    yield Thought(msgspec.convert(block.get("thinking"), str), msgspec.convert(block.get("signature") or "", str))


def _sealed(block: Block, reading: Reading) -> Iterator[Part]:
    del reading
    yield Thought(sealed=msgspec.convert(block.get("data"), str))


_Reader = Callable[[Block, Reading], Iterator[Part]]

# Each kind with the fields that are read. `citations` of an answer that comes back repeat its text.
_READERS: dict[str, tuple[_Reader, frozenset[str]]] = {
    "text": (_text, frozenset({"type", "text", "citations"})),
    "image": (_image, frozenset({"type", "source"})),
    "document": (_document, frozenset({"type", "source", "title", "context", "citations"})),
    "search_result": (_found, frozenset({"type", "title", "source", "content", "citations"})),
    "tool_use": (_called, frozenset({"type", "id", "name", "input", "caller"})),
    "tool_result": (_result, frozenset({"type", "tool_use_id", "content", "is_error"})),
    "thinking": (_thought, frozenset({"type", "thinking", "signature"})),
    "redacted_thinking": (_sealed, frozenset({"type", "data"})),
}
