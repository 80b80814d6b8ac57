"""The engines behind the store's ports, each opened in the same way, and small batches to try them with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from casemate.engines.sqlite import Limits, SqliteWriter
from casemate.engines.sqlite_read import SqliteReader
from casemate.engines.writer_socket import SocketCommitter, WriterServer
from casemate.ledger import leaf_hash
from casemate.store import Batch, Committer, EntryRow, Reader, RowDelete, RowPut, put_digest

ENGINES = ("sqlite", "sqlite-durable", "sqlite-socket")


@dataclass(frozen=True)
class Store:
    """A store under test: what commits, what reads, and the file behind them."""

    committer: Committer
    reader: Reader
    path: Path


@asynccontextmanager
async def opened(engine: str, folder: Path, limits: Limits | None = None) -> AsyncIterator[Store]:
    """A fresh store of that engine in a folder for temporary files."""
    path = folder / "data" / "records.db"
    writer = SqliteWriter(path, limits or Limits(low_water=0, ballast=0), durable=engine == "sqlite-durable")
    reader = SqliteReader(path)
    try:
        if engine != "sqlite-socket":
            yield Store(writer, reader, path)
            return
        server = WriterServer(folder / "run" / "writer.sock", writer)
        await server.start()
        client = SocketCommitter(folder / "run" / "writer.sock")
        try:
            yield Store(client, reader, path)
        finally:
            await client.close()
            await server.stop()
    finally:
        reader.close()
        writer.close()


def put(
    id: str,
    class_id: str = "class_a",
    kind: str = "document",
    sealed: bytes = b"sealed",
    blinds: Sequence[tuple[str, bytes]] = (),
    parents: Sequence[tuple[str, str, str]] = (),
    expect: int | None = None,
) -> RowPut:
    return RowPut(class_id, kind, id, sealed, put_digest(class_id, kind, id, sealed), blinds, parents, expect)


def entry(id: str, log: str = "class_a", content: bytes = b"", expires: int = 0) -> EntryRow:
    return EntryRow(log, id, leaf_hash(id.encode()), f"sealed {id}".encode(), content, expires)


def puts(*rows: RowPut, key: str = "", domain: str = "class_a") -> Batch:
    return Batch(domain=domain, key=key, puts=rows)


def deletes(*rows: RowDelete) -> Batch:
    return Batch(domain="class_a", deletes=rows)


def entries(*rows: EntryRow, key: str = "", domain: str = "class_a") -> Batch:
    return Batch(domain=domain, key=key, entries=rows)
