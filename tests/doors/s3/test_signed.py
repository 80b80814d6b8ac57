"""Who is believed: heads, links and chunks as they were signed, and nothing that was altered on the way."""

from __future__ import annotations

import asyncio
import base64
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from tests.doors.s3.signing import (
    REGION,
    SIGNED,
    TRAILED,
    UNSIGNED,
    Caller,
    chunked,
    crc32,
    error,
    link,
    plain_chunks,
    signed,
    target,
)
from tests.doors.wired import OPEN, SECRET, Got, Wired

Headers = dict[str, str]
Alter = Callable[[str, Headers, bytes], tuple[str, Headers, bytes]]

ALTERED: dict[str, Alter] = {
    "body": lambda p, h, b: (p, h, b + b"!"),
    "path": lambda p, h, b: (p + "2", h, b),
    "query": lambda p, h, b: (p + "?tagging", h, b),
    "host": lambda p, h, b: (p, h | {"host": "other.test"}, b),
    "signature": lambda p, h, b: (p, h | {"authorization": h["authorization"][:-1] + "g"}, b),
    "date": lambda p, h, b: (p, h | {"x-amz-date": h["x-amz-date"][:-3] + "59Z"}, b),
    "a label, unsigned": lambda p, h, b: (p, h | {"x-amz-meta-casemate-label": OPEN}, b),
    "an acting label, unsigned": lambda p, h, b: (p, h | {"casemate-acting-label": OPEN}, b),
    "a header of AWS, unsigned": lambda p, h, b: (p, h | {"x-amz-copy-source": "/a/b"}, b),
    "the digest": lambda p, h, b: (p, h | {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}, b),
    "no digest": lambda p, h, b: (p, {k: v for k, v in h.items() if k != "x-amz-content-sha256"}, b),
    "another key": lambda p, h, b: (p, h | {"authorization": h["authorization"].replace("CMK", "CMX")}, b),
    "another region": lambda p, h, b: (p, h | {"authorization": h["authorization"].replace(REGION, "x")}, b),
    "no signature": lambda p, h, b: (p, h | {"authorization": h["authorization"].partition(", Sig")[0]}, b),
}


@pytest.mark.parametrize("name", ALTERED)
def test_what_was_altered_is_denied(caller: Caller, bucket: str, name: str) -> None:
    where = f"/{bucket}/k"
    caller.ask("PUT", where, b"first")
    path, headers, body = ALTERED[name](where, signed(caller.region, caller.key, "PUT", where, b"second"), b"second")
    got = caller.region.send("PUT", path, body, headers.items())
    mismatch = (400, "XAmzContentSHA256Mismatch")
    assert error(got) == (mismatch if name == "body" else (403, "SignatureDoesNotMatch"))
    assert caller.ask("GET", where).body == b"first"
    assert error(caller.ask("GET", where + "2")) == (404, "NoSuchKey")


def test_another_service_is_not_this_wire(caller: Caller, bucket: str) -> None:
    headers = signed(caller.region, caller.key, "GET", f"/{bucket}")
    other = headers | {"authorization": headers["authorization"].replace("/s3/", "/bedrock/")}
    got = caller.region.send("GET", f"/{bucket}", b"", other.items())
    assert got.status == 404, got.body
    assert b"<ListBucketResult" not in got.body
    assert caller.region.send("GET", f"/{bucket}").status == 404


def test_a_path_of_another_wire_is_a_bucket_to_whoever_signs_for_s3(caller: Caller) -> None:
    assert error(caller.ask("GET", "/v1/models")) == (404, "NoSuchBucket")
    assert error(caller.ask("GET", "/model/x")) == (404, "NoSuchBucket")


def test_a_link(caller: Caller, bucket: str) -> None:
    where = f"/{bucket}/a%20b"
    put = caller.region.send("PUT", link(caller.region, caller.key, "PUT", where), b"linked")
    assert put.status == 200, put.body
    got = caller.region.send("GET", link(caller.region, caller.key, "GET", where))
    assert (got.status, got.body, got.marked()) == (200, b"linked", True)
    named = link(caller.region, caller.key, "GET", where + "?response-content-type=text%2Fhtml&acting=" + OPEN)
    assert caller.region.send("GET", named).headers["content-type"] == "text/html"
    for wrong in (named.replace("html", "plain"), named.replace("UNCLASSIFIED", "SECRET"), named.replace("a%20b", "c")):
        assert error(caller.region.send("GET", wrong)) == (403, "SignatureDoesNotMatch")
    assert error(caller.region.send("DELETE", named)) == (403, "SignatureDoesNotMatch")
    label = {"x-amz-meta-casemate-label": SECRET}
    above = link(caller.region, caller.key, "PUT", where, more=label)
    assert error(caller.region.send("PUT", above, b"x")) == (403, "SignatureDoesNotMatch")
    assert caller.region.send("PUT", above, b"x", label.items()).status == 200


def test_a_link_runs_out(opened: Wired, caller: Caller, bucket: str) -> None:
    made = link(caller.region, caller.key, "GET", f"/{bucket}", 60)
    assert caller.region.send("GET", made).status == 200
    opened.clock.forward(61)
    assert error(caller.region.send("GET", made)) == (403, "AccessDenied")
    ahead = link(caller.region, caller.key, "GET", f"/{bucket}", 60)
    opened.clock.forward(-400)
    assert error(caller.region.send("GET", ahead)) == (403, "RequestTimeTooSkewed")
    opened.clock.forward(400)


def test_another_secret_and_an_unknown_key_are_told_alike(caller: Caller, bucket: str) -> None:
    id, secret = caller.key
    told = []
    for key in ((id, "0" * 40), ("CMKNOBODY", secret)):
        got = caller.region.send("GET", f"/{bucket}", b"", signed(caller.region, key, "GET", f"/{bucket}").items())
        assert error(got) == (403, "SignatureDoesNotMatch")
        told.append(got.body.partition(b"<RequestId>")[0])
    assert told[0] == told[1]


BODY = [b"a" * 1000, b"b" * 70_000, b"c"]
CRC = {"x-amz-checksum-crc32": crc32(b"".join(BODY))}


def sent_in_chunks(caller: Caller, where: str, kind: str, alter: Callable[[bytes], bytes] = bytes) -> Got:
    size = str(sum(map(len, BODY)))
    more = {"x-amz-content-sha256": kind, "x-amz-decoded-content-length": size, "content-encoding": "aws-chunked"}
    if kind != SIGNED:
        more["x-amz-trailer"] = "x-amz-checksum-crc32"
    head = signed(caller.region, caller.key, "PUT", where, b"", more)
    trailers = CRC if kind == TRAILED else None
    body = plain_chunks(BODY, CRC) if kind == UNSIGNED else chunked(head, caller.key, BODY, trailers)
    return caller.region.send("PUT", where, alter(body), head.items())


@pytest.mark.parametrize("kind", [SIGNED, TRAILED, UNSIGNED])
def test_a_body_in_chunks(caller: Caller, bucket: str, kind: str) -> None:
    where = f"/{bucket}/k"
    assert sent_in_chunks(caller, where, kind).status == 200
    got = caller.ask("GET", where)
    assert got.body == b"".join(BODY)
    assert "content-encoding" not in got.headers


WRONG: dict[str, Callable[[bytes], bytes]] = {
    "a byte": lambda body: body.replace(b"bbb", b"bBb", 1),
    "the last byte": lambda body: body.replace(b"\r\nc\r\n", b"\r\nd\r\n"),
    "a chunk is missing": lambda body: body[body.index(b"\r\n11170") + 2 :],
    "it ends early": lambda body: body[:-2],
    "it goes on": lambda body: body + b"x",
    "the checksum": lambda body: body.replace(b"crc32:", b"crc32:A", 1) if b"crc32:" in body else body[:-4],
}


@pytest.mark.parametrize("kind", [SIGNED, TRAILED, UNSIGNED])
@pytest.mark.parametrize("name", WRONG)
def test_chunks_that_were_altered_are_not_kept(caller: Caller, bucket: str, kind: str, name: str) -> None:
    where = f"/{bucket}/k"
    status, code = error(sent_in_chunks(caller, where, kind, WRONG[name]))
    assert status in (400, 403)
    assert code in ("SignatureDoesNotMatch", "IncompleteBody", "BadDigest", "InvalidDigest")
    assert error(caller.ask("GET", where)) == (404, "NoSuchKey")


def test_a_length_that_was_not_said(caller: Caller, bucket: str) -> None:
    where = target(f"/{bucket}/k")
    head = signed(caller.region, caller.key, "PUT", where, b"", {"x-amz-content-sha256": SIGNED})
    assert error(caller.region.send("PUT", where, b"", head.items())) == (411, "MissingContentLength")
    for size in (str((5 << 30) + 1), "9" * 20):
        more = {"x-amz-content-sha256": SIGNED, "x-amz-decoded-content-length": size}
        head = signed(caller.region, caller.key, "PUT", where, b"", more)
        assert error(caller.region.send("PUT", where, b"", head.items())) == (400, "EntityTooLarge")


def test_a_checksum_that_nobody_knows(caller: Caller, bucket: str) -> None:
    value = base64.b64encode(b"x").decode()
    got = caller.ask("PUT", f"/{bucket}/k", b"body", x_amz_checksum_crc64nvme=value)
    assert error(got) == (400, "InvalidDigest")


def test_a_long_body_is_never_whole_in_memory(caller: Caller, bucket: str) -> None:
    """The frame, the framing, the digests and the room hold pieces of it, so twice as much takes no more memory."""
    peaks = [_peak(caller, f"/{bucket}/long-{size}", size << 20) for size in (40, 40, 120)]
    assert peaks[2] < peaks[1] + (8 << 20), peaks
    assert caller.ask("HEAD", f"/{bucket}/long-120").headers["content-length"] == str(120 << 20)


def _peak(caller: Caller, where: str, size: int) -> int:
    """The most memory that is held while so many bytes come in, in bytes."""
    head = signed(caller.region, caller.key, "PUT", where, b"", {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"})
    named = {**head, "content-length": str(size)}
    scope = {
        "type": "http",
        "method": "PUT",
        "path": where,
        "raw_path": where.encode(),
        "query_string": b"",
        "headers": [(n.encode(), v.encode()) for n, v in named.items()],
        "client": ("127.0.0.1", 5),
    }
    pieces = iter([bytes(1 << 16)] * (size >> 16))
    told: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": next(pieces), "more_body": pieces.__length_hint__() > 0}  # type: ignore[attr-defined]

    async def send(message: dict[str, Any]) -> None:
        told.append(message)

    tracemalloc.start()
    try:
        asyncio.run(caller.region.app(scope, receive, send))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert told[0]["status"] == 200, told
    return peak
