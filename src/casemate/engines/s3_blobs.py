"""Blobs in S3-compatible storage: BUCKET/PREFIX/CLASS/xx/NAME, the very bytes that a file would hold.

What leaves the machine is sealed; who keeps the bucket sees ids of classes, names, sizes and times, and no more
(docs/bytes/blobs.md). An object is created only where there is none, and read back before a write is told as done.
Each label domain has a client with connections of its own, two threads and its own copies (`blob_cache`); every request
has a deadline and few retries. What stays shared in a process are the threads of obstore's runtime, which never wait.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import closing
from hashlib import sha384
from pathlib import Path
from typing import TypeVar

from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import S3Store

from casemate.access import Threads
from casemate.clock import Clock, SystemClock
from casemate.engines import s3_tend as tend
from casemate.engines.blob_cache import BlobCache
from casemate.engines.blob_files import tidied, whole
from casemate.engines.files import NOTHING, checked, named
from casemate.engines.files_frames import FRAME, Opener, seal
from casemate.engines.files_publish import make_folder, publish
from casemate.engines.s3_client import Bucket, Source, client, safely, told
from casemate.engines.sigv4_sign import AccessKey
from casemate.errors import Absent, Damaged, Unavailable
from casemate.store import Lying, Sealer

__all__ = ["Bucket", "S3Blobs"]

T = TypeVar("T")


class S3Blobs:
    """The Blobs port over a bucket, with copies on the disk where a cache is given.

    `fences`: a folder that every process of the region shares, where writers and the sweep keep out of each other's
    way; without one nothing is swept. `mirror`: a folder of copies from which what is damaged is repaired.
    """

    def __init__(
        self,
        bucket: Bucket,
        sealer: Sealer,
        cache: BlobCache | None = None,
        *,
        fences: Path | None = None,
        mirror: Path | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._fences = fences
        self._mirror = mirror
        self._clock = clock or SystemClock()
        self._bucket = bucket
        self._sealer = sealer
        self._cache = cache
        self._threads = Threads()
        self._clients: dict[str, tuple[AccessKey, S3Store]] = {}

    async def write(self, class_id: str, data: bytes, domain: str = "", *, delivered: bool = False) -> str:
        del delivered  # shares are the store's own, and asked of whoever's credentials these are: of `domain`
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

    async def lying(self, class_id: str, after: str, limit: int) -> list[Lying]:
        top = self._path(class_id, NOTHING).rsplit("/", 2)[0]
        return await self._threads.run(class_id, lambda: tend.lying(self._client(class_id), top, after, limit))

    async def sweep(self, class_id: str, name: str, older: int) -> bool:
        path = self._path(class_id, name)
        return await self._threads.run(class_id, self._sweep, class_id, name, path, older)

    async def whole(self, class_id: str, name: str) -> bool:
        checked(class_id, name)
        return await self._threads.run(class_id, self._intact, class_id, class_id, name) is True

    async def mend(self, class_id: str, name: str) -> bool:
        path = self._path(class_id, name)
        return await self._threads.run(class_id, self._mend, class_id, name, path)

    async def mirrored(self, class_id: str, name: str) -> bool:
        path = self._path(class_id, name)
        return await self._threads.run(class_id, self._mirrored, class_id, name, path)

    async def tidy(self, class_id: str, older: int) -> None:
        """A bucket shows nothing that is not whole."""
        checked(class_id, NOTHING)
        if self._mirror is not None:
            await self._threads.run(class_id, tidied, self._mirror / class_id, self._clock.now() - older)

    async def used(self, class_id: str) -> tuple[int, int]:
        checked(class_id, NOTHING)
        return 0, 0

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
        if lies is True and self._renewed(place, class_id, path, lambda: seal(self._sealer, class_id, name, data)):
            return name
        sealed = b"".join(seal(self._sealer, class_id, name, data))
        if self._put(place, path, sealed, create=lies is not False) or self._intact(place, class_id, name):
            return name
        if not self._put(place, path, sealed, create=False):
            raise Unavailable(what="blobs")
        return name

    def _fence(self, class_id: str) -> Path | None:
        if self._fences is not None:
            (self._fences / class_id).mkdir(parents=True, exist_ok=True, mode=0o700)
            return self._fences / class_id
        return None

    def _renewed(self, place: str, class_id: str, path: str, sealed: Callable[[], Iterable[bytes]]) -> bool:
        fence = self._fence(class_id)
        return fence is None or tend.renewed(fence, self._client(place), path, sealed, self._clock.now())

    def _sweep(self, class_id: str, name: str, path: str, older: int) -> bool:
        fence = self._fence(class_id)
        if fence is None or not tend.swept(fence, self._client(class_id), path, self._clock.now() - older):
            return False
        if self._cache is not None:
            self._cache.drop(class_id, name)
        if self._mirror is not None:
            self._mirror.joinpath(*checked(class_id, name)).unlink(missing_ok=True)
        return True

    def _mend(self, class_id: str, name: str, path: str) -> bool:
        copies = self._cache.copies(class_id, name) if self._cache is not None else []
        if self._mirror is not None:
            copies.append(self._mirror.joinpath(*checked(class_id, name)))
        sealed = tend.copy_of(self._sealer, class_id, name, copies)
        return sealed is not None and self._put(class_id, path, sealed, create=False)

    def _mirrored(self, class_id: str, name: str, path: str) -> bool:
        """As `FileBlobs` does it. The copy is looked at before it counts."""
        copy = self._mirror and self._mirror.joinpath(*checked(class_id, name))
        if self._mirror is None or copy is None or copy.exists() or self._intact(class_id, class_id, name) is not True:
            return False
        try:
            self._mirror.mkdir(parents=True, exist_ok=True, mode=0o700)
            make_folder(copy.parent, self._mirror)
            publish(copy, self._fetched(class_id, path).pieces)
        except OSError:
            raise Unavailable(what="blobs.mirror") from None
        return whole(self._sealer, class_id, name, copy)

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
