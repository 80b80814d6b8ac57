"""A short proof beside bytes that stay readable: AES-256-GMAC (NIST SP 800-38D, GCM without a plaintext), 128 bits.

A nonce must never come twice under one key: whoever proves gives each message its number.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from casemate.crypto.suite import NONCE_SIZE

__all__ = ["TAG_SIZE", "Prover"]

TAG_SIZE = 16


class Prover:
    """A key made ready once. Nonces have 12 bytes, tags 16."""

    __slots__ = ("_aead", "prove")

    def __init__(self, key: bytes) -> None:
        self._aead = AESGCM(key)
        self.prove = self._aead.encrypt
        """`prove(nonce, b"", data)`: the tag of `data`. The library's own call: it is made for each datagram."""

    def holds(self, nonce: bytes, data: bytes | memoryview, tag: bytes) -> bool:
        """Whether `tag` is that of `data`; a nonce or a tag of another size is no."""
        if len(nonce) != NONCE_SIZE or len(tag) != TAG_SIZE:
            return False
        try:
            self._aead.decrypt(nonce, tag, data)
        except InvalidTag:
            return False
        return True
