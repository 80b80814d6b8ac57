"""Where notices go: a file each in a folder, whole or not there; or a POST to a web hook, which takes it with 2xx."""

from __future__ import annotations

import os
from pathlib import Path

from casemate.access import Threads
from casemate.engines.http_exchange import Broken
from casemate.engines.http_pool import Pool
from casemate.engines.http_target import Target
from casemate.errors import EngineFailed, Unavailable

__all__ = ["FolderSink", "HookSink"]

SECONDS = 5.0
ANSWER = 64 << 10


class FolderSink:
    """Implements `missions.host.Outlet`: ID.json in a folder that is there."""

    def __init__(self, folder: Path, threads: Threads) -> None:
        self._folder = folder
        self._threads = threads

    async def send(self, partition: str, id: str, body: bytes) -> None:
        await self._threads.run(partition, self._write, id, body)

    def _write(self, id: str, body: bytes) -> None:
        draft = self._folder / f".{id}.part"
        try:
            with open(draft, "wb", opener=_private) as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._folder / f"{id}.json")
        except OSError:
            raise Unavailable(what="sink") from None


class HookSink:
    """Implements `missions.host.Outlet`. Each label domain has a connection of its own."""

    def __init__(self, name: str, url: str, ca_file: Path | None = None) -> None:
        """ValueError says what is wrong with the URL."""
        self._name = name
        target = Target(url, ca_file)
        self._pool = Pool(target, 1)
        self._head = (
            f"POST {target.path or '/'} HTTP/1.1\r\nHost: {target.authority}\r\nContent-Type: application/json\r\n"
            "User-Agent: casemate\r\n"
        ).encode("ascii")

    async def send(self, partition: str, id: str, body: bytes) -> None:
        del id
        try:
            exchange = await self._pool.ask(self._head, body, SECONDS, partition)
            try:
                await exchange.rest(ANSWER)
                taken = 200 <= exchange.status < 300
            finally:
                exchange.close()
        except Broken as broken:
            raise EngineFailed(engine=self._name, why=str(broken), cause=broken.cause) from None
        if not taken:
            raise EngineFailed(engine=self._name, why="it did not take the notice", cause="rejected")

    def close(self) -> None:
        """End its connections."""
        self._pool.close()


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)
