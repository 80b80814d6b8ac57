"""AWS Signature Version 4, the verifying side (AWS IAM User Guide, "Create a signed AWS API request"). Pure.

For every service but S3 the canonical URI is the path as sent, encoded once more. The body's hash is signed even when
no `x-amz-content-sha256` header travels.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote

from casemate.errors import Skewed, Unauthenticated
from casemate.identity.credential import Signed

__all__ = ["SKEW_SECONDS", "Authorization", "parse_authorization", "signature", "verify"]

SKEW_SECONDS = 300
_MICRO = 1_000_000


@dataclass(frozen=True, slots=True)
class Authorization:
    """The parts of an `Authorization: AWS4-HMAC-SHA256 ...` header."""

    key_id: str
    date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str = field(repr=False)


def parse_authorization(text: str) -> Authorization:
    """Take the header apart. Raises Unauthenticated on anything that is not its form."""
    scheme, _, rest = text.partition(" ")
    try:
        parts = dict(part.strip().split("=", 1) for part in rest.split(","))
        key_id, date, region, service, terminator = parts["Credential"].split("/")
        headers = tuple(parts["SignedHeaders"].split(";"))
        found = Authorization(key_id, date, region, service, headers, parts["Signature"])
    except (KeyError, ValueError):
        raise Unauthenticated from None
    if scheme != "AWS4-HMAC-SHA256" or terminator != "aws4_request" or not {"host", "x-amz-date"} <= set(headers):
        raise Unauthenticated
    return found


def signature(request: Signed, auth: Authorization, secret: str) -> str:
    """The signature in hex that this secret gives to this request."""
    headers = {name.lower(): value for name, value in request.headers}
    listed = "".join(f"{name}:{' '.join(headers.get(name, '').split())}\n" for name in auth.signed_headers)
    body = hashlib.sha256(request.body).hexdigest()
    path = quote(request.raw_path, safe="/-_.~")
    query = _canonical_query(request.query)
    canonical = f"{request.method}\n{path}\n{query}\n{listed}\n{';'.join(auth.signed_headers)}\n{body}"
    scope = f"{auth.date}/{auth.region}/{auth.service}/aws4_request"
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{headers.get('x-amz-date', '')}\n{scope}\n{hashed}"
    key = f"AWS4{secret}".encode()
    for part in (auth.date, auth.region, auth.service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()


def _canonical_query(query: str) -> str:
    """Sorted by name, then by value: `a=2` before `a-b=1`, which sorting whole pairs would turn round."""
    pairs = sorted(tuple(pair.partition("=")[::2]) for pair in query.split("&")) if query else ()
    return "&".join(f"{name}={value}" for name, value in pairs)


def verify(request: Signed, auth: Authorization, secret: str, now: int) -> None:
    """Raises Unauthenticated where the signature is another's, and Skewed where it was made at another time.

    `now` is in microseconds since the epoch. A wrong signature is told before a wrong date, so that the date of an
    unsigned request says nothing.
    """
    if not hmac.compare_digest(signature(request, auth, secret).encode(), auth.signature.encode()):
        raise Unauthenticated
    stamp = {name.lower(): value for name, value in request.headers}.get("x-amz-date", "")
    try:
        signed_at = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise Unauthenticated from None
    if stamp[:8] != auth.date:
        raise Unauthenticated
    if abs(now / _MICRO - signed_at.timestamp()) > SKEW_SECONDS:
        raise Skewed(seconds=SKEW_SECONDS)
