"""A private key in its owner's file, locked with a passphrase, or bare where he says so. Pure: bytes in, bytes out.

    bare    = 32 bytes
    locked  = "casemate locked key v1\\n" | log2 N (1 byte) | salt (16 bytes) | sealed

`sealed` is suite 1 of `suite` over the 32 bytes, under scrypt(passphrase in UTF-8 NFC, salt, N, r = 8, p = 1) (RFC
7914) and with all that stands before it as associated data. What is read is never asked to work harder than 2**20.
"""

from __future__ import annotations

import os
import unicodedata

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from casemate.crypto.suite import KEY_SIZE, decrypt, encrypt
from casemate.errors import BadInput, Damaged

__all__ = ["is_locked", "lock", "unlock"]

_HEAD = b"casemate locked key v1\n"
_SALT = 16
WORK = 16  # 64 MiB and about a quarter of a second
LEAST, MOST = 14, 20


def is_locked(raw: bytes) -> bool:
    """Whether it takes a passphrase to open this."""
    return raw.startswith(_HEAD)


def lock(private: bytes, passphrase: str, work: int = WORK) -> bytes:
    """The key as its file holds it; bare where the passphrase is ""."""
    if not passphrase:
        return private
    head = _HEAD + bytes([work]) + os.urandom(_SALT)
    return head + encrypt(_key(passphrase, head), private, head)


def unlock(raw: bytes, passphrase: str) -> bytes:
    """The key. Raises BadInput where it is none, or where that is not its passphrase."""
    if not is_locked(raw):
        if len(raw) != KEY_SIZE:
            raise BadInput(what="This is no private key of Casemate.")
        return raw
    head = raw[: len(_HEAD) + 1 + _SALT]
    if len(head) < len(_HEAD) + 1 + _SALT or not LEAST <= head[len(_HEAD)] <= MOST:
        raise BadInput(what="This is no private key of Casemate.")
    try:
        return decrypt(_key(passphrase, head), raw[len(head) :], head)
    except Damaged:
        raise BadInput(what="The passphrase does not open this key.") from None


def _key(passphrase: str, head: bytes) -> bytes:
    said = unicodedata.normalize("NFC", passphrase).encode()
    return Scrypt(salt=head[-_SALT:], length=KEY_SIZE, n=1 << head[len(_HEAD)], r=8, p=1).derive(said)
