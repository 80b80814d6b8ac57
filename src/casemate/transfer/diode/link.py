"""The ports of the link: what an engine does for it, on a network, in a drop directory, or in a simulator.

Nothing here knows how bytes travel. The link's own halves (sender.py, receiver.py) hold no file and no socket.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from casemate.transfer.diode.message import Manifest

__all__ = ["Drop", "Ear", "Mouth", "Spool", "Whole"]


class Mouth(Protocol):
    """Where datagrams leave. No answer ever comes back; that it raises nothing proves nothing."""

    def send(self, datagrams: Sequence[bytes]) -> None:
        """All of one length, at most `most` of them. Raises Misconfigured where the way takes no such length."""
        ...

    @property
    def most(self) -> int:
        """Datagrams that leave in one call."""
        ...


class Ear(Protocol):
    """Where datagrams arrive."""

    def hear(self, seconds: float) -> Iterator[memoryview]:
        """What is there, or comes within that time. Each is gone when the next is asked for."""
        ...

    @property
    def lost(self) -> int:
        """Datagrams that reached this machine and that it had no room for."""
        ...


class Spool(Protocol):
    """What arrived of objects that are not whole yet, and the way in which a whole one appears.

    Each method raises StorageFull, or Unavailable for another failure of the disk; the others go on.
    """

    def begin(self, manifest: Manifest) -> bytearray:
        """Make room; a byte for each block, 1 where it lies there already from before a restart."""
        ...

    def write(self, manifest: Manifest, index: int, data: bytes) -> None: ...

    def read(self, manifest: Manifest, index: int) -> bytes: ...

    def forget(self, manifest: Manifest) -> None:
        """Nothing of it counts any more."""
        ...

    def publish(self, manifest: Manifest, sender: bytes, length: int) -> None:
        """It was verified: the first `length` bytes appear under its name, whole or not at all, and it is known."""
        ...

    def known(self) -> Iterable[tuple[bytes, bytes, int]]:
        """Objects that were published: id, sender, sequence."""
        ...

    def remember(self, sessions: Iterable[bytes]) -> None:
        """The latest runs: after a restart they are not new, and older ones are refused."""
        ...

    def sessions(self) -> Iterable[bytes]: ...


class Whole(Protocol):
    """An object that lies somewhere and is to be sent: its length, and its bytes from a place on."""

    @property
    def length(self) -> int: ...

    def read(self, at: int, size: int) -> bytes:
        """Raises Conflict where it is no longer what was announced."""
        ...


class Drop(Protocol):
    """A folder behind which somebody else's diode stands: whole files go in at one end and come out at the other."""

    def put(self, name: str, pieces: Iterable[bytes]) -> None:
        """It appears there whole or not at all. Raises StorageFull, Unavailable."""
        ...

    def names(self) -> Iterable[str]:
        """What lies there and is no draft."""
        ...

    def size(self, name: str) -> int:
        """As long as it is now: it may still be growing."""
        ...

    def pieces(self, name: str, at: int = 0) -> Iterator[bytes]: ...

    def remove(self, name: str) -> None: ...
