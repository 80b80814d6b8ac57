"""Blocks of a MiB come and go a hundred times a second: their memory is kept, and not given back each time.

glibc gives such pieces back to the kernel at once and gets them anew page by page, which costs as much as the repair
itself. The process keeps no more than it once had in use.
"""

from __future__ import annotations

import ctypes

__all__ = ["keep_freed_memory"]

TRIM_THRESHOLD, TOP_PAD, MMAP_THRESHOLD = -1, -2, -3
KEPT = 1 << 30


def keep_freed_memory() -> bool:
    """For the rest of this process; whether its C library can."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return False
    asked = ((TRIM_THRESHOLD, KEPT), (TOP_PAD, 32 << 20), (MMAP_THRESHOLD, 32 << 20))
    return bool(sum(mallopt(name, value) for name, value in asked) == len(asked))
