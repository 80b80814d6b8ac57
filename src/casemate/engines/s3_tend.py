"""What keeps blobs in a bucket whole and few: what lies there, what is renewed, swept and repaired.

A bucket has no lock, so that of the class's folder in the region's own (`blob_fence`) stands between writers and the
sweep: all of them run where that folder is. A blob that somebody is about to name is young there, or written anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from obstore.exceptions import BaseError
from obstore.store import S3Store

from casemate.clock import SECOND
from casemate.engines.blob_fence import fenced
from casemate.engines.blob_files import whole
from casemate.engines.s3_client import told
from casemate.store import Lying, Sealer

__all__ = ["YOUNG", "copy_of", "lying", "renewed", "swept"]

YOUNG = 3600 * SECOND
"""A blob that was written longer ago is written anew where somebody would write it again."""
_NAME = 96


def lying(store: S3Store, top: str, after: str, limit: int) -> list[Lying]:
    """At most `limit` blobs of a class behind that name; `top`: where the class lies."""
    found: list[Lying] = []
    offset = f"{top}/{after[:2]}/{after}" if after else None
    try:
        for batch in store.list(f"{top}/", offset=offset, chunk_size=min(limit, 1000) or 1):
            for each in batch:
                name = str(each["path"]).rpartition("/")[2]
                if len(name) != _NAME:
                    continue
                if len(found) == limit:
                    return found
                found.append(Lying(name, int(each["size"]), _micro(each["last_modified"])))
    except (BaseError, FileNotFoundError) as error:
        raise told(error, top) from None
    return found


def renewed(fence: Path, store: S3Store, path: str, sealed: Callable[[], Iterable[bytes]], now: int) -> bool:
    """Whether the object that was found there is there still, and young, or written anew."""
    with fenced(fence):
        at = _at(store, path)
        if at is None:
            return False
        if at < now - YOUNG:
            try:
                store.put(path, b"".join(sealed()), use_multipart=False)
            except (BaseError, FileNotFoundError) as error:
                raise told(error, path) from None
        return True


def swept(fence: Path, store: S3Store, path: str, before: int) -> bool:
    """Remove the object where it is older; whether it is gone."""
    with fenced(fence):
        at = _at(store, path)
        if at is None or at >= before:
            return False
        try:
            store.delete(path)
        except (BaseError, FileNotFoundError) as error:
            raise told(error, path) from None
        return True


def copy_of(sealer: Sealer, class_id: str, name: str, copies: Iterable[Path]) -> bytes | None:
    """The sealed bytes of the first copy that opens."""
    for copy in copies:
        if whole(sealer, class_id, name, copy):
            return copy.read_bytes()
    return None


def _at(store: S3Store, path: str) -> int | None:
    try:
        found: Any = store.head(path)
    except FileNotFoundError:
        return None
    except BaseError as error:
        raise told(error, path) from None
    return _micro(found["last_modified"])


def _micro(moment: datetime) -> int:
    return round(moment.timestamp() * SECOND)
