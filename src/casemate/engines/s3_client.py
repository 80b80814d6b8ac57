"""What an S3 engine says to a bucket: one client for a label domain, its deadlines, and the store's errors in our tree.

obstore would complete what it is told from AWS_... variables, a proxy's, and the metadata service of a cloud's machine.
Whatever of these could send blobs elsewhere or sign them otherwise is set here instead. The words of the store's own
errors are told to nobody.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from io import BufferedReader
from pathlib import Path
from typing import Any

from obstore.exceptions import BaseError
from obstore.store import S3Store

from casemate.engines.key_file import KeyFile
from casemate.engines.sigv4_sign import AccessKey, access_key
from casemate.errors import Absent, CasemateError, Misconfigured, StorageFull, Unavailable

__all__ = ["Bucket", "Source", "client", "keys", "safely", "told"]

_FULL = ("status 507", "507 Insufficient", "QuotaExceeded", "XMinioStorageFull", "InsufficientStorage")


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where blobs lie. `key` gives the access key as it is now; `ca`: who signs the certificate (PEM).

    `seconds`: how long a connection may stand still. A request may take ten times that, with its retries.
    """

    name: str
    endpoint: str
    key: Callable[[], AccessKey]
    region: str = "us-east-1"
    prefix: str = ""
    ca: str = ""
    seconds: float = 10.0
    retries: int = 3


@dataclass(slots=True)
class Source:
    """Sealed bytes of a known number, from a file or piece by piece from the bucket."""

    size: int
    pieces: Iterator[bytes]
    file: BufferedReader | None = None
    left: memoryview = field(default_factory=lambda: memoryview(b""))

    @staticmethod
    def of(file: BufferedReader) -> Source:
        file.seek(0, 2)
        size = file.tell()
        file.seek(0)
        return Source(size, iter(()), file)

    def readinto(self, into: memoryview, /) -> int:
        if self.file is not None:
            return self.file.readinto(into)
        at = 0
        while at < len(into):
            if not self.left:
                self.left = memoryview(next(self.pieces, b""))
                if not self.left:
                    break
            part = self.left[: len(into) - at]
            into[at : at + len(part)] = part
            self.left = self.left[len(part) :]
            at += len(part)
        return at

    def close(self) -> None:
        if self.file is not None:
            self.file.close()


def safely(stream: Iterable[Any]) -> Iterator[bytes]:
    """The pieces of a body; one that ends too early or fails is told as ours."""
    try:
        for piece in stream:
            yield bytes(piece)
    except (BaseError, FileNotFoundError) as error:
        raise told(error, "") from None


def told(error: Exception, path: str) -> CasemateError:
    """An error of the store's in our tree. Its own words are told to nobody: they name the bucket and the key's id."""
    text = str(error)
    if isinstance(error, FileNotFoundError) and "NoSuchBucket" not in text:
        return Absent(kind="blob", id=path.rsplit("/", 1)[-1])
    return StorageFull() if any(mark in text for mark in _FULL) else Unavailable(what="blobs")


def keys(path: Path | None, variable: str) -> Callable[[], AccessKey]:
    """Where the access key is read from: a file that is its owner's alone, or a variable ("ID SECRET" or with a TOKEN).

    A file is read again when it changes. Raises Misconfigured, now and whenever it is called.
    """

    def of_file(file: KeyFile, path: Path) -> AccessKey:
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise file.wrong("others than its owner may open the file; chmod 600")
        key = access_key(file)
        if key is None:
            raise file.wrong("it holds no aws_access_key_id and aws_secret_access_key")
        return key

    def of_variable() -> AccessKey:
        parts = os.environ.get(variable, "").split()
        if len(parts) not in (2, 3):
            raise Misconfigured(setting="blobs.key_env", why="the variable holds no access key and secret")
        return AccessKey(*parts)

    if path is None:
        of_variable()
        return of_variable
    file = KeyFile(path, "blobs.key_file")
    of_file(file, path)
    return lambda: of_file(file, path)


def client(bucket: Bucket, key: AccessKey) -> S3Store:
    """A client with connections of its own."""
    config: dict[str, Any] = {
        "region": bucket.region,
        "endpoint": bucket.endpoint,
        "aws_endpoint_url_s3": bucket.endpoint,
        "virtual_hosted_style_request": False,
        "disable_bulk_delete": True,
        "conditional_put": "etag",
        "skip_signature": False,
        "unsigned_payload": False,
        "s3_express": False,
    }
    wait = timedelta(seconds=bucket.seconds)
    options: dict[str, Any] = {
        "allow_http": bucket.endpoint.startswith("http://"),
        "connect_timeout": wait,
        "read_timeout": wait,
        "timeout": 10 * wait,
        "user_agent": "casemate",
        "proxy_url": "http://127.0.0.1:9",  # one that is told keeps those of the environment away,
        "proxy_excludes": "*,0.0.0.0/0,::/0",  # and nothing goes through it: "*" is every name and no address
    }
    if bucket.ca:
        options["root_certificate"] = bucket.ca
    backoff: dict[str, Any] = {"init_backoff": wait / 100, "max_backoff": wait / 5, "base": 2}
    retry: dict[str, Any] = {"max_retries": bucket.retries, "retry_timeout": 10 * wait, "backoff": backoff}
    lent: dict[str, Any] = {"access_key_id": key.id, "secret_access_key": key.secret, "expires_at": None}
    if key.token:
        lent["token"] = key.token
    return S3Store(
        bucket.name,
        config=config,  # type: ignore[arg-type]
        client_options=options,  # type: ignore[arg-type]
        retry_config=retry,  # type: ignore[arg-type]
        credential_provider=lambda: lent,  # type: ignore[arg-type]
    )
