"""A private key in its owner's file, locked with a passphrase, or bare where he says so. Pure: bytes in, bytes out.

    bare    = the key
    locked  = "casemate locked key v2\\n" | passes (1 byte) | log2 KiB (1) | lanes (1) | salt (16) | sealed
            | "casemate locked key v1\\n" | log2 N (1) | salt (16) | sealed             (read only: older files)

`sealed` is suite 1 of `suite` over the key, under Argon2id (RFC 9106) of the passphrase in UTF-8 NFC, and in the older
form under scrypt (RFC 7914; r = 8, p = 1); all that stands before it is its associated data. What is read is never
asked to work harder than 1 GiB, 16 passes or 2**20.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from casemate.crypto.suite import KEY_SIZE, decrypt, encrypt
from casemate.errors import BadInput, Damaged

__all__ = ["Work", "is_locked", "lock", "unlock"]

_V1, _V2 = b"casemate locked key v1\n", b"casemate locked key v2\n"
_SALT = 16
_LEAST_N, _MOST_N = 14, 20


@dataclass(frozen=True, slots=True)
class Work:
    """What a guess costs: RFC 9106's second choice (64 MiB, about a tenth of a second). `memory` is log2 of KiB."""

    passes: int = 3
    memory: int = 16
    lanes: int = 4

    @property
    def bounded(self) -> bool:
        return 1 <= self.passes <= 16 and 10 <= self.memory <= 20 and 1 <= self.lanes <= 16


WORK = Work()


def is_locked(raw: bytes) -> bool:
    """Whether it takes a passphrase to open this."""
    return raw.startswith((_V1, _V2))


def lock(private: bytes, passphrase: str, work: Work = WORK) -> bytes:
    """The key as its file holds it; bare where the passphrase is ""."""
    if not passphrase:
        return private
    head = _V2 + bytes([work.passes, work.memory, work.lanes]) + os.urandom(_SALT)
    return head + encrypt(_key(passphrase, head), private, head)


def unlock(raw: bytes, passphrase: str, sizes: Collection[int] = (KEY_SIZE,)) -> bytes:
    """The key, of one of these sizes. Raises BadInput where it is none, or where that is not its passphrase."""
    if not is_locked(raw):
        return _sized(raw, sizes)
    head = raw[: len(_V2) + (3 if raw.startswith(_V2) else 1) + _SALT]
    try:
        return _sized(decrypt(_key(passphrase, head), raw[len(head) :], head), sizes)
    except Damaged:
        raise BadInput(what="The passphrase does not open this key.") from None


def _sized(key: bytes, sizes: Collection[int]) -> bytes:
    if len(key) not in sizes:
        raise BadInput(what="This is no private key of Casemate.")
    return key


def _key(passphrase: str, head: bytes) -> bytes:
    """The key of a head. Raises BadInput where it is cut short, or asks for too little or too much."""
    said, salt, told = unicodedata.normalize("NFC", passphrase).encode(), head[-_SALT:], head[len(_V2) : -_SALT]
    if head.startswith(_V2) and len(told) == 3 and (work := Work(*told)).bounded:
        cost = 1 << work.memory
        return Argon2id(salt=salt, length=KEY_SIZE, iterations=work.passes, lanes=work.lanes, memory_cost=cost).derive(
            said
        )
    if head.startswith(_V1) and len(told) == 1 and _LEAST_N <= told[0] <= _MOST_N:
        return Scrypt(salt=salt, length=KEY_SIZE, n=1 << told[0], r=8, p=1).derive(said)
    raise BadInput(what="This is no private key of Casemate.")
