"""The form of an API key: `cm_ID_SECRET`. Only a digest of the secret is ever stored."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from casemate.errors import Unauthenticated
from casemate.ids import short

__all__ = ["KeyText", "digest_of", "make_key", "split_key"]


@dataclass(frozen=True, slots=True)
class KeyText:
    """A key taken apart: `id` may be shown, `secret` may not."""

    id: str
    secret: str = field(repr=False)

    @property
    def text(self) -> str:
        return f"cm_{self.id}_{self.secret}"


def make_key(raw: bytes) -> KeyText:
    """A key from 48 random bytes: 16 for the id, 32 for the secret."""
    return KeyText(short(raw[:16]), short(raw[16:48]))


def split_key(text: str) -> KeyText:
    """The parts of a key as presented. Raises Unauthenticated on anything else."""
    parts = text.split("_")
    if len(parts) != 3 or parts[0] != "cm" or len(text) > 200 or not text.isascii():
        raise Unauthenticated
    return KeyText(parts[1], parts[2])


def digest_of(secret: str) -> str:
    """SHA-384 of the secret in hex. The secret has 256 bits of entropy, so no slow hash is needed."""
    return hashlib.sha384(secret.encode()).hexdigest()
