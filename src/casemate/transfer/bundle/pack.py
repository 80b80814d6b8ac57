"""What a new bundle holds, in its order, before anything of it is sealed: small files whole, blobs by their digest.

    Thing, Thing, ... -> planned -> Layout (index, manifests)  + release, metadata -> content: bytes | blob, ...

It must never read a file: who has the blobs brings them, each when its turn comes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from casemate.errors import BadInput, TooLarge
from casemate.transfer.bundle.frames import LARGEST, padded
from casemate.transfer.bundle.inside import MOST_MANIFESTS
from casemate.transfer.bundle.layout import (
    EMPTY,
    EMPTY_DIGEST,
    LAYOUT,
    MOST_OBJECTS,
    File,
    Manifest,
    Pointed,
    digest_of,
    index_of,
)
from casemate.transfer.bundle.members import MOST_MEMBERS, Member, end_of, filling, header_of, placed, tar_size
from casemate.transfer.bundle.release import Guarded, Stated

__all__ = ["Content", "Layout", "Taken", "Thing", "content_of", "planned"]


@dataclass(frozen=True, slots=True)
class Thing:
    """An object that is to travel: its name in the bundle, what kind it is, its files, and what is said of it.

    `label`: canonical text. `sbom`: digests of bills of materials, each of which must be a file of some object.
    """

    name: str
    kind: str
    files: tuple[File, ...]
    label: str
    guards: tuple[Guarded, ...] = ()
    sbom: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Layout:
    """The OCI layout of all things: what of it is small, and the blobs that others bring, by digest.

    `stated` and `subjects` are in the order of the index, as a release wants them.
    """

    index: bytes
    subjects: tuple[tuple[str, str], ...]
    stated: tuple[Stated, ...]
    small: Mapping[str, bytes] = field(repr=False)
    large: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Taken:
    """A blob whose turn has come: `size` bytes of whoever has it."""

    digest: str
    size: int


@dataclass(frozen=True, slots=True)
class Content:
    """All that will be sealed. `size`: with its padding, in bytes; `tar`: without."""

    layout: Layout
    members: tuple[Member, ...]
    small: Mapping[str, bytes] = field(repr=False)
    tar: int
    size: int

    @property
    def inner(self) -> bytes:
        """SHA-512 over all members before the first blob, as they lie: what whoever signs the face is bound to."""
        running = hashlib.sha512()
        for member in self.members:
            if not member.path.startswith("blobs/"):
                running.update(header_of(member) + self.small[member.path] + bytes(filling(member.size)))
        return running.digest()

    def pieces(self) -> Iterator[bytes | Taken]:
        """In their order: bytes as they are, or the blob that is to be put there. Ends with the padding, in parts."""
        for member in self.members:
            yield header_of(member)
            raw = self.small.get(member.path)
            yield raw if raw is not None else Taken(f"sha512:{member.path.rpartition('/')[2]}", member.size)
            yield bytes(filling(member.size))
        yield end_of()
        left = self.size - self.tar
        while left:
            yield bytes(part := min(left, 1 << 20))
            left -= part


def planned(things: Sequence[Thing]) -> Layout:
    """Raises BadInput for names that cannot stand in a bundle, TooLarge for more than it holds."""
    if not 0 < len(things) <= MOST_OBJECTS:
        raise TooLarge(what="objects", limit=MOST_OBJECTS)
    small, large = {EMPTY_DIGEST: EMPTY}, dict[str, int]()
    pointed: list[tuple[Pointed, Thing]] = []
    for thing in things:
        raw = Manifest(thing.kind, thing.files).written()
        small[digest := digest_of(raw)] = raw
        pointed.append((Pointed(thing.name, digest, len(raw)), thing))
        for file in thing.files:
            if large.setdefault(file.digest, file.size) != file.size:
                raise BadInput(what="one digest and two sizes")
    if sum(each.size for each, _ in pointed) > MOST_MANIFESTS:
        raise TooLarge(what="manifests", limit=MOST_MANIFESTS)
    missing = {each for thing in things for each in thing.sbom} - large.keys()
    if missing:
        raise BadInput(what="a bill of materials that is no file of the bundle")
    index = index_of([each for each, _ in pointed])
    pointed.sort(key=_digest)
    return Layout(
        index,
        tuple((each.name, each.digest) for each, _ in pointed),
        tuple(Stated(thing.guards, thing.label, thing.sbom) for _, thing in pointed),
        small,
        {digest: size for digest, size in large.items() if digest not in small},
    )


def content_of(layout: Layout, release: bytes, metadata: Mapping[str, bytes]) -> Content:
    """All of a bundle's content, once its release is signed. Raises TooLarge."""
    small = {"oci-layout": LAYOUT, "index.json": layout.index, "release.dsse.json": release}
    small |= {f"metadata/{name}": raw for name, raw in metadata.items()}
    small |= {_blob(digest): raw for digest, raw in layout.small.items()}
    members = [Member(path, len(raw)) for path, raw in small.items()]
    members += [Member(_blob(digest), size) for digest, size in layout.large.items()]
    members.sort(key=_place)
    size = tar_size(members)
    if len(members) > MOST_MEMBERS or padded(size) > LARGEST:
        raise TooLarge(what="bundle", limit=LARGEST)
    return Content(layout, tuple(members), small, size, padded(size))


def _blob(digest: str) -> str:
    return f"blobs/sha512/{digest.partition(':')[2]}"


def _digest(each: tuple[Pointed, Thing]) -> str:
    return each[0].digest


def _place(member: Member) -> tuple[int, str]:
    return placed(member.path)
