"""An access token verified: RFC 7519 and RFC 9068, against the keys of the provider that it names. Pure.

The token says who, never what he may see: a claim that speaks of clearance, roles or groups is not read at all. Every
way of being wrong gives the same Unauthenticated, and whoever names an unknown provider or key costs one verification
like whoever signs wrongly.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from casemate.clock import SECOND
from casemate.crypto.foreign import ALGORITHMS, decoy, signed_by
from casemate.errors import BadInput, Unauthenticated
from casemate.identity.jwks import KeySet
from casemate.identity.jws import Compact, take_apart
from casemate.identity.outsider import Outsider

__all__ = ["TYPES", "Provider", "verify"]

TYPES = frozenset({"at+jwt", "application/at+jwt", "jwt"})


@dataclass(frozen=True, slots=True)
class Provider:
    """A sign-in provider that the region's settings name. `skew` in seconds."""

    issuer: str
    audience: str
    keys: KeySet = field(repr=False)
    algorithms: frozenset[str] = frozenset(ALGORITHMS)
    claim: str = "sub"
    skew: int = 60


def verify(text: str, provider: Callable[[str], Provider | None], now: int) -> Outsider:
    """Who the token names. `now` is in microseconds since the epoch. Raises Unauthenticated."""
    token = take_apart(text)
    issuer = token.payload.get("iss")
    found = provider(issuer) if isinstance(issuer, str) else None
    key = None
    if found is not None and token.algorithm in found.algorithms:
        key = found.keys.find(token.kid, token.algorithm)
    algorithm = token.algorithm if token.algorithm in ALGORITHMS else "ES256"
    right = signed_by(key or decoy(algorithm), algorithm, token.signed, token.signature)
    if found is None or key is None or not right or not _stands(token, found, now / SECOND):
        raise Unauthenticated
    subject = token.payload.get(found.claim)
    try:
        return Outsider("oidc", found.issuer, subject if isinstance(subject, str) else "")
    except BadInput:
        raise Unauthenticated from None


def _stands(token: Compact, provider: Provider, now: float) -> bool:
    """Type, audience and times. A token that is bound to a key of its holder (`cnf`) is not one that a bearer shows."""
    claims, skew = token.payload, provider.skew
    audience = claims.get("aud")
    named = audience if isinstance(audience, list) else [audience]
    expires, issued = _moment(claims.get("exp")), _moment(claims.get("iat"))
    begins = _moment(claims.get("nbf", issued))
    return (
        token.type.lower() in TYPES
        and claims.get("iss") == provider.issuer
        and provider.audience in named
        and "cnf" not in claims
        and now < expires + skew
        and issued <= now + skew
        and begins <= now + skew
    )


def _moment(value: Any) -> float:
    """A NumericDate (RFC 7519 section 2); what is none compares as false with everything."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return float(value) if math.isfinite(value) else math.nan
        except OverflowError:
            return math.nan
    return math.nan
