"""The OCI image layout inside a bundle: an object is a manifest, its files are the manifest's layers.

index.json -> manifests, by digest -> layers, by path        all of it canonical JSON, all digests SHA-512
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from casemate.errors import BadInput, Damaged
from casemate.transfer.bundle.names import is_digest, is_name, is_path, is_type, unlike
from casemate.transfer.bundle.strict import read, shaped, spelled

__all__ = [
    "EMPTY",
    "EMPTY_DIGEST",
    "LAYOUT",
    "MOST_FILES",
    "MOST_INDEX",
    "MOST_MANIFEST",
    "MOST_OBJECTS",
    "File",
    "Manifest",
    "Pointed",
    "digest_of",
    "index_of",
    "read_index",
    "read_manifest",
]

LAYOUT: Final = b'{"imageLayoutVersion":"1.0.0"}'
EMPTY: Final = b"{}"
MOST_OBJECTS, MOST_FILES = 10_000, 20_000
MOST_INDEX, MOST_MANIFEST = 8 << 20, 8 << 20
_INDEX = "application/vnd.oci.image.index.v1+json"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.empty.v1+json"
_LAYER = "application/octet-stream"
_NAME, _TITLE = "org.opencontainers.image.ref.name", "org.opencontainers.image.title"


def digest_of(raw: bytes) -> str:
    """`sha512:` and the digest in hexadecimal."""
    return f"sha512:{hashlib.sha512(raw).hexdigest()}"


EMPTY_DIGEST: Final = digest_of(EMPTY)


@dataclass(frozen=True, slots=True)
class File:
    """A file of an object: its path in it, the digest of its bytes, and how many they are."""

    path: str
    digest: str
    size: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """An object: what kind of thing it is, and its files by path."""

    kind: str
    files: tuple[File, ...]

    def written(self) -> bytes:
        """Its canonical bytes. Raises BadInput for what cannot stand in a bundle."""
        layers = [
            {"annotations": {_TITLE: each.path}, "digest": each.digest, "mediaType": _LAYER, "size": each.size}
            for each in sorted(self.files, key=_path)
        ]
        raw = spelled(
            {
                "artifactType": self.kind,
                "config": {"digest": EMPTY_DIGEST, "mediaType": _CONFIG, "size": len(EMPTY)},
                "layers": layers,
                "mediaType": _MANIFEST,
                "schemaVersion": 2,
            }
        )
        try:
            read_manifest(raw)
        except Damaged:
            raise BadInput(what="names or kind of an object") from None
        return raw


@dataclass(frozen=True, slots=True)
class Pointed:
    """A manifest as the index points to it: the object's name, its digest and its size in bytes."""

    name: str
    digest: str
    size: int


class _Descriptor(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    annotations: dict[str, str]
    digest: str
    media_type: str
    size: int


class _Config(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    digest: str
    media_type: str
    size: int


class _Index(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    manifests: list[_Descriptor]
    media_type: str
    schema_version: int


class _Manifest(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    artifact_type: str
    config: _Config
    layers: list[_Descriptor]
    media_type: str
    schema_version: int


_EMPTY = _Config(digest=EMPTY_DIGEST, media_type=_CONFIG, size=len(EMPTY))


def index_of(pointed: Sequence[Pointed]) -> bytes:
    """The index's canonical bytes. Raises BadInput where names or manifests are the same, or too many."""
    manifests = [
        {"annotations": {_NAME: each.name}, "digest": each.digest, "mediaType": _MANIFEST, "size": each.size}
        for each in sorted(pointed, key=_digest)
    ]
    raw = spelled({"manifests": manifests, "mediaType": _INDEX, "schemaVersion": 2})
    try:
        read_index(raw)
    except Damaged:
        raise BadInput(what="names of the objects") from None
    return raw


def read_index(raw: bytes) -> tuple[Pointed, ...]:
    """The manifests, by digest. Raises Damaged."""
    found = shaped(read(raw, MOST_INDEX, "bundle index"), _Index, "bundle index")
    pointed = tuple(_pointed(each, _NAME, _MANIFEST) for each in found.manifests)
    digests = [each.digest for each in pointed]
    names = [each.name for each in pointed]
    sound = (
        (found.media_type, found.schema_version) == (_INDEX, 2)
        and 0 < len(pointed) <= MOST_OBJECTS
        and digests == sorted(set(digests))
        and all(map(is_name, names))
        and len({name.lower() for name in names}) == len(names)
        and all(0 < each.size <= MOST_MANIFEST for each in pointed)
    )
    if not sound:
        raise Damaged(what="bundle index")
    return pointed


def read_manifest(raw: bytes) -> Manifest:
    """An object's files. Raises Damaged."""
    found = shaped(read(raw, MOST_MANIFEST, "bundle manifest"), _Manifest, "bundle manifest")
    files = tuple(
        File(each.name, each.digest, each.size) for each in (_pointed(one, _TITLE, _LAYER) for one in found.layers)
    )
    paths = [each.path for each in files]
    sound = (
        (found.media_type, found.schema_version, found.config) == (_MANIFEST, 2, _EMPTY)
        and is_type(found.artifact_type)
        and 0 < len(files) <= MOST_FILES
        and paths == sorted(set(paths))
        and all(map(is_path, paths))
        and unlike(paths)
        and all(each.size >= 0 for each in files)
    )
    if not sound:
        raise Damaged(what="bundle manifest")
    return Manifest(found.artifact_type, files)


def _pointed(found: Any, name: str, media: str) -> Pointed:
    if set(found.annotations) != {name} or found.media_type != media or not is_digest(found.digest):
        raise Damaged(what="bundle descriptor")
    return Pointed(found.annotations[name], found.digest, found.size)


def _path(file: File) -> str:
    return file.path


def _digest(pointed: Pointed) -> str:
    return pointed.digest
