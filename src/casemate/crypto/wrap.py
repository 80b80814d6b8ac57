"""A key under another's public key: HPKE (RFC 9180) in base mode, with the suite named in what it makes.

    suite  profile  public  private  wrapped 32 bytes
        1  hybrid     1665      112  1 + 1713          ML-KEM-1024 with P-384, HKDF-SHA-384, AES-256-GCM
        2  cnsa2      1568       64  1 + 1616          ML-KEM-1024, HKDF-SHA-384, AES-256-GCM

A private key is ML-KEM's seed (d, z: FIPS 203), and P-384's scalar behind it; a public key ML-KEM's, and P-384's point
behind it, uncompressed. The size names the suite.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM1024PrivateKey, MLKEM1024PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM1024P384PrivateKey,
    MLKEM1024P384PublicKey,
    Suite,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from casemate.crypto.suite import digest
from casemate.errors import Damaged
from casemate.ids import short

__all__ = ["Keeper", "Recipient", "WrapProfile", "generate_keeper"]

WrapProfile = Literal["hybrid", "cnsa2"]
_SEED, _SCALAR, _LATTICE, _POINT = 64, 48, 1568, 97
_HYBRID, _CNSA2 = 1, 2
_NAMES = {_HYBRID: "hybrid", _CNSA2: "cnsa2"}
_KEMS = {_HYBRID: KEM.MLKEM1024_P384, _CNSA2: KEM.MLKEM1024}
_INFO = b"casemate wrap v1\n"


def generate_keeper(profile: WrapProfile = "hybrid") -> bytes:
    """A new private key to which others wrap."""
    seed = MLKEM1024PrivateKey.generate().private_bytes_raw()
    if profile == "cnsa2":
        return seed
    scalar = ec.generate_private_key(ec.SECP384R1()).private_numbers().private_value
    return seed + scalar.to_bytes(_SCALAR, "big")


@dataclass(frozen=True, slots=True)
class Recipient:
    """The public half: whoever has it wraps, and opens nothing. Raises Damaged where those bytes are none."""

    public: bytes

    def __post_init__(self) -> None:
        self._key()

    @property
    def name(self) -> str:
        """Profile and digest, e.g. `hybrid-mfrggzdfmztwq2lk`."""
        return f"{_NAMES[self._suite]}-{short(digest(self.public)[:10])}"

    def wrap(self, key: bytes, context: bytes) -> bytes:
        """The key for the holder of the private half; `context` must be given to open it."""
        suite = Suite(_KEMS[self._suite], KDF.HKDF_SHA384, AEAD.AES_256_GCM)
        return bytes([self._suite]) + suite.encrypt(key, self._key(), _INFO + context)

    @property
    def _suite(self) -> int:
        return _CNSA2 if len(self.public) == _LATTICE else _HYBRID

    def _key(self) -> MLKEM1024PublicKey | MLKEM1024P384PublicKey:
        if len(self.public) not in (_LATTICE, _LATTICE + _POINT):
            raise Damaged(what="public key")
        try:
            lattice = MLKEM1024PublicKey.from_public_bytes(self.public[:_LATTICE])
            if len(self.public) == _LATTICE:
                return lattice
            point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP384R1(), self.public[_LATTICE:])
        except ValueError:
            raise Damaged(what="public key") from None
        return MLKEM1024P384PublicKey(lattice, point)


class Keeper:
    """The private half, in memory. Raises Damaged where those bytes are none."""

    __slots__ = ("_key", "_suite", "recipient")

    def __init__(self, private: bytes) -> None:
        if len(private) not in (_SEED, _SEED + _SCALAR):
            raise Damaged(what="private key")
        lattice = MLKEM1024PrivateKey.from_seed_bytes(private[:_SEED])
        public = lattice.public_key().public_bytes_raw()
        self._key: MLKEM1024PrivateKey | MLKEM1024P384PrivateKey = lattice
        self._suite = _CNSA2
        if len(private) > _SEED:
            try:
                curve = ec.derive_private_key(int.from_bytes(private[_SEED:], "big"), ec.SECP384R1())
            except ValueError:
                raise Damaged(what="private key") from None
            public += curve.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
            self._key, self._suite = MLKEM1024P384PrivateKey(lattice, curve), _HYBRID
        self.recipient = Recipient(public)

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """The key. Raises Damaged where a byte, the context or the suite is another."""
        if wrapped[:1] != bytes([self._suite]):
            raise Damaged(what="wrapped key")
        suite = Suite(_KEMS[self._suite], KDF.HKDF_SHA384, AEAD.AES_256_GCM)
        try:
            return suite.decrypt(wrapped[1:], self._key, _INFO + context)
        except (InvalidTag, ValueError):
            raise Damaged(what="wrapped key") from None
