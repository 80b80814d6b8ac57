"""Somebody's own terminal while he works in a job's: raw, with the marking in its title, and as it was afterwards.

What a job shows may move the cursor and colour, as programs do. It may not speak past the screen: titles (the marking
stands there), the clipboard, and what makes a terminal type its answer are left out, since an answer would carry
what stands elsewhere on this machine into the job: a checksum of the screen tells letter by letter what was there
before. An answer that programs wait for, where the cursor is, they get.
"""

from __future__ import annotations

import atexit
import os
import re
import shutil
import signal
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["Steered", "raw", "size", "titled"]

_STRINGS = rb"\x1b[P\]X^_k]|\xc2[\x90\x98\x9d\x9e\x9f]"
"""What begins a string that is not shown: DCS, OSC, SOS, PM, APC (ECMA-48), of 7 bits and as UTF-8 has those of 8; and
the title of a window of screen and tmux (ESC k)."""
_WHOLE = re.compile(
    # a byte 9C ends no string: it is part of many letters
    rb"(?:" + _STRINGS + rb")(?:[^\x07\x18\x1a\x1b\xc2]|\xc2(?!\x9c))*(?:\x07|\x18|\x1a|\x1b\\|\xc2\x9c|(?=\x1b))"
    rb"|(?:\x1b\[|\xc2\x9b)[0-?]*[ -/]*[@-~]"
    rb"|\x1bZ|\x05"
)
_PART = re.compile(rb"(?:(?:" + _STRINGS + rb")[^\x07\x18\x1a\x1b]*|(?:\x1b\[|\xc2\x9b)[0-?]*[ -/]*|\x1b|\xc2)\Z")
_BETWEEN = re.compile(rb"[ -/]+")
_PLAIN = frozenset({b" q", b"!p", b"$r", b"$t", b"$v", b"$x", b"$z", b"${"})
"""Of those with a byte between, what asks nothing: the cursor's form, a soft reset, rectangles filled and copied."""
_MOST = 64 << 10
_MODES = (9, 1000, 1002, 1003, 1004, 1006, 2004)  # the mouse, the focus, and what is pasted, told to programs
_RESET = b"\x1b[!p\x1b(B\x0f\x1b[?1049l" + b"".join(b"\x1b[?%dl" % mode for mode in _MODES) + b"\x1b[?25h\x1b[0m"


class Steered:
    """`shown(data)`: what of it may go to the terminal; half of a sequence waits for its other half."""

    def __init__(self) -> None:
        self._rest = b""
        self._within = False  # a string that is longer than we keep

    def shown(self, data: bytes) -> bytes:
        data = self._rest + data
        self._rest = b""
        if self._within:
            end = re.search(rb"[\x07\x18\x1a\x1b]|\xc2\x9c", data)
            if end is None:
                return b""
            self._within, data = False, data[end.start() if end.group() == b"\x1b" else end.end() :]
        data = _WHOLE.sub(_allowed, data)
        part = _PART.search(data)
        if part is not None:
            data, self._rest = data[: part.start()], part.group()
            if len(self._rest) > _MOST:
                self._rest, self._within = b"", True
        return data


def _allowed(found: re.Match[bytes]) -> bytes:
    said = found.group()
    if not said.startswith((b"\x1b[", b"\xc2\x9b")):
        return b""
    between, last = _BETWEEN.search(said, 2), said[-1:]  # 2: CSI has two bytes, written either way
    if between is not None:
        return said if between.group() + last in _PLAIN else b""
    # windows and their titles (t), what the terminal is (c, x, >q), media (i); where the cursor is (5n, 6n): yes
    if last in b"tcxi" or (last in b"qRSu" and said[2:3] in (b">", b"?", b"=")):
        return b""
    return b"" if last == b"n" and said[2:-1] not in (b"5", b"6", b"?6") and b">" not in said else said


def size() -> tuple[int, int]:
    """Rows and columns."""
    found = shutil.get_terminal_size()
    return found.lines, found.columns


@contextmanager
def raw(stream: int) -> Iterator[None]:
    """Each key goes to the job as it is, until this is left: by its end, an error, or a signal that ends us."""
    if not os.isatty(stream):
        yield
        return
    before = termios.tcgetattr(stream)

    def restore() -> None:
        termios.tcsetattr(stream, termios.TCSADRAIN, before)

    def ended(number: int, frame: FrameType | None) -> None:
        del frame
        raise SystemExit(128 + number)

    atexit.register(restore)
    former = {number: signal.signal(number, ended) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        tty.setraw(stream)
        yield
    finally:
        restore()
        atexit.unregister(restore)
        for number, how in former.items():
            signal.signal(number, how)


@contextmanager
def titled(marking: str) -> Iterator[None]:
    """The marking is the window's title meanwhile; then the screen is as it was before."""
    if not sys.stdout.isatty():
        yield
        return
    words = "".join(letter for letter in marking if letter.isprintable()).encode()
    _put(b"\x1b[22;2t\x1b]2;" + words + b"\x07")
    try:
        yield
    finally:
        _put(_RESET + b"\x1b[23;2t\r\n")


def _put(data: bytes) -> None:
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
