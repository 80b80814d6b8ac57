"""The credentials of this wire: what was signed for `batch` or `logs`, for the gate to verify; or an API key.

What decides about a request must be signed: the acting label travels in a header, and on plain HTTP anybody on the way
could add one.
"""

from __future__ import annotations

from casemate.doors.frame import Request, bearer
from casemate.errors import Unauthenticated
from casemate.identity import Credential, Signed
from casemate.identity.sigv4 import parse_authorization

__all__ = ["shown_by"]

_SERVICES = ("batch", "logs")
_DECIDE = ("x-amz-", "casemate-")


def shown_by(request: Request) -> Credential | None:
    """What an `Authorization: AWS4-HMAC-SHA256 ...` or `Bearer ...` header says, or None. Raises Unauthenticated."""
    authorization = request.headers.get("authorization", "")
    if not authorization.startswith("AWS4-HMAC-SHA256"):
        return bearer(request)
    said = parse_authorization(authorization)
    loose = {name for name in request.headers if name.startswith(_DECIDE)} - set(said.signed_headers)
    if loose or said.service not in _SERVICES:
        raise Unauthenticated
    return Signed(
        key_id=said.key_id,
        method=request.method,
        raw_path=request.raw_path,
        query=request.query_string,
        headers=tuple(request.headers.items()),
        body=request.body,
        authorization=authorization,
    )
