"""Tides are looked up once for each state of the store; what is remembered is never older than what is committed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from unittest.mock import patch

from casemate.engines.sqlite import SqliteWriter
from casemate.engines.sqlite_read import KEPT, SqliteReader
from tests.engines.backing import batch


async def test_a_question_is_looked_up_again_only_after_a_commit(tmp_path: Path) -> None:
    writer = SqliteWriter(tmp_path / "records.db")
    reader, lookups = SqliteReader(tmp_path / "records.db"), 0
    look = reader._looked_up

    def counted(*asked: Any) -> list[int]:
        nonlocal lookups
        lookups += 1
        return look(*asked)

    with patch.object(reader, "_looked_up", counted):
        for turn in range(1, 4):
            await writer.commit(batch(f"turn-{turn}"))
            answers = [reader.tides(("k",), ["c", "d"]) for _ in range(5)]
            assert answers == [[turn, 0]] * 5
            assert lookups == turn
            answers[0][0] = 99  # what is given away is nobody else's
        assert reader.tides(("k",), ["c", "d"]) == [3, 0]
        assert reader.tides(("k",), ["d", "c"]) == [0, 3]
        assert reader.tides(("j", "k"), ["c"]) == [0, 3]
        for at in range(KEPT + 1):
            reader.tides(("k",), [f"class-{at}"])
        assert len(reader._tides) == KEPT
    reader.close()
    writer.close()


async def test_what_is_acknowledged_is_seen_by_the_next_question(tmp_path: Path) -> None:
    """Readers ask all the while, each in a thread of its own: none goes back, and none misses what was acknowledged."""
    writer = SqliteWriter(tmp_path / "records.db")
    acknowledged, ended = 0, False

    def asking() -> None:
        reader, last = SqliteReader(tmp_path / "records.db"), 0
        while not ended:
            least = acknowledged
            [now] = reader.tides(("k",), ["c"])
            assert now >= max(least, last)
            last = now
        reader.close()

    readers = [asyncio.create_task(asyncio.to_thread(asking)) for _ in range(2)]
    for turn in range(1, 101):
        await writer.commit(batch(f"turn-{turn}"))
        acknowledged = turn
    ended = True
    await asyncio.gather(*readers)
    writer.close()
