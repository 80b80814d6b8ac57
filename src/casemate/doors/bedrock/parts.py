"""Content blocks of Converse as parts of a message. A block is a union: exactly one member says what it is.

What would have to be fetched (`s3Location`) or cannot be looked at (documents, video, audio) is refused by name. An
image is what its first bytes say: other bytes under that name would pass unseen by whoever looks for marks.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from casemate.errors import BadInput
from casemate.models import Image, Part, Text, Thought, ToolCall, ToolResult
from casemate.words import say

__all__ = ["bare_image", "image", "malformed", "parts_of"]

_SKIPPED = ("cachePoint",)  # it changes no answer
_OPENS = {
    "png": (b"\x89PNG\r\n\x1a\n",),
    "jpeg": (b"\xff\xd8\xff",),
    "gif": (b"GIF87a", b"GIF89a"),
    "webp": (b"RIFF",),
}


class ImageBlock(msgspec.Struct):
    """`source` is a union of bytes and an S3 location."""

    format: str
    source: dict[str, Any]


class ToolUseBlock(msgspec.Struct, rename="camel"):
    """A call that an assistant made."""

    tool_use_id: str
    name: str
    input: Any
    type: str | None = None


class ToolResultBlock(msgspec.Struct, rename="camel"):
    """What a tool answered; its content is a list of unions."""

    tool_use_id: str
    content: list[dict[str, Any]]
    status: str = "success"


class ReasoningText(msgspec.Struct):
    """Reasoning in words, with the vendor's signature."""

    text: str
    signature: str = ""


class ReasoningBlock(msgspec.Struct, rename="camel"):
    """A union of words and of what only the vendor can read (base64)."""

    reasoning_text: ReasoningText | None = None
    redacted_content: str | None = None


class Generated(msgspec.Struct):
    """Text inside citationsContent."""

    text: str = ""


class Cited(msgspec.Struct):
    """A citationsContent block."""

    content: list[Generated] | None = None


class GuardText(msgspec.Struct):
    """Text that a guardrail looks at."""

    text: str


class GuardBlock(msgspec.Struct):
    """Content that a guardrail looks at: a union."""

    text: GuardText | None = None
    image: ImageBlock | None = None


def malformed(error: msgspec.ValidationError, language: str) -> BadInput:
    """A shape that does not fit, named by its place."""
    return BadInput(what=say("frame.shape", language, why=str(error)[:200]))


def parts_of(block: dict[str, Any], place: int, language: str) -> Iterator[Part]:
    """The parts of one block of the message at that place. Raises BadInput."""
    kind = _kind(block)
    if kind in _SKIPPED:
        return
    reader = _READERS.get(kind)
    if reader is None:
        raise BadInput(what=say("bedrock.block", language, place=place, kind=kind[:40]))
    try:
        yield from reader(block[kind], place, language)
    except msgspec.ValidationError as error:
        raise malformed(error, language) from None


def image(format: str, source: dict[str, Any], language: str) -> Image:
    """A picture. Raises BadInput where it lies elsewhere, or is not what it says."""
    if "bytes" not in source:
        raise BadInput(what=say("bedrock.elsewhere", language))
    return bare_image(format, source["bytes"], language)


def bare_image(format: str, data: Any, language: str) -> Image:
    """A picture of these base64 characters (RFC 4648 section 4)."""
    try:
        raw = base64.b64decode(data, validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise BadInput(what=say("bedrock.base64", language)) from None
    if not raw.startswith(_OPENS.get(format, ())):
        raise BadInput(what=say("bedrock.picture", language, format=format[:20]))
    return Image(f"image/{format}", raw)


def _kind(block: dict[str, Any]) -> str:
    """The member that is set; "unknown" where none or several are."""
    kinds = [name for name, value in block.items() if value is not None]
    return kinds[0] if len(kinds) == 1 else "unknown"


def _text(value: Any, place: int, language: str) -> Iterator[Part]:
    del place, language
    yield Text(msgspec.convert(value, str))


def _cited(value: Any, place: int, language: str) -> Iterator[Part]:
    del place, language
    for part in msgspec.convert(value, Cited).content or ():
        yield Text(part.text)


def _image(value: Any, place: int, language: str) -> Iterator[Part]:
    del place
    block = msgspec.convert(value, ImageBlock)
    yield image(block.format, block.source, language)


def _call(value: Any, place: int, language: str) -> Iterator[Part]:
    block = msgspec.convert(value, ToolUseBlock)
    if block.type is not None:
        raise BadInput(what=say("bedrock.block", language, place=place, kind=block.type[:40]))
    yield ToolCall(block.tool_use_id, block.name, msgspec.json.encode(block.input).decode())


def _result(value: Any, place: int, language: str) -> Iterator[Part]:
    block = msgspec.convert(value, ToolResultBlock)
    inner: list[Text | Image] = []
    for one in block.content:
        kind = _kind(one)
        if kind == "json":
            inner.append(Text(msgspec.json.encode(one["json"]).decode()))
        elif kind in ("text", "image"):
            inner += [part for part in _READERS[kind](one[kind], place, language) if isinstance(part, Text | Image)]
        else:
            raise BadInput(what=say("bedrock.block", language, place=place, kind=f"toolResult.{kind[:40]}"))
    yield ToolResult(block.tool_use_id, tuple(inner), block.status == "error")


def _thought(value: Any, place: int, language: str) -> Iterator[Part]:
    block = msgspec.convert(value, ReasoningBlock)
    if block.reasoning_text is not None:
        yield Thought(block.reasoning_text.text, block.reasoning_text.signature)
    elif block.redacted_content is not None:
        yield Thought(sealed=block.redacted_content)
    else:
        raise BadInput(what=say("bedrock.block", language, place=place, kind="reasoningContent"))


def _guarded(value: Any, place: int, language: str) -> Iterator[Part]:
    block = msgspec.convert(value, GuardBlock)
    if block.text is not None:
        yield Text(block.text.text)
    elif block.image is not None:
        yield image(block.image.format, block.image.source, language)
    else:
        raise BadInput(what=say("bedrock.block", language, place=place, kind="guardContent"))


_READERS: dict[str, Callable[[Any, int, str], Iterator[Part]]] = {
    "text": _text,
    "citationsContent": _cited,
    "image": _image,
    "toolUse": _call,
    "toolResult": _result,
    "reasoningContent": _thought,
    "guardContent": _guarded,
}
