"""The seams of the store: each is implemented by an engine and by nothing else.

Every question names the classes that it may see; what lies in another class is as if it did not exist. Rows come
back sealed and unchecked: the gate calls `store.check` before it opens one.
"""

from __future__ import annotations

from asyncio import Future
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from casemate.store.batch import Batch, EntryRow, Receipt
from casemate.store.row import ClassRow, Row, StoredEntry

__all__ = ["Blobs", "Committer", "Journal", "Lying", "Reader", "Sealer", "Tiles"]


class Lying(NamedTuple):
    """A blob as it lies: its name, the bytes that it takes, and when it was last written (microseconds)."""

    name: str
    size: int
    at: int


class Reader(Protocol):
    """Reads what is committed. Never writes, never waits for a writer."""

    def classes(self) -> Sequence[ClassRow]:
        """Every access class of the region, in order of id; the very same object as before while there are no others.

        Classes are added and never removed or changed.
        """
        ...

    def tides(self, kinds: Sequence[str], class_ids: Sequence[str]) -> list[int]:
        """How many commits have changed rows of each kind in each class: kind by kind, in the order of the ids.

        Whoever has read a class and kind and finds the same number again would read the same rows again.
        """
        ...

    def get(self, kind: str, id: str | Sequence[str], class_ids: Sequence[str]) -> list[Row]:
        """The rows of that kind and id, in the order of `class_ids`; usually one or none. `id`: one for all, or each's.

        All of them at one moment of the store.
        """
        ...

    def scan(
        self, kind: str, blinds: Sequence[tuple[str, bytes]], class_ids: Sequence[str], after: str | None, limit: int
    ) -> tuple[list[Row], str | None]:
        """At most `limit` rows that bear all `blinds`, by (place of the class in `class_ids`, seq).

        The second value continues the scan, or is None at its end. Raises BadInput where `after` is not of this scan.
        """
        ...

    def children(self, class_id: str, kind: str, id: str, class_ids: Sequence[str]) -> list[Row]:
        """What was made from that object, by (place of the class in `class_ids`, kind, seq)."""
        ...

    def entries(self, log: str, start: int, stop: int) -> list[StoredEntry]:
        """The entries start <= seq < stop of a log."""
        ...

    def entry(self, id: str) -> tuple[str, StoredEntry] | None:
        """The entry of that id and its log; the caller decides whether that log is visible."""
        ...

    def expired(self, now: int, logs: Sequence[str], limit: int) -> list[tuple[str, int]]:
        """(log, seq) of entries whose content should be forgotten by `now`."""
        ...

    def leaves(self, log: str, start: int, stop: int) -> list[bytes]:
        """The leaf hashes start <= seq < stop of a log."""
        ...

    def counts(self, class_id: str) -> Mapping[str, int]:
        """How many rows of each kind lie in a class."""
        ...

    def sizes(self) -> Mapping[str, int]:
        """How many entries each log holds."""
        ...

    def used(self, class_id: str) -> int:
        """The bytes that a class takes, as the writer counts them; see `share`."""
        ...


class Committer(Protocol):
    """Makes batches durable."""

    async def commit(self, batch: Batch) -> Receipt:
        """Returns once the batch survives a power cut.

        Raises Conflict where an `expect` fails (the whole batch is undone), StorageFull where there is no room,
        ShareFull where a class that it puts something into has used up its share and is not among its `spares`,
        Unavailable where the domain's queue is full or the writer does not answer (then the batch may or may not have
        landed: send it again under the same key), Damaged where a put's digest is not that of its bytes.
        """
        ...


class Journal(Protocol):
    """Makes entries durable that come alone, without changes beside them."""

    def append(self, row: EntryRow, access: ClassRow, domain: str) -> Future[None]:
        """Take one entry of the log of that class, at once; what is returned is done once it is durable.

        Entries of one domain stand in their log in the order of these calls. An entry that a Committer lands meanwhile
        may come to stand before those taken earlier. `domain` has its own bounded queue and its own share of what may
        wait to be folded. Awaiting raises StorageFull where there is no room or the domain's share is used up,
        Unavailable where its queue is full or the disk does not say what it wrote; then it may or may not have landed.
        """
        ...

    async def fold(self) -> None:
        """Every entry that was durable when this was called is in its log, whichever process took it.

        Raises Unavailable where whoever folds does not answer, Damaged where a part of the journal cannot be read.
        """
        ...


class Blobs(Protocol):
    """Large sealed values, each named by a keyed digest of its content: names tell nothing between classes.

    `domain` is the access class of whoever asks, which may lie above that of the blob: what moves bytes is reserved for
    each, so that nobody waits for another's.
    """

    async def write(self, class_id: str, data: bytes, domain: str = "", *, delivered: bool = False) -> str:
        """Durable before it returns; the same data in the same class has the same name (hex).

        `delivered` from below: no share of that class is in its way, since its sender must not learn of it.
        """
        ...

    async def read(self, class_id: str, name: str, domain: str = "") -> bytes:
        """Raises Absent, or Damaged where the bytes are not what was written."""
        ...

    def frames(self, class_id: str, name: str, domain: str = "") -> AsyncIterator[bytes]:
        """The same bytes, a bounded piece at a time, each checked before it is given.

        Raises as `read` does, also behind the first pieces: nothing has been read until the end is reached.
        """
        ...

    async def read_into(
        self, class_id: str, name: str, take: Callable[[int], memoryview], domain: str = ""
    ) -> memoryview:
        """The same bytes, opened into the memory that `take` gives for their number and into no other.

        `take` is called on a thread of the domain's; once, and again where a copy told a wrong size. Raises as `read`
        and `take` do.
        """
        ...

    async def exists(self, class_id: str, name: str) -> bool: ...

    async def delete(self, class_id: str, name: str) -> None:
        """What is absent is no error."""
        ...

    async def lying(self, class_id: str, after: str, limit: int) -> list[Lying]:
        """At most `limit` blobs of a class behind that name, in the order of names; "" begins."""
        ...

    async def sweep(self, class_id: str, name: str, older: int) -> bool:
        """Remove a blob that has not been written, also not anew, for so many microseconds; whether it is gone.

        A `write` of the same bytes, in whichever process, either keeps it from going or writes it anew.
        """
        ...

    async def whole(self, class_id: str, name: str) -> bool:
        """Whether what lies in the store itself, and not a copy of it, opens from the first frame to the last."""
        ...

    async def mend(self, class_id: str, name: str) -> bool:
        """Put a copy that opens in the place of a blob that does not; whether there was one."""
        ...

    async def mirrored(self, class_id: str, name: str) -> bool:
        """Keep a copy of a whole blob where copies are kept; whether one was made."""
        ...

    async def tidy(self, class_id: str, older: int) -> None:
        """Remove what writers that were killed have left, where nobody has written it for so many microseconds."""
        ...

    async def used(self, class_id: str) -> tuple[int, int]:
        """The bytes that a class has used and those that are set aside for it; (0, 0) where none are."""
        ...


class Tiles(Protocol):
    """The files of each log's tree, by the paths of C2SP tlog-tiles: derived from the records, no truth of their own.

    All of it blocks: whoever serves others meanwhile calls it on a thread. Raises BadInput for a path that is none.
    """

    def read(self, log: str, path: str) -> bytes | None:
        """A file's bytes, unchecked; None where there is none. Raises Unavailable."""
        ...

    def write(self, log: str, files: Mapping[str, bytes]) -> None:
        """Each file whole, in that order, and durable before this returns. Raises StorageFull, Unavailable."""
        ...

    def remove(self, log: str, paths: Iterable[str]) -> None:
        """What is absent is no error."""
        ...

    def held(self, log: str) -> frozenset[str]:
        """The paths of every file of that log."""
        ...


class Sealer(Protocol):
    """Keeps keys, one per access class and purpose, and lends their use."""

    def seal(self, class_id: str, purpose: str, plaintext: bytes | memoryview, aad: bytes) -> bytes: ...

    def seal_into(
        self, class_id: str, purpose: str, plaintext: bytes | memoryview, aad: bytes, into: memoryview
    ) -> int:
        """As `seal`, into memory that may be longer; how many bytes those are."""
        ...

    def open(self, class_id: str, purpose: str, sealed: bytes | memoryview, aad: bytes) -> bytes:
        """Raises Damaged where the bytes, the class, the purpose or the aad are not those of `seal`."""
        ...

    def open_into(self, class_id: str, purpose: str, sealed: memoryview, aad: bytes, into: memoryview) -> None:
        """As `open`, into memory that must be of just the right size."""
        ...

    def blind(self, class_id: str, field: str, text: str) -> bytes:
        """A keyed digest of a value: equal values of a field in a class are equal, and nothing else shows."""
        ...

    def destroyed(self) -> frozenset[str]:
        """The classes whose key was destroyed for good; the very same object as before while there are no others.

        What is sealed or opened there raises Destroyed, in every process from its next question on.
        """
        ...

    def destroy(self, class_id: str) -> None:
        """Destroy the key of a class for good: none is drawn for it again. Twice is once."""
        ...

    def describe(self) -> str:
        """One sentence: how the keys are kept, and whether that is safe."""
        ...
