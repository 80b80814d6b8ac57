"""OpenSSF model signing: who signed what is there, and each way in which that is not so."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.models.signing import Unsigned, verified
from tests.models.weights import Signer

FILES = {"config.json": b"{}", "more/weights.gguf": b"GGUF"}
DIGESTS = {path: hashlib.sha256(data).hexdigest() for path, data in FILES.items()}
SIGNER = Signer()


@pytest.mark.parametrize("bits", [256, 384, 521])
def test_what_was_signed_is_known_by_its_signer(bits: int) -> None:
    signer = Signer(bits)
    format = serialization.PublicFormat.SubjectPublicKeyInfo
    der = signer.key.public_key().public_bytes(serialization.Encoding.DER, format)
    assert verified(signer.sign(FILES), signer.pem, DIGESTS) == hashlib.sha256(der).hexdigest()


def test_a_bundle_without_a_hint_is_held_to_the_key_alone() -> None:
    bundle = SIGNER.bundle(SIGNER.statement(FILES))
    bundle["verificationMaterial"]["publicKey"] = {}
    assert verified(json.dumps(bundle).encode(), SIGNER.pem, DIGESTS)


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({**DIGESTS, "extra.json": "00" * 32}, "nobody signed"),
        ({"config.json": DIGESTS["config.json"]}, "missing"),
        ({**DIGESTS, "config.json": "00" * 32}, "another than was signed"),
        ({}, "missing"),
    ],
)
def test_files_that_are_not_those_that_were_signed(files: dict[str, str], why: str) -> None:
    with pytest.raises(Unsigned, match=why):
        verified(SIGNER.sign(FILES), SIGNER.pem, files)


def statement(change: Callable[[dict[str, Any]], object]) -> bytes:
    told = SIGNER.statement(FILES)
    change(told)
    return json.dumps(SIGNER.bundle(told)).encode()


def bundle(change: Callable[[dict[str, Any]], object]) -> bytes:
    told = SIGNER.bundle(SIGNER.statement(FILES))
    change(told)
    return json.dumps(told).encode()


def double(told: dict[str, Any]) -> None:
    first = told["predicate"]["resources"][0]
    told["predicate"]["resources"].append(first)
    raw = b"".join(bytes.fromhex(each["digest"]) for each in told["predicate"]["resources"])
    told["subject"][0]["digest"]["sha256"] = hashlib.sha256(raw).hexdigest()


OTHER = base64.b64encode(json.dumps(SIGNER.statement({})).encode()).decode()
WRONG = {
    "another predicate": statement(lambda s: s.update(predicateType="https://slsa.dev/provenance/v1")),
    "another statement": statement(lambda s: s.update(_type="https://in-toto.io/Statement/v0.1")),
    "links allowed": statement(lambda s: s["predicate"]["serialization"].update(allow_symlinks=True)),
    "shards": statement(lambda s: s["predicate"]["serialization"].update(method="shards")),
    "another digest": statement(lambda s: s["predicate"]["resources"][0].update(algorithm="md5")),
    "no digest": statement(lambda s: s["predicate"]["resources"][0].update(digest="zz")),
    "another root": statement(lambda s: s["subject"][0]["digest"].update(sha256="00" * 32)),
    "no root": statement(lambda s: s.update(subject=[])),
    "two roots": statement(lambda s: s.update(subject=s["subject"] * 2)),
    "a file twice": statement(double),
    "another payload": bundle(lambda b: b["dsseEnvelope"].update(payload=OTHER)),
    "another type": bundle(lambda b: b["dsseEnvelope"].update(payloadType="text/plain")),
    "another version": bundle(lambda b: b.update(mediaType="application/vnd.dev.sigstore.bundle+json;version=0.1")),
    "no signature": bundle(lambda b: b["dsseEnvelope"].update(signatures=[])),
    "two signatures": bundle(lambda b: b["dsseEnvelope"].update(signatures=b["dsseEnvelope"]["signatures"] * 2)),
    "no base64": bundle(lambda b: b["dsseEnvelope"]["signatures"][0].update(sig="?")),
    "not of base64": bundle(lambda b: b["dsseEnvelope"].update(payload="é")),
    "another key's hint": bundle(lambda b: b["verificationMaterial"]["publicKey"].update(hint="00")),
    "a certificate": bundle(lambda b: b.update(verificationMaterial={"certificate": {}})),
    "no bundle": b"{}",
    "no JSON": b"\xff{",
    "deep": b"[" * 100_000,
    "long": b" " * ((64 << 20) + 1),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_signature(name: str) -> None:
    with pytest.raises(Unsigned):
        verified(WRONG[name], SIGNER.pem, DIGESTS)


def pem(key: Any) -> bytes:
    found: bytes = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return found


@pytest.mark.parametrize(
    "key", [b"", b"-----BEGIN PUBLIC KEY-----", pem(ed25519.Ed25519PrivateKey.generate()),
            pem(ec.generate_private_key(ec.SECP256K1())), Signer().pem]
)  # fmt: skip
def test_keys_that_did_not_sign(key: bytes) -> None:
    with pytest.raises(Unsigned):
        verified(SIGNER.sign(FILES), key, DIGESTS)


def test_another_key_without_a_hint_did_not_sign() -> None:
    told = SIGNER.bundle(SIGNER.statement(FILES))
    told["verificationMaterial"]["publicKey"] = {}
    with pytest.raises(Unsigned, match="did not sign"):
        verified(json.dumps(told).encode(), Signer().pem, DIGESTS)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 4000), st.binary(min_size=1, max_size=4))
def test_a_changed_bundle_says_nothing_else(at: int, put: bytes) -> None:
    """Whatever is changed: it is refused, or it says exactly what was signed."""
    good = BUNDLE
    changed = good[: at % len(good)] + put + good[at % len(good) + len(put) :]
    with contextlib.suppress(Unsigned):
        assert verified(changed, SIGNER.pem, DIGESTS) == verified(good, SIGNER.pem, DIGESTS)


BUNDLE = SIGNER.sign(FILES)
