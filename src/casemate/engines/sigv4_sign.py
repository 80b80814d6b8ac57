"""Signing requests with AWS Signature Version 4: the other side of identity.sigv4, whose arithmetic it uses.

A key file holds either a bearer key on one line, or an access key as AWS tools write it (`aws_access_key_id = ...`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from casemate.clock import SECOND
from casemate.engines.key_file import KeyFile
from casemate.identity import Signed
from casemate.identity.sigv4 import Authorization, signature

__all__ = ["AccessKey", "access_key", "signed"]

SERVICE = "bedrock"
_NAMES = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")


@dataclass(frozen=True, slots=True)
class AccessKey:
    """An access key; `token` where it is a temporary one."""

    id: str
    secret: str = field(repr=False)
    token: str = field(default="", repr=False)


def access_key(file: KeyFile) -> AccessKey | None:
    """The access key of a key file; None where it holds a bearer key on one line. Raises Misconfigured."""
    text = file.lines()
    if "=" not in text.partition("\n")[0] and "[" not in text[:1]:
        file.line()
        return None
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line)
    found = {name.strip().lower(): value.strip() for name, _, value in pairs}
    key_id, secret, token = (found.get(name, "") for name in _NAMES)
    if not key_id or not secret or not (key_id + secret + token).isprintable():
        raise file.wrong("it holds neither a key on one line nor aws_access_key_id and aws_secret_access_key")
    return AccessKey(key_id, secret, token)


def signed(key: AccessKey, region: str, authority: str, path: str, body: bytes, now: int) -> bytes:
    """The headers that sign a POST of JSON, each with its end. `path` as it is sent, `now` in microseconds."""
    stamp = datetime.fromtimestamp(now // SECOND, UTC).strftime("%Y%m%dT%H%M%SZ")
    headers = {"content-type": "application/json", "host": authority, "x-amz-date": stamp}
    if key.token:
        headers["x-amz-security-token"] = key.token
    names = tuple(sorted(headers))
    auth = Authorization(key.id, stamp[:8], region, SERVICE, names, "")
    request = Signed(key.id, "POST", path, "", tuple(headers.items()), body, "")
    made = signature(request, auth, key.secret)
    scope = f"{key.id}/{stamp[:8]}/{region}/{SERVICE}/aws4_request"
    told = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders={';'.join(names)}, Signature={made}"
    lines = [f"X-Amz-Date: {stamp}", f"Authorization: {told}"]
    if key.token:
        lines.append(f"X-Amz-Security-Token: {key.token}")
    return "".join(f"{line}\r\n" for line in lines).encode("ascii")
