"""Memory for what is decrypted and stays: anonymous, never on a disk, locked where the system allows it, and bounded.

Nothing of it is written to swap while it is locked, none of it goes into a core dump or a child, and it is overwritten
before it goes back to the system. An arena belongs to one label domain: two that shared one would see in what is left
how much the other holds.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import resource
import weakref
from collections import deque
from threading import Lock

from casemate.errors import Unavailable

__all__ = ["Arena", "lockable"]

SLAB = 4 << 20
SMALL = SLAB // 8  # what is smaller shares a slab with others
_ALIGN = 64
_HUGE = 2 << 20
_PROBED = 64 << 20  # a limit below this is tried: who may lock more than it may lock anything
_DONTFORK, _HUGEPAGE, _DONTDUMP = 10, 14, 16  # Linux, asm-generic/mman-common.h
_FAILED = ctypes.c_void_p(-1).value

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = (
    ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long,
)  # fmt: skip
for _name in ("mlock", "munmap"):
    getattr(_libc, _name).argtypes = (ctypes.c_void_p, ctypes.c_size_t)
_libc.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)


class Arena:
    """At most `bound` bytes. `locked`: whether every byte of it so far is kept out of swap.

    What `take` gave is free once nobody holds a view of it. Small pieces share a slab, which is free when all are.
    """

    def __init__(self, bound: int) -> None:
        self.bound = bound
        self.locked = True
        self._mapped = 0
        self._freed: deque[int] = deque()  # a finalizer may run in the middle of anything: it only appends
        self._lock = Lock()
        self._slab = memoryview(bytearray())
        self._used = 0

    @property
    def held(self) -> int:
        """How many bytes are mapped now."""
        with self._lock:
            return self._count()

    def take(self, size: int) -> memoryview:
        """So many zeroed bytes to write to. Raises Unavailable at the bound, or where the system has none."""
        with self._lock:
            if size > SMALL:
                return self._map(size)[:size]
            if self._used + size > len(self._slab):
                self._slab, self._used = self._map(SLAB), 0
            piece = self._slab[self._used : self._used + size]
            self._used += -(-size // _ALIGN) * _ALIGN
            return piece

    def close(self) -> None:
        """Let go of the slab that small pieces are cut from; views that somebody holds stay as they are."""
        with self._lock:
            self._slab, self._used = memoryview(bytearray()), 0

    def _map(self, size: int) -> memoryview:
        whole = -(-size // mmap.PAGESIZE) * mmap.PAGESIZE
        if self._count() + whole > self.bound:
            raise Unavailable(what="memory")
        address = _mapped(whole)
        if not address:
            raise Unavailable(what="memory")
        self._mapped += whole
        self.locked &= _libc.mlock(address, whole) == 0
        array = (ctypes.c_ubyte * whole).from_address(address)
        weakref.finalize(array, _release, address, whole, self._freed, os.getpid()).atexit = False
        return memoryview(array).cast("B")

    def _count(self) -> int:
        while self._freed:
            self._mapped -= self._freed.popleft()
        return self._mapped


def lockable() -> int:
    """How many bytes this process may lock; -1 where there is no limit, or none for who it runs as (CAP_IPC_LOCK)."""
    soft, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    if soft == resource.RLIM_INFINITY:
        return -1
    if soft < _PROBED:
        beyond = Arena(2 * _PROBED)
        beyond.take(soft + _HUGE)
        if beyond.locked:
            return -1
    return soft


def _mapped(size: int) -> int:
    """The address of fresh private memory, 0 where there is none; in huge pages where that spares time."""
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    address = _libc.mmap(None, size, mmap.PROT_READ | mmap.PROT_WRITE, flags, -1, 0)
    if address in (None, _FAILED):
        return 0
    for advice in (_DONTDUMP, _DONTFORK, *((_HUGEPAGE,) if size >= _HUGE else ())):
        _libc.madvise(address, size, advice)
    return int(address)


def _release(address: int, size: int, freed: deque[int], owner: int) -> None:
    """Overwrite and give back. A child that was forked has no such memory."""
    if os.getpid() == owner:
        ctypes.memset(address, 0, size)
        _libc.munmap(address, size)
    freed.append(size)
