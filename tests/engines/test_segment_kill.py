"""kill -9 of a process that journals and folds: what was durable is in the logs, once, in order, and nothing by half.

CASEMATE_KILL_ROUNDS sets how often (3 where it does not say).
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from casemate.engines.segment_fold import Sequencer
from casemate.engines.sqlite import Limits, SqliteWriter
from casemate.engines.sqlite_read import SqliteReader

ROUNDS = int(os.environ.get("CASEMATE_KILL_ROUNDS", "3"))
CHILD = Path(__file__).with_name("segment_child.py")


def killed(folder: Path, round_: int, after: float) -> set[str]:
    """What a process called durable before it was killed, `after` seconds beyond its first word."""
    with subprocess.Popen([sys.executable, str(CHILD), str(folder), str(round_)], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        first = child.stdout.readline()
        time.sleep(after)
        child.send_signal(signal.SIGKILL)
        rest = child.stdout.read()
    assert child.returncode == -signal.SIGKILL
    return {line.decode() for line in (first + rest).split(b"\n")[:-1]}


def folded(folder: Path) -> tuple[list[str], list[str]]:
    """The entries of both logs once a new process has folded what the dead one left."""

    async def fold() -> None:
        writer = SqliteWriter(folder / "records.db", Limits(low_water=0, ballast=0))
        reader = SqliteReader(folder / "records.db")
        sequencer = Sequencer(folder / "segments", writer, reader.marks)
        await sequencer.start()
        await sequencer.fold()
        await sequencer.stop()
        assert reader.marks() == {}
        reader.close()
        writer.close()

    asyncio.run(fold())
    assert list((folder / "segments").iterdir()) == []
    reader = SqliteReader(folder / "records.db")
    logs = [reader.entries(log, 0, 1 << 40) for log in ("class_0", "class_1")]
    reader.close()
    for log in logs:
        assert [each.seq for each in log] == list(range(len(log)))
    return [each.id for each in logs[0]], [each.id for each in logs[1]]


def test_nothing_durable_is_lost_doubled_or_moved(tmp_path: Path) -> None:
    chance = random.Random(11)
    promised: set[str] = set()
    for round_ in range(ROUNDS):
        now = killed(tmp_path, round_, chance.uniform(0, 0.5))
        assert now
        promised |= now
        logs = folded(tmp_path)
        found = [*logs[0], *logs[1]]
        assert promised <= set(found)
        assert len(found) == len(set(found))
        for log in logs:
            for number in range(8):
                own = [id for id in log if id.startswith(f"{round_}_{number}_")]
                assert own == sorted(own)
