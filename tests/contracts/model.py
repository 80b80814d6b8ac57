"""The store as a model: what a batch does, in a few lines, and a store of any engine that can be killed and opened."""

from __future__ import annotations

import asyncio
import copy
import random
import shutil
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from casemate.engines.postgres import PostgresWriter
from casemate.engines.postgres_link import Target
from casemate.engines.postgres_read import PostgresReader
from casemate.errors import Conflict, ShareFull
from casemate.store import Batch, Receipt, Share
from tests.contracts.stores import Store, opened, unbounded
from tests.engines.postgres_server import shared


@dataclass
class Model:
    """`rows`: (class, kind, id) -> (version, place, sealed). Places and sizes of logs only grow."""

    rows: dict[tuple[str, str, str], tuple[int, int, bytes]] = field(default_factory=dict)
    places: dict[tuple[str, str], int] = field(default_factory=dict)
    logs: dict[str, list[str]] = field(default_factory=dict)
    keys: dict[tuple[str, str], Receipt] = field(default_factory=dict)
    said: dict[tuple[str, int], tuple[int, bytes]] = field(default_factory=dict)
    share: Share = unbounded

    def used(self, class_id: str) -> int:
        """What a class takes, made again from what lies there: 256 bytes for each row and entry beside its own."""
        rows = [256 + len(sealed) for (lies, _, _), (_, _, sealed) in self.rows.items() if lies == class_id]
        return sum(rows) + sum(
            size + len(content) for (log, _), (size, content) in self.said.items() if log == class_id
        )

    def commit(self, batch: Batch) -> Receipt:
        """What the store must answer. Raises Conflict or ShareFull, and then nothing has happened."""
        if batch.key and (batch.domain, batch.key) in self.keys:
            told = self.keys[batch.domain, batch.key]
            return Receipt(told.entries, told.versions, replayed=True)
        after = copy.deepcopy(self)
        versions = [after._put(put.class_id, put.kind, put.id, put.sealed, put.expect) for put in batch.puts]
        for delete in batch.deletes:
            name = (delete.class_id, delete.kind, delete.id)
            after._expect(name, delete.expect)
            after.rows.pop(name, None)
        entries = []
        for entry in batch.entries:
            log = after.logs.setdefault(entry.log, [])
            if entry.id in log:
                raise Conflict(what="entry")
            entries.append((entry.log, len(log)))
            after.said[entry.log, len(log)] = (256 + len(entry.sealed), entry.content)
            log.append(entry.id)
        for forget in batch.forgets:
            if (forget.log, forget.seq) in after.said:
                after.said[forget.log, forget.seq] = (after.said[forget.log, forget.seq][0], b"")
        for class_id in {put.class_id for put in batch.puts}.difference(batch.spares):
            most, used = self.share(class_id), after.used(class_id)
            if not any(each.class_id == class_id for each in batch.deletes):
                most -= most // 4
            if most and used > max(most, self.used(class_id)):
                raise ShareFull(share=self.share(class_id))
        receipt = Receipt(tuple(entries), tuple(versions))
        if batch.key:
            after.keys[batch.domain, batch.key] = receipt
        self.__dict__.update(after.__dict__)
        return receipt

    def _expect(self, name: tuple[str, str, str], expect: int | None) -> None:
        if expect is not None and expect != self.rows.get(name, (0,))[0]:
            raise Conflict(what="row")

    def _put(self, class_id: str, kind: str, id: str, sealed: bytes, expect: int | None) -> int:
        name, place = (class_id, kind, id), (class_id, kind)
        self._expect(name, expect)
        if name not in self.rows:
            self.places[place] = self.places.get(place, 0) + 1
            self.rows[name] = (0, self.places[place], b"")
        version, seq, _ = self.rows[name]
        self.rows[name] = (version + 1, seq, sealed)
        return version + 1


class Lived:
    """A store of an engine from its first opening to its end, over every crash between."""

    def __init__(self, engine: str, folder: Path, share: Share = unbounded) -> None:
        self.engine = engine
        self._folder = folder
        self._share = share
        self._life = 0
        self._stack = AsyncExitStack()
        self._server = shared().lent() if engine == "postgresql" else None
        self._target: Target | None = self._server.__enter__() if self._server is not None else None
        self.store: Store

    async def open(self) -> None:
        if self._target is None:
            self.store = await self._stack.enter_async_context(opened(self.engine, self._place(), share=self._share))
            return
        writer, reader = PostgresWriter(self._target, share=self._share), PostgresReader(self._target)
        self._stack.callback(writer.close)
        self._stack.callback(reader.close)
        self.store = Store(writer, reader, self._folder)

    async def close(self) -> None:
        await self._stack.aclose()

    def end(self) -> None:
        if self._server is not None:
            self._server.__exit__(None, None, None)

    async def crash(self, seed: int) -> None:
        """Another process finds what this one has written until now, and behind it what it was writing."""
        if self._target is not None:
            shared().run(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
                f"AND datname = '{self._target.dbname}'"
            )
            await self.close()
            await self.open()
            return
        left = self._place() / "data"
        self._life += 1
        shutil.copytree(left, self._place() / "data")
        await self.close()
        chance, wal = random.Random(seed), self._place() / "data" / "records.db-wal"
        (wal.parent / "records.db-shm").unlink(missing_ok=True)
        if wal.exists() and wal.stat().st_size:
            with wal.open("ab") as file:  # half of a group that nobody was promised
                file.write(chance.randbytes(chance.randrange(9000)))
        await self.open()

    def _place(self) -> Path:
        return self._folder / f"{self._life}"


async def outcome(store: Store, batch: Batch) -> Receipt | str:
    """What a batch came to."""
    try:
        return await store.committer.commit(batch)
    except Conflict:
        return "conflict"
    except ShareFull as full:
        return f"full {full.facts['share']}"


async def outcomes(store: Store, batches: list[Batch]) -> list[Receipt | str]:
    """Sent at once, in this order."""
    return list(await asyncio.gather(*(outcome(store, batch) for batch in batches)))
