"""The writer behind a local socket: other processes send it Batches and wait for receipts.

    client --[number, Batch]--> server --> Committer          client <--[number, Receipt | error]-- server
    client --[number]---------> server --> fold               client <--[number, Receipt | error]-- server
    client --[number, backup]-> server --> backup             client <--[number, Receipt | error]-- server

Frames of the room `frames`, many commits at once on one connection. Only processes of the same user are heard (the
kernel says who they are). A client whose connection breaks sends a batch that has a key again, for it can land only
once; one without a key is reported as unavailable, for it may or may not have landed.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import msgspec

from casemate import frames
from casemate.errors import CasemateError, Internal, Occupied, Unavailable, tree
from casemate.store import Batch, Committer, Receipt

__all__ = ["SocketCommitter", "WriterServer"]

_PEER = struct.Struct("3i")  # struct ucred: pid, uid, gid
_BOUND = 64 << 20
_PAUSE = 0.05
_KINDS = {kind.__name__: kind for kind in tree()}


class _Ask(msgspec.Struct, frozen=True, array_like=True):
    """A batch to commit; without one, a request to fold the journal, or for an increment of the backup.

    `backup`: with what a drill compares, or without it.
    """

    number: int
    batch: Batch | None = None
    backup: bool | None = None


class _Answer(msgspec.Struct, frozen=True, array_like=True):
    number: int
    receipt: Receipt | None = None
    error: str = ""
    facts: dict[str, str | int | float] = {}


class WriterServer:
    """Listens on a socket file (mode 0600) and hands what comes to a committer."""

    def __init__(
        self,
        path: Path,
        committer: Committer,
        uid: int | None = None,
        fold: Callable[[], Awaitable[None]] | None = None,
        backup: Callable[[bool], Awaitable[None]] | None = None,
    ) -> None:
        """`uid` is the user who is heard; by default the one that this process runs as. `fold` folds the journal.

        `backup` makes an increment.
        """
        self._path = path
        self._committer = committer
        self._fold = fold
        self._backup = backup
        self._uid = os.getuid() if uid is None else uid
        self._server: asyncio.Server | None = None
        self._talks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Raises Occupied where another writer answers there already; a dead one's socket file is replaced."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _reachable(self._path) as name:
            listening = _listen(self._path, name)
            self._server = await asyncio.start_unix_server(self._talk, sock=listening)

    async def stop(self) -> None:
        """Stop listening, drop the connections, remove the socket file."""
        if self._server is not None:
            self._server.close()
            self._path.unlink(missing_ok=True)
            self._server = None
        for talk in list(self._talks):
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.current_task()
        assert talk is not None
        self._talks.add(talk)
        works: set[asyncio.Task[None]] = set()
        try:
            if _peer_uid(writer) != self._uid:
                return
            while (ask := await frames.read(reader, _Ask, _BOUND)) is not None:
                work = asyncio.create_task(self._answer(ask, writer))
                works.add(work)
                work.add_done_callback(works.discard)
        except (frames.FrameError, OSError):
            return  # not one of ours, or gone: its connection ends here and nothing else does
        except asyncio.CancelledError:
            return
        finally:
            self._talks.discard(talk)
            writer.close()

    async def _answer(self, ask: _Ask, writer: asyncio.StreamWriter) -> None:
        try:
            answer = _Answer(ask.number, await self._done(ask))
        except CasemateError as error:
            answer = _Answer(ask.number, None, type(error).__name__, error.facts)
        except Exception:  # noqa: BLE001 - whatever it was, the other side must not wait for ever
            answer = _Answer(ask.number, None, Internal.__name__)
        with contextlib.suppress(OSError):
            await frames.write(writer, answer)

    async def _done(self, ask: _Ask) -> Receipt:
        if ask.batch is not None:
            return await self._committer.commit(ask.batch)
        if ask.backup is not None:
            if self._backup is None:
                raise Unavailable(what="backup")
            await self._backup(ask.backup)
            return Receipt()
        if self._fold is None:
            raise Unavailable(what="journal")
        await self._fold()
        return Receipt()


class SocketCommitter:
    """The Committer port over the socket. Connects when first needed, and again after the writer was restarted.

    `patience` (seconds) is how long a commit waits for a writer to answer there.
    """

    def __init__(self, path: Path, patience: float = 5.0) -> None:
        self._path = path
        self._patience = patience
        self._line: _Line | None = None
        self._connecting = asyncio.Lock()

    async def commit(self, batch: Batch) -> Receipt:
        return await self._asked(batch, bool(batch.key))

    async def fold(self) -> None:
        """Have the journal folded; see `Journal.fold`. Raises Unavailable, Damaged."""
        await self._asked(None, True)

    async def backup(self, tables: bool) -> None:
        """Have an increment made; see `custody.backups.Backing.run`. Raises StorageFull, Unavailable, Damaged."""
        await self._asked(None, True, tables)

    async def _asked(self, batch: Batch | None, again: bool, backup: bool | None = None) -> Receipt:
        """Ask, and ask again over a new connection where that does no harm."""
        deadline = asyncio.get_running_loop().time() + self._patience
        while True:
            line = await self._connected(deadline)
            try:
                return await line.ask(batch, backup)
            except ConnectionError:
                if not again or asyncio.get_running_loop().time() >= deadline:
                    raise Unavailable(what="store") from None
                await asyncio.sleep(_PAUSE)

    async def close(self) -> None:
        if self._line is not None:
            await self._line.close()
            self._line = None

    async def _connected(self, deadline: float) -> _Line:
        async with self._connecting:
            while self._line is None or self._line.ended:
                try:
                    self._line = await _Line.open(self._path)
                except OSError:
                    if asyncio.get_running_loop().time() >= deadline:
                        raise Unavailable(what="store") from None
                    await asyncio.sleep(_PAUSE)
            return self._line


class _Line:
    """One connection and the commits that wait on it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._waiting: dict[int, asyncio.Future[Receipt]] = {}
        self._asked = 0
        self.ended = False
        self._listening = asyncio.create_task(self._listen(reader))

    @classmethod
    async def open(cls, path: Path) -> _Line:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.setblocking(False)
            with _reachable(path) as name:
                await asyncio.get_running_loop().sock_connect(connection, name)
            return cls(*await asyncio.open_unix_connection(sock=connection))
        except BaseException:
            connection.close()
            raise

    async def ask(self, batch: Batch | None, backup: bool | None = None) -> Receipt:
        """Raises ConnectionError where the line ends before the answer."""
        self._asked += 1
        number = self._asked
        future: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        try:
            await frames.write(self._writer, _Ask(number, batch, backup))
            return await future
        finally:
            self._waiting.pop(number, None)

    async def close(self) -> None:
        self._listening.cancel()
        await asyncio.gather(self._listening, return_exceptions=True)

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        try:
            while (answer := await frames.read(reader, _Answer, _BOUND)) is not None:
                _settle(self._waiting.get(answer.number), answer)
        except (frames.FrameError, OSError):
            pass
        finally:
            self.ended = True
            self._writer.close()
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(ConnectionError())


def _settle(future: asyncio.Future[Receipt] | None, answer: _Answer) -> None:
    """Hand the answer to whoever waits for it still."""
    if future is None or future.done():
        return
    if answer.receipt is not None:
        future.set_result(answer.receipt)
    else:
        future.set_exception(_KINDS.get(answer.error, Internal)(**answer.facts))


def _listen(path: Path, name: str) -> socket.socket:
    """A bound socket that only its owner may connect to."""
    if path.exists():
        _replace(path, name)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listening.bind(name)
        path.chmod(0o600)
        listening.listen(128)
        listening.setblocking(False)
    except BaseException:
        listening.close()
        raise
    return listening


def _replace(path: Path, name: str) -> None:
    """Remove a socket file behind which nobody listens. Raises Occupied for anything else of that name."""
    if not path.is_socket():
        raise Occupied(what=path.name)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(name)
        except ConnectionRefusedError:
            path.unlink()
            return
    raise Occupied(what=path.name)


@contextlib.contextmanager
def _reachable(path: Path) -> Iterator[str]:
    """A name for the socket that fits in the kernel's 108 bytes, however deep its folder lies."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def _peer_uid(writer: asyncio.StreamWriter) -> int:
    """The user on the other side, as the kernel tells it."""
    peer: socket.socket = writer.get_extra_info("socket")
    _, uid, _ = _PEER.unpack(peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))
    return int(uid)
