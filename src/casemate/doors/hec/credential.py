"""The credential of this wire: an API key, in `Authorization: Splunk KEY`, as a bearer, or as the password of Basic."""

from __future__ import annotations

import base64
import binascii

from casemate.doors.frame import Request, bearer
from casemate.errors import Unauthenticated
from casemate.identity import Bearer, Credential

__all__ = ["shown_by"]


def shown_by(request: Request) -> Credential | None:
    """What it shows, or None. A key in the address is never read. Raises Unauthenticated."""
    scheme, _, rest = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "splunk":
        if not rest.strip() or request.headers.get("x-api-key"):
            raise Unauthenticated
        return Bearer(rest.strip())
    if scheme.lower() == "basic":
        try:
            _, colon, secret = base64.b64decode(rest.strip(), validate=True).decode("utf-8").partition(":")
        except (binascii.Error, ValueError):
            raise Unauthenticated from None
        if not colon or not secret or request.headers.get("x-api-key"):
            raise Unauthenticated
        return Bearer(secret)
    return bearer(request)
