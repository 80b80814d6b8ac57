"""The data of server-sent events, as it comes (WHATWG HTML, section 9.2), for engines whose events are JSON texts.

Each `data:` line is one JSON text: that is what these protocols send. Comments, event names and ids are passed over. A
line is bounded, and one that comes byte by byte costs no more than one that comes whole.
"""

from __future__ import annotations

from casemate.engines.http_exchange import Broken

__all__ = ["LINE", "Events"]

LINE = 1 << 20  # bytes


class Events:
    """Fed with pieces of a body, gives the data of the lines that ended in them."""

    __slots__ = ("_rest", "_size")

    def __init__(self) -> None:
        self._rest: list[bytes] = []
        self._size = 0

    def fed(self, piece: bytes) -> list[bytes]:
        """The data of each whole line; space and a carriage return may stand around it. Raises Broken."""
        if not self._rest and len(piece) <= LINE and piece[-1:] == b"\n":  # the usual packet: whole events and no more
            if piece[:5] == b"data:" and piece.find(b"\n") == len(piece) - 2:
                return [piece[5:-2]]  # and the most usual: one
            return [line[5:] for line in piece.split(b"\n") if line[:5] == b"data:"]
        *lines, rest = piece.split(b"\n")
        if lines and self._rest:
            self._keep(lines[0])
            lines[0] = b"".join(self._rest)
            self._rest, self._size = [], 0
        if rest:
            self._keep(rest)
        if any(len(line) > LINE for line in lines):
            raise _too_long()
        return [line[5:] for line in lines if line[:5] == b"data:"]

    @property
    def inside(self) -> bool:
        """Whether a line has begun that has not ended."""
        return bool(b"".join(self._rest).strip())

    def _keep(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > LINE:
            raise _too_long()
        self._rest.append(piece)


def _too_long() -> Broken:
    return Broken("broken", "a line of its answer is too long")
