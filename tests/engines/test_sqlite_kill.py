"""kill -9 of the writing process at random instants: what was acknowledged is there, and nothing is there by half.

CASEMATE_KILL_ROUNDS sets how often (3 where it does not say).
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import apsw

from casemate.engines.sqlite_read import SqliteReader
from casemate.store import check

ROUNDS = int(os.environ.get("CASEMATE_KILL_ROUNDS", "3"))
CHILD = Path(__file__).with_name("writer_child.py")


def killed(folder: Path, round_: int, after: float) -> set[str]:
    """What a writer acknowledged before it was killed, `after` seconds beyond its first word."""
    with subprocess.Popen([sys.executable, str(CHILD), str(folder), str(round_)], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        first = child.stdout.readline()
        time.sleep(after)
        child.send_signal(signal.SIGKILL)
        rest = child.stdout.read()
    assert child.returncode == -signal.SIGKILL
    lines = (first + rest).split(b"\n")
    return {line.decode() for line in lines[:-1]}  # what follows the last line feed was cut off with the process


def test_nothing_acknowledged_is_lost_and_nothing_is_half_written(tmp_path: Path) -> None:
    chance = random.Random(7)
    acknowledged: set[str] = set()
    for round_ in range(ROUNDS):
        now = killed(tmp_path, round_, chance.uniform(0, 0.4))
        assert now
        acknowledged |= now
        reader = SqliteReader(tmp_path / "records.db")
        rows, _ = reader.scan("document", [], ["class_a"], None, 1 << 40)
        entries = reader.entries("class_a", 0, 1 << 40)
        reader.close()
        stored = {check(row).id for row in rows}
        assert acknowledged <= stored
        assert stored == {entry.id for entry in entries}
        assert [entry.seq for entry in entries] == list(range(len(entries)))
        db = apsw.Connection(str(tmp_path / "records.db"))
        assert db.execute("PRAGMA integrity_check").get == "ok"
        assert db.execute("SELECT count(*) FROM keys").get == len(stored)
        db.close()
