"""Cryptography under the names that the house uses: digest, hmac, derive, encrypt, decrypt, sign, verify.

Nothing here keeps a key, reads a file or decides what is secret; no other room calls a cryptographic library. The
suite is named in what it makes (a byte in sealed bytes, a prefix in a key's id), so that it can be replaced.
"""

from __future__ import annotations

from casemate.crypto.arena import Arena, lockable
from casemate.crypto.sign import KeySigner, Signer, generate, key_id, public_of, sign, verify
from casemate.crypto.suite import (
    DIGEST_SIZE,
    KEY_SIZE,
    NONCE_SIZE,
    Cipher,
    decrypt,
    derive,
    digest,
    encrypt,
    hmac,
    same,
)

__all__ = [
    "DIGEST_SIZE",
    "KEY_SIZE",
    "NONCE_SIZE",
    "Arena",
    "Cipher",
    "KeySigner",
    "Signer",
    "decrypt",
    "derive",
    "digest",
    "encrypt",
    "generate",
    "hmac",
    "key_id",
    "lockable",
    "public_of",
    "same",
    "sign",
    "verify",
]
