"""What a text says is looked at while it comes in (flow.md, rule 8): a mark above the acting label keeps all of it out.

Only what reads as text is looked at, line by line, with controls between its letters and without; what other files hold
is read where they are extracted. What two parts say together is looked at when an object is made of them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from casemate.buckets import look, reads_as_text
from casemate.doors.frame import Call

__all__ = ["looking"]

PIECE = 64 << 10


async def looking(call: Call) -> AsyncIterator[bytes]:
    """The body's pieces, unchanged. Raises Refused (`mark-above`, `mark-unreadable`)."""
    assert call.incoming is not None
    kept = bytearray()
    text: bool | None = None
    async for piece in call.incoming:
        if text is None:
            text = reads_as_text(piece)
        if text:
            kept += piece
            while len(kept) >= PIECE:
                end = kept.rfind(b"\n", 0, PIECE) + 1 or PIECE
                await look(call.flow, bytes(kept[:end]))
                del kept[:end]
        yield piece
    await look(call.flow, bytes(kept))
