"""Between data and answer processes: a sealed flow and a chat go over a local socket, deltas come back.

A call of the shelf (`wiring.shelf`) goes the same way: one value comes back, in pieces where it is large. The socket
lies in run/, which belongs to the region's user alone; what crosses it is sealed with the region's key, so that nobody
who merely reaches the socket can ask in another's name.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import msgspec

from casemate import errors, frames
from casemate.access import Flow, Gate, pack, unpack
from casemate.errors import CasemateError, EngineFailed, Internal
from casemate.models import Answerer, ByPieces, Card, Chat, Delta, Usage
from casemate.objects import Ref
from casemate.wiring.local import connect, listen

__all__ = ["AnswerServer", "Near", "Performs", "Relay", "called"]

BOUND = 8 << 20
PIECE = 4 << 20

Performs = Callable[[Flow, msgspec.Raw], Awaitable[bytes]]
"""What an answer process does when the shelf is called: the flow and the call come in, its encoded result goes out."""


class _Asked(msgspec.Struct, frozen=True):
    """`what`: chat, or shelf. It only chooses how the sealed value is read; one read as the other is refused."""

    sealed: bytes
    what: str = "chat"


class _Piece(msgspec.Struct, frozen=True):
    """A delta, a piece of a result, or the error that ends it; neither: the end. `floor`: where it has risen to.

    `used`: kind, id and class of what it was made of, as far as that is known by now.
    """

    delta: Delta | None = None
    value: bytes = b""
    error: str = ""
    facts: dict[str, str | int | float] = {}
    entry: str = ""
    lent: tuple[str, ...] = ()
    floor: str = ""
    used: tuple[tuple[str, str, str], ...] = ()


class Relay(ByPieces):
    """Implements `models.Answerer` in a process that holds no knowledge."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    async def answer(self, flow: Flow, chat: Chat) -> AsyncIterator[Delta]:
        """The deltas of the answer process, and its errors as they were. BEGIN is durable first: it may lend."""
        async with contextlib.aclosing(_pieces(self._socket, flow, chat, "chat")) as pieces:
            async for piece in pieces:
                assert piece.delta is not None
                yield piece.delta


async def called(socket: Path, flow: Flow, call: object) -> bytes:
    """The encoded result of a call of the shelf, and its errors as they were."""
    async with contextlib.aclosing(_pieces(socket, flow, call, "shelf")) as pieces:
        return b"".join([piece.value async for piece in pieces])


async def _pieces(socket: Path, flow: Flow, value: object, what: str) -> AsyncGenerator[_Piece, None]:
    """What the other side sends, up to its end. Whatever was lent and marked there counts for the flow here."""
    await flow.durable()
    try:
        reader, writer = await connect(socket)
    except OSError:
        raise EngineFailed(engine="answer", why="no answer process") from None
    try:
        await frames.write(writer, _Asked(pack(flow, value), what))
        while True:
            piece = await _next(reader)
            flow.lent.extend(name for name in piece.lent if name not in flow.lent)
            flow.use(*(Ref(*each) for each in piece.used))
            if piece.floor:
                flow.bear(flow.gate.vault.region.policies.parse(piece.floor))
            if piece.error:
                raise _error(piece)
            if piece.delta is None and not piece.value:
                return
            yield piece
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

    def __init__(self, socket: Path, gate: Gate, answerer: Answerer, performs: Performs | None = None) -> None:
        self._socket = socket
        self._gate = gate
        self._answerer = answerer
        self._performs = performs
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
            if asked.what == "shelf" and self._performs is not None:
                flow, call = unpack(self._gate, asked.sealed, msgspec.Raw)
                await _send(writer, await self._performs(flow, call))
            else:
                flow, chat = unpack(self._gate, asked.sealed, Chat)
                async with contextlib.aclosing(self._answerer.answer(flow, chat)) as deltas:  # type: ignore[type-var]
                    async for delta in deltas:
                        await frames.write(writer, _Piece(delta, used=_used(flow)))
            last = _Piece(lent=tuple(flow.lent), floor=flow.floor.text, used=_used(flow))
        except CasemateError as error:
            last = _failed(flow, error)
        except OSError:
            return
        except Exception:  # noqa: BLE001 - whatever it was, the other side must not wait for ever
            last = _failed(flow, Internal())
        with contextlib.suppress(OSError):
            await frames.write(writer, last)


def _used(flow: Flow) -> tuple[tuple[str, str, str], ...]:
    return tuple((ref.kind, ref.id, ref.class_id) for ref in flow.used)


async def _send(writer: asyncio.StreamWriter, result: bytes) -> None:
    for start in range(0, len(result), PIECE):
        await frames.write(writer, _Piece(value=result[start : start + PIECE]))


def _failed(flow: Flow | None, error: CasemateError) -> _Piece:
    lent, floor = (tuple(flow.lent), flow.floor.text) if flow is not None else ((), "")
    return _Piece(error=type(error).__name__, facts=error.facts, entry=error.entry, lent=lent, floor=floor)
