"""The port behind which the files of bundles lie: drafts and what goes out, what comes in, what is held.

It must never decide anything: it writes and reads bytes, and what a bundle is worth is `verify`'s to say.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from casemate.transfer.bundle.face import Role
from casemate.transfer.region.cargo import Arrived, Carried, Content
from casemate.transfer.verify import Facts

__all__ = ["LOST", "Made", "Opened", "Outgoing", "Packing", "Place", "Yard"]

LOST = "transfer.file"
"""The kind that is absent where a file is gone: of a region that was brought back, say."""
Place = Literal["held", "quarantine"]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """An object that goes: its name among the others of the bundle, what kind of thing, its label, its files.

    `guards`: digest, guard and verdict of each that has looked at it.
    """

    name: str
    type: str
    label: str
    contents: tuple[Content, ...]
    guards: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Packing:
    """A bundle that is to be written. Ids and `previous` in hexadecimal, times in microseconds, keys as bytes.

    `roots`: those after the first, in their order. `former`: keys that sign besides `signing`.
    """

    bundle: str
    channel: str
    sequence: int
    previous: str
    source: str
    destination: str
    label: str
    banner: str
    issued: int
    expires: int
    recipient: bytes
    root: bytes
    signing: bytes = field(repr=False)
    roles: bytes = field(repr=False)
    objects: tuple[Outgoing, ...] = field(repr=False)
    approvals: tuple[tuple[str, str], ...] = ()
    roots: tuple[bytes, ...] = ()
    former: tuple[bytes, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Made:
    """What was written: bytes of the file, the digest of the release, and those of the manifests, by name."""

    size: int
    digest: str
    manifests: dict[str, str]


class Opened(Protocol):
    """A bundle as it was read once, with the key that was given."""

    @property
    def facts(self) -> Facts: ...

    @property
    def bundle(self) -> str:
        """Its id; "" where the outside is none."""
        ...

    @property
    def sequence(self) -> int: ...

    @property
    def recipients(self) -> Sequence[str]:
        """Of the keys to which it is sealed, what stands outside: hexadecimal."""
        ...

    @property
    def signers(self) -> Sequence[str]:
        """The names of the keys that have signed it, whoever trusts them."""
        ...

    def objects(self) -> Sequence[tuple[str, Arrived]]:
        """Type and files of each object. Only for a bundle that was accepted."""
        ...


class Yard(Protocol):
    """`name` is a file's place in the folder, as this port has told it."""

    async def pack(self, packing: Packing) -> Made:
        """Write the draft of a bundle. Raises BadInput, TooLarge, StorageFull."""
        ...

    def lying(self, name: str, contents: tuple[Content, ...]) -> Carried:
        """The files of an object that is to go, read where they lie."""
        ...

    async def publish(self, bundle: str, signing: Sequence[tuple[Role, bytes]] = ()) -> None:
        """The draft is what goes out from now on, signed by these keys too. Nothing happens where it is already."""
        ...

    async def drafts(self) -> list[str]:
        """The bundles of which a draft lies there."""
        ...

    async def discard(self, bundle: str) -> None:
        """Nothing is left of a draft."""
        ...

    def given(self, bundle: str) -> AsyncIterator[bytes]:
        """What went out, in pieces. Raises Absent."""
        ...

    async def receive(self, pieces: AsyncIterator[bytes], limit: int) -> str:
        """Keep what comes; its name. Raises TooLarge, StorageFull, and what the pieces raise."""
        ...

    async def dropped(self) -> list[str]:
        """Files that lie whole in the inbox, by name."""
        ...

    async def channel(self, name: str) -> str:
        """The channel of a file as its outside says, in hexadecimal; "" where that is no bundle."""
        ...

    async def open(self, name: str, keepers: Sequence[bytes]) -> Opened:
        """Read a file to its end, with the private key of these to which it is sealed. Raises Absent (`LOST`)."""
        ...

    async def keep(self, name: str, place: Place, id: str) -> str:
        """Put a file aside; its new name."""
        ...

    async def forget(self, name: str) -> None:
        """Remove a file. Nothing happens where there is none."""
        ...
