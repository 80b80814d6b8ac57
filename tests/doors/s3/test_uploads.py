"""Uploads in parts: begun at a label, which every part of them keeps."""

from __future__ import annotations

import hashlib

import pytest

from tests.doors.s3.signing import Caller, error, marked, texts
from tests.doors.wired import OPEN, SECRET

PART = 5 << 20


def begin(caller: Caller, path: str, **more: str) -> str:
    return texts(marked(caller.ask("POST", path, query={"uploads": ""}, **more)), "UploadId")[0]


def put(caller: Caller, path: str, id: str, number: int | str, body: bytes, **more: str) -> str:
    got = marked(caller.ask("PUT", path, body, {"partNumber": str(number), "uploadId": id}, **more))
    assert got.status == 200, got.body
    return got.headers["etag"]


def finished(*parts: tuple[int | str, str]) -> bytes:
    told = "".join(f"<Part><PartNumber>{n}</PartNumber><ETag>{etag}</ETag></Part>" for n, etag in parts)
    return f"<CompleteMultipartUpload>{told}</CompleteMultipartUpload>".encode()


def test_an_upload_in_parts(caller: Caller, bucket: str) -> None:
    path, first, second = f"/{bucket}/big", b"a" * PART, b"b" * 10
    id = begin(caller, path, content_type="a/b", x_amz_meta_m="1", x_amz_tagging="t=1")
    two, one = put(caller, path, id, 2, second), put(caller, path, id, 1, first)
    assert one == f'"{hashlib.md5(first).hexdigest()}"'
    assert error(caller.ask("GET", path)) == (404, "NoSuchKey")
    listed = caller.ask("GET", path, query={"uploadId": id})
    assert texts(listed, "Part/PartNumber") == ["1", "2"]
    assert texts(listed, "Part/ETag") == [one, two]
    page = caller.ask("GET", path, query={"uploadId": id, "max-parts": "1"})
    assert (texts(page, "Part/Size"), texts(page, "IsTruncated")) == ([str(PART)], ["true"])
    page = caller.ask("GET", path, query={"uploadId": id, "part-number-marker": texts(page, "NextPartNumberMarker")[0]})
    assert texts(page, "Part/PartNumber") == ["2"]
    uploads = caller.ask("GET", f"/{bucket}", query={"uploads": ""})
    assert (texts(uploads, "Upload/Key"), texts(uploads, "Upload/UploadId")) == (["big"], [id])
    made = marked(caller.ask("POST", path, finished((1, one), (2, two)), {"uploadId": id}))
    both = hashlib.md5(hashlib.md5(first).digest() + hashlib.md5(second).digest()).hexdigest()
    assert texts(made, "ETag") == [f'"{both}-2"']
    got = caller.ask("HEAD", path, query={"partNumber": "2"})
    assert (got.status, got.headers["content-length"], got.headers["x-amz-mp-parts-count"]) == (206, "10", "2")
    got = caller.ask("GET", path, query={"partNumber": "2"})
    assert (got.body, got.headers["content-range"]) == (second, f"bytes {PART}-{PART + 9}/{PART + 10}")
    assert (got.headers["content-type"], got.headers["x-amz-meta-m"]) == ("a/b", "1")
    assert error(caller.ask("GET", path, query={"partNumber": "3"})) == (416, "InvalidRange")
    assert error(caller.ask("GET", path, query={"partNumber": "none"})) == (400, "InvalidArgument")
    assert caller.ask("GET", path, range=f"bytes={PART - 1}-{PART}").body == b"ab"
    assert texts(caller.ask("GET", f"/{bucket}", query={"uploads": ""}), "Upload/Key") == []
    assert error(caller.ask("POST", path, finished((1, one)), {"uploadId": id})) == (404, "NoSuchUpload")


def test_a_part_from_another_object(caller: Caller, bucket: str) -> None:
    caller.ask("PUT", f"/{bucket}/from", b"0123456789")
    path = f"/{bucket}/to"
    id = begin(caller, path)
    asked = {"partNumber": "1", "uploadId": id}
    source = {"x_amz_copy_source": f"/{bucket}/from"}
    got = caller.ask("PUT", path, query=asked, x_amz_copy_source_range="bytes=2-4", **source)
    assert texts(got, "ETag") == [f'"{hashlib.md5(b"234").hexdigest()}"']
    caller.ask("POST", path, finished((1, texts(got, "ETag")[0])), {"uploadId": id})
    assert caller.ask("GET", path).body == b"234"
    wrong = caller.ask("PUT", path, query=asked, x_amz_copy_source_if_match='"no"', **source)
    assert error(wrong)[0] in (404, 412)


def test_what_is_no_part(caller: Caller, bucket: str) -> None:
    path = f"/{bucket}/k"
    id = begin(caller, path)
    small, last = put(caller, path, id, 1, b"a"), put(caller, path, id, 2, b"b")
    for number in ("0", "10001", "-1", "one"):
        got = caller.ask("PUT", path, b"", {"partNumber": number, "uploadId": id})
        assert error(got) == (400, "InvalidArgument")
    ask = {"uploadId": id}
    assert error(caller.ask("POST", path, finished((1, small), (2, last)), ask)) == (400, "EntityTooSmall")
    assert error(caller.ask("POST", path, finished((3, last)), ask)) == (400, "InvalidPart")
    assert error(caller.ask("POST", path, finished((1, '"other"')), ask)) == (400, "InvalidPart")
    assert error(caller.ask("POST", path, finished((2, last), (1, small)), ask)) == (400, "InvalidPartOrder")
    assert error(caller.ask("POST", path, finished((1, small), (1, small)), ask)) == (400, "InvalidPartOrder")
    for wrong in (finished(), finished(("x", small)), b"<CompleteMultipartUpload>"):
        assert error(caller.ask("POST", path, wrong, ask)) == (400, "MalformedXML")
    elsewhere = caller.ask("PUT", f"/{bucket}/other", b"", {"partNumber": "1", "uploadId": id})
    assert error(elsewhere) == (404, "NoSuchUpload")
    assert caller.ask("DELETE", path, query=ask).status == 204
    for never in (id, "none", "a.b", "!!.x", id.replace(".", ".x")):
        got = caller.ask("PUT", path, b"", {"partNumber": "1", "uploadId": never})
        assert error(got)[1] in ("NoSuchUpload", "InvalidArgument", "AccessDenied"), never
        assert got.status != 200
    assert error(caller.ask("POST", "/never-made/k", query={"uploads": ""})) == (404, "NoSuchBucket")


def test_every_part_acts_where_the_upload_began(caller: Caller, bucket: str) -> None:
    """The label is in the id: parts, the end and the object lie there, whatever the session's floor is."""
    region, path = caller.region, f"/{bucket}/k"
    secret = region.label(SECRET).text
    id = begin(caller, path, x_amz_meta_casemate_label=SECRET)
    got = caller.ask("PUT", path, b"body", {"partNumber": "1", "uploadId": id})
    assert got.headers["casemate-label"] == secret
    made = caller.ask("POST", path, finished((1, got.headers["etag"])), {"uploadId": id})
    assert (made.headers["casemate-label"], made.headers["x-amz-meta-casemate-label"]) == (secret, secret)
    low = {"casemate_acting_label": OPEN}
    assert error(caller.ask("GET", path, **low)) == (404, "NoSuchKey")
    assert caller.ask("GET", path).headers["x-amz-meta-casemate-label"] == secret
    other = caller.ask("PUT", path, b"", {"partNumber": "1", "uploadId": id}, **low)
    assert error(other) == (400, "InvalidArgument")


def test_an_upload_above_is_none(caller: Caller, bucket: str) -> None:
    """Whoever is not cleared for its label is told what he is told of any label that he may not act at."""
    path = f"/{bucket}/k"
    id = begin(caller, path, x_amz_meta_casemate_label=SECRET)
    low = Caller(caller.region, OPEN, OPEN)
    real = low.ask("PUT", path, b"", {"partNumber": "1", "uploadId": id})
    never = low.ask("PUT", path, b"", {"partNumber": "1", "uploadId": id.partition(".")[0] + ".upl_never"})
    assert error(real) == error(never) == (403, "AccessDenied")
    assert texts(low.ask("GET", f"/{bucket}", query={"uploads": ""}), "Upload/Key") == []
    assert texts(caller.ask("GET", f"/{bucket}", query={"uploads": "", "max-uploads": "1"}), "Upload/Key") == ["k"]
    marker = {"uploads": "", "key-marker": "k"}
    assert texts(caller.ask("GET", f"/{bucket}", query=marker), "Upload/Key") == []


@pytest.mark.parametrize(("mark", "cut"), [(b"SECRET//NOFORN\n", 1), (b"SECRET//NOFORN\n", 4), (b"(S//NF) It ", 3)])
def test_a_mark_that_a_seam_of_parts_cuts_keeps_the_object_out(
    caller: Caller, bucket: str, mark: bytes, cut: int
) -> None:
    path = f"/{bucket}/seam"
    id = begin(caller, path)
    first = b"a\n" * (PART // 2) + mark[:cut]
    one, two = put(caller, path, id, 1, first), put(caller, path, id, 2, mark[cut:] + b"The plan.\n")
    refused = caller.ask("POST", path, finished((1, one), (2, two)), {"uploadId": id})
    assert (error(refused), b"<Rule>mark-above</Rule>" in refused.body) == ((403, "AccessDenied"), True)
    assert error(caller.ask("GET", path)) == (404, "NoSuchKey")
    # another part in its place, and the upload goes on; a line that is longer than any mark begins none
    long, plain = put(caller, path, id, 1, b"a" * PART + mark[:cut]), put(caller, path, id, 2, mark[cut:] + b"b")
    assert caller.ask("POST", path, finished((1, long), (2, plain)), {"uploadId": id}).status == 200
