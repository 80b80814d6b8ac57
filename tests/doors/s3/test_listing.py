"""Buckets and what is listed of them: keys, common prefixes, pages, and names as they are or as in a URL."""

from __future__ import annotations

import pytest

from tests.doors.s3.signing import Caller, error, marked, texts
from tests.doors.wired import SECRET

KEYS = ["a.txt", "docs/1", "docs/2", "docs/deep/3", "music/x", "z"]


@pytest.fixture
def full(caller: Caller, bucket: str) -> str:
    for key in reversed(KEYS):
        caller.ask("PUT", f"/{bucket}/{key}", key.encode())
    return bucket


def test_buckets(caller: Caller, bucket: str) -> None:
    listed = marked(caller.ask("GET", "/"))
    assert bucket in texts(listed, "Buckets/Bucket/Name")
    assert texts(listed, "Owner/DisplayName") == ["user"]
    assert texts(caller.ask("GET", "/", query={"prefix": bucket}), "Buckets/Bucket/Name") == [bucket]
    page = caller.ask("GET", "/", query={"max-buckets": "1", "prefix": "bucket-"})
    assert len(texts(page, "Buckets/Bucket/Name")) == 1
    head = caller.ask("HEAD", f"/{bucket}")
    assert (head.status, head.headers["x-amz-bucket-region"]) == (200, "gov-1")
    assert head.headers["x-amz-meta-casemate-floor"] == caller.region.region.floor.text
    assert b">gov-1</LocationConstraint>" in caller.ask("GET", f"/{bucket}", query={"location": ""}).body
    versioning = caller.ask("GET", f"/{bucket}", query={"versioning": ""})
    assert (versioning.status, texts(versioning, "Status")) == (200, [])
    assert error(caller.ask("PUT", f"/{bucket}")) == (409, "BucketAlreadyOwnedByYou")
    caller.ask("PUT", f"/{bucket}/k", b"")
    assert error(caller.ask("DELETE", f"/{bucket}")) == (409, "BucketNotEmpty")
    caller.ask("DELETE", f"/{bucket}/k")
    assert caller.ask("DELETE", f"/{bucket}").status == 204
    for method, query in (("GET", {}), ("GET", {"location": ""}), ("DELETE", {}), ("GET", {"list-type": "2"})):
        assert error(caller.ask(method, f"/{bucket}", query=query)) == (404, "NoSuchBucket")
    assert caller.ask("HEAD", f"/{bucket}").status == 404
    assert error(caller.ask("PUT", f"/{bucket}/k", b"")) == (404, "NoSuchBucket")
    for name in ("AB", "a", "a..b", "192.168.5.4"):
        assert caller.ask("PUT", f"/{name}").status == 400


def test_the_range_of_a_bucket(caller: Caller) -> None:
    """By headers, and by tags in the body, which every client can send."""
    region = caller.region
    made = caller.ask("PUT", "/ranged-1", x_amz_meta_casemate_ceiling=SECRET)
    assert made.headers["x-amz-meta-casemate-ceiling"] == region.clearance(SECRET).text
    tag = f"<Tag><Key>casemate-floor</Key><Value>{SECRET}</Value></Tag>"
    location = "<LocationConstraint>mars-1</LocationConstraint>"
    body = f"<CreateBucketConfiguration>{location}<Tags>{tag}</Tags></CreateBucketConfiguration>".encode()
    made = marked(caller.ask("PUT", "/ranged-2", body))
    assert made.status == 200, made.body
    assert made.headers["x-amz-meta-casemate-floor"] == region.label(SECRET).text
    assert made.headers["casemate-label"] == region.label(SECRET).text
    assert error(caller.ask("PUT", "/ranged-2/k", b"")) == (404, "NoSuchBucket")
    assert caller.ask("PUT", "/ranged-2/k", b"", x_amz_meta_casemate_label=SECRET).status == 200
    assert error(caller.ask("PUT", "/ranged-3", x_amz_meta_casemate_floor="us:BANANA"))[0] == 400
    assert error(caller.ask("PUT", "/ranged-3", b"<a/>")) == (400, "MalformedXML")
    refused = caller.ask("PUT", "/ranged-3", x_amz_meta_casemate_floor="us:TOP SECRET//SI//NOFORN")
    assert error(refused) == (403, "AccessDenied")


@pytest.mark.parametrize(
    ("query", "keys", "prefixes"),
    [
        ({}, KEYS, []),
        ({"prefix": "docs/"}, KEYS[1:4], []),
        ({"delimiter": "/"}, ["a.txt", "z"], ["docs/", "music/"]),
        ({"prefix": "docs/", "delimiter": "/"}, ["docs/1", "docs/2"], ["docs/deep/"]),
        ({"prefix": "nothing"}, [], []),
        ({"max-keys": "0"}, [], []),
    ],
)
def test_keys_and_prefixes(
    caller: Caller, full: str, query: dict[str, str], keys: list[str], prefixes: list[str]
) -> None:
    for version in ({}, {"list-type": "2"}):
        got = marked(caller.ask("GET", f"/{full}", query={**query, **version}))
        assert texts(got, "Contents/Key") == keys
        assert texts(got, "CommonPrefixes/Prefix") == prefixes
        assert texts(got, "IsTruncated") == ["false"]
    assert texts(got, "KeyCount") == [str(len(keys) + len(prefixes))]
    assert texts(got, "Contents/Size") == [str(len(key)) for key in keys]


@pytest.mark.parametrize("size", [1, 2, 3, 5])
@pytest.mark.parametrize("delimiter", ["", "/"])
def test_pages(caller: Caller, full: str, size: int, delimiter: str) -> None:
    expected = ["a.txt", "docs/", "music/", "z"] if delimiter else KEYS
    asked = {"max-keys": str(size), **({"delimiter": delimiter} if delimiter else {})}
    second: list[str] = []
    query = {**asked, "list-type": "2"}
    while True:
        got = caller.ask("GET", f"/{full}", query=query)
        page = sorted(texts(got, "Contents/Key") + texts(got, "CommonPrefixes/Prefix"))
        assert len(page) <= size
        second += page
        if texts(got, "IsTruncated") == ["false"]:
            break
        query["continuation-token"] = texts(got, "NextContinuationToken")[0]
    assert second == expected
    first: list[str] = []
    marker: dict[str, str] = {}
    while True:
        got = caller.ask("GET", f"/{full}", query={**asked, **marker})
        page = sorted(texts(got, "Contents/Key") + texts(got, "CommonPrefixes/Prefix"))
        first += page
        if texts(got, "IsTruncated") == ["false"]:
            break
        marker["marker"] = texts(got, "NextMarker")[0] if delimiter else page[-1]
    assert first == expected


def test_after_a_key_and_with_owners(caller: Caller, full: str) -> None:
    got = caller.ask("GET", f"/{full}", query={"list-type": "2", "start-after": "docs/2", "fetch-owner": "true"})
    assert texts(got, "Contents/Key") == KEYS[3:]
    assert set(texts(got, "Contents/Owner/DisplayName")) == {"user"}


def test_names_as_in_a_url(caller: Caller, bucket: str) -> None:
    """What XML cannot say is said so; without it a control character is told as one that cannot be."""
    key = "a\x01 b/ü+"
    caller.ask("PUT", f"/{bucket}/{key}", b"")
    got = caller.ask("GET", f"/{bucket}", query={"encoding-type": "url", "delimiter": "/"})
    assert texts(got, "CommonPrefixes/Prefix") == ["a%01%20b/"]
    got = caller.ask("GET", f"/{bucket}", query={"encoding-type": "url"})
    assert texts(got, "Contents/Key") == ["a%01%20b/%C3%BC%2B"]
    assert texts(caller.ask("GET", f"/{bucket}"), "Contents/Key") == ["a\ufffd b/ü+"]


@pytest.mark.parametrize(
    "query",
    [
        {"list-type": "3"},
        {"list-type": "2", "continuation-token": "%%%"},
        {"list-type": "2", "continuation-token": "_w=="},
        {"max-keys": "-1"},
        {"max-keys": "many"},
        {"encoding-type": "utf-7"},
    ],
)
def test_what_a_listing_does_not_take(caller: Caller, bucket: str, query: dict[str, str]) -> None:
    assert error(caller.ask("GET", f"/{bucket}", query=query)) == (400, "InvalidArgument")
