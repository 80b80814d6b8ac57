"""Pieces that are there already go out together: one send for whatever comes without waiting.

An asynchronous iterator that has several pieces ready gives them without suspending. So each step is driven by hand: as
long as it ends at once its piece is kept, and only when it waits for something is what was kept sent on. Nothing is
ever held back for a piece that is still to come, and a client that reads slowly makes the iterator wait.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from typing import Any

__all__ = ["Pump"]

MOST = 64 << 10  # bytes that are sent together


class Pump:
    """`await Pump(pieces, send)`: every piece, in order, in as few sends as there are waits."""

    __slots__ = ("_kept", "_pieces", "_send", "_size")

    def __init__(self, pieces: AsyncIterator[bytes], send: Callable[[bytes], Awaitable[None]]) -> None:
        self._pieces = pieces
        self._send = send
        self._kept: list[bytes] = []
        self._size = 0

    def __await__(self) -> Generator[Any, Any, None]:
        ended = False
        while not ended:
            try:
                ended = yield from self._step()
            except Exception:
                yield from self._flush()  # what was said before it broke off was said
                raise
            if self._size >= MOST:
                yield from self._flush()
        yield from self._flush()

    def _step(self) -> Generator[Any, Any, bool]:
        """One piece more; whether there was none."""
        step = self._pieces.__anext__().__await__()
        try:
            waits = next(step)
        except StopIteration as whole:
            self._keep(whole.value)
            return False
        except StopAsyncIteration:
            return True
        try:
            try:
                yield from self._flush()
            except BaseException as error:  # noqa: BLE001 - whoever makes the pieces ends before the one who sends them
                waits = step.throw(error)
            while True:
                try:
                    told = yield waits
                except BaseException as error:  # noqa: BLE001 - whatever is thrown in belongs to the one who waits
                    waits = step.throw(error)
                else:
                    waits = step.send(told)
        except StopIteration as whole:
            self._keep(whole.value)
            return False
        except StopAsyncIteration:
            return True

    def _keep(self, piece: bytes) -> None:
        self._kept.append(piece)
        self._size += len(piece)

    def _flush(self) -> Generator[Any, Any, None]:
        if self._kept:
            together, self._kept, self._size = b"".join(self._kept), [], 0
            yield from self._send(together).__await__()
