"""Small files of models, made by the tests, and a signer that writes what OpenSSF model signing writes."""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

CURVES: dict[int, tuple[ec.EllipticCurve, hashes.HashAlgorithm]] = {
    256: (ec.SECP256R1(), hashes.SHA256()),
    384: (ec.SECP384R1(), hashes.SHA384()),
    521: (ec.SECP521R1(), hashes.SHA512()),
}


def safetensors(header: Any = None, body: bytes = b"abcd") -> bytes:
    told = {"w": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}} if header is None else header
    raw = told if isinstance(told, bytes) else json.dumps(told).encode()
    return struct.pack("<Q", len(raw)) + raw + body


def gguf(version: int = 3, tensors: int = 0, keys: int = 0, body: bytes = b"") -> bytes:
    return b"GGUF" + struct.pack("<IQQ", version, tensors, keys) + body


def onnx(version: int = 8, graph: bytes = b"\x0a\x00", opsets: bytes = b"\x42\x02\x10\x0d") -> bytes:
    return bytes((0x08, version)) + b"\x3a" + bytes((len(graph),)) + graph + opsets


def lay(folder: Path, files: Mapping[str, bytes]) -> Path:
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder


class Signer:
    """An EC key that signs files. `change` is done to the statement or bundle before and after it is signed."""

    def __init__(self, bits: int = 384) -> None:
        curve, self._hash = CURVES[bits]
        self.key = ec.generate_private_key(curve)

    @property
    def pem(self) -> bytes:
        format = serialization.PublicFormat.SubjectPublicKeyInfo
        return self.key.public_key().public_bytes(serialization.Encoding.PEM, format)

    def statement(self, files: Mapping[str, bytes]) -> dict[str, Any]:
        digests = {path: hashlib.sha256(files[path]).hexdigest() for path in sorted(files)}
        root = hashlib.sha256(b"".join(bytes.fromhex(digest) for digest in digests.values())).hexdigest()
        return {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": "m", "digest": {"sha256": root}}],
            "predicateType": "https://model_signing/signature/v1.0",
            "predicate": {
                "resources": [{"name": n, "digest": d, "algorithm": "sha256"} for n, d in digests.items()],
                "serialization": {"method": "files", "hash_type": "sha256", "allow_symlinks": False},
            },
        }

    def bundle(self, statement: Any) -> dict[str, Any]:
        kind = "application/vnd.in-toto+json"
        payload = json.dumps(statement).encode()
        signed = b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)
        sig = self.key.sign(signed, ec.ECDSA(self._hash))
        return {
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {
                "publicKey": {"hint": hashlib.sha256(self.pem).hexdigest()},
                "tlogEntries": [],
            },
            "dsseEnvelope": {
                "payload": base64.b64encode(payload).decode(),
                "payloadType": kind,
                "signatures": [{"sig": base64.b64encode(sig).decode(), "keyid": ""}],
            },
        }

    def sign(self, files: Mapping[str, bytes]) -> bytes:
        return json.dumps(self.bundle(self.statement(files))).encode()
