"""What a text says is looked at while it comes in (flow.md, rule 8): a mark above the acting label keeps all of it out.

Only what reads as text is looked at, line by line; what other files hold is read where they are extracted.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from casemate.doors.frame import Call

__all__ = ["looking"]

PIECE = 64 << 10
_CONTROLS = bytes(range(9)) + bytes(range(14, 27)) + bytes(range(28, 32))
_HEAD = 1024


async def looking(call: Call) -> AsyncIterator[bytes]:
    """The body's pieces, unchanged. Raises Refused (`mark-above`, `mark-unreadable`)."""
    assert call.incoming is not None
    kept = bytearray()
    text: bool | None = None
    async for piece in call.incoming:
        if text is None:
            text = piece[:_HEAD].translate(None, _CONTROLS) == piece[:_HEAD]
        if text:
            kept += piece
            while len(kept) >= PIECE:
                end = kept.rfind(b"\n", 0, PIECE) + 1 or PIECE
                await _look(call, bytes(kept[:end]))
                del kept[:end]
        yield piece
    await _look(call, bytes(kept))


async def _look(call: Call, piece: bytes) -> None:
    if call.gate.vault.region.policies.may_hold(piece):
        await call.flow.inspect([piece.decode("utf-8", "replace")])
