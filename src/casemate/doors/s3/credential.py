"""The credentials of this wire: a signature in a header or in the query, for the gate to verify. There is no other."""

from __future__ import annotations

from collections.abc import Mapping

from casemate.doors.frame import Request
from casemate.identity import Credential, SignedHead
from casemate.identity.sigv4_s3 import presigned, shown

__all__ = ["claims", "region", "shown_by"]

_SCHEME = "AWS4-HMAC-SHA256"


def claims(request: Request) -> bool:
    """Whether a request is this wire's: what it shows is signed for the service `s3`."""
    authorization = request.headers.get("authorization", "")
    if authorization:
        return authorization.startswith(_SCHEME) and "/s3/aws4_request" in authorization
    return "X-Amz-Credential=" in request.query_string and presigned(request.query_string)


def shown_by(request: Request) -> Credential | None:
    """What it shows. Raises Unauthenticated."""
    if not claims(request):
        return None
    head = SignedHead(
        key_id="",
        method=request.method,
        raw_path=request.raw_path,
        query=request.query_string,
        headers=tuple(request.headers.items()),
        authorization=request.headers.get("authorization", ""),
    )
    return SignedHead(shown(head).auth.key_id, head.method, head.raw_path, head.query, head.headers, head.authorization)


def region(headers: Mapping[str, str], query: Mapping[str, str]) -> str:
    """The region that a caller signs for: whatever he calls it, it is this one."""
    said = headers.get("authorization", "").partition("Credential=")[2] or query.get("X-Amz-Credential", "")
    return said.split("/")[2]
