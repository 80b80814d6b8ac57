"""Between those who write blobs of a class and whoever sweeps it: a lock on a folder, across processes.

Whoever finds that what he would write lies there already gives it this moment's date before he trusts in it; whoever
sweeps looks at the date and removes in one grasp. So a blob that somebody is about to name is young, or written anew.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["fenced", "removed", "touched"]


@contextmanager
def fenced(folder: Path) -> Iterator[None]:
    """Alone with that folder, whichever process and thread asks. Raises FileNotFoundError where it is absent."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def touched(folder: Path, path: Path, now: int) -> bool:
    """Give a file this moment's date (microseconds); whether there is one."""
    try:
        with fenced(folder):
            os.utime(path, ns=(now * 1000, now * 1000))
    except FileNotFoundError:
        return False
    return True


def removed(folder: Path, path: Path, before: int | None, then: Callable[[int], None]) -> bool:
    """Remove a file that nobody has written or touched since `before` (microseconds; None: in any case).

    `then` is told its size before anybody else has the folder to himself.
    """
    try:
        with fenced(folder):
            told = path.stat()
            if before is not None and told.st_mtime_ns // 1000 >= before:
                return False
            path.unlink()
            then(told.st_size)
            return True
    except FileNotFoundError:
        return False
