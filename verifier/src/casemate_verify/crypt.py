"""Signatures, derived keys and unwrapping, each over the bytes that docs/bytes/keys.md names. No policy is here."""

from __future__ import annotations

import base64
import hashlib

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA87PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM1024PrivateKey
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM1024P384PrivateKey, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from casemate_verify.faults import Unusable

__all__ = ["PUBLIC", "SIGNATURE", "SIZES", "Opener", "frame_key", "key_name", "pem_key", "verifies", "verifies_any"]

ED_PUBLIC, ED_SIGNATURE, ML_PUBLIC, ML_SIGNATURE = 32, 64, 2592, 4627
PUBLIC = {1: ED_PUBLIC + ML_PUBLIC, 2: ML_PUBLIC}  # by profile: 1 hybrid, 2 cnsa2
SIGNATURE = {1: ED_SIGNATURE + ML_SIGNATURE, 2: ML_SIGNATURE}
_SPKI = bytes.fromhex("30820a32300b060960864801650304031303820a2100")  # RFC 9881: ML-DSA-87, and a key behind it
_NAMES = {ED_PUBLIC: "ed25519", ML_PUBLIC: "mldsa87", ED_PUBLIC + ML_PUBLIC: "hybrid"}
SIZES = frozenset(_NAMES)


def key_name(public: bytes) -> str:
    """What a signing key is called: its algorithm and 80 bits of SHA-384 of it."""
    short = base64.b32encode(hashlib.sha384(public).digest()[:10]).decode().lower()
    return f"{_NAMES[len(public)]}-{short}"


def verifies(public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether it is that key's: of a key of two halves, both halves of the signature must be."""
    classic = len(public) == ED_PUBLIC + ML_PUBLIC
    cut, place = (ED_PUBLIC, ED_SIGNATURE) if classic else (0, 0)
    if len(public) != cut + ML_PUBLIC or len(signature) != place + ML_SIGNATURE:
        return False
    try:
        if classic:
            Ed25519PublicKey.from_public_bytes(public[:cut]).verify(signature[:place], message)
        MLDSA87PublicKey.from_public_bytes(public[cut:]).verify(signature[place:], message)
    except (InvalidSignature, ValueError):
        return False
    return True


def verifies_any(public: bytes, signature: bytes, message: bytes) -> bool:
    """The same, for who may sign with Ed25519 alone too."""
    if len(public) != ED_PUBLIC:
        return verifies(public, signature, message)
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def pem_key(pem: str) -> bytes:
    """The raw ML-DSA-87 key of a PEM of SubjectPublicKeyInfo, in its one spelling. ValueError where it is none."""
    first, *lines, last, end = pem.split("\n")
    der = base64.b64decode("".join(lines).encode("ascii"), validate=True)
    if not der.startswith(_SPKI) or len(der) != len(_SPKI) + ML_PUBLIC:
        raise ValueError("no key of ML-DSA-87")
    body = base64.b64encode(der).decode()
    spelt = [body[at : at + 64] for at in range(0, len(body), 64)]
    if (first, lines, last, end) != ("-----BEGIN PUBLIC KEY-----", spelt, "-----END PUBLIC KEY-----", ""):
        raise ValueError("a key in another spelling")
    return der[len(_SPKI) :]


def _derived(master: bytes, *context: bytes) -> bytes:
    info = b"casemate key v1" + b"".join(len(part).to_bytes(4, "big") + part for part in context)
    return HKDF(SHA384(), 32, None, info).derive(master)


def frame_key(drawn: bytes, bundle: bytes) -> bytes:
    """The key of a bundle's frames."""
    return _derived(drawn, b"bundle frames", bundle)


class Opener:
    """A region's private key: 112 bytes in `hybrid`, 64 in `cnsa2`. Unusable where it is none."""

    def __init__(self, private: bytes) -> None:
        if len(private) not in (64, 112):
            raise Unusable("no private key of a region: 64 or 112 bytes")
        lattice = MLKEM1024PrivateKey.from_seed_bytes(private[:64])
        public = lattice.public_key().public_bytes_raw()
        self._key: MLKEM1024PrivateKey | MLKEM1024P384PrivateKey = lattice
        self._suite, kem = 2, KEM.MLKEM1024
        if len(private) == 112:
            try:
                curve = ec.derive_private_key(int.from_bytes(private[64:], "big"), ec.SECP384R1())
            except ValueError as error:
                raise Unusable("no private key of a region: the scalar of P-384 is out of range") from error
            public += curve.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
            self._key = MLKEM1024P384PrivateKey(lattice, curve)
            self._suite, kem = 1, KEM.MLKEM1024_P384
        self._hpke = Suite(kem, KDF.HKDF_SHA384, AEAD.AES_256_GCM)
        self.short = hashlib.sha384(public).digest()[:10]

    def unwrap(self, wrapped: bytes, bundle: bytes) -> bytes:
        """The 32 bytes that were wrapped for this bundle. ValueError where they were not."""
        if wrapped[0] != self._suite:
            raise ValueError("wrapped in another profile")
        try:
            drawn = self._hpke.decrypt(wrapped[1:], self._key, b"casemate wrap v1\ncasemate bundle v1\n" + bundle)
        except InvalidTag as error:
            raise ValueError("the key does not unwrap") from error
        if len(drawn) != 32:
            raise ValueError("no key of 32 bytes")
        return bytes(drawn)
