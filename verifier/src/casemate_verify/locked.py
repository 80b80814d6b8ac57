"""A private key that is locked with a passphrase, as docs/bytes/release.md has it. Bounded: it never works longer."""

from __future__ import annotations

import unicodedata

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from casemate_verify.faults import Unusable

__all__ = ["is_locked", "unlocked"]

_FIRST, _SECOND = b"casemate locked key v1\n", b"casemate locked key v2\n"
SALT, NONCE = 16, 12


def is_locked(raw: bytes) -> bool:
    """Whether a passphrase has to be asked for."""
    return raw.startswith((_FIRST, _SECOND))


def unlocked(raw: bytes, passphrase: str) -> bytes:
    """The key. Unusable where the passphrase does not open it, or it asks for more work than is allowed."""
    numbers = 3 if raw.startswith(_SECOND) else 1
    start = len(_SECOND) + numbers
    head, sealed = raw[: start + SALT], raw[start + SALT :]
    if len(head) < start + SALT or len(sealed) < 1 + NONCE + 16 or sealed[0] != 1:
        raise Unusable("a locked key that is cut short, or sealed in another way")
    said = unicodedata.normalize("NFC", passphrase).encode()
    work, salt = raw[len(_SECOND) : start], head[start:]
    try:
        return AESGCM(_key(said, work, salt)).decrypt(sealed[1 : 1 + NONCE], sealed[1 + NONCE :], b"\x01" + head)
    except InvalidTag:
        raise Unusable("the passphrase does not open the key") from None


def _key(said: bytes, work: bytes, salt: bytes) -> bytes:
    if len(work) == 3 and 1 <= work[0] <= 16 and 10 <= work[1] <= 20 and 1 <= work[2] <= 16:
        derive = Argon2id(salt=salt, length=32, iterations=work[0], lanes=work[2], memory_cost=1 << work[1])
        return derive.derive(said)
    if len(work) == 1 and 14 <= work[0] <= 20:
        return Scrypt(salt=salt, length=32, n=1 << work[0], r=8, p=1).derive(said)
    raise Unusable("a locked key that asks for too little work, or too much")
