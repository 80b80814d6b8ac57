"""Digest, keyed digest, key derivation and sealing, each under the one name that the house uses for it.

Sealed bytes begin with the number of the suite that made them, so that a later suite can be added and old bytes
still be opened. Suite 1 is AES-256-GCM (NIST SP 800-38D) with a 96-bit random nonce: one key seals fewer than 2**32
messages, which is why keys are derived per access class and purpose.
"""

from __future__ import annotations

import hashlib
import hmac as _hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from casemate.errors import Damaged

__all__ = [
    "DIGEST_SIZE",
    "KEY_SIZE",
    "NONCE_SIZE",
    "SUITES",
    "Cipher",
    "Mac",
    "decrypt",
    "derive",
    "digest",
    "encrypt",
    "hmac",
    "same",
]

DIGEST_SIZE = 48
KEY_SIZE = 32
NONCE_SIZE = 12
SUITES = {1: "AES-256-GCM"}
_SUITE = b"\x01"
_TAG_SIZE = 16
_BLOCK = 128  # of SHA-384, in bytes
_INNER, _OUTER = (bytes(byte ^ pad for byte in range(256)) for pad in (0x36, 0x5C))


def digest(data: bytes) -> bytes:
    """SHA-384 (FIPS 180-4), 48 bytes."""
    return hashlib.sha384(data).digest()


def hmac(key: bytes, data: bytes) -> bytes:
    """HMAC-SHA-384 (RFC 2104), 48 bytes."""
    return _hmac.digest(key, data, "sha384")


class Mac:
    """HMAC-SHA-384 under one key, many times: what depends on the key alone is computed once (RFC 2104 section 4)."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes) -> None:
        block = (key if len(key) <= _BLOCK else digest(key)).ljust(_BLOCK, b"\0")
        self._inner = hashlib.sha384(block.translate(_INNER))
        self._outer = hashlib.sha384(block.translate(_OUTER))

    def of(self, data: bytes) -> bytes:
        """48 bytes."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(data)
        outer.update(inner.digest())
        return outer.digest()


def same(one: bytes, other: bytes) -> bool:
    """Equality in a time that does not depend on where the bytes differ."""
    return _hmac.compare_digest(one, other)


def derive(master: bytes, *context: bytes) -> bytes:
    """A 32-byte key for a context (HKDF-SHA-384, RFC 5869); each part of the context is prefixed with its length."""
    info = b"casemate key v1" + b"".join(len(part).to_bytes(4, "big") + part for part in context)
    return HKDF(algorithm=SHA384(), length=KEY_SIZE, salt=None, info=info).derive(master)


def encrypt(key: bytes, plaintext: bytes, aad: bytes, nonce: bytes | None = None) -> bytes:
    """Seal: suite (1 byte), nonce (12), ciphertext and tag (16). `aad` is bound to it and must be given to open it.

    `nonce` is for callers that bring their own entropy; it must never repeat under one key.
    """
    return Cipher(key).seal(plaintext, aad, os.urandom(NONCE_SIZE) if nonce is None else nonce)


def decrypt(key: bytes, sealed: bytes, aad: bytes) -> bytes:
    """Open what `encrypt` sealed. Raises Damaged where a byte, the key or the aad differs."""
    return Cipher(key).open(sealed, aad)


class Cipher:
    """A key made ready once, for whoever keeps it anyway and seals often: the same bytes as `encrypt` and `decrypt`."""

    __slots__ = ("_aead",)

    def __init__(self, key: bytes) -> None:
        self._aead = AESGCM(key)

    def seal(self, plaintext: bytes | memoryview, aad: bytes, nonce: bytes) -> bytes:
        """As `encrypt`; the nonce must never repeat under one key."""
        return _SUITE + nonce + self._aead.encrypt(nonce, plaintext, _SUITE + aad)

    def seal_into(self, plaintext: bytes | memoryview, aad: bytes, nonce: bytes, into: memoryview) -> int:
        """As `seal`, the same bytes into memory of at least their size; how many they are."""
        start, size = 1 + NONCE_SIZE, 1 + NONCE_SIZE + len(plaintext) + _TAG_SIZE
        into[:start] = _SUITE + nonce
        self._aead.encrypt_into(nonce, plaintext, _SUITE + aad, into[start:size])
        return size

    def open(self, sealed: bytes | memoryview, aad: bytes) -> bytes:
        """As `decrypt`."""
        if sealed[:1] != _SUITE or len(sealed) < 1 + NONCE_SIZE + _TAG_SIZE:
            raise Damaged(what="sealed bytes")
        nonce = sealed[1 : 1 + NONCE_SIZE]
        try:
            return self._aead.decrypt(nonce, sealed[1 + NONCE_SIZE :], _SUITE + aad)
        except InvalidTag:
            raise Damaged(what="sealed bytes") from None

    def open_into(self, sealed: memoryview, aad: bytes, into: memoryview) -> None:
        """As `open`, into memory of just the right size: what was sealed is in no other. Raises Damaged.

        Where it raises, what stands in `into` is nothing that anybody may look at.
        """
        size = len(sealed) - 1 - NONCE_SIZE - _TAG_SIZE
        if size != len(into) or bytes(sealed[:1]) != _SUITE:
            raise Damaged(what="sealed bytes")
        nonce = sealed[1 : 1 + NONCE_SIZE]
        try:
            self._aead.decrypt_into(nonce, sealed[1 + NONCE_SIZE :], _SUITE + aad, into)
        except InvalidTag:
            raise Damaged(what="sealed bytes") from None
