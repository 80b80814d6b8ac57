"""Identifiers and the entropy that they are made of.

An identifier is unguessable and never a counter. Entropy is drawn by scope (an access class or a session), so that
where a test derives it, what one scope draws cannot shift what another one gets.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import struct
import threading
from typing import Protocol

__all__ = ["DerivedEntropy", "Entropy", "SystemEntropy", "fresh", "short"]


class Entropy(Protocol):
    """Random bytes for a scope."""

    def draw(self, scope: str, size: int = 16) -> bytes: ...


class _Page:
    """Random bytes of the kernel, fetched a page at a time: a request needs a dozen small draws, and each is a call.

    No byte is given twice, not to two threads, and not to a process that is forked from this one.
    """

    def __init__(self, size: int = 4096) -> None:
        self._size = size
        self.forget()
        os.register_at_fork(after_in_child=self.forget)

    def forget(self) -> None:
        """What is left of the page is nobody's; a lock that a thread of the parent held is gone with it."""
        self._lock = threading.Lock()
        self._left = b""
        self._used = self._size

    def draw(self, size: int) -> bytes:
        if size > self._size:
            return os.urandom(size)
        with self._lock:
            start = self._used
            self._used = end = start + size
            if end > self._size:
                self._left = os.urandom(self._size)
                start, end, self._used = 0, size, size
            return self._left[start:end]


_page = _Page()


class SystemEntropy:
    """The kernel's generator; the scope changes nothing."""

    def draw(self, scope: str, size: int = 16) -> bytes:
        del scope
        return _page.draw(size)


class DerivedEntropy:
    """Reproducible bytes from (seed, scope, counter of that scope): for laws and proofs, never for a real region."""

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self._drawn: dict[str, int] = {}

    def draw(self, scope: str, size: int = 16) -> bytes:
        count = self._drawn.get(scope, 0)
        self._drawn[scope] = count + 1
        out = b""
        block = 0
        while len(out) < size:
            out += hmac.digest(self._seed, f"{scope}\x00{count}\x00{block}".encode(), hashlib.sha256)
            block += 1
        return out[:size]


_DIGITS = "abcdefghijklmnopqrstuvwxyz234567"
_PAIRS = [one + other for one in _DIGITS for other in _DIGITS]
_HALVES = struct.Struct(">QQ")


def short(raw: bytes) -> str:
    """Lower-case base32 without padding (RFC 4648 section 6): 16 bytes give 26 characters."""
    if len(raw) == 16:  # an identifier: ten bits at a time, since there are several of them in each request
        p = _PAIRS
        a, b = _HALVES.unpack(raw)
        c = ((a & 15) << 64 | b) << 2
        return (
            f"{p[a >> 54]}{p[a >> 44 & 1023]}{p[a >> 34 & 1023]}{p[a >> 24 & 1023]}{p[a >> 14 & 1023]}"
            f"{p[a >> 4 & 1023]}"
            f"{p[c >> 60]}{p[c >> 50 & 1023]}{p[c >> 40 & 1023]}{p[c >> 30 & 1023]}{p[c >> 20 & 1023]}"
            f"{p[c >> 10 & 1023]}{p[c & 1023]}"
        )
    return base64.b32encode(raw).decode("ascii").rstrip("=").lower()


def fresh(prefix: str, entropy: Entropy, scope: str) -> str:
    """A new identifier such as `doc_mfrggzdfmztwq2lknnwg23tpoi`, 128 bits of the scope's entropy."""
    return f"{prefix}_{short(entropy.draw(scope))}"
