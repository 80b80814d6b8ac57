"""kill -9 at random instants, of the server with all its children and of the writer: what was acknowledged is there.

Nothing lies there by half, a key is used once, the writer that lives finds its server again, and one that follows a
killed one has the lock at once. The ordinary suite runs a few rounds from a new seed, the long one all.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from casemate.engines.postgres_link import Target
from casemate.engines.postgres_read import PostgresReader
from casemate.engines.postgres_schema import open_writer, take_lock
from casemate.store import check
from tests.engines.postgres_server import Server, gone, made, shared
from tests.laws.long import leave

CHILD = Path(__file__).with_name("postgres_child.py")
ROUNDS, FEW = 15, 2


class Writing:
    """A writer in a process of its own, and what it has acknowledged so far."""

    def __init__(self, target: Target, round_: int) -> None:
        self.acknowledged: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, str(CHILD), target.host, target.dbname, str(round_)], stdout=subprocess.PIPE
        )
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.endswith(b"\n"):
                self.acknowledged.append(line.decode().strip())

    def until(self, more: int) -> None:
        """Wait until so many more were acknowledged."""
        wanted, end = len(self.acknowledged) + more, time.monotonic() + 60
        while len(self.acknowledged) < wanted:
            assert self.process.poll() is None
            assert time.monotonic() < end, "the writer did not come back"
            time.sleep(0.005)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self._thread.join()
        assert self.process.stdout is not None
        self.process.stdout.close()


@contextmanager
def writing(target: Target, round_: int) -> Iterator[Writing]:
    child = Writing(target, round_)
    try:
        yield child
    finally:
        child.kill()


def held(server: Server, target: Target, acknowledged: set[str]) -> int:
    """Nothing acknowledged is lost, nothing is half there, nothing is there twice; how many there are.

    The server may still be committing what a killed writer sent last: whoever has the lock comes after it.
    """
    link = open_writer(target)
    take_lock(link, 20.0)
    link.close()
    reader = PostgresReader(target)
    rows, _ = reader.scan("document", [], ["class_a"], None, 1 << 40)
    entries = reader.entries("class_a", 0, 1 << 40)
    sizes = reader.sizes()
    reader.close()
    stored = [check(row).id for row in rows]
    assert acknowledged <= set(stored), "an acknowledged row is lost"
    assert sorted(stored) == sorted(entry.id for entry in entries), "half a batch"
    assert all(row.version == 1 for row in rows), "a retry landed twice"
    assert [entry.seq for entry in entries] == list(range(len(entries)))
    assert all(entry.content == entry.id.encode() for entry in entries)
    assert sizes == {"class_a": len(entries)}
    assert server.run("SELECT count(*) FROM casemate.keys", target.dbname) == [(str(len(stored)),)]
    return len(stored)


def server_killed(rounds: int, seed: int) -> int:
    chance = random.Random(seed)
    server = made()
    try:
        target = server.database()
        acknowledged: set[str] = set()
        stored = 0
        for round_ in range(rounds):
            with writing(target, round_) as child:
                child.until(20)
                time.sleep(chance.uniform(0, 0.4))
                server.kill()
                server.start()
                child.until(20)  # the same process has found its way back
            acknowledged |= set(child.acknowledged)
            stored = held(server, target, acknowledged)
        return stored
    finally:
        gone(server)


def writer_killed(rounds: int, seed: int) -> int:
    chance = random.Random(seed)
    with shared().lent() as target:
        acknowledged: set[str] = set()
        stored = 0
        for round_ in range(rounds):
            with writing(target, round_) as child:
                child.until(20)
                time.sleep(chance.uniform(0, 0.3))
            acknowledged |= set(child.acknowledged)
            stored = held(shared(), target, acknowledged)
        return stored


def test_a_server_that_is_killed_loses_nothing_acknowledged() -> None:
    seed = random.SystemRandom().randrange(1 << 30)
    print(f"\nkill -9 of PostgreSQL: {FEW} rounds from seed {seed}")
    assert server_killed(FEW, seed)


def test_a_writer_that_is_killed_leaves_nothing_by_half() -> None:
    seed = random.SystemRandom().randrange(1 << 30)
    print(f"\nkill -9 of the writer on PostgreSQL: {FEW} rounds from seed {seed}")
    assert writer_killed(FEW, seed)


@pytest.mark.long
def test_fifteen_rounds_of_kill() -> None:
    seed = random.SystemRandom().randrange(1 << 30)
    print(
        f"\nkill -9 of PostgreSQL and of its writer: {ROUNDS} rounds each from seed {seed}, load {os.getloadavg()[0]}"
    )
    stored = server_killed(ROUNDS, seed)
    stored_too = writer_killed(ROUNDS, seed)
    leave("postgres_kill", rounds=2 * ROUNDS, stored=stored + stored_too, seed=seed, lost=0, half=0)
