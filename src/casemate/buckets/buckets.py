"""The room as the doors see it: one object per process, and a file of this room for every deed.

A write acts at the flow's acting label and decides in that label's world alone; a read gives what is highest in the
visible world. Nothing here keeps truth: locks keep writers of one process from undoing each other's work in vain.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from casemate.access import Flow
from casemate.buckets import listing, located, objects, uploads
from casemate.buckets.order import Order
from casemate.buckets.seen import Bucket, Condition, Listing, NewObject, Part, Seen, Upload
from casemate.labels import Label

__all__ = ["Buckets"]

ALWAYS = Condition()


class Buckets:
    """Every deed with buckets. Raises BadInput for names, Absent, Conflict, ConditionFailed, Ambiguous, Refused."""

    def __init__(self) -> None:
        self._order = Order()

    async def make(self, flow: Flow, name: str, floor: Label | None = None, ceiling: Label | None = None) -> Bucket:
        """A new bucket, at the acting label: `floor` says what the caller takes that for, and may only agree."""
        return await located.make(flow, name, floor, ceiling)

    async def drop(self, flow: Flow, name: str) -> None:
        """Remove a bucket that holds nothing that the acting label sees. Raises Absent, NotEmpty, Refused."""
        await located.drop(flow, name)

    async def every(self, flow: Flow) -> list[Bucket]:
        """The visible buckets, one for each name, by name."""
        return await located.every(flow)

    async def located(self, flow: Flow, name: str) -> Bucket:
        """The visible bucket of that name: the one that takes the acting label where there are several. Or Absent."""
        return await located.located(flow, name)

    async def writable(self, flow: Flow, name: str) -> Bucket:
        """The bucket, where it takes what is made at the acting label. Raises Absent, Refused (`bucket-range`)."""
        return await located.writable(flow, name)

    async def put(
        self,
        flow: Flow,
        bucket: str,
        key: str,
        body: AsyncIterator[bytes],
        new: NewObject,
        condition: Condition = ALWAYS,
    ) -> Seen:
        """Keep an object at the acting label, whole or not at all; what was there at that label is replaced."""
        return await objects.put(flow, self._order, (bucket, key), body, new, condition)

    async def seen(self, flow: Flow, bucket: str, key: str) -> Seen:
        """The highest object of that key. Raises Absent; Ambiguous, with the labels, where several are highest."""
        return await objects.seen(flow, bucket, key)

    def read(self, flow: Flow, seen: Seen, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from `start` to before `stop`, in pieces. Raises Damaged; Conflict where it is gone meanwhile."""
        return objects.read(flow, seen, start, stop)

    async def remove(self, flow: Flow, bucket: str, key: str, condition: Condition = ALWAYS) -> bool:
        """Remove the object at the acting label; whether there was one. What lies lower is seen again after that.

        Raises Refused (`no-write-down`) where only lower ones are visible.
        """
        return await objects.remove(flow, self._order, bucket, key, condition)

    async def copy(
        self,
        flow: Flow,
        source: tuple[str, str],
        target: tuple[str, str],
        new: NewObject | None = None,
        condition: Condition = ALWAYS,
    ) -> Seen:
        """What a read of the source (bucket, key) gives, kept at the acting label; `new` replaces what is said of it.

        `condition` is the target's; the source's conditions are judged by whoever has seen it (`judged`).
        """
        return await objects.copied(flow, self._order, source, target, new, condition)

    async def listed(
        self, flow: Flow, bucket: str, prefix: str = "", delimiter: str = "", after: str = "", limit: int = 1000
    ) -> Listing:
        """Keys beyond `after` that begin with `prefix`; those with `delimiter` behind it are told as one prefix."""
        await located.located(flow, bucket)
        return await listing.listed(flow, bucket, prefix, delimiter, after, limit)

    async def begin(self, flow: Flow, bucket: str, key: str, new: NewObject) -> str:
        """Begin an upload in parts at the acting label, where it stays; its id."""
        return await uploads.begin(flow, bucket, key, new)

    async def upload(self, flow: Flow, upload: str) -> Upload:
        """What is known of a visible upload: a flow for a part of it acts at its label. Raises Absent."""
        return await uploads.upload_seen(flow, upload)

    async def part(
        self, flow: Flow, upload: str, number: int, body: AsyncIterator[bytes], of: Seen | None = None
    ) -> str:
        """Keep a part, 1 to 10,000, perhaps copied `of` an object; its ETag. One of the same number is replaced."""
        return await uploads.part(flow, upload, number, body, of)

    async def parts(self, flow: Flow, upload: str) -> list[Part]:
        """The parts that are there, by number."""
        return await uploads.kept_parts(flow, upload)

    async def uploads(self, flow: Flow, bucket: str) -> list[Upload]:
        """The visible uploads of a bucket, by key and time."""
        await located.located(flow, bucket)
        return await uploads.uploads_of(flow, bucket)

    async def complete(
        self, flow: Flow, upload: str, parts: Sequence[tuple[int, str]], condition: Condition = ALWAYS
    ) -> Seen:
        """Make an object of these parts (number, ETag), in that order. Raises BadPart where one is not as it says."""
        return await uploads.complete(flow, self._order, upload, parts, condition)

    async def abort(self, flow: Flow, upload: str) -> None:
        """Let go of an upload and its parts."""
        await uploads.abort(flow, upload)

    async def tag(self, flow: Flow, bucket: str, key: str, tags: dict[str, str]) -> None:
        """Other tags for the object at the acting label."""
        await objects.tagged(flow, bucket, key, tags)

    async def tags(self, flow: Flow, bucket: str, key: str) -> dict[str, str]:
        """The tags of the highest object of that key."""
        return (await objects.seen(flow, bucket, key)).tags
