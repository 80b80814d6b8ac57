"""OpenSSF model signing, read by ourselves: a sigstore bundle v0.3 with a DSSE envelope over an in-toto statement.

    bundle -> envelope's payload and signature -> the signer's EC key says yes over PAE(payload)
           -> statement: resources and their SHA-256, whose root is the subject's -> exactly the files that are there

The key is one that the operator names: a bundle brings a hint and no trust. A file that nobody signed, or a signed one
that is missing, is no model of this signer. (Sigstore bundle 0.3, DSSE v1, in-toto Statement v1, model_signing v1.0.)
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from typing import Literal, TypeVar

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

__all__ = ["SIGNATURE", "Unsigned", "spelled", "verified"]

T = TypeVar("T")
SIGNATURE = "model.sig"
LONGEST = 64 << 20  # bytes of a bundle
_BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
_PAYLOAD = "application/vnd.in-toto+json"
_HASHES: dict[int, type[hashes.HashAlgorithm]] = {256: hashes.SHA256, 384: hashes.SHA384, 521: hashes.SHA512}


class Unsigned(Exception):
    """The signature does not hold; the text says why, and holds nothing of what was signed."""


class _Signature(msgspec.Struct, frozen=True):
    sig: str
    keyid: str = ""


class _Envelope(msgspec.Struct, frozen=True, rename="camel"):
    payload: str
    payload_type: str
    signatures: tuple[_Signature, ...]


class _Key(msgspec.Struct, frozen=True):
    hint: str = ""


class _Material(msgspec.Struct, frozen=True, rename="camel"):
    public_key: _Key


class _Bundle(msgspec.Struct, frozen=True, rename="camel"):
    media_type: str
    verification_material: _Material
    dsse_envelope: _Envelope


class _Resource(msgspec.Struct, frozen=True):
    name: str
    digest: str
    algorithm: Literal["sha256"]


class _Serialization(msgspec.Struct, frozen=True):
    method: Literal["files"]
    hash_type: Literal["sha256"] = "sha256"
    allow_symlinks: Literal[False] = False


class _Predicate(msgspec.Struct, frozen=True):
    resources: tuple[_Resource, ...]
    serialization: _Serialization


class _Subject(msgspec.Struct, frozen=True):
    digest: dict[str, str]
    name: str = ""


class _Statement(msgspec.Struct, frozen=True, rename={"kind": "_type", "predicate_type": "predicateType"}):
    kind: Literal["https://in-toto.io/Statement/v1"]
    subject: tuple[_Subject, ...]
    predicate_type: Literal["https://model_signing/signature/v1.0"]
    predicate: _Predicate


def verified(bundle: bytes, signer: bytes, files: Mapping[str, str]) -> str:
    """The signer's fingerprint (SHA-256 of its SubjectPublicKeyInfo) if it signed exactly these files.

    `signer`: an EC public key in PEM; `files`: SHA-256 in hexadecimal by path, without the signature itself. Raises
    Unsigned.
    """
    key = _key(signer)
    told = _decoded(bundle, _Bundle, "it is no bundle of version 0.3 with one envelope")
    envelope = told.dsse_envelope
    if told.media_type != _BUNDLE or envelope.payload_type != _PAYLOAD or len(envelope.signatures) != 1:
        raise Unsigned("it is no bundle of version 0.3 with one envelope")
    pem = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    hint = told.verification_material.public_key.hint
    if hint and hint != hashlib.sha256(pem).hexdigest():
        raise Unsigned("it is of another key")
    payload = _base64(envelope.payload)
    try:
        key.verify(_base64(envelope.signatures[0].sig), _pae(payload), ec.ECDSA(_HASHES[key.key_size]()))
    except InvalidSignature:
        raise Unsigned("the key did not sign this") from None
    _same(_signed(payload), files)
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def spelled(signer: bytes) -> str:
    """A signer's public key in its one spelling as PEM, whatever stands around it. Raises Unsigned."""
    format = serialization.PublicFormat.SubjectPublicKeyInfo
    return _key(signer).public_bytes(serialization.Encoding.PEM, format).decode()


def _key(pem: bytes) -> ec.EllipticCurvePublicKey:
    try:
        key = serialization.load_pem_public_key(pem)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Unsigned("the signer's key is no public key in PEM") from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(
        key.curve, ec.SECP256R1 | ec.SECP384R1 | ec.SECP521R1
    ):
        raise Unsigned("the signer's key is none of P-256, P-384 and P-521")
    return key


def _decoded(raw: bytes, kind: type[T], why: str) -> T:
    if len(raw) > LONGEST:
        raise Unsigned("it is too long")
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Unsigned(why) from None


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Unsigned("it is no bundle of version 0.3 with one envelope") from None


def _pae(payload: bytes) -> bytes:
    """What is signed (DSSE protocol, PAE): type and payload with their lengths."""
    return b"DSSEv1 %d %b %d %b" % (len(_PAYLOAD), _PAYLOAD.encode(), len(payload), payload)


def _signed(payload: bytes) -> dict[str, str]:
    """The files that the statement names. Its subject is the root over them: SHA-256 over all digests in order."""
    statement = _decoded(payload, _Statement, "the statement is none of model signing v1.0")
    root, found = hashlib.sha256(), dict[str, str]()
    for each in statement.predicate.resources:
        try:
            root.update(bytes.fromhex(each.digest))
        except ValueError:
            raise Unsigned("the statement is none of model signing v1.0") from None
        found[each.name] = each.digest.lower()
    names = [subject.digest.get("sha256", "") for subject in statement.subject]
    if names != [root.hexdigest()] or len(found) != len(statement.predicate.resources):
        raise Unsigned("the statement contradicts itself")
    return found


def _same(signed: Mapping[str, str], files: Mapping[str, str]) -> None:
    if set(files) - set(signed):
        raise Unsigned("a file is there that nobody signed")
    if set(signed) - set(files):
        raise Unsigned("a signed file is missing")
    if any(files[name] != digest for name, digest in signed.items()):
        raise Unsigned("a file is another than was signed")
