"""AES-256-GCM whose nonces are counted: for one key that seals the frames of one thing, once, in order.

    nonce = number of the frame (12 bytes, big endian)        a tag of 16 bytes stands behind each frame

It must never be given a key that has sealed anything else: a nonce that comes twice under one key gives both away.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from casemate.errors import Damaged

__all__ = ["TAG_SIZE", "Counted"]

TAG_SIZE = 16
_NONCE = 12


class Counted:
    """A key for frames, sealed and opened into buffers that are used again: no memory is taken for each."""

    __slots__ = ("_aead",)

    def __init__(self, key: bytes) -> None:
        self._aead = AESGCM(key)

    def seal_into(self, number: int, plain: bytes | memoryview, aad: bytes, buffer: memoryview | bytearray) -> None:
        """Frame `number` into a buffer of exactly 16 bytes more."""
        self._aead.encrypt_into(number.to_bytes(_NONCE, "big"), plain, aad, buffer)

    def open_into(self, number: int, sealed: bytes | memoryview, aad: bytes, buffer: memoryview | bytearray) -> None:
        """Frame `number` out of its sealed form, into a buffer of exactly 16 bytes less. Raises Damaged."""
        try:
            self._aead.decrypt_into(number.to_bytes(_NONCE, "big"), sealed, aad, buffer)
        except (InvalidTag, ValueError):
            raise Damaged(what="frame") from None
