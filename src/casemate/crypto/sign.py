"""Signatures: Ed25519 (RFC 8032) over raw 32-byte keys. A key is named by its algorithm and its public half."""

from __future__ import annotations

from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from casemate.crypto.suite import digest
from casemate.ids import short

__all__ = ["KeySigner", "Signer", "generate", "key_id", "public_of", "sign", "verify"]


class Signer(Protocol):
    """Whatever holds a private key and signs with it."""

    @property
    def key_id(self) -> str: ...

    @property
    def public(self) -> bytes: ...

    def sign(self, data: bytes) -> bytes: ...


def generate() -> bytes:
    """A new private key, 32 bytes."""
    return Ed25519PrivateKey.generate().private_bytes_raw()


def public_of(private: bytes) -> bytes:
    """The public half, 32 bytes."""
    return Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def key_id(public: bytes) -> str:
    """The key's name, e.g. `ed25519-mfrggzdfmztwq2lk`."""
    return "ed25519-" + short(digest(public)[:10])


def sign(private: bytes, data: bytes) -> bytes:
    """The signature, 64 bytes."""
    return Ed25519PrivateKey.from_private_bytes(private).sign(data)


def verify(public: bytes, data: bytes, signature: bytes) -> bool:
    """Whether `signature` is that key's over `data`; a malformed key or signature is no."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


class KeySigner:
    """A signer over a private key in memory."""

    __slots__ = ("_private", "key_id", "public")

    def __init__(self, private: bytes) -> None:
        self._private = private
        self.public = public_of(private)
        self.key_id = key_id(self.public)

    def sign(self, data: bytes) -> bytes:
        return sign(self._private, data)
