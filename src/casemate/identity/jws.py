"""A signed token taken apart: JWS compact serialisation (RFC 7515 section 7.1), bounded, in its one reading. Pure.

Nothing in a token says how it is to be believed: a key, a link to a key or a critical extension in its header makes it
nobody's. Which algorithm and key count is said by whoever verifies.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from casemate.errors import Unauthenticated
from casemate.identity.strict import from_base64url, object_of

__all__ = ["LIMIT", "Compact", "looks_like", "take_apart"]

LIMIT = 16 << 10  # characters
KID_LIMIT = 256
# Keys and places of keys that the sender names (section 4.1), and what would change the reading of the rest.
_REFUSED = frozenset({"jwk", "jku", "x5u", "x5c", "crit", "b64", "zip", "enc", "cty", "epk"})


@dataclass(frozen=True, slots=True)
class Compact:
    """A token whose signature nobody has verified yet. `signed` is what the signature is over."""

    algorithm: str
    type: str
    kid: str
    payload: dict[str, Any] = field(repr=False)
    signed: bytes = field(repr=False)
    signature: bytes = field(repr=False)


def looks_like(text: str) -> bool:
    """Whether a bearer's secret has the form of a token: an API key has no dot."""
    return text.count(".") == 2


def take_apart(text: str) -> Compact:
    """The parts of a token. Raises Unauthenticated on anything that is not exactly its form."""
    if len(text) > LIMIT or not text.isascii() or not looks_like(text):
        raise Unauthenticated
    head, body, seal = text.split(".")
    try:
        header = object_of(from_base64url(head))
        payload = object_of(from_base64url(body))
        signature = from_base64url(seal)
    except ValueError:
        raise Unauthenticated from None
    algorithm, type, kid = (header.get(name, "") for name in ("alg", "typ", "kid"))
    texts = isinstance(algorithm, str) and isinstance(type, str) and isinstance(kid, str)
    if not texts or len(kid) > KID_LIMIT or not signature or _REFUSED & header.keys():
        raise Unauthenticated
    return Compact(algorithm, type, kid, payload, f"{head}.{body}".encode(), signature)
