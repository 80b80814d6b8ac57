"""Signing a request with botocore's own SigV4, at the region's moment."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from unittest.mock import patch

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.doors.wired import Wired

HOST = "region.test"


def signed(
    region: Wired,
    key: tuple[str, str],
    method: str,
    path: str,
    body: bytes = b"",
    more: Mapping[str, str] | None = None,
    at: float | None = None,
) -> dict[str, str]:
    """The headers of the request, in lower case, signed as boto3 signs them."""
    moment = datetime.fromtimestamp(region.clock.now() / 1e6 if at is None else at, UTC)
    headers = {"host": HOST, "content-type": "application/json", **(more or {})}
    request = AWSRequest(method, f"http://{HOST}{path}", headers, body)
    with patch("botocore.auth.get_current_datetime", return_value=moment.replace(tzinfo=None)):
        SigV4Auth(Credentials(*key), "bedrock", "port-sable-1").add_auth(request)
    return {name.lower(): str(value) for name, value in request.headers.items()}
