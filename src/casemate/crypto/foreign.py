"""Signatures that others make: public keys as they publish them, and whether a signature is one of theirs.

An algorithm here is a JWS name (RFC 7518 section 3, RFC 8037) and is bound to one type of key, so that no key can be
used as something that it is not. There is no symmetric algorithm and no `none`: a public key is never a secret.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cache

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

__all__ = ["ALGORITHMS", "PublicKey", "curve_key", "decoy", "ed25519_key", "rsa_key", "signed_by", "spki_key"]

_Native = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey

# algorithm -> type of key, bytes of the signature (0: the key's own size)
ALGORITHMS = {
    "RS256": ("RSA", 0),
    "PS256": ("RSA", 0),
    "ES256": ("P-256", 64),
    "ES384": ("P-384", 96),
    "EdDSA": ("Ed25519", 64),
}
_CURVES: dict[str, tuple[ec.EllipticCurve, int]] = {"P-256": (ec.SECP256R1(), 32), "P-384": (ec.SECP384R1(), 48)}
_RSA_BITS = range(2048, 8193)
_RSA_EXPONENTS = range(65537, 1 << 32)


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key and its type: RSA, P-256, P-384 or Ed25519."""

    type: str
    native: _Native = field(repr=False)

    @property
    def spki(self) -> bytes:
        """SubjectPublicKeyInfo in DER (RFC 5280 section 4.1.2.7)."""
        return self.native.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    @property
    def algorithm(self) -> str:
        """The first algorithm that such a key signs with."""
        return next(name for name, (type, _) in ALGORITHMS.items() if type == self.type)


def rsa_key(modulus: int, exponent: int) -> PublicKey:
    """RSA of 2048 to 8192 bits, with a usual exponent (NIST SP 800-56B). Raises ValueError."""
    if modulus.bit_length() not in _RSA_BITS or exponent not in _RSA_EXPONENTS or not exponent & 1:
        raise ValueError("an RSA key of a size that is not used")
    return PublicKey("RSA", rsa.RSAPublicNumbers(exponent, modulus).public_key())


def curve_key(curve: str, x: bytes, y: bytes) -> PublicKey:
    """A point of P-256 or P-384, coordinates in full length (RFC 7518 section 6.2.1). Raises ValueError."""
    if curve not in _CURVES:
        raise ValueError("a curve that is not used")
    native, size = _CURVES[curve]
    if len(x) != size or len(y) != size:
        raise ValueError("a coordinate of another length")
    return PublicKey(curve, ec.EllipticCurvePublicKey.from_encoded_point(native, b"\x04" + x + y))


def ed25519_key(raw: bytes) -> PublicKey:
    """Ed25519 from its 32 bytes (RFC 8032). Raises ValueError."""
    return PublicKey("Ed25519", ed25519.Ed25519PublicKey.from_public_bytes(raw))


def spki_key(der: bytes) -> PublicKey:
    """Any of the types above from its SubjectPublicKeyInfo. Raises ValueError."""
    try:
        native = load_der_public_key(der)
    except UnsupportedAlgorithm:
        raise ValueError("a key of a type that is not used") from None
    if isinstance(native, rsa.RSAPublicKey):
        numbers = native.public_numbers()
        return rsa_key(numbers.n, numbers.e)
    if isinstance(native, ed25519.Ed25519PublicKey):
        return PublicKey("Ed25519", native)
    if isinstance(native, ec.EllipticCurvePublicKey):
        for name, (curve, _) in _CURVES.items():
            if native.curve.name == curve.name:
                return PublicKey(name, native)
    raise ValueError("a key of a type that is not used")


def signed_by(key: PublicKey, algorithm: str, data: bytes, signature: bytes) -> bool:
    """Whether `signature` is that key's over `data`. One of ECDSA is raw r and s (RFC 7518 section 3.4), not DER."""
    type, size = ALGORITHMS.get(algorithm, ("", 0))
    if type != key.type or (size and len(signature) != size):
        return False
    try:
        _verify(key.native, algorithm, data, signature)
    except (InvalidSignature, ValueError):
        return False
    return True


def _verify(native: _Native, algorithm: str, data: bytes, signature: bytes) -> None:
    if isinstance(native, ed25519.Ed25519PublicKey):
        native.verify(signature, data)
    elif isinstance(native, ec.EllipticCurvePublicKey):
        half = len(signature) // 2
        r, s = int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big")
        native.verify(encode_dss_signature(r, s), data, ec.ECDSA(_hash(algorithm)))
    elif algorithm == "PS256":
        # RFC 7518 section 3.5: the salt has the size of the digest, no other.
        native.verify(signature, data, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
    else:
        native.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())


def _hash(algorithm: str) -> hashes.HashAlgorithm:
    return hashes.SHA384() if algorithm == "ES384" else hashes.SHA256()


@cache
def decoy(algorithm: str) -> PublicKey:
    """A key that nobody holds, of the type of that algorithm: who is unknown costs what who is wrong costs."""
    type, _ = ALGORITHMS.get(algorithm, ("P-256", 0))
    if type == "RSA":
        drawn = b"".join(hashlib.sha512(b"casemate decoy %d" % part).digest() for part in range(4))
        return rsa_key(int.from_bytes(drawn, "big") | 1 << 2047 | 1, 65537)
    if type == "Ed25519":
        return ed25519_key(bytes.fromhex("58" + "66" * 31))
    curve, size = _CURVES[type]
    drawn = hashlib.sha512(b"casemate decoy " + type.encode()).digest()
    point = ec.derive_private_key(int.from_bytes(drawn[:size], "big") >> 1 | 1, curve).public_key()
    return PublicKey(type, point)
