"""The engines behind the store's ports, each opened in the same way, and small batches to try them with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from casemate.engines.blob_cache import BlobCache
from casemate.engines.files import FileBlobs
from casemate.engines.key_store import KeyStore
from casemate.engines.postgres import PostgresLimits, PostgresWriter
from casemate.engines.postgres_read import PostgresReader
from casemate.engines.s3_blobs import S3Blobs
from casemate.engines.sqlite import Limits, SqliteWriter
from casemate.engines.sqlite_read import SqliteReader
from casemate.engines.writer_socket import SocketCommitter, WriterServer
from casemate.ledger import leaf_hash
from casemate.store import Batch, Blobs, Committer, EntryRow, Reader, RowDelete, RowPut, Share, put_digest
from tests.engines.postgres_server import shared
from tests.engines.s3_server import serving

BLOBS = ("files", "s3", "s3-cached")
ENGINES = ("sqlite", "sqlite-durable", "sqlite-socket", "postgresql")


def unbounded(_class_id: str) -> int:
    """No class has a share."""
    return 0


@contextmanager
def blobs_of(engine: str, folder: Path) -> Iterator[Blobs]:
    """A place for blobs of that engine, in a folder for temporary files or in a server that is asked over loopback."""
    sealer = KeyStore(folder / "keys")
    if engine == "files":
        yield FileBlobs(folder / "data" / "blobs", sealer)
        return
    with serving() as server:
        yield S3Blobs(server.bucket(), sealer, BlobCache(folder / "cache", 8 << 20) if engine != "s3" else None)


@dataclass(frozen=True)
class Store:
    """A store under test: what commits, what reads, and the file behind them where there is one."""

    committer: Committer
    reader: Reader
    path: Path


@asynccontextmanager
async def opened(
    engine: str, folder: Path, limits: Limits | None = None, share: Share = unbounded
) -> AsyncIterator[Store]:
    """A fresh store of that engine in a folder for temporary files, or in the PostgreSQL of this run."""
    if engine == "postgresql":
        async with in_postgres(limits, share) as store:
            yield store
        return
    path = folder / "data" / "records.db"
    limits = limits or Limits(low_water=0, ballast=0)
    writer = SqliteWriter(path, limits, durable=engine == "sqlite-durable", share=share)
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


@asynccontextmanager
async def in_postgres(limits: Limits | None = None, share: Share = unbounded) -> AsyncIterator[Store]:
    """A fresh database of a real server. Skips where there is none."""
    server = shared()
    limits = limits or Limits()
    with server.lent() as target:
        writer = PostgresWriter(target, PostgresLimits(limits.bound, limits.share), share)
        reader = PostgresReader(target)
        try:
            yield Store(writer, reader, server.folder)
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
