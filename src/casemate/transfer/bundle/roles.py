"""Roles of a channel by The Update Framework: who signs what, in how many, and from which version on.

Only ML-DSA-87 signs (TAP 21). A root says, besides, whose signatures a bundle of the channel needs (`x-casemate`). What
is read is first read by our own bounded reader, then by python-tuf, which also checks thresholds and signatures.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta
from securesystemslib.exceptions import FormatError, UnverifiedSignatureError
from securesystemslib.signer import Key, Signature, SSlibKey
from securesystemslib.signer import Signer as TufSigner
from tuf.api.exceptions import LengthOrHashMismatchError, RepositoryError, UnsignedMetadataError
from tuf.api.metadata import Metadata, MetaFile, Root, Signed, Snapshot, TargetFile, Targets, Timestamp
from tuf.api.serialization import DeserializationError

from casemate.crypto import Signer, is_public_key, key_id
from casemate.errors import BadInput, Damaged
from casemate.transfer.bundle.strict import read, shaped, spelled

__all__ = [
    "MOST_METADATA",
    "MOST_ROOTS",
    "ROLES",
    "Current",
    "Trust",
    "Versions",
    "chained",
    "make_metadata",
    "make_root",
    "read_root",
    "tuf_key",
]

MOST_METADATA, MOST_ROOTS = 512 << 10, 256
ROLES: Final = ("root", "snapshot", "targets", "timestamp")
RELEASE = "release.dsse.json"
SCHEME = "ml-dsa-87/1"
_OURS = "x-casemate"
_DER = bytes.fromhex("30820a32300b0609608648016503040313" + "03820a2100")
_MICRO = 1_000_000
_Hex = Annotated[str, Meta(pattern=r"^(?:[0-9a-f]{5184}|[0-9a-f]{5248})\Z")]


class _Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    keys: Annotated[tuple[_Hex, ...], Meta(max_length=32)]
    threshold: Annotated[int, Meta(ge=0, le=32)]


class _Ours(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    approvers: _Group
    channel: Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]
    signers: _Group


@dataclass(frozen=True, slots=True)
class Trust:
    """A root: its version, its channel, and whose signatures a bundle needs. Keys are public keys, in bytes."""

    raw: bytes
    version: int
    expires: int
    channel: bytes
    signers: tuple[bytes, ...]
    signers_needed: int
    approvers: tuple[bytes, ...]
    approvers_needed: int


@dataclass(frozen=True, slots=True)
class Versions:
    """The versions of the three roles that change with every bundle."""

    timestamp: int
    snapshot: int
    targets: int
    expires: int  # the earliest end of the three


@dataclass(frozen=True, slots=True)
class Current:
    """The newest root of a chain."""

    trust: Trust
    root: Root


class _Mine(TufSigner):
    """Our key as python-tuf signs with it: over "tuf", 1 and SHA-512 of what is signed (TAP 21)."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self._key = tuf_key(signer.public)

    @property
    def public_key(self) -> Key:
        return self._key

    @classmethod
    def from_priv_key_uri(cls, priv_key_uri: str, public_key: Key, secrets_handler: Any = None) -> TufSigner:
        raise NotImplementedError("keys come from their owner's file")

    def sign(self, payload: bytes) -> Signature:
        value = self._signer.sign(b"tuf\x01" + hashlib.sha512(payload).digest())
        return Signature(self._key.keyid, value.hex())


def tuf_key(public: bytes) -> SSlibKey:
    """A public key of ML-DSA-87 as TUF writes it. Raises BadInput for one of another algorithm."""
    if len(public) != 2592:
        raise BadInput(what="key of a role: it must be of the profile cnsa2")
    text = base64.b64encode(_DER + public).decode()
    lines = "\n".join(text[at : at + 64] for at in range(0, len(text), 64))
    pem = f"-----BEGIN PUBLIC KEY-----\n{lines}\n-----END PUBLIC KEY-----\n"
    return SSlibKey(key_id(public), "ml-dsa", SCHEME, {"public": pem})


def make_root(
    channel: bytes,
    version: int,
    expires: int,
    roles: Mapping[str, tuple[Sequence[bytes], int]],
    signers: tuple[Sequence[bytes], int],
    approvers: tuple[Sequence[bytes], int],
    keys: Sequence[Signer],
) -> bytes:
    """A root signed by `keys`: those of the root before sign too. Each of the others is (public keys, threshold)."""
    root = Root(version=version, expires=_moment(expires), consistent_snapshot=False)
    for name, (publics, threshold) in roles.items():
        for public in publics:
            root.add_key(tuf_key(public), name)
        root.roles[name].threshold = threshold
    root.unrecognized_fields[_OURS] = {
        "approvers": {"keys": sorted(each.hex() for each in approvers[0]), "threshold": approvers[1]},
        "channel": channel.hex(),
        "signers": {"keys": sorted(each.hex() for each in signers[0]), "threshold": signers[1]},
    }
    return _signed(root, keys)


def make_metadata(release: bytes, version: int, expires: int, keys: Mapping[str, Sequence[Signer]]) -> dict[str, bytes]:
    """Timestamp, snapshot and targets of a bundle with that release, by name; `keys` are those of the three roles."""
    targets = Targets(version=version, expires=_moment(expires))
    targets.targets[RELEASE] = TargetFile.from_data(RELEASE, release, ["sha512"])
    raw = {"targets.json": _signed(targets, keys["targets"])}
    snapshot = Snapshot(version=version, expires=_moment(expires))
    snapshot.meta["targets.json"] = MetaFile.from_data(version, raw["targets.json"], ["sha512"])
    raw["snapshot.json"] = _signed(snapshot, keys["snapshot"])
    timestamp = Timestamp(version=version, expires=_moment(expires))
    timestamp.snapshot_meta = MetaFile.from_data(version, raw["snapshot.json"], ["sha512"])
    raw["timestamp.json"] = _signed(timestamp, keys["timestamp"])
    return raw


def read_root(raw: bytes) -> Current:
    """A root as it stands, its signatures not checked. Raises Damaged."""
    found = _read(raw, Root)
    ours = shaped(found.signed.unrecognized_fields.get(_OURS), _Ours, "bundle root")
    if not ours.signers.threshold or set(found.signed.unrecognized_fields) != {_OURS}:
        raise Damaged(what="bundle root")
    groups = [tuple(map(bytes.fromhex, each.keys)) for each in (ours.signers, ours.approvers)]
    if any(list(group) != sorted(set(group)) or not all(map(is_public_key, group)) for group in groups):
        raise Damaged(what="bundle root")
    trust = Trust(
        raw,
        found.signed.version,
        _micro(found.signed.expires),
        bytes.fromhex(ours.channel),
        groups[0],
        ours.signers.threshold,
        groups[1],
        ours.approvers.threshold,
    )
    return Current(trust, found.signed)


def chained(trusted: bytes, metadata: Mapping[str, bytes], revoked: Collection[str]) -> Current:
    """The newest root that can be reached from the trusted one. Raises Damaged where a step does not hold."""
    current = read_root(trusted)
    if metadata.get(f"{current.trust.version}.root.json", trusted) != trusted:
        raise Damaged(what="bundle root")
    while (raw := metadata.get(f"{current.trust.version + 1}.root.json")) is not None:
        found, after = _read(raw, Root), read_root(raw)
        _proven(current.root, "root", found, revoked)
        _proven(after.root, "root", found, revoked)
        if after.trust.version != current.trust.version + 1 or after.trust.channel != current.trust.channel:
            raise Damaged(what="bundle root")
        current = after
    return current


def three(current: Current, metadata: Mapping[str, bytes], release: bytes, revoked: Collection[str]) -> Versions:
    """Timestamp, snapshot and targets, each proven by the root and by the one before. Raises Damaged."""
    try:
        raw = [metadata[f"{name}.json"] for name in ("timestamp", "snapshot", "targets")]
    except KeyError:
        raise Damaged(what="bundle metadata") from None
    timestamp, snapshot, targets = _read(raw[0], Timestamp), _read(raw[1], Snapshot), _read(raw[2], Targets)
    _proven(current.root, "timestamp", timestamp, revoked)
    _proven(current.root, "snapshot", snapshot, revoked)
    _proven(current.root, "targets", targets, revoked)
    said, meant = timestamp.signed.snapshot_meta, snapshot.signed.meta
    if set(meant) != {"targets.json"} or set(targets.signed.targets) != {RELEASE} or targets.signed.delegations:
        raise Damaged(what="bundle metadata")
    described = (said, meant["targets.json"], targets.signed.targets[RELEASE])
    if any(set(each.hashes or {}) != {"sha512"} or not each.length for each in described):
        raise Damaged(what="bundle metadata")
    if (said.version, meant["targets.json"].version) != (snapshot.signed.version, targets.signed.version):
        raise Damaged(what="bundle metadata")
    try:
        for each, bytes_ in zip(described, (raw[1], raw[2], release), strict=True):
            each.verify_length_and_hashes(bytes_)
    except LengthOrHashMismatchError:
        raise Damaged(what="bundle metadata") from None
    every = (timestamp.signed, snapshot.signed, targets.signed)
    ends = min(_micro(each.expires) for each in every)
    return Versions(timestamp.signed.version, snapshot.signed.version, targets.signed.version, ends)


def _read(raw: bytes, kind: type[Any]) -> Metadata[Any]:
    """One file of metadata, bounded and in ASCII, by python-tuf. Raises Damaged."""
    what = "bundle metadata"
    if not raw.isascii():
        raise Damaged(what=what)
    read(raw, MOST_METADATA, what)
    try:
        metadata: Metadata[Any] = Metadata.from_bytes(raw)
    except DeserializationError:
        raise Damaged(what=what) from None
    if not isinstance(metadata.signed, kind) or spelled(metadata.to_dict()) != raw or len(metadata.signatures) > 64:
        raise Damaged(what=what)
    if b":true" in raw or any(each.unrecognized_fields for each in _parts(metadata)):  # no number is a truth value
        raise Damaged(what=what)
    if isinstance(metadata.signed, Root):
        keys = metadata.signed.keys
        unknown = any(not keys.keys() >= set(role.keyids) for role in metadata.signed.roles.values())
        if unknown or metadata.signed.consistent_snapshot is not False:
            raise Damaged(what=what)
        for name, key in keys.items():
            if key.to_dict() != _described(name, key):
                raise Damaged(what=what)
    return metadata


def _parts(metadata: Metadata[Any]) -> Iterator[Any]:
    """All that may hold members of which nothing is said, but for what a root says of ours."""
    signed = metadata.signed
    yield metadata
    yield from metadata.signatures.values()
    if isinstance(signed, Root):
        yield from (*signed.keys.values(), *signed.roles.values())
        return
    yield signed
    if isinstance(signed, Timestamp):
        yield signed.snapshot_meta
    elif isinstance(signed, Snapshot):
        yield from signed.meta.values()
    else:
        yield from signed.targets.values()


def _described(name: str, key: Key) -> dict[str, Any]:
    """That key as we would write it: its name is of its own bytes, so no key stands under two."""
    pem = str(key.keyval.get("public", ""))
    try:
        public = base64.b64decode("".join(pem.split("\n")[1:-2]), validate=True)[len(_DER) :]
        return tuf_key(public).to_dict() if key_id(public) == name else {}
    except (ValueError, BadInput):
        return {}


def _proven(root: Root, role: str, metadata: Metadata[Any], revoked: Collection[str]) -> None:
    """Signed by as many keys of that role as the root asks for, none of them revoked. Raises Damaged."""
    signatures = {key: value for key, value in metadata.signatures.items() if key not in revoked}
    try:
        root.verify_delegate(role, metadata.signed_bytes, signatures)
    except (UnsignedMetadataError, RepositoryError, UnverifiedSignatureError, FormatError, ValueError):
        raise Damaged(what="bundle metadata") from None


def _signed(metadata: Signed, keys: Sequence[Signer]) -> bytes:
    made: Metadata[Any] = Metadata(metadata)
    for key in keys:
        made.sign(_Mine(key), append=True)
    return made.to_bytes()


def _moment(at: int) -> datetime:
    return datetime.fromtimestamp(at // _MICRO, UTC)


def _micro(at: datetime) -> int:
    return int(at.timestamp()) * _MICRO
