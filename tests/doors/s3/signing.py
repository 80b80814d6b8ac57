"""Signing S3 requests as botocore does, and bodies in chunks as the documentation says."""

from __future__ import annotations

import base64
import hashlib
import hmac
import zlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch
from urllib.parse import quote
from xml.etree import ElementTree as ET

from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from casemate.doors.s3.xml import NAMESPACE
from casemate.identity.sigv4_chunks import Chain
from tests.doors.wired import OPEN, SECRET, Got, Wired

HOST = "region.test"
REGION = "gov-1"
SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
TRAILED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
UNSIGNED = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
Key = tuple[str, str]


def target(path: str, query: Mapping[str, str] | None = None) -> str:
    """A path and a query as a client sends them."""
    asked = "&".join(
        f"{quote(n, safe='')}={quote(v, safe='')}" if v else quote(n, safe="") for n, v in (query or {}).items()
    )
    return quote(path, safe="/~") + (f"?{asked}" if asked else "")


def signed(
    region: Wired, key: Key, method: str, where: str, body: bytes = b"", more: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The headers of the request, in lower case; a digest of the body that stands in `more` is signed as it is."""
    headers = {"host": HOST, **(more or {})}
    request = AWSRequest(method, f"http://{HOST}{where}", headers, body)
    signer = S3SigV4Auth(Credentials(*key), "s3", REGION)
    said = {n.lower(): v for n, v in headers.items()}.get("x-amz-content-sha256")
    with patch("botocore.auth.get_current_datetime", return_value=_moment(region)):
        if said:
            with patch.object(signer, "payload", return_value=said):
                signer.add_auth(request)
        else:
            signer.add_auth(request)
    return {name.lower(): str(value) for name, value in request.headers.items()}


def link(
    region: Wired, key: Key, method: str, where: str, seconds: int = 60, more: Mapping[str, str] | None = None
) -> str:
    """The target of a presigned URL."""
    request = AWSRequest(method, f"http://{HOST}{where}", {"host": HOST, **(more or {})}, b"")
    with patch("botocore.auth.get_current_datetime", return_value=_moment(region)):
        S3SigV4QueryAuth(Credentials(*key), "s3", REGION, expires=seconds).add_auth(request)
    return str(request.url).removeprefix(f"http://{HOST}")


def _moment(region: Wired) -> datetime:
    return datetime.fromtimestamp(region.clock.now() / 1e6, UTC).replace(tzinfo=None)


class Caller:
    """A principal with a key of the region, who asks what a test says."""

    def __init__(self, region: Wired, floor: str = OPEN, ceiling: str = SECRET, name: str = "user") -> None:
        self.region = region
        self.key = region.key(floor, ceiling, client="boto3", name=name)

    def ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        query: Mapping[str, str] | None = None,
        **more: str,
    ) -> Got:
        """A request; headers are named with `_` for `-`."""
        where = target(path, query)
        headers = {name.replace("_", "-"): value for name, value in more.items()}
        sent = signed(self.region, self.key, method, where, body, headers)
        return self.region.send(method, where, body, sent.items())


def chunked(
    head: Mapping[str, str], key: Key, pieces: Iterable[bytes], trailers: Mapping[str, str] | None = None
) -> bytes:
    """A body in signed chunks below a head that has been signed."""
    seed = head["authorization"].rpartition("Signature=")[2]
    stamp = head["x-amz-date"]
    scope = f"{stamp[:8]}/{REGION}/s3/aws4_request"
    signer = b"AWS4" + key[1].encode()
    for part in scope.split("/"):
        signer = hmac.digest(signer, part.encode(), "sha256")
    return framed(signer, stamp, scope, seed, pieces, trailers)


def framed(
    signer: bytes, stamp: str, scope: str, seed: str, pieces: Iterable[bytes], trailers: Mapping[str, str] | None = None
) -> bytes:
    """The chunks themselves, each signed over the one before."""
    body, before = b"", seed
    empty = hashlib.sha256().hexdigest()
    for piece in (*pieces, b""):
        digest = hashlib.sha256(piece).hexdigest()
        text = f"AWS4-HMAC-SHA256-PAYLOAD\n{stamp}\n{scope}\n{before}\n{empty}\n{digest}"
        before = hmac.digest(signer, text.encode(), "sha256").hex()
        body += f"{len(piece):x};chunk-signature={before}\r\n".encode() + piece + (b"\r\n" if piece else b"")
    if trailers is not None:
        lines = "".join(f"{name}:{value}\n" for name, value in trailers.items())
        digest = hashlib.sha256(lines.encode()).hexdigest()
        text = f"AWS4-HMAC-SHA256-TRAILER\n{stamp}\n{scope}\n{before}\n{digest}"
        made = hmac.digest(signer, text.encode(), "sha256").hex()
        body += lines.replace("\n", "\r\n").encode() + f"x-amz-trailer-signature:{made}\r\n".encode()
    return body + b"\r\n"


def plain_chunks(pieces: Iterable[bytes], trailers: Mapping[str, str]) -> bytes:
    """A body in chunks that bear no signature, as clients send over TLS."""
    body = b"".join(f"{len(piece):x}\r\n".encode() + piece + b"\r\n" for piece in pieces)
    return body + b"0\r\n" + "".join(f"{n}:{v}\r\n" for n, v in trailers.items()).encode() + b"\r\n"


def a_chain(seed: str = "5" * 64) -> tuple[bytes, str, str, Chain]:
    """A signing key, its stamp and scope, and the chain that verifies what it signs."""
    signer, stamp, scope = b"k" * 32, "20130524T000000Z", "20130524/gov-1/s3/aws4_request"
    return signer, stamp, scope, Chain(signer, stamp, scope, seed)


def crc32(data: bytes) -> str:
    return base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()


def error(got: Got) -> tuple[int, str]:
    """Status and code of a problem, which bears its marking and its entry."""
    assert got.status >= 400, got.status
    assert b"<Error>" in got.body
    root = ET.fromstring(got.body)
    assert got.headers["casemate-marking"]
    assert got.headers["casemate-label"]
    if got.headers.get("casemate-ledger"):
        assert root.findtext("RequestId") == got.headers["casemate-ledger"] == got.headers["x-amz-request-id"]
    return got.status, root.findtext("Code") or ""


def texts(got: Got, path: str) -> list[str]:
    """The texts at a path of a document, e.g. `Contents/Key`."""
    root = ET.fromstring(got.body)
    space = f"{{{NAMESPACE}}}"
    return [each.text or "" for each in root.findall("/".join(space + part for part in path.split("/")))]


def marked(got: Got) -> Any:
    assert got.marked()
    return got
