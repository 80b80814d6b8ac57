"""What is stored of buckets: the bucket at its floor, objects and uploads at their labels, and the order of keys.

The rows of one bucket in one access class are a world of their own: nothing here counts or orders over two classes.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from casemate.objects import Kind

__all__ = [
    "BUCKET",
    "CHANGE",
    "KEYS",
    "MAP",
    "OBJECT",
    "PART",
    "UPLOAD",
    "BucketRecord",
    "ChangeRecord",
    "KeysRecord",
    "MapRecord",
    "ObjectRecord",
    "Origin",
    "PartRecord",
    "Piece",
    "Said",
    "Shard",
    "UploadRecord",
    "place",
]


class BucketRecord(msgspec.Struct, frozen=True):
    """A bucket. Its floor is where it lies; `ceiling` is a canonical text. `gone`: it was dropped."""

    name: str
    ceiling: str
    at: int
    by: str = ""
    gone: bool = False


class Piece(msgspec.Struct, frozen=True, array_like=True):
    """A stretch of an object: a blob of its class, and how many bytes that is."""

    blob: str
    size: int


class Origin(msgspec.Struct, frozen=True, array_like=True):
    """An object of which some bytes were copied, and the class in which it lay."""

    id: str
    class_id: str


class Said(msgspec.Struct, frozen=True):
    """What whoever brought an object said of it."""

    media: str
    headers: dict[str, str] = {}
    metadata: dict[str, str] = {}
    tags: dict[str, str] = {}


class ObjectRecord(msgspec.Struct, frozen=True):
    """An object. `parts`: how many it was uploaded in, 0 for one put; `lengths` are theirs, in order."""

    bucket: str
    key: str
    etag: str
    size: int
    said: Said
    at: int
    pieces: tuple[Piece, ...]
    by: str = ""
    parts: int = 0
    lengths: tuple[int, ...] = ()
    origins: tuple[Origin, ...] = ()


class UploadRecord(msgspec.Struct, frozen=True):
    """An upload under way."""

    bucket: str
    key: str
    said: Said
    at: int
    by: str = ""


class PartRecord(msgspec.Struct, frozen=True):
    """A part of an upload. `first` and `last`: the bytes at its ends, by which its seams are looked at."""

    upload: str
    number: int
    etag: str
    size: int
    at: int
    pieces: tuple[Piece, ...]
    origins: tuple[Origin, ...] = ()
    first: bytes = b""
    last: bytes = b""


class ChangeRecord(msgspec.Struct, frozen=True):
    """A key that has come or gone since the order of keys was last written."""

    bucket: str
    key: str
    there: bool


class Shard(msgspec.Struct, frozen=True, array_like=True):
    """A stretch of the order: from `first` on, `count` keys in the row of that id."""

    first: str
    id: str
    count: int


class MapRecord(msgspec.Struct, frozen=True):
    """The order of a bucket's keys in one class: stretches that do not overlap, by their first keys."""

    shards: tuple[Shard, ...] = ()


class KeysRecord(msgspec.Struct, frozen=True):
    """The keys of a stretch, in the order of their UTF-8 bytes. Written once, then replaced by another row."""

    keys: tuple[str, ...]


def _pieces(value: ObjectRecord | PartRecord) -> Iterable[str]:
    return [piece.blob for piece in value.pieces]


def _copied(id: str, value: ObjectRecord | PartRecord) -> Iterable[tuple[str, str]]:
    del id
    return [(OBJECT.name, origin.id) for origin in value.origins]


def _part_of(id: str, value: PartRecord) -> Iterable[tuple[str, str]]:
    return [(UPLOAD.name, value.upload), *_copied(id, value)]


BUCKET = Kind("bucket", BucketRecord)
OBJECT = Kind("bucket.object", ObjectRecord, blobs=_pieces, sources=_copied)
UPLOAD = Kind("bucket.upload", UploadRecord, indexed=("bucket",))
PART = Kind("bucket.part", PartRecord, indexed=("upload",), blobs=_pieces, sources=_part_of)
CHANGE = Kind("bucket.change", ChangeRecord, indexed=("bucket",))
MAP = Kind("bucket.map", MapRecord)
KEYS = Kind("bucket.keys", KeysRecord)


def place(bucket: str, key: str) -> str:
    """The id of an object, and of what is noted of its key: a bucket's name has no slash."""
    return f"{bucket}/{key}"
