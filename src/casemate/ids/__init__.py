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
from typing import Protocol

__all__ = ["DerivedEntropy", "Entropy", "SystemEntropy", "fresh", "short"]


class Entropy(Protocol):
    """Random bytes for a scope."""

    def draw(self, scope: str, size: int = 16) -> bytes: ...


class SystemEntropy:
    """The kernel's generator; the scope changes nothing."""

    def draw(self, scope: str, size: int = 16) -> bytes:
        del scope
        return os.urandom(size)


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
