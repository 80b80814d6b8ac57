"""Length-prefixed messages: what crosses a pipe or a local socket.

A frame is a 4-byte big-endian length and that many bytes of MessagePack. A reader refuses a frame beyond its bound
before it allocates for it.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

import msgspec

if TYPE_CHECKING:  # a child of the sandbox reads pipes without a loop, and starts sooner without one
    import asyncio

__all__ = ["BOUND", "FrameError", "decode", "encode", "read", "receive", "send", "write"]

BOUND = 256 << 20
_LENGTH = struct.Struct(">I")
T = TypeVar("T")


class FrameError(Exception):
    """The other side sent something that is no frame, or stopped in the middle of one."""


def encode(message: Any) -> bytes:
    """One frame, ready to write."""
    body = msgspec.msgpack.encode(message)
    return _LENGTH.pack(len(body)) + body


def decode(body: bytes, type: type[T]) -> T:
    """The message in a frame's body; FrameError where it is not of that type."""
    try:
        return msgspec.msgpack.decode(body, type=type)
    except msgspec.DecodeError as error:
        raise FrameError(str(error)) from None


def _length(head: bytes, bound: int) -> int:
    (size,) = _LENGTH.unpack(head)
    if size > bound:
        raise FrameError(f"a frame of {size} bytes, the bound is {bound}")
    return int(size)


async def read(stream: asyncio.StreamReader, type: type[T], bound: int = BOUND) -> T | None:
    """The next message, or None where the other side closed between frames."""
    try:
        size = _length(await stream.readexactly(4), bound)
        return decode(await stream.readexactly(size), type)
    except EOFError as error:  # asyncio.IncompleteReadError
        if getattr(error, "partial", b""):
            raise FrameError("the other side stopped in the middle of a frame") from None
        return None


async def write(stream: asyncio.StreamWriter, message: Any) -> None:
    """Send a message and wait until the stream has room again."""
    stream.write(encode(message))
    await stream.drain()


def receive(pipe: BinaryIO, type: type[T], bound: int = BOUND) -> T | None:
    """The next message from a blocking pipe, or None at its end."""
    head = pipe.read(4)
    if not head:
        return None
    if len(head) < 4:
        raise FrameError("the other side stopped in the middle of a frame")
    size = _length(head, bound)
    body = pipe.read(size)
    if len(body) < size:
        raise FrameError("the other side stopped in the middle of a frame")
    return decode(body, type)


def send(pipe: BinaryIO, message: Any) -> None:
    """Send a message through a blocking pipe."""
    pipe.write(encode(message))
    pipe.flush()
