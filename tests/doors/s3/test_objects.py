"""Objects over the wire: put, got, ranges, conditions, copies, tags, and what is removed."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator

import pytest

from casemate.buckets import Buckets
from casemate.doors.s3.objects import WHOLE
from casemate.errors import Damaged
from tests.doors.s3.signing import Caller, error, marked, texts

KEYS = ["a", "a/", "a//b", "/a", "a b+c", "ü/ß.txt", "a?b#c", "%41", "a%2Fb", "~-_.!*'()", "x" * 1024, "..", "a/../b"]


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key[:20])
def test_a_key_is_what_was_sent(caller: Caller, bucket: str, key: str) -> None:
    put = marked(caller.ask("PUT", f"/{bucket}/{key}", key.encode()))
    assert put.status == 200, put.body
    assert put.headers["etag"] == f'"{hashlib.md5(key.encode()).hexdigest()}"'
    got = marked(caller.ask("GET", f"/{bucket}/{key}"))
    assert (got.status, got.body) == (200, key.encode())
    assert texts(caller.ask("GET", f"/{bucket}"), "Contents/Key") == [key]
    assert caller.ask("DELETE", f"/{bucket}/{key}").status == 204
    assert error(caller.ask("GET", f"/{bucket}/{key}")) == (404, "NoSuchKey")


def test_what_was_said_is_told_again(caller: Caller, bucket: str) -> None:
    said = {
        "content_type": "text/plain; charset=utf-8",
        "cache_control": "max-age=3",
        "content_disposition": 'attachment; filename="a"',
        "content_encoding": "aws-chunked,gzip",
        "content_language": "fr",
        "expires": "Thu, 01 Dec 2033 16:00:00 GMT",
        "x_amz_meta_one": "1",
        "x_amz_tagging": "a=b&c=d%20e",
    }
    caller.ask("PUT", f"/{bucket}/k", b"body", **said)
    for method in ("GET", "HEAD"):
        got = caller.ask(method, f"/{bucket}/k")
        told = {name: got.headers[name.replace("_", "-")] for name in said if name != "x_amz_tagging"}
        assert told == {name: value for name, value in said.items() if name != "x_amz_tagging"} | {
            "content_encoding": "gzip"
        }
        assert got.headers["x-amz-tagging-count"] == "2"
        assert got.headers["x-amz-meta-casemate-label"] == caller.region.region.floor.text
        assert got.headers["content-length"] == "4"
        assert got.body == (b"body" if method == "GET" else b"")
    instead = caller.ask("GET", f"/{bucket}/k", query={"response-content-type": "a/b", "response-expires": "now"})
    assert (instead.headers["content-type"], instead.headers["expires"]) == ("a/b", "now")


@pytest.mark.parametrize(
    ("said", "status", "body", "told"),
    [
        ("bytes=0-0", 206, b"0", "bytes 0-0/10"),
        ("bytes=2-4", 206, b"234", "bytes 2-4/10"),
        ("bytes=8-", 206, b"89", "bytes 8-9/10"),
        ("bytes=8-99", 206, b"89", "bytes 8-9/10"),
        ("bytes=-3", 206, b"789", "bytes 7-9/10"),
        ("bytes=-99", 206, b"0123456789", "bytes 0-9/10"),
        ("bytes=4-2", 200, b"0123456789", None),
        ("bytes=0-1,3-4", 200, b"0123456789", None),
        ("lines=0-1", 200, b"0123456789", None),
        ("bytes=-", 200, b"0123456789", None),
    ],
)
def test_ranges(caller: Caller, bucket: str, said: str, status: int, body: bytes, told: str | None) -> None:
    caller.ask("PUT", f"/{bucket}/k", b"0123456789")
    got = caller.ask("GET", f"/{bucket}/k", range=said)
    assert (got.status, got.body, got.headers.get("content-range")) == (status, body, told)
    head = caller.ask("HEAD", f"/{bucket}/k", range=said)
    assert (head.status, head.headers["content-length"]) == (status, str(len(body)))


def test_a_range_that_holds_nothing(caller: Caller, bucket: str) -> None:
    caller.ask("PUT", f"/{bucket}/k", b"0123456789")
    for said in ("bytes=10-", "bytes=10-20", "bytes=-0"):
        got = caller.ask("GET", f"/{bucket}/k", range=said)
        assert error(got) == (416, "InvalidRange")
        assert got.headers["content-range"] == "bytes */10"
    caller.ask("PUT", f"/{bucket}/empty", b"")
    assert caller.ask("GET", f"/{bucket}/empty").body == b""
    assert error(caller.ask("GET", f"/{bucket}/empty", range="bytes=0-")) == (416, "InvalidRange")


def test_a_long_object_goes_out_in_pieces_between_two_entries(caller: Caller, bucket: str) -> None:
    data = bytes(range(256)) * (WHOLE // 128)
    caller.ask("PUT", f"/{bucket}/k", data)
    got = marked(caller.ask("GET", f"/{bucket}/k"))
    assert (got.body, got.headers["content-length"]) == (data, str(len(data)))
    begun = caller.region.entry(got.headers["casemate-ledger"])
    (end,) = caller.region.ends(begun.id)
    assert (begun.outcome, end.outcome) == ("begin", "complete")
    part = caller.ask("GET", f"/{bucket}/k", range="bytes=1-300000")
    assert part.body == data[1:300_001]


def test_what_breaks_on_the_way_out_breaks_off(caller: Caller, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A length was promised, so there is no room for a telling: less comes than that, and the record says so."""
    caller.ask("PUT", f"/{bucket}/k", bytes(2 * WHOLE))

    async def breaks(*_: object) -> AsyncIterator[bytes]:
        yield b"begun"
        raise Damaged(what="blob")

    monkeypatch.setattr(Buckets, "read", breaks)
    got = caller.ask("GET", f"/{bucket}/k")
    assert (got.status, got.body) == (200, b"begun")
    assert got.headers["content-length"] == str(2 * WHOLE)
    (end,) = caller.region.ends(got.headers["casemate-ledger"])
    assert end.outcome == "failed"


CONDITIONS = [
    ({"if_match": '"{etag}"'}, 200, 200),
    ({"if_match": '"other", "{etag}"'}, 200, 200),
    ({"if_match": "*"}, 200, 200),
    ({"if_match": '"other"'}, 412, 412),
    ({"if_none_match": '"{etag}"'}, 304, 412),
    ({"if_none_match": "*"}, 304, 412),
    ({"if_none_match": '"other"'}, 200, 200),
    ({"if_modified_since": "Thu, 01 Jan 2099 00:00:00 GMT"}, 304, 200),
    ({"if_modified_since": "Thu, 01 Jan 1981 00:00:00 GMT"}, 200, 200),
    ({"if_unmodified_since": "Thu, 01 Jan 1981 00:00:00 GMT"}, 412, 412),
    ({"if_match": '"{etag}"', "if_unmodified_since": "Thu, 01 Jan 1981 00:00:00 GMT"}, 200, 200),
    ({"if_none_match": '"other"', "if_modified_since": "Thu, 01 Jan 2099 00:00:00 GMT"}, 200, 200),
    ({"if_modified_since": "yesterday"}, 400, 400),
]


@pytest.mark.parametrize(("said", "read", "write"), CONDITIONS)
def test_conditions(caller: Caller, bucket: str, said: dict[str, str], read: int, write: int) -> None:
    etag = caller.ask("PUT", f"/{bucket}/k", b"first").headers["etag"].strip('"')
    told = {name: value.replace("{etag}", etag) for name, value in said.items()}
    got = caller.ask("GET", f"/{bucket}/k", **told)
    assert got.status == read
    assert got.body == (b"first" if read == 200 else got.body)
    if read == 304:
        assert (got.body, got.headers["etag"]) == (b"", f'"{etag}"')
        assert "content-length" not in got.headers
    assert caller.ask("HEAD", f"/{bucket}/k", **told).status == read
    put = caller.ask("PUT", f"/{bucket}/k", b"second", **told)
    assert put.status == write
    if write == 412:
        assert error(put) == (412, "PreconditionFailed")
    assert caller.ask("GET", f"/{bucket}/k").body == (b"second" if write == 200 else b"first")


def test_only_the_first_writer_of_a_new_key(caller: Caller, bucket: str) -> None:
    assert caller.ask("PUT", f"/{bucket}/k", b"1", if_none_match="*").status == 200
    assert error(caller.ask("PUT", f"/{bucket}/k", b"2", if_none_match="*")) == (412, "PreconditionFailed")
    assert caller.ask("GET", f"/{bucket}/k").body == b"1"
    assert error(caller.ask("DELETE", f"/{bucket}/k", if_match='"no"')) == (412, "PreconditionFailed")


def test_copies(caller: Caller, bucket: str) -> None:
    caller.ask("PUT", f"/{bucket}/from ü", b"data", x_amz_meta_a="1", x_amz_tagging="t=1", content_type="a/b")
    source = f"/{bucket}/from%20%C3%BC"
    made = caller.ask("PUT", f"/{bucket}/to", x_amz_copy_source=source)
    etag = hashlib.md5(b"data").hexdigest()
    assert (made.status, b"<CopyObjectResult" in made.body, texts(made, "ETag")) == (200, True, [f'"{etag}"'])
    got = caller.ask("GET", f"/{bucket}/to")
    assert (got.body, got.headers["x-amz-meta-a"], got.headers["content-type"]) == (b"data", "1", "a/b")
    assert texts(caller.ask("GET", f"/{bucket}/to", query={"tagging": ""}), "TagSet/Tag/Key") == ["t"]
    caller.ask("PUT", f"/{bucket}/to", x_amz_copy_source=source, x_amz_metadata_directive="REPLACE", x_amz_meta_b="2")
    got = caller.ask("GET", f"/{bucket}/to")
    assert "x-amz-meta-a" not in got.headers
    assert got.headers["x-amz-meta-b"] == "2"
    assert got.headers["x-amz-tagging-count"] == "1"
    wrong = caller.ask("PUT", f"/{bucket}/x", x_amz_copy_source=source, x_amz_copy_source_if_match='"no"')
    assert error(wrong) == (412, "PreconditionFailed")
    wrong = caller.ask("PUT", f"/{bucket}/x", x_amz_copy_source=source, x_amz_copy_source_if_none_match=f'"{etag}"')
    assert error(wrong) == (412, "PreconditionFailed")
    late = {"x_amz_copy_source_if_modified_since": "Thu, 01 Jan 2099 00:00:00 GMT"}
    assert error(caller.ask("PUT", f"/{bucket}/x", x_amz_copy_source=source, **late)) == (412, "PreconditionFailed")
    assert error(caller.ask("PUT", f"/{bucket}/x", x_amz_copy_source=f"/{bucket}/no")) == (404, "NoSuchKey")
    for bad in ("x", "/x", "/x/", "/x/y?versionId=3", "/x/%ff"):
        assert error(caller.ask("PUT", f"/{bucket}/x", x_amz_copy_source=bad)) == (400, "InvalidArgument")


def test_tags(caller: Caller, bucket: str) -> None:
    caller.ask("PUT", f"/{bucket}/k", b"")
    body = b"<Tagging><TagSet><Tag><Key>a</Key><Value>b c</Value></Tag></TagSet></Tagging>"
    assert caller.ask("PUT", f"/{bucket}/k", body, {"tagging": ""}).status == 200
    got = caller.ask("GET", f"/{bucket}/k", query={"tagging": ""})
    assert (texts(got, "TagSet/Tag/Key"), texts(got, "TagSet/Tag/Value")) == (["a"], ["b c"])
    assert caller.ask("DELETE", f"/{bucket}/k", query={"tagging": ""}).status == 204
    assert texts(caller.ask("GET", f"/{bucket}/k", query={"tagging": ""}), "TagSet/Tag/Key") == []
    many = "".join(f"<Tag><Key>{n}</Key><Value/></Tag>" for n in range(11))
    for wrong in (many, "<Tag><Value>b</Value></Tag>", "<Tag><Key>a</Key></Tag>" * 2):
        body = f"<Tagging><TagSet>{wrong}</TagSet></Tagging>".encode()
        assert error(caller.ask("PUT", f"/{bucket}/k", body, {"tagging": ""})) == (400, "InvalidTag")
    assert error(caller.ask("PUT", f"/{bucket}/k", b"<a/>", {"tagging": ""})) == (400, "MalformedXML")
    assert error(caller.ask("PUT", f"/{bucket}/j", b"", x_amz_tagging="a=1&a=2")) == (400, "InvalidTag")
    assert error(caller.ask("GET", f"/{bucket}/no", query={"tagging": ""})) == (404, "NoSuchKey")


def test_many_are_removed_at_once(caller: Caller, bucket: str) -> None:
    for key in ("a", "b", "c&d"):
        caller.ask("PUT", f"/{bucket}/{key}", key.encode())
    body = (
        "<Delete><Object><Key>a</Key></Object><Object><Key>c&amp;d</Key></Object><Object><Key>never</Key></Object>"
        "<Object><Key>b</Key><ETag>other</ETag></Object></Delete>"
    )
    got = caller.ask("POST", f"/{bucket}", body.encode(), {"delete": ""})
    assert texts(got, "Deleted/Key") == ["a", "c&d", "never"]
    assert (texts(got, "Error/Key"), texts(got, "Error/Code")) == (["b"], ["PreconditionFailed"])
    quiet = caller.ask(
        "POST", f"/{bucket}", b"<Delete><Quiet>true</Quiet><Object><Key>b</Key></Object></Delete>", {"delete": ""}
    )
    assert texts(quiet, "Deleted/Key") == []
    assert texts(caller.ask("GET", f"/{bucket}"), "Contents/Key") == []
    too_many = "<Delete>" + "<Object><Key>a</Key></Object>" * 1001 + "</Delete>"
    for wrong in (too_many, "<Delete/>", "<Delete><Object/></Delete>", "nothing"):
        assert error(caller.ask("POST", f"/{bucket}", wrong.encode(), {"delete": ""})) == (400, "MalformedXML")
    some = b"<Delete><Object><Key>a</Key></Object></Delete>"
    assert error(caller.ask("POST", "/never-made", some, {"delete": ""})) == (404, "NoSuchBucket")


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"x_amz_acl": "public-read"}, "AccessControlListNotSupported"),
        ({"x_amz_grant_read": "id=1"}, "AccessControlListNotSupported"),
        ({"x_amz_server_side_encryption": "aws:kms"}, "NotImplemented"),
        ({"x_amz_object_lock_mode": "GOVERNANCE"}, "NotImplemented"),
        ({"x_amz_meta_long": "x" * 2049}, "MetadataTooLarge"),
        ({"x_amz_checksum_crc32": "AAAAAA=="}, "BadDigest"),
        ({"content_md5": "AAAAAAAAAAAAAAAAAAAAAA=="}, "BadDigest"),
        ({"content_md5": "AAAA"}, "InvalidDigest"),
        ({"x_amz_content_sha256": "0" * 64}, "XAmzContentSHA256Mismatch"),
        ({"x_amz_content_sha256": "zero"}, "InvalidArgument"),
        ({"x_amz_content_sha256": "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"}, "NotImplemented"),
    ],
)
def test_what_is_refused_is_not_kept(caller: Caller, bucket: str, more: dict[str, str], code: str) -> None:
    assert error(caller.ask("PUT", f"/{bucket}/k", b"body", **more))[1] == code
    assert error(caller.ask("GET", f"/{bucket}/k")) == (404, "NoSuchKey")


def test_what_is_not_here_says_so(caller: Caller, bucket: str) -> None:
    caller.ask("PUT", f"/{bucket}/k", b"body")
    for name in ("acl", "policy", "cors", "lifecycle", "encryption", "tagging", "versions", "website", "object-lock"):
        assert error(caller.ask("GET", f"/{bucket}", query={name: ""})) == (501, "NotImplemented")
        assert error(caller.ask("PUT", f"/{bucket}", query={name: ""})) == (501, "NotImplemented")
    for name in ("acl", "attributes", "retention", "legal-hold", "torrent"):
        assert error(caller.ask("GET", f"/{bucket}/k", query={name: ""})) == (501, "NotImplemented")
    assert error(caller.ask("PUT", f"/{bucket}/k", query={"acl": ""})) == (501, "NotImplemented")
    assert error(caller.ask("POST", f"/{bucket}/k", query={"restore": ""})) == (501, "NotImplemented")
    assert error(caller.ask("GET", f"/{bucket}/k", query={"versionId": "3"})) == (501, "NotImplemented")
    assert error(caller.ask("PATCH", f"/{bucket}/k")) == (405, "MethodNotAllowed")
    assert caller.ask("GET", f"/{bucket}/k").body == b"body"
