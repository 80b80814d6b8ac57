"""The connector of an S3-compatible bucket, through obstore: what lies under a prefix, by key and entity tag.

Where it goes and what it signs with are the settings' and a key file's, never a request's. obstore is imported when a
bucket is first asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from casemate.access import Threads
from casemate.errors import BadInput, Unavailable
from casemate.knowledge import Listed

if TYPE_CHECKING:
    from casemate.engines.s3_client import Bucket

__all__ = ["S3Connector"]

OBJECTS = 10_000
SIZE = 64 << 20


class S3Connector:
    """`bucket` gives where and with what; `under` is a prefix in it, a folder's name. Raises BadInput for no folder."""

    name = "s3"

    def __init__(self, bucket: Callable[[], Bucket], under: str, domain: str, threads: Threads | None = None) -> None:
        if under and any(not step or step.startswith(".") for step in under.split("/")):
            raise BadInput(what="A folder is named by its steps from the place, without hidden ones: press/2026.")
        self._bucket = bucket
        self._under = under
        self._domain = domain
        self._threads = threads or Threads()

    async def list(self) -> Sequence[Listed]:
        return await self._threads.run(self._domain, self._list)

    async def fetch(self, key: str) -> bytes:
        return await self._threads.run(self._domain, self._fetch, key)

    def _store(self) -> tuple[Any, str]:
        """The store, and what every key of this connector begins with."""
        from casemate.engines.s3_client import client

        bucket = self._bucket()
        steps = [step for step in (bucket.prefix.strip("/"), self._under) if step]
        return client(bucket, bucket.key()), "".join(f"{step}/" for step in steps)

    def _list(self) -> Sequence[Listed]:
        store, prefix = self._store()
        found: list[Listed] = []
        try:
            for page in store.list(prefix or None):
                for each in page:
                    key = str(each["path"]).removeprefix(prefix)
                    version = each["e_tag"] or str(each["last_modified"])
                    found.append(Listed(key, version, int(each["size"])))
                if len(found) >= OBJECTS:
                    break
        except Exception:  # noqa: BLE001 - the store's own words name the bucket and the key's id: they are told to nobody
            raise Unavailable(what="bucket") from None
        return found[:OBJECTS]

    def _fetch(self, key: str) -> bytes:
        store, prefix = self._store()
        try:
            got = store.get(prefix + key)
            size = int(got.meta["size"])
            data = bytes(got.bytes()) if size <= SIZE else b""
        except Exception:  # noqa: BLE001 - as above
            raise Unavailable(what="object") from None
        if size > SIZE:
            raise BadInput(what="not an object of at most 64 MiB")
        return data
