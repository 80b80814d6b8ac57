"""The credentials of a request: one in either header, a certificate where there is none, and never two."""

from __future__ import annotations

from typing import Any

import pytest

from casemate.doors.frame.enter import CERTIFICATE, Request, bearer, request_of
from casemate.errors import Unauthenticated
from casemate.identity import Bearer, Certificate

SHOWN = Certificate("CN=root", "CN=ann", (), "ab", b"")
OWN, EVIL = ("origin", "https://region.test"), ("origin", "https://evil.test")


def request(*headers: tuple[str, str], method: str = "GET", certificate: bool = False) -> Request:
    scope: dict[str, Any] = {
        "method": method,
        "path": "/v1/models",
        "headers": [(n.encode(), v.encode()) for n, v in (("host", "region.test"), *headers)],
    }
    if certificate:
        scope["extensions"] = {CERTIFICATE: {"shown": SHOWN}}
    return request_of(scope)


@pytest.mark.parametrize(
    ("headers", "secret"),
    [
        ((), None),
        ((("authorization", "Bearer k"),), "k"),
        ((("authorization", "bearer  k "),), "k"),
        ((("x-api-key", " k "),), "k"),
        ((("authorization", "Bearer k"), ("x-api-key", "k")), "k"),
        ((("authorization", "Basic k"),), None),
        ((("authorization", "Bearer"),), None),
        ((("x-api-key", ""),), None),
    ],
    ids=str,
)
def test_one_key(headers: tuple[tuple[str, str], ...], secret: str | None) -> None:
    assert bearer(request(*headers)) == (None if secret is None else Bearer(secret))


@pytest.mark.parametrize("said", ["Bearer other", "Basic k", "AWS4-HMAC-SHA256 x", "Bearer", "k"])
def test_two_that_differ(said: str) -> None:
    with pytest.raises(Unauthenticated):
        bearer(request(("authorization", said), ("x-api-key", "k")))


def test_the_same_header_twice_is_no_credential() -> None:
    for name, value in (("authorization", "Bearer {}"), ("x-api-key", "{}")):
        found = bearer(request((name, value.format("a")), (name, value.format("b"))))
        assert found not in (None, Bearer("a"), Bearer("b"))
    assert bearer(request(("accept", "a"), ("accept", "b"), ("x-api-key", "k"))) == Bearer("k")


def test_a_certificate_stands_in_for_nothing_else() -> None:
    assert bearer(request(certificate=True)) is SHOWN
    assert bearer(request(("x-api-key", "k"), certificate=True)) == Bearer("k")
    assert bearer(request(("authorization", "Basic x"), certificate=True)) is None


@pytest.mark.parametrize(
    ("method", "headers", "taken"),
    [
        ("POST", (), True),
        ("POST", (OWN,), True),
        ("POST", (EVIL,), False),
        ("POST", (("sec-fetch-site", "cross-site"),), False),
        ("DELETE", (OWN, ("sec-fetch-site", "same-site")), False),
        ("GET", (EVIL,), True),
    ],
    ids=str,
)
def test_a_browser_shows_a_certificate_unasked(method: str, headers: tuple[tuple[str, str], ...], taken: bool) -> None:
    found = bearer(request(*headers, method=method, certificate=True))
    assert found is (SHOWN if taken else None)
