"""AWS Signature Version 4 as S3 has it ("Authenticating Requests", header and query parameters). Pure.

Three things differ from every other service. The path is encoded once, however it was sent. The body's digest is the
one that `x-amz-content-sha256` names, so a request is believed before its body has come; whoever takes the body holds
it to that digest. And everything may stand in the query instead of headers: a presigned URL.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, unquote_to_bytes

from casemate.errors import Expired, Skewed, Unauthenticated
from casemate.identity.credential import SignedHead
from casemate.identity.sigv4 import SKEW_SECONDS, Authorization, parse_authorization
from casemate.identity.sigv4_chunks import Chain

__all__ = ["LONGEST_SECONDS", "UNSIGNED", "Shown", "chain", "presigned", "shown", "signature", "verify"]

SERVICE = "s3"
UNSIGNED = "UNSIGNED-PAYLOAD"
LONGEST_SECONDS = 7 * 86_400
_ALGORITHM = "AWS4-HMAC-SHA256"
_SAFE = "-_.~"
_MICRO = 1_000_000
_DECIDE = ("x-amz-", "casemate-")
_CONTENT = "x-amz-content-sha256"


@dataclass(frozen=True, slots=True)
class Shown:
    """What a request shows: its signature and what that stands on. `seconds` is 0 where it stands in a header."""

    auth: Authorization
    stamp: str
    payload: str
    seconds: int = 0

    @property
    def scope(self) -> str:
        return f"{self.auth.date}/{self.auth.region}/{self.auth.service}/aws4_request"


def shown(request: SignedHead) -> Shown:
    """Take apart what it shows. Raises Unauthenticated, also where a header that decides is not signed."""
    headers = dict(request.headers)
    found = _in_query(request.query, headers) if not request.authorization else _in_header(request, headers)
    loose = {name for name in headers if name.startswith(_DECIDE)} - set(found.auth.signed_headers)
    if loose - ({_CONTENT} if found.seconds else set()) or found.auth.service != SERVICE:
        raise Unauthenticated
    return found


def presigned(query: str) -> bool:
    """Whether a query bears a signature: an answer in the affirmative is to be verified."""
    return any(name == "X-Amz-Credential" for name, _ in _pairs(query))


def _in_header(request: SignedHead, headers: dict[str, str]) -> Shown:
    auth = parse_authorization(request.authorization)
    payload = headers.get(_CONTENT, "")
    if not payload or presigned(request.query):
        raise Unauthenticated
    return Shown(auth, headers.get("x-amz-date", ""), payload)


def _in_query(query: str, headers: dict[str, str]) -> Shown:
    pairs = _pairs(query)
    said = dict(pairs)
    names = [name for name, _ in pairs]
    try:
        key_id, date, region, service, terminator = said["X-Amz-Credential"].split("/")
        signed = tuple(said["X-Amz-SignedHeaders"].split(";"))
        auth = Authorization(key_id, date, region, service, signed, said["X-Amz-Signature"])
        text, stamp, algorithm = said["X-Amz-Expires"], said["X-Amz-Date"], said["X-Amz-Algorithm"]
    except (KeyError, ValueError):
        raise Unauthenticated from None
    seconds = int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0
    twice = any(names.count(name) > 1 for name in said if name.startswith("X-Amz-"))
    if terminator != "aws4_request" or algorithm != _ALGORITHM or "host" not in signed or twice:
        raise Unauthenticated
    if not 0 < seconds <= LONGEST_SECONDS:
        raise Unauthenticated
    return Shown(auth, stamp, headers.get(_CONTENT, UNSIGNED), seconds)


def signature(request: SignedHead, found: Shown, secret: str) -> str:
    """The signature in hex that this secret gives to this request."""
    return hmac.digest(_key(found, secret), _text(request, found).encode("latin-1"), "sha256").hex()


def _text(request: SignedHead, found: Shown) -> str:
    headers = dict(request.headers)
    signed = found.auth.signed_headers
    listed = "".join(f"{name}:{' '.join(headers.get(name, '').split())}\n" for name in signed)
    path = quote(unquote_to_bytes(request.raw_path), safe=f"/{_SAFE}")
    query = _canonical(request.query)
    payload = UNSIGNED if found.seconds and _CONTENT not in signed else found.payload
    canonical = f"{request.method}\n{path}\n{query}\n{listed}\n{';'.join(signed)}\n{payload}"
    return f"{_ALGORITHM}\n{found.stamp}\n{found.scope}\n{hashlib.sha256(canonical.encode('latin-1')).hexdigest()}"


def _pairs(query: str) -> list[tuple[str, str]]:
    """Names and values as they are meant; a `+` is a space, as for whoever reads the query afterwards."""
    parts = [part.replace("+", " ").partition("=") for part in query.split("&") if part]
    return [(_meant(name), _meant(value)) for name, _, value in parts]


def _meant(text: str) -> str:
    return unquote_to_bytes(text).decode("latin-1")


def _canonical(query: str) -> str:
    """Each name and value encoded once, sorted as they stand then; without the signature itself."""
    encoded = sorted((_encoded(n), _encoded(v)) for n, v in _pairs(query) if n != "X-Amz-Signature")
    return "&".join(f"{name}={value}" for name, value in encoded)


def _encoded(text: str) -> str:
    return quote(text.encode("latin-1"), safe=_SAFE)


def _key(found: Shown, secret: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (found.auth.date, found.auth.region, found.auth.service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def verify(request: SignedHead, found: Shown, secret: str, now: int) -> None:
    """Raises Unauthenticated for another's signature, Skewed for another time, Expired for a URL whose time is over.

    `now` is in microseconds since the epoch. A wrong signature is told before a wrong date, so that the date of an
    unsigned request says nothing.
    """
    if not hmac.compare_digest(signature(request, found, secret).encode(), found.auth.signature.encode()):
        raise Unauthenticated
    try:
        signed_at = datetime.strptime(found.stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise Unauthenticated from None
    if found.stamp[:8] != found.auth.date:
        raise Unauthenticated
    age = now / _MICRO - signed_at
    if age < -SKEW_SECONDS or (not found.seconds and age > SKEW_SECONDS):
        raise Skewed(seconds=SKEW_SECONDS)
    if found.seconds and age > found.seconds:
        raise Expired


def chain(found: Shown, secret: str) -> Chain:
    """What verifies the chunks of a body whose head has been verified."""
    return Chain(_key(found, secret), found.stamp, found.scope, found.auth.signature)
