"""boto3 against the S3 wire, over a real socket: every operation, with threads, links and labels."""

from __future__ import annotations

import os
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from tests.clients.conftest import Served
from tests.clients.s3 import REGION, client, new_bucket
from tests.doors.wired import OPEN, SECRET

MIB = 1 << 20


@pytest.fixture
def s3(served: Served) -> Any:
    return client(served)


@pytest.fixture
def bucket(s3: Any) -> str:
    return new_bucket(s3)


def failed(told: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    response = told.value.response
    headers = response["ResponseMetadata"]["HTTPHeaders"]
    assert headers["casemate-marking"]
    assert response["ResponseMetadata"]["RequestId"] == headers["casemate-ledger"]
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def test_objects(served: Served, s3: Any, bucket: str) -> None:
    said = {"Metadata": {"who": "me"}, "ContentType": "text/plain", "Tagging": "a=b", "CacheControl": "max-age=1"}
    put = s3.put_object(Bucket=bucket, Key="dir/ü 1+2.txt", Body=b"hello", **said)
    headers = put["ResponseMetadata"]["HTTPHeaders"]
    assert headers["casemate-marking"] == "UNCLASSIFIED"
    assert served.region.exists(headers["casemate-ledger"])
    got = s3.get_object(Bucket=bucket, Key="dir/ü 1+2.txt")
    assert got["Body"].read() == b"hello"
    assert (got["ETag"], got["ContentType"], got["CacheControl"]) == (put["ETag"], "text/plain", "max-age=1")
    assert got["Metadata"] == {"who": "me", "casemate-label": served.region.region.floor.text}
    assert got["ChecksumCRC32"] == "NhCmhg=="
    assert s3.head_object(Bucket=bucket, Key="dir/ü 1+2.txt")["ContentLength"] == 5
    assert s3.get_object(Bucket=bucket, Key="dir/ü 1+2.txt", Range="bytes=1-2")["Body"].read() == b"el"
    assert s3.get_object_tagging(Bucket=bucket, Key="dir/ü 1+2.txt")["TagSet"] == [{"Key": "a", "Value": "b"}]
    s3.put_object_tagging(Bucket=bucket, Key="dir/ü 1+2.txt", Tagging={"TagSet": [{"Key": "c", "Value": "d"}]})
    s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "dir/ü 1+2.txt"})
    assert s3.get_object_tagging(Bucket=bucket, Key="copy")["TagSet"] == [{"Key": "c", "Value": "d"}]
    s3.delete_object_tagging(Bucket=bucket, Key="copy")
    listed = s3.list_objects_v2(Bucket=bucket, Delimiter="/")
    assert [one["Key"] for one in listed["Contents"]] == ["copy"]
    assert [one["Prefix"] for one in listed["CommonPrefixes"]] == ["dir/"]
    gone = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "copy"}, {"Key": "dir/ü 1+2.txt"}]})
    assert [one["Key"] for one in gone["Deleted"]] == ["copy", "dir/ü 1+2.txt"]
    s3.delete_object(Bucket=bucket, Key="never")
    s3.delete_bucket(Bucket=bucket)


def test_buckets(s3: Any, bucket: str) -> None:
    assert bucket in [one["Name"] for one in s3.list_buckets()["Buckets"]]
    assert s3.head_bucket(Bucket=bucket)["BucketRegion"] == REGION
    assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] == REGION
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)
    with pytest.raises(s3.exceptions.BucketAlreadyOwnedByYou):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    tags = [{"Key": "casemate-ceiling", "Value": OPEN}]
    s3.create_bucket(Bucket=f"{bucket}-open", CreateBucketConfiguration={"Tags": tags})
    with pytest.raises(ClientError) as told:
        s3.put_object(Bucket=f"{bucket}-open", Key="k", Body=b"", Metadata={"casemate-label": SECRET})
    assert failed(told) == ("AccessDenied", 403)
    assert told.value.response["Error"]["Rule"] == "bucket-range"


def test_pages(s3: Any, bucket: str) -> None:
    keys = [f"key/{n:03d}" for n in range(25)]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    for name in ("list_objects", "list_objects_v2"):
        pages = s3.get_paginator(name).paginate(Bucket=bucket, PaginationConfig={"PageSize": 7})
        assert [one["Key"] for page in pages for one in page["Contents"]] == keys


@pytest.mark.parametrize(
    ("operation", "named", "code", "status"),
    [
        ("get_object", {"Key": "never"}, "NoSuchKey", 404),
        ("head_object", {"Key": "never"}, "404", 404),
        ("list_objects_v2", {"Bucket": "never-made"}, "NoSuchBucket", 404),
        ("get_object", {"Key": "k", "Range": "bytes=9-"}, "InvalidRange", 416),
        ("get_object", {"Key": "k", "IfMatch": '"no"'}, "PreconditionFailed", 412),
        ("get_object", {"Key": "k", "IfNoneMatch": "*"}, "304", 304),
        ("put_object", {"Key": "k", "Body": b"", "IfNoneMatch": "*"}, "PreconditionFailed", 412),
        ("put_object", {"Key": "k", "Body": b"", "ContentMD5": "AAAAAAAAAAAAAAAAAAAAAA=="}, "BadDigest", 400),
        ("put_object", {"Key": "k", "Body": b"", "ACL": "public-read"}, "AccessControlListNotSupported", 400),
        ("upload_part", {"Key": "k", "UploadId": "no", "PartNumber": 1, "Body": b""}, "NoSuchUpload", 404),
        ("get_bucket_policy", {}, "NotImplemented", 501),
        ("get_object_acl", {"Key": "k"}, "NotImplemented", 501),
        ("delete_bucket", {}, "BucketNotEmpty", 409),
    ],
)
def test_errors(s3: Any, bucket: str, operation: str, named: dict[str, Any], code: str, status: int) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"body")
    with pytest.raises(ClientError) as told:
        getattr(s3, operation)(**{"Bucket": bucket, **named})
    assert failed(told) == (code, status)


def test_a_wrong_secret(served: Served) -> None:
    wrong = client(served)
    wrong._request_signer._credentials.secret_key = "0" * 40
    with pytest.raises(ClientError) as told:
        wrong.list_buckets()
    assert failed(told) == ("SignatureDoesNotMatch", 403)


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
def test_checksums(s3: Any, bucket: str, algorithm: str) -> None:
    put = {"Bucket": bucket, "Key": "k", "Body": b"hello"}
    s3.put_object(**put, ChecksumAlgorithm=algorithm)
    got = s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert got["Body"].read() == b"hello"
    assert got[f"Checksum{algorithm}"]


def test_a_large_file_in_threads(s3: Any, bucket: str, tmp_path: Path) -> None:
    data = os.urandom(23 * MIB + 5)
    (tmp_path / "there").write_bytes(data)
    config = TransferConfig(multipart_threshold=6 * MIB, multipart_chunksize=6 * MIB, max_concurrency=4)
    s3.upload_file(str(tmp_path / "there"), bucket, "big", ExtraArgs={"Metadata": {"m": "1"}}, Config=config)
    head = s3.head_object(Bucket=bucket, Key="big")
    assert (head["ContentLength"], head["ETag"][-3:]) == (len(data), '-4"')
    s3.download_file(bucket, "big", str(tmp_path / "back"), Config=config)
    assert (tmp_path / "back").read_bytes() == data
    s3.copy({"Bucket": bucket, "Key": "big"}, bucket, "copied", Config=config)
    assert s3.get_object(Bucket=bucket, Key="copied", Range="bytes=-5")["Body"].read() == data[-5:]
    assert s3.head_object(Bucket=bucket, Key="copied")["ETag"] == head["ETag"]


def test_uploads_in_parts(s3: Any, bucket: str) -> None:
    id = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    etag = s3.upload_part(Bucket=bucket, Key="k", UploadId=id, PartNumber=1, Body=b"part")["ETag"]
    assert [one["UploadId"] for one in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]] == [id]
    assert [one["ETag"] for one in s3.list_parts(Bucket=bucket, Key="k", UploadId=id)["Parts"]] == [etag]
    s3.abort_multipart_upload(Bucket=bucket, Key="k", UploadId=id)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)


def plain(url: str, method: str = "GET", body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
    """A request of a client that knows nothing of signatures."""
    request = urllib.request.Request(url, body, {n.replace("_", "-"): v for n, v in headers.items()}, method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=20) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_links(s3: Any, bucket: str) -> None:
    named = {"Bucket": bucket, "Key": "a b/ü"}
    put = s3.generate_presigned_url("put_object", Params=named, ExpiresIn=60)
    assert plain(put, "PUT", b"linked")[0] == 200
    get = s3.generate_presigned_url("get_object", Params={**named, "ResponseContentType": "a/b"}, ExpiresIn=60)
    assert plain(get) == (200, b"linked")
    assert plain(get, Range="bytes=0-1") == (206, b"li")
    assert plain(get.replace("a%2Fb", "a%2Fc"))[0] == 403
    assert plain(get, "DELETE")[0] == 403
    assert plain(put, "PUT", b"x", x_amz_meta_casemate_label=SECRET)[0] == 403
    labelled = {**named, "Metadata": {"casemate-label": SECRET}}
    above = s3.generate_presigned_url("put_object", Params=labelled, ExpiresIn=60)
    assert plain(above, "PUT", b"above", x_amz_meta_casemate_label=SECRET)[0] == 200
    assert plain(get) == (200, b"above")


@pytest.fixture
def stamped(served: Served) -> Iterator[tuple[Any, list[str]]]:
    """A client whose requests act at the label that the list ends in."""
    at = [OPEN]
    made = client(served)

    def act(params: dict[str, Any], **_: Any) -> None:
        params["headers"]["casemate-acting-label"] = at[-1]

    made.meta.events.register("before-call.s3", act)
    return made, at


def test_labels(served: Served, s3: Any, bucket: str, stamped: tuple[Any, list[str]]) -> None:
    secret = served.region.label(SECRET).text
    s3.put_object(Bucket=bucket, Key="k", Body=b"low")
    s3.put_object(Bucket=bucket, Key="k", Body=b"secret", Metadata={"casemate-label": SECRET})
    got = s3.get_object(Bucket=bucket, Key="k")
    assert (got["Body"].read(), got["Metadata"]["casemate-label"]) == (b"secret", secret)
    low = client(served, OPEN, OPEN)
    assert low.get_object(Bucket=bucket, Key="k")["Body"].read() == b"low"
    acting, at = stamped
    assert acting.get_object(Bucket=bucket, Key="k")["Body"].read() == b"low"
    at.append(SECRET)
    assert acting.get_object(Bucket=bucket, Key="k")["Body"].read() == b"secret"
    acting.delete_object(Bucket=bucket, Key="k")
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"low"


def test_many_writers_of_one_new_key(served: Served, bucket: str) -> None:
    """`If-None-Match: *` is won by one of them."""
    won: list[int] = []
    lost: list[str] = []

    def write(number: int) -> None:
        try:
            client(served).put_object(Bucket=bucket, Key="lock", Body=str(number), IfNoneMatch="*")
            won.append(number)
        except ClientError as error:
            lost.append(error.response["Error"]["Code"])

    threads = [threading.Thread(target=write, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1, lost
    assert set(lost) == {"PreconditionFailed"}
    assert client(served).get_object(Bucket=bucket, Key="lock")["Body"].read() == str(won[0]).encode()
