"""Cryptography under the names that the house uses: digest, hmac, derive, encrypt, decrypt, sign, verify,
wrap.

Nothing here keeps a key, reads a file or decides what is secret; no other room calls a cryptographic library. The
suite is named in what it makes (a byte in sealed bytes, a prefix in a key's id), so that it can be replaced.
"""

from __future__ import annotations

from casemate.crypto.arena import Arena, lockable
from casemate.crypto.counted import Counted
from casemate.crypto.sign import (
    KeySigner,
    Signer,
    SigningProfile,
    classic_part,
    generate,
    is_public_key,
    key_id,
    public_of,
    sign,
    signature_size,
    verify,
)
from casemate.crypto.suite import (
    DIGEST_SIZE,
    KEY_SIZE,
    NONCE_SIZE,
    Cipher,
    Mac,
    decrypt,
    derive,
    digest,
    encrypt,
    hmac,
    same,
)
from casemate.crypto.tag import TAG_SIZE, Prover
from casemate.crypto.wrap import Keeper, Recipient, WrapProfile, generate_keeper

__all__ = [
    "DIGEST_SIZE",
    "KEY_SIZE",
    "NONCE_SIZE",
    "TAG_SIZE",
    "Arena",
    "Cipher",
    "Counted",
    "Keeper",
    "KeySigner",
    "Mac",
    "Prover",
    "Recipient",
    "Signer",
    "SigningProfile",
    "WrapProfile",
    "classic_part",
    "decrypt",
    "derive",
    "digest",
    "encrypt",
    "generate",
    "generate_keeper",
    "hmac",
    "is_public_key",
    "key_id",
    "lockable",
    "public_of",
    "same",
    "sign",
    "signature_size",
    "verify",
]
