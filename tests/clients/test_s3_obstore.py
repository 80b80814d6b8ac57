"""obstore (object_store in Rust) against the S3 wire, over a real socket."""

from __future__ import annotations

import os
from typing import Any

import pytest

from tests.clients.conftest import Served
from tests.clients.s3 import REGION, client, environment, new_bucket

obstore = pytest.importorskip("obstore", reason="obstore is not installed here")
from obstore.store import S3Store


@pytest.fixture
def store(served: Served) -> Any:
    bucket = new_bucket(client(served))
    key = environment(served)
    return S3Store(
        bucket,
        endpoint=served.url,
        region=REGION,
        access_key_id=key["AWS_ACCESS_KEY_ID"],
        secret_access_key=key["AWS_SECRET_ACCESS_KEY"],
        client_options={"allow_http": True},
        retry_config={"max_retries": 0},
    )


def test_objects(store: Any) -> None:
    obstore.put(store, "dir/a b", b"hello", attributes={"Content-Type": "text/plain", "k": "v"})
    got = obstore.get(store, "dir/a b")
    assert bytes(got.bytes()) == b"hello"
    assert got.attributes["Content-Type"] == "text/plain"
    assert obstore.head(store, "dir/a b")["size"] == 5
    assert bytes(obstore.get_range(store, "dir/a b", start=1, end=3)) == b"el"
    obstore.copy(store, "dir/a b", "dir/copy")
    assert sorted(one["path"] for page in obstore.list(store, "dir") for one in page) == ["dir/a b", "dir/copy"]
    assert obstore.list_with_delimiter(store)["common_prefixes"] == ["dir"]
    obstore.delete(store, ["dir/a b", "dir/copy"])
    with pytest.raises(FileNotFoundError):
        obstore.get(store, "dir/a b")


def test_a_new_key_is_won_once(store: Any) -> None:
    obstore.put(store, "lock", b"1", mode="create")
    with pytest.raises(obstore.exceptions.AlreadyExistsError):
        obstore.put(store, "lock", b"2", mode="create")
    seen = obstore.head(store, "lock")
    obstore.put(store, "lock", b"3", mode={"e_tag": seen["e_tag"]})
    with pytest.raises(obstore.exceptions.PreconditionError):
        obstore.put(store, "lock", b"4", mode={"e_tag": seen["e_tag"]})


def test_a_large_object_in_parts(store: Any) -> None:
    data = os.urandom(16 << 20)
    obstore.put(store, "big", data, use_multipart=True, chunk_size=5 << 20)
    assert bytes(obstore.get(store, "big").bytes()) == data
    with obstore.open_writer(store, "written") as writer:
        writer.write(data[:7])
    assert bytes(obstore.get(store, "written").bytes()) == data[:7]
