"""Between data and answer processes: a sealed flow and a chat go over a local socket, deltas come back.

The socket lies in run/, which belongs to the region's user alone; what crosses it is sealed with the region's key, so
that nobody who merely reaches the socket can ask in another's name.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import msgspec

from casemate import errors, frames
from casemate.access import Flow, Gate, pack, unpack
from casemate.errors import CasemateError, EngineFailed, Internal
from casemate.models import Answerer, ByPieces, Card, Chat, Delta, Usage
from casemate.wiring.local import connect, listen

__all__ = ["AnswerServer", "Near", "Relay"]

BOUND = 8 << 20


class _Asked(msgspec.Struct, frozen=True):
    sealed: bytes


class _Piece(msgspec.Struct, frozen=True):
    """A delta, or the error that ends the answer; neither: the end."""

    delta: Delta | None = None
    error: str = ""
    facts: dict[str, str | int | float] = {}
    entry: str = ""
    lent: tuple[str, ...] = ()


class Relay(ByPieces):
    """Implements `models.Answerer` in a process that holds no knowledge."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    async def answer(self, flow: Flow, chat: Chat) -> AsyncIterator[Delta]:
        """The deltas of the answer process, and its errors as they were. BEGIN is durable first: it may lend."""
        await flow.durable()
        try:
            reader, writer = await connect(self._socket)
        except OSError:
            raise EngineFailed(engine="answer", why="no answer process") from None
        try:
            await frames.write(writer, _Asked(pack(flow, chat)))
            while True:
                piece = await _next(reader)
                flow.lent.extend(name for name in piece.lent if name not in flow.lent)
                if piece.error:
                    raise _error(piece)
                if piece.delta is None:
                    return
                yield piece.delta
        finally:
            writer.close()


async def _next(reader: asyncio.StreamReader) -> _Piece:
    try:
        piece = await frames.read(reader, _Piece, BOUND)
    except (frames.FrameError, OSError):
        piece = None
    if piece is None:
        raise EngineFailed(engine="answer", why="it ended in the middle of an answer")
    return piece


def _error(piece: _Piece) -> CasemateError:
    kind = getattr(errors, piece.error, Internal)
    error: CasemateError = kind(**piece.facts)
    error.entry = piece.entry
    return error


class Near:
    """Implements `models.Answerer` where there is no knowledge: models are asked from here, knowledge over there."""

    def __init__(self, gateway: Answerer, relay: Answerer) -> None:
        self._gateway = gateway
        self._relay = relay

    def answer(self, flow: Flow, chat: Chat) -> AsyncIterator[Delta]:
        """The deltas, whoever makes them."""
        return (self._relay if chat.knowledge else self._gateway).answer(flow, chat)

    async def whole(self, flow: Flow, chat: Chat, told: list[Delta]) -> None:
        """As `answer`, told at once."""
        await (self._relay if chat.knowledge else self._gateway).whole(flow, chat, told)

    async def count(self, flow: Flow, chat: Chat) -> Usage:
        """As whoever would answer counts."""
        return await (self._relay if chat.knowledge else self._gateway).count(flow, chat)

    async def vectors(self, flow: Flow, card: Card, texts: Sequence[str]) -> list[list[float]]:
        """Models are asked from here."""
        return await self._gateway.vectors(flow, card, texts)


class AnswerServer:
    """The other end, in an answer process."""

    def __init__(self, socket: Path, gate: Gate, answerer: Answerer) -> None:
        self._socket = socket
        self._gate = gate
        self._answerer = answerer
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen; a socket file that a dead process left is replaced."""
        self._server = await asyncio.start_unix_server(self._talk, sock=listen(self._socket))

    async def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
            self._socket.unlink(missing_ok=True)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One question. Whoever has left is not answered any further."""
        try:
            asked = await frames.read(reader, _Asked, BOUND)
            if asked is not None:
                work = asyncio.ensure_future(self._answer(asked, writer))
                left = asyncio.ensure_future(reader.read(1))
                await asyncio.wait((work, left), return_when=asyncio.FIRST_COMPLETED)
                left.cancel()
                work.cancel()
                await asyncio.gather(work, left, return_exceptions=True)
        except (frames.FrameError, OSError):
            return
        finally:
            writer.close()

    async def _answer(self, asked: _Asked, writer: asyncio.StreamWriter) -> None:
        flow: Flow | None = None
        try:
            flow, chat = unpack(self._gate, asked.sealed, Chat)
            async with contextlib.aclosing(self._answerer.answer(flow, chat)) as deltas:  # type: ignore[type-var]
                async for delta in deltas:
                    await frames.write(writer, _Piece(delta))
            last = _Piece(lent=tuple(flow.lent))
        except CasemateError as error:
            last = _failed(flow, error)
        except OSError:
            return
        except Exception:  # noqa: BLE001 - whatever it was, the other side must not wait for ever
            last = _failed(flow, Internal())
        with contextlib.suppress(OSError):
            await frames.write(writer, last)


def _failed(flow: Flow | None, error: CasemateError) -> _Piece:
    lent = tuple(flow.lent) if flow is not None else ()
    return _Piece(None, type(error).__name__, error.facts, error.entry, lent)
