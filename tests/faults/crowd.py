"""Many clients at a few objects at once, with faults: what each did and heard, as a history."""

from __future__ import annotations

import asyncio
import random
import signal
import sys
from collections import Counter
from pathlib import Path

from casemate.engines.sqlite_read import SqliteReader
from casemate.engines.writer_socket import SocketCommitter
from casemate.errors import Conflict, Unavailable
from casemate.store import Batch, Committer, Reader, Receipt, RowDelete, check
from tests.contracts.stores import entry, put
from tests.faults.histories import Operation

CLASS, KIND, OBJECTS = "class_a", "document", 6
SERVER = Path(__file__).resolve().parents[1] / "engines" / "writer_server_child.py"


class Crowd:
    """`history` is what was done and heard, in the order of one clock that ticks at each call and return."""

    def __init__(self, committer: Committer, reader: Reader, seed: int) -> None:
        self.history: list[Operation] = []
        self.told: Counter[str] = Counter()
        self._committer, self._reader = committer, reader
        self._chance = random.Random(seed)
        self._clock = 0
        self._names = 0

    async def run(self, clients: int, turns: int) -> None:
        await asyncio.gather(*(self._client(turns) for _ in range(clients)))

    async def _client(self, turns: int) -> None:
        for _ in range(turns):
            name = f"o{self._chance.randrange(OBJECTS)}"
            seen = self._read(name)
            await asyncio.sleep(0)
            await self._write(name, seen)

    def _tick(self) -> int:
        self._clock += 1
        return self._clock

    def _read(self, name: str) -> int:
        called = self._tick()
        rows = self._reader.get(KIND, [name], [CLASS])
        version, value = (check(rows[0]).version, rows[0].sealed.decode()) if rows else (0, "")
        self.history.append(Operation(name, "read", called, self._tick(), "ok", None, value, version))
        return version

    async def _write(self, name: str, seen: int) -> None:
        """A change at the version that was seen, or at whatever there is; now and then cancelled in the middle."""
        self._names += 1
        value, key = f"v{self._names}", f"k{self._names}" if self._chance.random() < 0.8 else ""
        expect = seen if self._chance.random() < 0.7 else None
        removes = self._chance.random() < 0.1 and seen > 0
        if removes:
            batch = Batch(CLASS, key, deletes=[RowDelete(CLASS, KIND, name, expect)], entries=[entry(value)])
        else:
            batch = Batch(CLASS, key, [put(name, sealed=value.encode(), expect=expect)], entries=[entry(value)])
        called = self._tick()
        work = asyncio.ensure_future(self._committer.commit(batch))
        if self._chance.random() < 0.1:
            asyncio.get_running_loop().call_later(self._chance.random() * 0.01, work.cancel)
        receipt: Receipt | None = None
        outcome = "unheard"
        try:
            receipt = await work
            outcome = "ok"
        except Conflict:
            outcome = "conflict"
        except (Unavailable, asyncio.CancelledError):
            pass
        self.told[outcome] += 1
        version = receipt.versions[0] if receipt is not None and receipt.versions else 0
        returned = float("inf") if outcome == "unheard" else self._tick()
        kind = "delete" if removes else "put"
        self.history.append(Operation(name, kind, called, returned, outcome, expect, value, version))  # type: ignore[arg-type]
        if receipt is not None and key and self._chance.random() < 0.2:
            await self._again(batch, receipt)

    async def _again(self, batch: Batch, receipt: Receipt) -> None:
        """The same batch under the same key gives the same receipt and does nothing: no operation of the history."""
        try:
            again = await self._committer.commit(batch)
        except Unavailable:
            return
        self.told["again"] += 1
        assert (again.entries, again.versions) == (receipt.entries, receipt.versions)
        assert again.replayed


async def killed_writer(folder: Path, seed: int, clients: int, turns: int, kills: int) -> Crowd:
    """A crowd over the socket of a writer in a process of its own, which is killed and started again meanwhile."""
    chance = random.Random(seed)

    async def start() -> asyncio.subprocess.Process:
        child = await asyncio.create_subprocess_exec(
            sys.executable, str(SERVER), str(folder), stdout=asyncio.subprocess.PIPE
        )
        assert child.stdout is not None
        assert await child.stdout.readline() == b"ready\n"
        return child

    child = await start()
    client = SocketCommitter(folder / "run" / "writer.sock", patience=60)
    reader = SqliteReader(folder / "data" / "records.db")
    crowd = Crowd(client, reader, seed)
    working = asyncio.ensure_future(crowd.run(clients, turns))
    try:
        for _ in range(kills):
            await asyncio.sleep(chance.uniform(0.02, 0.12))
            child.send_signal(signal.SIGKILL)
            await child.wait()
            crowd.told["kills"] += 1
            child = await start()
        await working
        whole(reader)
    finally:
        await client.close()
        reader.close()
        child.terminate()
        await child.wait()
    return crowd


def whole(reader: SqliteReader) -> None:
    """Entries stand without a hole, each once."""
    entries = reader.entries(CLASS, 0, 1 << 40)
    assert [each.seq for each in entries] == list(range(len(entries)))
    assert len({each.id for each in entries}) == len(entries)
