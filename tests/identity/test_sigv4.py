"""Our verifier against botocore's signer: what it signs is believed, and nothing that differs by a byte."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from unittest.mock import patch

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from casemate.errors import Skewed, Unauthenticated
from casemate.identity import Signed
from casemate.identity.sigv4 import SKEW_SECONDS, parse_authorization, signature, verify

SECRET = "not-a-real-secret-of-forty-characters---"
AT = 1_790_000_000
NOW = AT * 1_000_000

# What may stand in a path and a query as they are sent; the rest travels percent-encoded.
SAFE = st.text("abcXYZ019-_.~", min_size=1, max_size=8)
SEGMENT = st.lists(SAFE | st.sampled_from(["%2F", "%3A", "%C3%A9", "%20"]), min_size=1, max_size=3).map("".join)
PATH = st.lists(SEGMENT.filter(lambda s: s.strip(".")), min_size=1, max_size=4).map(lambda parts: "/" + "/".join(parts))
QUERY = st.lists(st.tuples(SAFE, SAFE | st.just("")), max_size=4).map(lambda p: "&".join(f"{k}={v}" for k, v in p))
HEADERS = st.dictionaries(
    st.sampled_from(["casemate-acting-label", "x-amz-security-token", "x-one"]),
    st.text("ab  :/=", min_size=1, max_size=9),
    max_size=3,
)


def sign(method: str, path: str, query: str, headers: dict[str, str], body: bytes, at: int = AT) -> Signed:
    request = AWSRequest(
        method, f"http://region.test:8480{path}?{query}", {"host": "region.test:8480", **headers}, body
    )
    moment = datetime.fromtimestamp(at, UTC).replace(tzinfo=None)
    with patch("botocore.auth.get_current_datetime", return_value=moment):
        SigV4Auth(Credentials("CMKID", SECRET), "bedrock", "gov-secret-1").add_auth(request)
    sent = tuple((name, str(value)) for name, value in request.headers.items())
    return Signed("CMKID", method, path, query, sent, body, str(request.headers["Authorization"]))


def check(request: Signed, now: int = NOW, secret: str = SECRET) -> None:
    verify(request, parse_authorization(request.authorization), secret, now)


def with_header(request: Signed, name: str, value: str) -> Signed:
    return replace(request, headers=tuple((n, value if n.lower() == name else v) for n, v in request.headers))


@given(st.sampled_from(["GET", "POST"]), PATH, QUERY, HEADERS, st.binary(max_size=50))
def test_what_botocore_signs_is_believed(
    method: str, path: str, query: str, headers: dict[str, str], body: bytes
) -> None:
    check(sign(method, path, query, headers, body))


@given(PATH, QUERY, HEADERS, st.binary(min_size=1, max_size=50), st.data())
def test_no_byte_may_change(path: str, query: str, headers: dict[str, str], body: bytes, data: st.DataObject) -> None:
    request = sign("POST", path, query, headers, body)
    place = data.draw(st.integers(0, len(body) - 1))
    changed = data.draw(
        st.sampled_from(
            [
                replace(request, body=body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]),
                replace(request, raw_path=path + "x"),
                replace(request, query=query + "&z=1"),
                replace(request, method="PUT"),
                with_header(request, "host", "other.test"),
                with_header(request, "x-amz-date", "20260921T120001Z"),
                *(with_header(request, name, "changed") for name in headers),
            ]
        )
    )
    with pytest.raises(Unauthenticated):
        check(changed)


@pytest.mark.parametrize("query", ["a=2&a-b=1", "a-b=1&a=2", "b=1&a=2&a=1", "empty=", "flag", ""])
def test_the_order_of_a_query_is_by_name_then_value(query: str) -> None:
    check(sign("GET", "/foundation-models", query, {}, b""))


def test_another_secret() -> None:
    with pytest.raises(Unauthenticated):
        check(sign("GET", "/", "", {}, b""), secret="another")


@pytest.mark.parametrize("seconds", [SKEW_SECONDS, -SKEW_SECONDS])
def test_the_bound_of_the_skew(seconds: int) -> None:
    request = sign("GET", "/", "", {}, b"", AT + seconds)
    check(request)
    with pytest.raises(Skewed):
        check(request, NOW - seconds // SKEW_SECONDS)


def test_a_wrong_signature_is_told_before_a_wrong_date() -> None:
    request = sign("GET", "/", "", {}, b"", AT - 10_000)
    with pytest.raises(Unauthenticated) as told:
        check(replace(request, body=b"x"))
    assert not isinstance(told.value, Skewed)


@pytest.mark.parametrize("stamp", ["", "yesterday", "2026-09-21T12:00:00Z", "20010101T000000Z"])
def test_a_date_that_is_none_or_of_another_day(stamp: str) -> None:
    """Even where the signature fits: a stamp that cannot be read, or not of the day in the scope, is nobody's."""
    request = with_header(sign("GET", "/", "", {}, b""), "x-amz-date", stamp)
    auth = parse_authorization(request.authorization)
    fitting = replace(auth, signature=signature(request, auth, SECRET))
    with pytest.raises(Unauthenticated) as told:
        verify(request, fitting, SECRET, NOW)
    assert not isinstance(told.value, Skewed)


WHOLE = (
    "AWS4-HMAC-SHA256 Credential=CMKID/20260921/gov-secret-1/bedrock/aws4_request, "
    "SignedHeaders=content-type;host;x-amz-date, Signature=abcd"
)


def test_a_header_is_taken_apart() -> None:
    found = parse_authorization(WHOLE)
    assert (found.key_id, found.date, found.region, found.service) == ("CMKID", "20260921", "gov-secret-1", "bedrock")
    assert found.signed_headers == ("content-type", "host", "x-amz-date")
    assert "abcd" not in repr(found)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA256 ,,,",
        WHOLE.replace("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"),
        WHOLE.replace("aws4_request", "aws5_request"),
        WHOLE.replace("/bedrock", ""),
        WHOLE.replace("host;", ""),
        WHOLE.replace(";x-amz-date", ""),
        WHOLE.replace("SignedHeaders", "Headers"),
        WHOLE.replace(", Signature=abcd", ""),
    ],
)
def test_what_is_not_such_a_header(text: str) -> None:
    with pytest.raises(Unauthenticated):
        parse_authorization(text)
