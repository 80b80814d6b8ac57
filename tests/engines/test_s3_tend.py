"""Blobs in a real S3 server (moto's): listed, swept behind a fence, found damaged in the bucket itself, repaired."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from casemate.clock import SECOND, SystemClock
from casemate.engines.blob_cache import BlobCache
from casemate.engines.key_store import KeyStore
from casemate.engines.s3_blobs import S3Blobs
from casemate.engines.s3_client import Bucket, client
from casemate.engines.sigv4_sign import AccessKey

moto = pytest.importorskip("moto.server", reason="the package moto[server] is not installed")
KEY = AccessKey("AKIATEST", "secret")
HOUR = 3600 * SECOND


class Ahead(SystemClock):
    """A clock that runs before the server's by as much as a test says."""

    seconds = 0

    def now(self) -> int:
        return super().now() + self.seconds * SECOND


@pytest.fixture(scope="module")
def bucket() -> Iterator[Bucket]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    server.start()
    found = Bucket("blobs", f"http://127.0.0.1:{port}", lambda: KEY, prefix="p", seconds=5.0)
    import boto3  # type: ignore[import-untyped]

    boto3.client(
        "s3", endpoint_url=found.endpoint, aws_access_key_id="a", aws_secret_access_key="b", region_name="us-east-1"
    ).create_bucket(Bucket="blobs")
    yield found
    server.stop()


class Kept:
    def __init__(self, bucket: Bucket, folder: Path) -> None:
        self.clock = Ahead()
        self.store = client(bucket, KEY)
        self.cache = BlobCache(folder / "cache", 16 << 20)
        how = {"fences": folder / "fences", "mirror": folder / "mirror", "clock": self.clock}
        self.blobs = S3Blobs(bucket, KeyStore(folder / "keys"), self.cache, **how)  # type: ignore[arg-type]

    def write(self, class_id: str, data: bytes = b"data") -> tuple[str, str]:
        name = asyncio.run(self.blobs.write(class_id, data))
        return name, f"p/{class_id}/{name[:2]}/{name}"


@pytest.fixture
def kept(bucket: Bucket, tmp_path: Path) -> Iterator[Kept]:
    made = Kept(bucket, tmp_path)
    yield made
    made.cache.close()


def test_what_lies_there_is_told_in_stretches(kept: Kept) -> None:
    names = sorted(kept.write("listed", b"%d" % n)[0] for n in range(12))
    kept.write("listed2")
    found, after = list[str](), ""
    while stretch := asyncio.run(kept.blobs.lying("listed", after, 5)):
        assert len(stretch) <= 5
        found += [one.name for one in stretch]
        after = found[-1]
    assert found == names


def test_only_what_is_old_is_swept_and_writing_again_makes_it_young(kept: Kept) -> None:
    name, _ = kept.write("swept")
    assert not asyncio.run(kept.blobs.sweep("swept", name, HOUR))
    kept.clock.seconds = 7200
    assert asyncio.run(kept.blobs.whole("swept", name))
    time.sleep(1.1)  # the server's dates are whole seconds
    before = asyncio.run(kept.blobs.lying("swept", "", 1))[0].at
    kept.write("swept")
    assert asyncio.run(kept.blobs.lying("swept", "", 1))[0].at > before
    assert asyncio.run(kept.blobs.sweep("swept", name, HOUR))
    assert not asyncio.run(kept.blobs.exists("swept", name))
    assert kept.write("swept")[0] == name


def test_a_damaged_object_is_found_in_the_bucket_and_mended_from_a_copy(kept: Kept) -> None:
    name, path = kept.write("mended")
    assert asyncio.run(kept.blobs.read("mended", name)) == b"data"  # a copy of it is kept here
    kept.store.put(path, b"other bytes", use_multipart=False)
    assert asyncio.run(kept.blobs.read("mended", name)) == b"data"
    assert not asyncio.run(kept.blobs.whole("mended", name))
    assert asyncio.run(kept.blobs.mend("mended", name))
    assert asyncio.run(kept.blobs.whole("mended", name))
    assert asyncio.run(kept.blobs.mirrored("mended", name))
    kept.cache.drop("mended", name)
    kept.store.delete(path)
    assert asyncio.run(kept.blobs.mend("mended", name))
    assert asyncio.run(kept.blobs.read("mended", name)) == b"data"
    other, path = kept.write("mended", b"other")
    kept.store.put(path, b"", use_multipart=False)
    assert not asyncio.run(kept.blobs.mend("mended", other))
