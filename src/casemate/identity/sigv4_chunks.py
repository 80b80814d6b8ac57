"""What verifies a body that is signed piece by piece (AWS S3, "Transferring payload in multiple chunks").

Each chunk's signature is made over its digest and the signature before it; the first before is that of the head. So no
chunk can be changed, left out, moved or added. Pure: whoever holds a chain hands it digests, and never sees the key.
"""

from __future__ import annotations

import hashlib
import hmac

from casemate.errors import Unauthenticated

__all__ = ["Chain"]

_NOTHING = hashlib.sha256().hexdigest()


class Chain:
    """The signatures of one body, in their order. `chunk` and `trailer` raise Unauthenticated, and then it is over."""

    __slots__ = ("_before", "_key", "_scope", "_stamp")

    def __init__(self, key: bytes, stamp: str, scope: str, seed: str) -> None:
        self._key = key
        self._stamp = stamp
        self._scope = scope
        self._before = seed

    def __repr__(self) -> str:
        return f"Chain({self._scope!r})"

    def chunk(self, digest: str, signature: str) -> None:
        """The next chunk, by the SHA-256 of its bytes in hex; the last is empty."""
        self._next("AWS4-HMAC-SHA256-PAYLOAD", f"{_NOTHING}\n{digest}", signature)

    def trailer(self, digest: str, signature: str) -> None:
        """The headers that follow the last chunk, by the SHA-256 of `name:value` lines."""
        self._next("AWS4-HMAC-SHA256-TRAILER", digest, signature)

    def _next(self, kind: str, rest: str, signature: str) -> None:
        text = f"{kind}\n{self._stamp}\n{self._scope}\n{self._before}\n{rest}"
        made = hmac.digest(self._key, text.encode(), "sha256").hex()
        if not hmac.compare_digest(made.encode(), signature.encode()):
            raise Unauthenticated
        self._before = made
