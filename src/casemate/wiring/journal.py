"""The journal of a process of the region: its own segments, and beside the writer the one that folds them."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable

from casemate.engines.segment import SegmentJournal
from casemate.engines.segment_fold import Sequencer
from casemate.settings import Settings
from casemate.store import Committer, Journal
from casemate.wiring.ending import not_synced
from casemate.wiring.folder import Folder
from casemate.wiring.store import reader_of

__all__ = ["journal_of", "sequence"]


def journal_of(
    folder: Folder, fold: Callable[[], Awaitable[None]], closers: list[Callable[[], Awaitable[None]]]
) -> Journal:
    """This process's own segments; its closer writes what waits."""
    journal = SegmentJournal(folder.segments, fold, lost=not_synced)

    async def close() -> None:
        await asyncio.to_thread(journal.close)

    closers.append(close)
    return journal


async def sequence(
    folder: Folder, settings: Settings, writer: Committer, closers: list[Callable[[], Awaitable[None]]]
) -> Sequencer:
    """Fold into that writer, beginning with what was left; its closer folds once more, before the writer's own."""
    reader = reader_of(folder, settings)
    sequencer = Sequencer(folder.segments, writer, reader.marks, _tell)

    async def close() -> None:
        await sequencer.stop()
        reader.close()

    closers.append(close)
    await sequencer.start()
    return sequencer


def _tell(name: str, what: str) -> None:
    """A segment's name says nothing of what is in it."""
    print(f"casemate: journal segment {name}: {what}", file=sys.stderr)
