"""Requests signed with Signature Version 4, told with botocore's own signer, then altered on the way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from casemate.models import READER
from tests.doors.bedrock.signing import signed
from tests.doors.wired import HIGH, OPEN, SECRET, Got, Wired

PATH = "/model/casemate.extractive-reader/converse"
BODY = b'{"messages":[{"role":"user","content":[{"text":"Wann f\xc3\xa4hrt sie?"}]}]}'

Headers = dict[str, str]
Alter = Callable[[str, Headers, bytes], tuple[str, Headers, bytes]]


def send(region: Wired, path: str, headers: Headers, body: bytes) -> Got:
    return region.send("POST", path, body, headers.items())


def test_a_signed_request_is_answered(region: Wired) -> None:
    key = region.key(OPEN, SECRET, client="boto3")
    got = send(region, PATH, signed(region, key, "POST", PATH, BODY), BODY)
    assert got.status == 200
    assert got.marked()
    (asked,) = region.answers.asked
    assert (asked.question, asked.model) == ("Wann fährt sie?", READER)


ALTERED: dict[str, Alter] = {
    "body": lambda p, h, b: (p, h, b.replace(b"sie", b"Sie")),
    "path": lambda p, h, b: (p.replace("casemate.", "us.casemate."), h, b),
    "query": lambda p, h, b: (p + "?acting=us:UNCLASSIFIED", h, b),
    "host": lambda p, h, b: (p, h | {"host": "other.test"}, b),
    "content type": lambda p, h, b: (p, h | {"content-type": "text/plain"}, b),
    "signature": lambda p, h, b: (p, h | {"authorization": h["authorization"][:-1] + "g"}, b),
    "date": lambda p, h, b: (p, h | {"x-amz-date": h["x-amz-date"][:-3] + "59Z"}, b),
    "a header that decides, unsigned": lambda p, h, b: (p, h | {"casemate-acting-label": OPEN}, b),
    "a guardrail, unsigned": lambda p, h, b: (p, h | {"x-amzn-bedrock-guardrailidentifier": "g"}, b),
    "a header of AWS, unsigned": lambda p, h, b: (p, h | {"x-amz-security-token": "t"}, b),
    "host not signed": lambda p, h, b: (p, h | {"authorization": h["authorization"].replace("host;", "")}, b),
    "another service": lambda p, h, b: (
        p,
        h | {"authorization": h["authorization"].replace("/bedrock/", "/sagemaker/")},
        b,
    ),
    "no signature": lambda p, h, b: (p, h | {"authorization": h["authorization"].partition(", Sig")[0]}, b),
    "half a header": lambda p, h, b: (p, h | {"authorization": "AWS4-HMAC-SHA256 Credential=a"}, b),
    "another key": lambda p, h, b: (p, h | {"authorization": h["authorization"].replace("CMK", "CMX")}, b),
    "no header": lambda p, h, b: (p, {k: v for k, v in h.items() if k != "authorization"}, b),
    "a bearer key": lambda p, h, b: (p, h | {"authorization": "Bearer cm_a_b"}, b),
}


@pytest.mark.parametrize("alter", ALTERED.values(), ids=ALTERED)
def test_what_was_altered_is_denied(region: Wired, alter: Alter) -> None:
    key = region.key(OPEN, SECRET, client="boto3")
    path, headers, body = alter(PATH, signed(region, key, "POST", PATH, BODY), BODY)
    got = send(region, path, headers, body)
    assert (got.status, got.headers["x-amzn-errortype"]) == (403, "AccessDeniedException")
    assert got.json["slug"] == "unauthenticated"
    assert got.marked()
    assert region.answers.asked == []


def test_the_acting_label_may_be_chosen_where_it_is_signed(region: Wired) -> None:
    key = region.key(OPEN, SECRET, client="boto3")
    headers = signed(region, key, "POST", PATH, BODY, {"casemate-acting-label": OPEN})
    got = send(region, PATH, headers, BODY)
    assert (got.status, got.headers["casemate-marking"]) == (200, "UNCLASSIFIED")


def test_an_api_key_as_a_bearer(region: Wired) -> None:
    """AWS_BEARER_TOKEN_BEDROCK: the key of any other wire."""
    _, secret = region.key(OPEN, SECRET, client="openai")
    got = send(region, PATH, {"authorization": f"Bearer {secret}", "casemate-acting-label": OPEN}, BODY)
    assert (got.status, got.headers["casemate-marking"]) == (200, "UNCLASSIFIED")
    wrong = send(region, PATH, {"authorization": f"Bearer {secret[:-1]}!"}, BODY)
    assert (wrong.status, wrong.headers["x-amzn-errortype"]) == (403, "AccessDeniedException")
    told = send(region, PATH.replace("/model/", "/models/"), {"authorization": "Bearer cm_x_y"}, BODY)
    assert told.status == 401 or told.status == 404


@pytest.mark.parametrize("seconds", [-301, 301, 86_400])
def test_a_skewed_clock_is_named(region: Wired, seconds: int) -> None:
    key = region.key(OPEN, SECRET, client="boto3")
    headers = signed(region, key, "POST", PATH, BODY, at=region.clock.now() / 1e6 + seconds)
    got = send(region, PATH, headers, BODY)
    assert (got.status, got.json["slug"]) == (403, "clock-skew")
    assert "300 seconds" in got.json["message"]


@pytest.mark.parametrize("seconds", [-299, 299])
def test_a_little_skew_is_nothing(region: Wired, seconds: int) -> None:
    key = region.key(OPEN, SECRET, client="boto3")
    headers = signed(region, key, "POST", PATH, BODY, at=region.clock.now() / 1e6 + seconds)
    assert send(region, PATH, headers, BODY).status == 200


def test_another_secret_an_unknown_key_and_an_expired_one(region: Wired) -> None:
    id, secret = region.key(OPEN, SECRET, client="boto3")
    wrong = send(region, PATH, signed(region, (id, "0" * 40), "POST", PATH, BODY), BODY)
    unknown = send(region, PATH, signed(region, ("CMKNOBODY", secret), "POST", PATH, BODY), BODY)
    assert (wrong.status, unknown.status) == (403, 403)
    assert wrong.json["message"] == unknown.json["message"]
    region.clock.forward(91 * 86_400)
    late = send(region, PATH, signed(region, (id, secret), "POST", PATH, BODY), BODY)
    assert (late.status, late.json["slug"]) == (403, "expired")


def test_an_api_key_does_not_sign(region: Wired) -> None:
    id, secret = region.key(OPEN, SECRET, client="openai")
    got = send(region, PATH, signed(region, (id, secret.rpartition("_")[2]), "POST", PATH, BODY), BODY)
    assert got.json["slug"] == "unauthenticated"


def test_a_date_of_another_day_than_the_scope(region: Wired) -> None:
    """The key that signs is derived from the day in the scope; the moment that is judged is in the header."""
    key = region.key(HIGH, client="boto3")
    headers = signed(region, key, "POST", PATH, BODY)
    now = datetime.fromtimestamp(region.clock.now() / 1e6, UTC)
    assert headers["x-amz-date"].startswith(now.strftime("%Y%m%d"))
    other = headers | {"authorization": headers["authorization"].replace(now.strftime("/%Y%m%d/"), "/20010101/")}
    assert send(region, PATH, other, BODY).json["slug"] == "unauthenticated"
