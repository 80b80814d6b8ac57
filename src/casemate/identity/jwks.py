"""The keys that a sign-in provider publishes: a JSON Web Key Set (RFC 7517), bounded. Pure.

Keys for other uses, of other types and symmetric ones are left out; a private key in the set, or two keys that one
token could mean, refuses all of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from casemate.crypto.foreign import ALGORITHMS, PublicKey, curve_key, ed25519_key, rsa_key
from casemate.errors import BadInput
from casemate.identity.strict import from_base64url, object_of

__all__ = ["LIMIT", "KeySet", "parse"]

LIMIT = 256 << 10  # bytes
MOST = 64  # keys


@dataclass(frozen=True, slots=True)
class Published:
    """One key; `algorithm` is the only one that it may be used with, "" where its type decides."""

    kid: str
    algorithm: str
    key: PublicKey

    def fits(self, algorithm: str) -> bool:
        return ALGORITHMS.get(algorithm, ("",))[0] == self.key.type and self.algorithm in ("", algorithm)


@dataclass(frozen=True, slots=True)
class KeySet:
    """What a provider signs with."""

    keys: tuple[Published, ...] = ()

    def find(self, kid: str, algorithm: str) -> PublicKey | None:
        """The key that a token means; one without `kid` means the only key that fits."""
        fitting = [each for each in self.keys if each.fits(algorithm) and kid in ("", each.kid)]
        return fitting[0].key if len(fitting) == 1 else None


def parse(raw: bytes) -> KeySet:
    """The keys in the bytes of a set. Raises BadInput."""
    if len(raw) > LIMIT:
        raise BadInput(what=f"A key set has at most {LIMIT} bytes.")
    try:
        listed = object_of(raw)["keys"]
        if not isinstance(listed, list) or len(listed) > MOST:
            raise ValueError(f"`keys` lists at most {MOST} keys")
        found = [published for each in listed if (published := _published(each)) is not None]
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(what=f"This is no key set (RFC 7517): {error}.") from None
    names = [(each.kid, each.key.type) for each in found]
    if not found or len(names) != len(set(names)):
        raise BadInput(what="A key set needs at least one key for signatures, and no two that share a `kid`.")
    return KeySet(tuple(found))


def _published(jwk: Any) -> Published | None:
    """One key of a set, or None where it is not for signatures that are believed here. Raises ValueError, KeyError."""
    if not isinstance(jwk, dict):
        raise ValueError("a key that is no object")
    if jwk.get("kty") != "oct" and "d" in jwk:
        raise ValueError("a private key stands in it")
    if jwk.get("use", "sig") != "sig" or "verify" not in jwk.get("key_ops", ["verify"]):
        return None
    kid, algorithm = jwk.get("kid", ""), jwk.get("alg", "")
    if not isinstance(kid, str) or (algorithm and algorithm not in ALGORITHMS):
        return None
    key = _key(jwk)
    return None if key is None else Published(kid, algorithm, key)


def _key(jwk: dict[str, Any]) -> PublicKey | None:
    kind, curve = jwk.get("kty"), jwk.get("crv")
    if kind == "RSA":
        n, e = (int.from_bytes(from_base64url(jwk[part]), "big") for part in ("n", "e"))
        return rsa_key(n, e)
    if kind == "EC" and curve in ("P-256", "P-384"):
        return curve_key(str(curve), from_base64url(jwk["x"]), from_base64url(jwk["y"]))
    if kind == "OKP" and curve == "Ed25519":
        return ed25519_key(from_base64url(jwk["x"]))
    return None
