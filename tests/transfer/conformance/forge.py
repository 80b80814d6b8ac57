"""Bundles by the description of their bytes, each of whose steps a case may bend: what a forger with keys could make.

A step is named by what it yields; a bend is given the value and changes it, or answers with another. All that comes
after a bent step fits it (digests, metadata, signatures), so that a case is wrong in just the one way that it means.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from casemate.crypto import Keeper, KeySigner, derive
from casemate.transfer.bundle import ROLES, make_root, padded
from tests.transfer.bundling import CHANNEL, DAY, LOW, NOW, signer

__all__ = ["AREA", "CHANNEL", "DAY", "NOW", "SIGNERS", "Bundle", "js", "name_of", "opener_bytes", "state_of", "tuf"]

AREA, FRAME = 131_072, 1 << 20
SIGNERS = (("signer", "ann"), ("approver", "bob"))
EMPTY = f"sha512:{hashlib.sha512(b'{}').hexdigest()}"
Bend = Callable[[Any], Any]


def js(value: Any) -> bytes:
    """Canonical JSON, for names within ASCII."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def name_of(name: str, profile: str = "hybrid") -> str:
    return signer(name, profile).key_id


@cache
def opener_bytes(profile: str = "hybrid", name: str = "highland") -> bytes:
    """A region's private key, the same in every run."""
    seed = hashlib.sha512(f"keeper {name}".encode()).digest()
    scalar = hashlib.sha384(seed).digest()[:46].rjust(48, b"\x00")
    return seed + (scalar if profile == "hybrid" else b"")


@cache
def keeper_of(profile: str = "hybrid", name: str = "highland") -> Keeper:
    return Keeper(opener_bytes(profile, name))


def digest(data: bytes) -> str:
    return hashlib.sha512(data).hexdigest()


def tuf(signed: dict[str, Any], keys: list[KeySigner]) -> bytes:
    """A file of metadata, signed by these."""
    message = b"tuf\x01" + hashlib.sha512(_olpc(signed).encode()).digest()
    signatures = [{"keyid": key.key_id, "sig": key.sign(message).hex()} for key in keys]
    return js({"signatures": signatures, "signed": signed})


def _olpc(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{_olpc(name)}:{_olpc(value[name])}" for name in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_olpc, value)) + "]"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return json.dumps(value)


def the_time(micros: int) -> str:
    return datetime.fromtimestamp(micros // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@cache
def _root(version: int, roles: str, by: tuple[str, ...], more: tuple[Any, ...]) -> bytes:
    said = dict(more)
    profile = said.get("profile", "hybrid")
    each = {name: ([signer(f"{name}{roles}", "cnsa2").public], said.get("needed", 1)) for name in ROLES}
    groups = [
        (sorted(signer(name, profile).public for name in said.get(group, (default,))), said.get(f"{group}_needed", 1))
        for group, default in (("signers", "ann"), ("approvers", "bob"))
    ]
    keys = [signer(name, "cnsa2") for name in by]
    return make_root(said.get("channel", CHANNEL), version, said.get("expires", NOW + 900 * DAY), each, *groups, keys)


def root_of(version: int = 1, roles: str = "", by: tuple[str, ...] = ("root",), **more: Any) -> bytes:
    return _root(version, roles, by, tuple(sorted(more.items())))


def state_of(**other: Any) -> bytes:
    """What HIGHLAND knows before anything came, as its file; every member can be another."""
    known: dict[str, Any] = {
        "attested": 0, "banner": "SECRET", "bundle": "", "ceiling": "us:TOP SECRET", "channel": CHANNEL.hex(),
        "destination": "highland", "floor": "bottom", "format": "casemate channel state v1", "guard": "named",
        "label": "us:SECRET", "labels": {}, "lattice": LATTICE, "pending": [], "previous": "", "revoked": [],
        "root": root_of().decode(), "sequence": 0, "skip": 0, "source": "lowland",
        "versions": {"snapshot": 0, "targets": 0, "timestamp": 0}, "window": 400 * DAY,
    }  # fmt: skip
    return js(known | other)


LATTICE = {
    "us": {
        "levels": ["UNCLASSIFIED", "CONFIDENTIAL", "SECRET", "TOP SECRET"],
        "permissive": ["REL"],
        "restrictive": ["DISSEM", "SCI"],
    },
    "site": {"levels": ["OPEN", "CLOSED"], "permissive": [], "restrictive": ["PROJECT"]},
}


@dataclass
class Bundle:
    """What goes in, and how its steps are bent. `make` gives the file's bytes."""

    sequence: int = 1
    objects: dict[str, dict[str, bytes]] = field(default_factory=lambda: {"weights": {"a/model.bin": b"a small model"}})
    labels: dict[str, str | None] = field(default_factory=dict)
    guards: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    profile: str = "hybrid"
    recipient: str = "highland"
    signs: tuple[tuple[str, str], ...] = SIGNERS
    agrees: tuple[str, ...] = ("ann",)
    issued: int = NOW - DAY
    expires: int = NOW + 30 * DAY
    previous: str = ""
    roots: dict[str, bytes] = field(default_factory=lambda: {"1": root_of()})
    roles: str = ""
    version: int = 1
    valid: int = NOW + 60 * DAY
    bends: dict[str, Bend] = field(default_factory=dict)

    def _bent(self, step: str, value: Any) -> Any:
        bend = self.bends.get(step)
        if bend is None:
            return value
        answer = bend(value)
        return value if answer is None else answer

    @property
    def id(self) -> bytes:
        return hashlib.sha256(f"bundle {self.sequence}".encode()).digest()[:16]

    def named(self) -> dict[str, str]:
        """The digest of each object's manifest."""
        members = dict(self._members())
        listed = json.loads(members["index.json"])["manifests"]
        return {one["annotations"]["org.opencontainers.image.ref.name"]: one["digest"] for one in listed}

    def make(self) -> bytes:
        members = self._members()
        content = self._content(members)
        small = [(path, data) for path, data in members if not path.startswith("blobs/")]
        inner = hashlib.sha512(self._tar(small)[:-1024]).digest()
        key = hashlib.sha256(self.id).digest()
        cipher = AESGCM(derive(key, b"bundle frames", self.id))
        pieces = [content[at : at + FRAME] for at in range(0, len(content), FRAME)]
        frames = [
            cipher.encrypt(
                at.to_bytes(12, "big"), piece, self.id + at.to_bytes(8, "big") + bytes([at == len(pieces) - 1])
            )
            for at, piece in enumerate(pieces)
        ]
        frames = self._bent("frames", frames)
        sealed = b"".join(frames)
        face = self._face(key, len(content), len(pieces), hashlib.sha512(sealed).digest(), inner)
        area = self._bent("area", (face + self._signatures(face)).ljust(AREA, b"\x00"))
        return self._bent("file", bytes(area) + self._bent("sealed", sealed))

    def _face(self, key: bytes, size: int, frames: int, hashed: bytes, inner: bytes) -> bytes:
        keeper = keeper_of(self.profile, self.recipient)
        public = hashlib.sha384(keeper.recipient.public).digest()[:10]
        wrapped = keeper.recipient.wrap(key, b"casemate bundle v1\n" + self.id)
        said = self._bent("face", {
            "magic": b"CMBNDL\x00\x02", "bundle": self.id, "channel": CHANNEL, "sequence": self.sequence,
            "expires": self.expires, "size": size, "frames": frames, "digest": hashed, "inner": inner,
            "profile": 1 if self.profile == "hybrid" else 2, "count": None, "length": None, "banner": b"SECRET",
            "recipients": [public + wrapped],
        })  # fmt: skip
        count = len(said["recipients"]) if said["count"] is None else said["count"]
        length = len(said["banner"]) if said["length"] is None else said["length"]
        numbers = b"".join(said[name].to_bytes(8, "big") for name in ("sequence", "expires", "size"))
        head = said["magic"] + said["bundle"] + said["channel"] + numbers + said["frames"].to_bytes(4, "big")
        tail = (
            said["digest"]
            + said["inner"]
            + bytes([said["profile"], count])
            + length.to_bytes(2, "big")
            + said["banner"]
        )
        return self._bent("raw", head + tail + b"".join(said["recipients"]))

    def _signatures(self, face: bytes) -> bytes:
        entries = []
        for role, name in self.signs:
            key = signer(name, self.profile)
            over = self._bent("signed", f"casemate bundle {role} v1\n".encode() + face)
            entries.append([1 if role == "signer" else 2, key.public, key.sign(over)])
        entries = self._bent("signatures", sorted(entries))
        count = self._bent("count", len(entries))
        return bytes([count]) + b"".join(bytes([role]) + public + signature for role, public, signature in entries)

    def _content(self, members: list[tuple[str, bytes]]) -> bytes:
        tar = self._bent("tar", self._tar(members))
        size = self._bent("size", padded(max(len(tar), FRAME)))
        return self._bent("content", tar.ljust(size, b"\x00"))

    def _tar(self, members: list[tuple[str, bytes]]) -> bytes:
        out = io.BytesIO()
        for path, data in members:
            info = self._bent("info", tarfile.TarInfo(path))
            info.size = len(data)
            out.write(info.tobuf(tarfile.PAX_FORMAT) + data + b"\x00" * (-len(data) % 512))
        return out.getvalue() + b"\x00" * 1024

    def _members(self) -> list[tuple[str, bytes]]:
        blobs = {EMPTY: b"{}"}
        index: list[dict[str, Any]] = []
        for name, files in self.objects.items():
            layers = []
            for path, data in sorted(files.items()):
                blobs[f"sha512:{digest(data)}"] = data
                layers.append(_described("org.opencontainers.image.title", path, "application/octet-stream", data))
            manifest = {
                "artifactType": "application/vnd.casemate.blob",
                "config": {"digest": EMPTY, "mediaType": "application/vnd.oci.empty.v1+json", "size": 2},
                "layers": layers, "mediaType": MANIFEST, "schemaVersion": 2,
            }  # fmt: skip
            raw = self._bent("manifest_bytes", js(self._bent("manifest", manifest)))
            blobs[f"sha512:{digest(raw)}"] = raw
            index.append(_described("org.opencontainers.image.ref.name", name, MANIFEST, raw))
        index.sort(key=lambda one: one["digest"])
        envelope = self._envelope(copy.deepcopy(index))
        whole = {"manifests": index, "mediaType": "application/vnd.oci.image.index.v1+json", "schemaVersion": 2}
        whole = self._bent("index_bytes", js(self._bent("index", whole)))
        metadata = self._bent("metadata", self._metadata(envelope))
        members = [
            ("oci-layout", b'{"imageLayoutVersion":"1.0.0"}'),
            ("index.json", whole),
            ("release.dsse.json", envelope),
            *((f"metadata/{name}", raw) for name, raw in sorted(metadata.items())),
            *((f"blobs/sha512/{name[7:]}", raw) for name, raw in sorted(self._bent("blobs", blobs).items())),
        ]
        return self._bent("members", members)

    def _envelope(self, index: list[dict[str, Any]]) -> bytes:
        named = [(one["annotations"]["org.opencontainers.image.ref.name"], one["digest"][7:]) for one in index]
        predicate = {
            "approvals": [{"by": "carol", "reference": "ticket 7"}], "banner": "SECRET", "bundle": self.id.hex(),
            "channel": CHANNEL.hex(), "destination": "highland", "issued": self.issued, "label": "us:SECRET",
            "not_after": self.expires, "previous": self.previous, "sequence": self.sequence, "source": "lowland",
            "objects": [
                {"guards": self.guards.get(name, []), "label": self.labels.get(name, LOW), "sbom": []}
                for name, _ in named
            ],
        }  # fmt: skip
        statement = self._bent("statement", {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"digest": {"sha512": sha}, "name": name} for name, sha in named],
            "predicateType": "urn:casemate:release:v1",
            "predicate": predicate,
        })  # fmt: skip
        payload = self._bent("payload", js(statement))
        kind = "application/vnd.in-toto+json"
        message = f"DSSEv1 28 {kind} {len(payload)} ".encode() + payload
        keys = sorted((signer(name, self.profile) for name in self.agrees), key=lambda key: key.key_id)
        signatures = [{"keyid": key.key_id, "sig": base64.b64encode(key.sign(message)).decode()} for key in keys]
        whole = {"payload": base64.b64encode(payload).decode(), "payloadType": kind, "signatures": signatures}
        return self._bent("envelope_bytes", js(self._bent("envelope", whole)))

    def _metadata(self, envelope: bytes) -> dict[str, bytes]:
        made = {f"{number}.root.json": raw for number, raw in self._bent("roots", dict(self.roots)).items()}
        told: dict[str, Any] = {"release.dsse.json": _hashed(envelope)}
        for role in ("targets", "snapshot", "timestamp"):
            said = {
                "_type": role, "expires": the_time(self.valid), "spec_version": "1.0.31", "version": self.version,
                "targets" if role == "targets" else "meta": told,
            }  # fmt: skip
            said = self._bent(role, said)
            keys = self._bent(f"{role}_keys", [signer(f"{role}{self.roles}", "cnsa2")])
            made[f"{role}.json"] = self._bent(f"{role}_bytes", tuf(said, keys))
            told = {f"{role}.json": _hashed(made[f"{role}.json"]) | {"version": self.version}}
        return made


MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def _described(name: str, value: str, media: str, data: bytes) -> dict[str, Any]:
    return {
        "annotations": {name: value}, "digest": f"sha512:{digest(data)}", "mediaType": media, "size": len(data)
    }  # fmt: skip


def _hashed(data: bytes) -> dict[str, Any]:
    return {"hashes": {"sha512": digest(data)}, "length": len(data)}
