"""One region per folder: a lock that every process of the region holds, so that it lasts until the last one is gone.

Where a supervisor was killed, its children end by themselves; whoever starts the region again waits for them here.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
from pathlib import Path

from casemate.errors import Occupied
from casemate.wiring.folder import Folder

__all__ = ["hold"]

PATIENCE = 30.0
_PAUSE = 0.05


async def hold(folder: Folder) -> int:
    """The lock's descriptor, to be inherited by children. Raises Occupied where a living supervisor has it."""
    path = folder.run / "region.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    waited = 0.0
    try:
        while not _locked(descriptor):
            if _lives(path) or waited >= PATIENCE:
                raise Occupied(what=f"The region in {folder.path}")
            await asyncio.sleep(_PAUSE)
            waited += _PAUSE
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lives(path: Path) -> bool:
    """Whether the supervisor that wrote its number there is alive; unwritten, it is just about to be."""
    with contextlib.suppress(OSError, ValueError):
        os.kill(int(path.read_text() or "0"), 0)
        return True
    return False
