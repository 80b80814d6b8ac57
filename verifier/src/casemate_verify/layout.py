"""The OCI layout: the index, its manifests, and which blobs they call for.

Blobs are hashed as they pass, never held.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

from casemate_verify.faults import Misread
from casemate_verify.jsontext import Value, read_canonical
from casemate_verify.shape import NAMED, array, members, number, pattern, rising

__all__ = ["Entry", "Layout", "read_index"]

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OBJECTS, FILES = 10_000, 20_000
SMALL, TOGETHER = 8 << 20, 16 << 20  # the largest manifest, and all of them
BLOBS = 32_000  # the largest number of members, and so of blobs
EMPTY = "sha512:" + hashlib.sha512(b"{}").hexdigest()
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_TYPE = re.compile(r"[a-z0-9][a-z0-9.+/-]{0,127}")
_RESERVED = {"con", "prn", "aux", "nul"} | {f"{port}{place}" for port in ("com", "lpt") for place in range(1, 10)}
_FORBIDDEN = frozenset('\\:*?"<>|')
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One object of the index: its name, the digest of its manifest (`sha512:HEX`), the manifest's size."""

    name: str
    digest: str
    size: int


def read_index(data: bytes) -> tuple[Entry, ...]:
    """The objects. ValueError where it is no such index."""
    listed, media, schema = members(read_canonical(data), "manifests", "mediaType", "schemaVersion")
    if media != "application/vnd.oci.image.index.v1+json" or number(schema) != 2:
        raise ValueError("no index")
    entries = tuple(_entry(item) for item in array(listed, 1, OBJECTS))
    if not rising([entry.digest for entry in entries]):
        raise ValueError("manifests out of order")
    if len({entry.name.lower() for entry in entries}) != len(entries):
        raise ValueError("two objects of one name")
    if sum(entry.size for entry in entries) > TOGETHER or EMPTY in (entry.digest for entry in entries):
        raise ValueError("too large together, or one that is none")
    return entries


def _entry(item: Value) -> Entry:
    notes, digest, media, size = members(item, "annotations", "digest", "mediaType", "size")
    (name,) = members(notes, "org.opencontainers.image.ref.name")
    if media != MANIFEST or pattern(name, _NAME).endswith("."):
        raise ValueError("no manifest of that name")
    return Entry(name, pattern(digest, NAMED), number(size, 0, SMALL))


def read_manifest(data: bytes) -> Iterator[tuple[str, int]]:
    """The files that it lists, as digest and size. ValueError where it is no such manifest."""
    value = read_canonical(data)
    kind, config, layers, media, schema = members(
        value, "artifactType", "config", "layers", "mediaType", "schemaVersion"
    )
    pattern(kind, _TYPE)
    empty = {"digest": EMPTY, "mediaType": "application/vnd.oci.empty.v1+json", "size": 2}
    if config != empty or media != MANIFEST or number(schema) != 2:
        raise ValueError("no manifest of ours")
    paths: list[str] = []
    files: list[tuple[str, int]] = []
    for layer in array(layers, 1, FILES):
        notes, digest, media, size = members(layer, "annotations", "digest", "mediaType", "size")
        (path,) = members(notes, "org.opencontainers.image.title")
        if media != "application/octet-stream" or not isinstance(path, str):
            raise ValueError("no file")
        paths.append(path)
        files.append((pattern(digest, NAMED), number(size)))
    _judge_paths(paths)
    return iter(files)


def _judge_paths(paths: list[str]) -> None:
    if not rising(paths):
        raise ValueError("files out of order")
    for path in paths:
        _judge_path(path)
    folded = {path.casefold() for path in paths}
    if len(folded) != len(paths):
        raise ValueError("two files of one path")
    for path in folded:
        parts = path.split("/")
        if any("/".join(parts[:cut]) in folded for cut in range(1, len(parts))):
            raise ValueError("a file below a file")


def _judge_path(path: str) -> None:
    parts = path.split("/")
    if len(path.encode()) > 1024 or len(parts) > 32 or unicodedata.normalize("NFC", path) != path:
        raise ValueError("too long a path, or no NFC")
    for part in parts:
        if part in (".", "..") or not 1 <= len(part.encode()) <= 255:
            raise ValueError("a part that is none")
        if part[0].isspace() or part[-1].isspace() or part[-1] == "." or _FORBIDDEN & set(part):
            raise ValueError("a part that some system cannot hold")
        if any(unicodedata.category(character) in _HIDDEN for character in part):
            raise ValueError("a part with a character that cannot be seen")
        if part.split(".")[0].lower() in _RESERVED:
            raise ValueError("a part that some system reserves")


@dataclass(slots=True)
class Layout:
    """What the blobs turn out to be, told one after another; `wrong` is the first thing that does not fit."""

    entries: tuple[Entry, ...]
    wrong: str = ""
    sizes: dict[str, int] = field(default_factory=dict)  # of the blobs that are there, by digest
    called: dict[str, int] = field(default_factory=dict)  # of those that are called for

    _manifests: dict[str, int] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._manifests = {entry.digest: entry.size for entry in self.entries}
        self._call(EMPTY, 2)
        for digest, size in self._manifests.items():
            self._call(digest, size)

    def blob(self, path: str, size: int, pieces: Iterator[memoryview]) -> None:
        """A blob passes. Misread `inside` where it is a manifest that is none."""
        digest = "sha512:" + path.rpartition("/")[2]
        self.sizes[digest] = size
        running, kept = hashlib.sha512(), bytearray()
        manifest = self._manifests.get(digest) == size  # of another size it is wrong already, and read as nothing
        for piece in pieces:
            running.update(piece)
            if manifest:
                kept += piece
        if "sha512:" + running.hexdigest() != digest:
            self.wrong = self.wrong or "a blob is not its name"
        if manifest:
            try:
                for named, length in read_manifest(bytes(kept)):
                    self._call(named, length)
            except ValueError as error:
                raise Misread("inside", f"a manifest: {error}") from None

    def _call(self, digest: str, size: int) -> None:
        if self.called.get(digest, size) != size:
            self.wrong = self.wrong or "a blob of two sizes"
        if len(self.called) <= BLOBS:  # more than there can be: it is wrong already, and nothing more need be held
            self.called[digest] = size

    def judged(self) -> str:
        """What is wrong with the blobs, or nothing."""
        if not self.wrong and self.called.keys() != self.sizes.keys():
            return "a blob is missing, or not called for"
        if not self.wrong and self.called != self.sizes:
            return "a blob of another size"
        return self.wrong
