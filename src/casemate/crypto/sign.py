"""Signatures, each algorithm named by the size of its public key.

    public  private  signature  algorithm
        32       32         64  Ed25519 (RFC 8032)
      2592       33       4627  ML-DSA-87 (FIPS 204): the private key is a byte that says so, and the seed
      2624       64       4691  both, Ed25519 first: over the same bytes, and BOTH must verify

Profiles choose: `ed25519` for what one person or authority holds, `hybrid` for a region, `cnsa2` for one that may use
nothing but ML-DSA-87. A key is named by its algorithm and its public half.
"""

from __future__ import annotations

import os
from typing import Literal, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA87PrivateKey, MLDSA87PublicKey

from casemate.crypto.suite import digest
from casemate.errors import Damaged
from casemate.ids import short

__all__ = [
    "KeySigner",
    "Signer",
    "SigningProfile",
    "classic_part",
    "generate",
    "is_public_key",
    "key_id",
    "public_of",
    "sign",
    "signature_size",
    "verify",
]

SigningProfile = Literal["ed25519", "hybrid", "cnsa2"]
_ED, _SEED = 32, 32
_ED_SIGNATURE, _ML_PUBLIC, _ML_SIGNATURE = 64, 2592, 4627
_ALONE = b"\x87"  # before a seed that stands alone: 32 bytes by themselves are Ed25519
_NAMES = {_ED: "ed25519", _ML_PUBLIC: "mldsa87", _ED + _ML_PUBLIC: "hybrid"}


class Signer(Protocol):
    """Whatever holds a private key and signs with it."""

    @property
    def key_id(self) -> str: ...

    @property
    def public(self) -> bytes: ...

    def sign(self, data: bytes) -> bytes: ...


def generate(profile: SigningProfile = "ed25519", drawn: bytes | None = None) -> bytes:
    """A new private key of that profile, from these 64 random bytes where the caller brings his own."""
    seed = os.urandom(_ED + _SEED) if drawn is None else drawn
    if profile == "ed25519":
        return seed[:_ED]
    return _ALONE + seed[_ED:] if profile == "cnsa2" else seed


def is_public_key(public: bytes) -> bool:
    """Whether bytes of that size are the public half of one of our algorithms."""
    return len(public) in _NAMES


def public_of(private: bytes) -> bytes:
    """The public half. Raises Damaged where that is no private key."""
    return KeySigner(private).public


def key_id(public: bytes) -> str:
    """The key's name, e.g. `ed25519-mfrggzdfmztwq2lk`; `hybrid-` and `mldsa87-` before those of the others."""
    return f"{_NAMES.get(len(public), 'unknown')}-{short(digest(public)[:10])}"


def sign(private: bytes, data: bytes) -> bytes:
    """The signature. Raises Damaged where that is no private key."""
    return KeySigner(private).sign(data)


def signature_size(public: bytes) -> int:
    """How many bytes a signature of that key has; 0 where it is none of ours."""
    return {_ED: _ED_SIGNATURE, _ML_PUBLIC: _ML_SIGNATURE, _ED + _ML_PUBLIC: _ED_SIGNATURE + _ML_SIGNATURE}.get(
        len(public), 0
    )


def classic_part(public: bytes, signature: bytes) -> tuple[bytes, bytes] | None:
    """The Ed25519 part of a key and of its signature, which stands by itself over the same bytes; None without one."""
    return (public[:_ED], signature[:_ED_SIGNATURE]) if len(public) in (_ED, _ED + _ML_PUBLIC) else None


def verify(public: bytes, data: bytes, signature: bytes) -> bool:
    """Whether `signature` is that key's over `data`; a malformed key or signature is no."""
    classic = _ED if len(public) in (_ED, _ED + _ML_PUBLIC) else 0
    lattice = len(public) - classic
    if lattice not in (0, _ML_PUBLIC) or not public:
        return False
    place = _ED_SIGNATURE if classic else 0
    if len(signature) != place + (_ML_SIGNATURE if lattice else 0):
        return False
    try:
        if classic:
            Ed25519PublicKey.from_public_bytes(public[:classic]).verify(signature[:place], data)
        if lattice:
            MLDSA87PublicKey.from_public_bytes(public[classic:]).verify(signature[place:], data)
    except (InvalidSignature, ValueError):
        return False
    return True


class KeySigner:
    """A signer over a private key in memory. Raises Damaged where those bytes are none."""

    __slots__ = ("_classic", "_lattice", "key_id", "public")

    def __init__(self, private: bytes) -> None:
        alone = len(private) == len(_ALONE) + _SEED and private.startswith(_ALONE)
        if not alone and len(private) not in (_ED, _ED + _SEED):
            raise Damaged(what="signing key")
        classic, seed = (b"", private[1:]) if alone else (private[:_ED], private[_ED:])
        self._classic = Ed25519PrivateKey.from_private_bytes(classic) if classic else None
        self._lattice = MLDSA87PrivateKey.from_seed_bytes(seed) if seed else None
        halves = (key.public_key().public_bytes_raw() for key in (self._classic, self._lattice) if key is not None)
        self.public = b"".join(halves)
        self.key_id = key_id(self.public)

    def sign(self, data: bytes) -> bytes:
        return b"".join(key.sign(data) for key in (self._classic, self._lattice) if key is not None)
