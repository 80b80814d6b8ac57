"""What is told of buckets and of the objects in them, and what a caller says of a new one. Plain values."""

from __future__ import annotations

from dataclasses import dataclass, field

from casemate.labels import Label

__all__ = ["Bucket", "Condition", "Listing", "NewObject", "Part", "Seen", "Upload"]


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket as the acting label sees it. `dropped`: nobody writes to it, and something is left in it all the same.

    `at`: when it was made, in microseconds. Objects in it lie between `floor` and `ceiling`.
    """

    name: str
    floor: Label
    ceiling: Label
    at: int
    dropped: bool = False

    def takes(self, label: Label) -> bool:
        """Whether an object of that label may be put into it. A ceiling bounds how high, not who needs to know it."""
        return not self.dropped and self.floor <= label <= self.ceiling.with_needs(label.needs)


@dataclass(frozen=True, slots=True)
class NewObject:
    """What a caller says of an object. `label` as text; "" is the acting label, and any other is refused.

    `headers`: those that are given back with it (Content-Encoding, Cache-Control and their like), by lower-case name.
    """

    media: str = "binary/octet-stream"
    headers: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    label: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """An object as the acting label sees it. `etag` without quotes; `parts` is 0 where it came in one piece.

    `others`: in a listing, the labels of those of the same key of which none is above the other; a read refuses such a
    key. `version` and `class_id` say which object it is, for whoever reads it in pieces.
    """

    bucket: str
    key: str
    label: Label
    etag: str
    size: int
    media: str
    headers: dict[str, str]
    metadata: dict[str, str]
    tags: dict[str, str]
    at: int
    parts: int = 0
    others: tuple[Label, ...] = ()
    version: int = 0
    class_id: str = ""
    pieces: tuple[tuple[str, int], ...] = ()
    lengths: tuple[int, ...] = ()
    origins: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Condition:
    """RFC 9110, section 13. ETags without quotes, `*` for any; times in whole seconds. None: not asked.

    What is compared is what a read at the acting label would give.
    """

    if_match: tuple[str, ...] | None = None
    if_none_match: tuple[str, ...] | None = None
    if_modified: int | None = None
    if_unmodified: int | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an upload. `at` in microseconds."""

    number: int
    etag: str
    size: int
    at: int


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload in parts that is under way. It lies, and stays, at `label`."""

    id: str
    bucket: str
    key: str
    label: Label
    new: NewObject
    at: int


@dataclass(frozen=True, slots=True)
class Listing:
    """Objects by the bytes of their keys, common prefixes, and where the next listing begins (None: at the end)."""

    objects: tuple[Seen, ...] = ()
    prefixes: tuple[str, ...] = ()
    next: str | None = None
