"""What a body says, as far as it reads as text: whether it does, and what stands on both sides of a seam of two parts.

A mark may be cut in two by the end of a part, and a part says nothing of its neighbours: so each keeps its first and
last bytes in its row, and what they say together is looked at when the object is made of them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from casemate.access import Flow
from casemate.buckets.kinds import PartRecord

__all__ = ["EDGE", "HEAD", "Edges", "look", "reads_as_text", "seams"]

HEAD = 1024
"""Bytes by which it is told whether a body reads as text, and"""
EDGE = 512
"""bytes that a part keeps of each of its ends: no mark is longer."""
_CONTROLS = bytes(range(9)) + bytes(range(14, 27)) + bytes(range(28, 32))
_LINES = bytes.maketrans(b"\x1c\x1d\x1e", b"\n\n\n")  # as Python's own lines end
_WIDE = (b"\xff\xfe", b"\xfe\xff")


def reads_as_text(head: bytes) -> bool:
    """Whether a body that begins like this is text: it holds no controls, is UTF-8 without them, or says UTF-16."""
    plain = _plain(head[:HEAD])
    if len(plain) == len(head[:HEAD]) or head.startswith(_WIDE):
        return True
    try:
        plain.decode()
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data" and error.start >= len(plain) - 3  # cut within a character
    return True


async def look(flow: Flow, piece: bytes) -> None:
    """Look for marks in a piece of a text without the controls in it, which may part letters as well as lines.

    Raises Refused (`mark-above`, `mark-unreadable`).
    """
    may_hold = flow.gate.vault.region.policies.may_hold
    for each in dict.fromkeys((_plain(piece), _plain(piece.translate(_LINES)))):
        if may_hold(each):
            await flow.inspect([each.decode("utf-8", "replace")])


def seams(parts: Sequence[PartRecord]) -> list[bytes]:
    """What stands at the seams of these parts: the line that ends one, and how the next goes on."""
    if not parts or not reads_as_text(parts[0].first):
        return []
    found: list[bytes] = []
    line = b""
    for part in parts:
        if line:
            found.append(line + part.first)
        short = part.size <= EDGE  # then it is all that it keeps, and may be less than a line
        last = line + part.last if short else part.last
        begun = max(last.rfind(b"\n"), last.rfind(b"\r")) + 1
        line = last[begun:] if (begun or short) and len(last) - begun <= EDGE else b""
    return found


class Edges:
    """Takes the first and last bytes of a stream while it goes by."""

    def __init__(self) -> None:
        self.first = b""
        self.last = b""

    async def of(self, body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The stream, unchanged."""
        async for piece in body:
            if len(self.first) < EDGE:
                self.first += piece[: EDGE - len(self.first)]
            self.last = (self.last + piece[-EDGE:])[-EDGE:]
            yield piece


def _plain(raw: bytes) -> bytes:
    """Without controls, and without what says at its beginning that it is UTF-16."""
    return (raw[2:] if raw.startswith(_WIDE) else raw).translate(None, _CONTROLS)
