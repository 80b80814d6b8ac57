"""Blobs in S3-compatible storage: BUCKET/PREFIX/CLASS/xx/NAME, the very bytes that a file would hold.

What leaves the machine is sealed; who keeps the bucket sees ids of classes, names, sizes and times, and no more
(docs/bytes/blobs.md). An object is created only where there is none, and read back before a write is told as done.
Each label domain has a client with connections of its own, two threads and its own copies (`blob_cache`); every request
has a deadline and few retries. What stays shared in a process are the threads of obstore's runtime, which never wait.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import closing
from hashlib import sha384
from typing import TypeVar

from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import S3Store

from casemate.access import Threads
from casemate.engines.blob_cache import BlobCache
from casemate.engines.files import checked, named
from casemate.engines.files_frames import FRAME, Opener, seal
from casemate.engines.s3_client import Bucket, Source, client, safely, told
from casemate.engines.sigv4_sign import AccessKey
from casemate.errors import Absent, Damaged, Unavailable
from casemate.store import Sealer

__all__ = ["Bucket", "S3Blobs"]

T = TypeVar("T")


class S3Blobs:
    """The Blobs port over a bucket, with copies on the disk where a cache is given."""

    def __init__(self, bucket: Bucket, sealer: Sealer, cache: BlobCache | None = None) -> None:
        self._bucket = bucket
        self._sealer = sealer
        self._cache = cache
        self._threads = Threads()
        self._clients: dict[str, tuple[AccessKey, S3Store]] = {}

    async def write(self, class_id: str, data: bytes, domain: str = "") -> str:
        place = domain or class_id
        return await self._threads.run(place, self._write, place, class_id, data)

    async def read(self, class_id: str, name: str, domain: str = "") -> bytes:
        place = domain or class_id
        return await self._threads.run(place, self._opened, place, class_id, name, _joined)

    async def frames(self, class_id: str, name: str, domain: str = "") -> AsyncIterator[bytes]:
        place, given = domain or class_id, 0
        for again in (False, True):
            source = await self._threads.run(place, self._source, place, class_id, name, again)
            try:
                with closing(source):
                    opener = await self._threads.run(place, Opener, self._sealer, class_id, name, source)
                    pieces = opener.pieces()
                    at = 0
                    while (piece := await self._threads.run(place, next, pieces, None)) is not None:
                        at += 1
                        if at > given:
                            given = at
                            yield piece
                return
            except Damaged:
                await self._threads.run(place, self._distrust, place, class_id, name)
                if again:
                    raise

    async def read_into(
        self, class_id: str, name: str, take: Callable[[int], memoryview], domain: str = ""
    ) -> memoryview:
        place, taken = domain or class_id, list[memoryview]()

        def once(size: int) -> memoryview:
            if not taken or len(taken[0]) != size:  # a copy that was changed may tell another size
                taken[:] = [take(size)]
            return taken[0]

        def whole(opener: Opener, source: Source) -> memoryview:
            return opener.whole(once, source.size)

        return await self._threads.run(place, self._opened, place, class_id, name, whole)

    async def exists(self, class_id: str, name: str) -> bool:
        path = self._path(class_id, name)
        return await self._threads.run(class_id, self._lies, class_id, path)

    async def delete(self, class_id: str, name: str) -> None:
        path = self._path(class_id, name)
        await self._threads.run(class_id, self._delete, class_id, name, path)

    def _path(self, class_id: str, name: str) -> str:
        return "/".join((*self._bucket.prefix.split("/"), *checked(class_id, name))).lstrip("/")

    def _client(self, place: str) -> S3Store:
        """The domain's own client, made anew when the access key has changed."""
        key = self._bucket.key()
        known = self._clients.get(place)
        if known is None or known[0] != key:
            known = self._clients[place] = (key, client(self._bucket, key))
        return known[1]

    # what follows runs on a thread of the domain's

    def _opened(self, place: str, class_id: str, name: str, use: Callable[[Opener, Source], T]) -> T:
        """What `use` makes of the blob; a copy that proves damaged, or was damaged on its way, is fetched once more."""
        try:
            return self._used(place, class_id, name, use, again=False)
        except Damaged:
            self._distrust(place, class_id, name)
        try:
            return self._used(place, class_id, name, use, again=True)
        except Damaged:
            self._distrust(place, class_id, name)
            raise

    def _used(self, place: str, class_id: str, name: str, use: Callable[[Opener, Source], T], *, again: bool) -> T:
        with closing(self._source(place, class_id, name, again)) as source:
            return use(Opener(self._sealer, class_id, name, source), source)

    def _source(self, place: str, class_id: str, name: str, again: bool) -> Source:
        """The sealed bytes: the domain's copy, else those of the bucket, of which a copy is kept if it can be."""
        path = self._path(class_id, name)
        copy = self._cache.find(place, class_id, name) if self._cache and not again else None
        if copy is not None:
            return Source.of(copy)
        fetched = self._fetched(place, path)
        if self._cache is not None:
            try:
                copy = self._cache.keep(place, class_id, name, fetched.size, fetched.pieces)
            except OSError:  # the disk is full or broken: the bucket is still there
                fetched = self._fetched(place, path)
        return fetched if copy is None else Source.of(copy)

    def _fetched(self, place: str, path: str) -> Source:
        try:
            found = self._client(place).get(path)
            return Source(int(found.meta["size"]), safely(found.stream(min_chunk_size=FRAME)))
        except (BaseError, FileNotFoundError) as error:
            raise told(error, path) from None

    def _distrust(self, place: str, class_id: str, name: str) -> None:
        """A copy that did not open is no copy."""
        if self._cache is not None:
            self._cache.drop(class_id, name, place)

    def _write(self, place: str, class_id: str, data: bytes) -> str:
        name = named(self._sealer, class_id, data)
        path = self._path(class_id, name)
        lies = self._intact(place, class_id, name)
        if lies is True:
            return name
        sealed = b"".join(seal(self._sealer, class_id, name, data))
        if self._put(place, path, sealed, create=lies is None) or self._intact(place, class_id, name):
            return name
        if not self._put(place, path, sealed, create=False):
            raise Unavailable(what="blobs")
        return name

    def _intact(self, place: str, class_id: str, name: str) -> bool | None:
        """Whether it lies there and opens; None where nothing does."""
        try:
            source = self._fetched(place, self._path(class_id, name))
            for _ in Opener(self._sealer, class_id, name, source).pieces():
                pass
        except Absent:
            return None
        except Damaged:
            return False
        return True

    def _put(self, place: str, path: str, sealed: bytes, *, create: bool) -> bool:
        """Whether the object now lies there as it was sent; not where another one did and `create` was asked."""
        try:
            mode = "create" if create else "overwrite"
            self._client(place).put(path, sealed, mode=mode, use_multipart=False)  # type: ignore[arg-type]
        except AlreadyExistsError:
            return False
        except FileNotFoundError:  # no such bucket
            raise Unavailable(what="blobs") from None
        except BaseError as error:
            raise told(error, path) from None
        try:
            found = self._fetched(place, path)
            digested = sha384()
            for piece in found.pieces:
                digested.update(piece)
        except Absent:
            return False
        return digested.digest() == sha384(sealed).digest()

    def _lies(self, place: str, path: str) -> bool:
        try:
            self._client(place).head(path)
        except FileNotFoundError:
            return False
        except BaseError as error:
            raise told(error, path) from None
        return True

    def _delete(self, class_id: str, name: str, path: str) -> None:
        if self._cache is not None:
            self._cache.drop(class_id, name)
        try:
            self._client(class_id).delete(path)
        except FileNotFoundError:  # some stores say so, S3 does not
            return
        except BaseError as error:
            raise told(error, path) from None


def _joined(opener: Opener, _source: Source) -> bytes:
    return b"".join(opener.pieces())
