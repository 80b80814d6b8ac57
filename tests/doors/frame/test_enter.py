"""Credentials as a request may bear them, and who is believed to have sent it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.doors.frame import LANGUAGE, Cookies, Request, bearer, cookie, peer, same_origin, spoken
from casemate.doors.frame.enter import request_of
from casemate.doors.frame.spell import spelled
from casemate.errors import Refused
from casemate.identity import Bearer, Peer
from casemate.labels import Policies

OURS = {"host": "region.test", "origin": "http://region.test", "sec-fetch-site": "same-origin"}


def asked(method: str = "GET", client: tuple[str, int] | None = None, **headers: str) -> Request:
    return Request(method, "/", "", {name.replace("_", "-"): value for name, value in headers.items()}, client)


@pytest.mark.parametrize(
    ("said", "secret"),
    [("Bearer cm_a_b", "cm_a_b"), ("bearer  cm_a_b ", "cm_a_b"), ("Basic x", None), ("Bearer ", None), ("", None)],
)
def test_a_bearer_is_what_stands_after_its_word(said: str, secret: str | None) -> None:
    assert bearer(asked(authorization=said)) == (None if secret is None else Bearer(secret))
    assert bearer(asked()) is None


def test_a_cookie_is_believed_of_whoever_only_looks() -> None:
    for method in ("GET", "HEAD"):
        assert cookie(asked(method, cookie="a=b; casemate=cm_a_b")) == Bearer("cm_a_b", "console")
    for said in ("", "casemate=", "other=x", "casemate", "\x00=;;=", "xcasemate=1", "a=casemate=cm_a_b", 'casemate=""'):
        assert cookie(asked(cookie=said)) is None


@pytest.mark.parametrize(
    "header",
    [
        "a/b=1; casemate=cm_a_b",
        "casemate=cm_a_b; a/b=1",
        "x; =; ;;casemate=cm_a_b",
        'json={"a": "b"}; casemate=cm_a_b; [x]=\x01',
        'open="never closed; casemate=cm_a_b',
        "é=ü;casemate=cm_a_b",
        'casemate="cm_a_b"',
        "casemate=cm_of_a_longer_path; casemate=cm_a_b",
        "$Version=1; casemate = cm_a_b ",
    ],
)
def test_no_neighbour_hides_our_cookie(header: str) -> None:
    """Whatever runs on another port of the same host sends its cookies along, well-formed or not."""
    assert cookie(asked(cookie=header)) == Bearer("cm_a_b", "console")


@given(before=st.text(max_size=40), after=st.text(max_size=40))
def test_the_rest_of_the_header_decides_nothing(before: str, after: str) -> None:
    """But for another of the same name after it, which a browser never sends."""
    neighbours = after.replace("casemate", "casemat")
    assert cookie(asked(cookie=f"{before};casemate=cm_a_b;{neighbours}")) == Bearer("cm_a_b", "console")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_change_comes_from_our_own_pages(method: str) -> None:
    def sent(**headers: str) -> object:
        return cookie(Request(method, "/", "", {"cookie": "casemate=cm_a_b", **headers}, None))

    assert sent(**OURS) == Bearer("cm_a_b", "console")
    assert sent(host="region.test", origin="http://region.test") is not None, "a browser that does not say the site"
    assert sent(host="region.test", origin="https://region.test") is not None, "behind a proxy that speaks TLS"
    wrong = (
        {},
        {"host": "region.test"},
        {**OURS, "origin": "http://evil.test"},
        {**OURS, "origin": "http://region.test.evil.test"},
        {**OURS, "origin": "http://region.test:81"},
        {**OURS, "origin": "null"},
        {**OURS, "sec-fetch-site": "cross-site"},
        {**OURS, "sec-fetch-site": "same-site"},
        {**OURS, "sec-fetch-site": "none"},
    )
    for headers in wrong:
        assert sent(**headers) is None, headers  # type: ignore[arg-type]
        assert not same_origin(headers)  # type: ignore[arg-type]


def test_the_cookie_is_for_no_script_and_no_other_site() -> None:
    made = Cookies.set("cm_a_b", 60)
    assert made == "casemate=cm_a_b; Path=/; Max-Age=60; HttpOnly; SameSite=Strict"
    assert "Max-Age=0" in Cookies.clear()
    assert "HttpOnly" in Cookies.clear()


def test_a_peer_is_whom_the_kernel_names() -> None:
    assert peer(asked(client=("peer", 1000), accept_language="fr")) == Peer(1000, "fr")
    assert peer(asked(client=("127.0.0.1", 1000))) is None
    assert peer(asked()) is None


def test_a_language_is_chosen_by_its_cookie() -> None:
    assert spoken(asked(cookie=f"{LANGUAGE}=fr")) == "fr"
    assert spoken(asked(cookie=f"{LANGUAGE}=xx")) == spoken(asked()) == ""


def test_a_request_is_taken_from_its_scope() -> None:
    scope = {
        "method": "GET",
        "path": "/é",
        "query_string": b"a=1",
        "headers": [(b"X-One", b"\xe9"), (b"x-two", b"2")],
    }
    found = request_of(scope)
    assert (found.raw_path, found.query_string, found.client) == ("/é".encode().decode("latin-1"), "a=1", None)
    assert found.headers == {"x-one": "é", "x-two": "2"}
    sent = request_of({**scope, "raw_path": b"/%C3%A9?a=1", "client": ("peer", 7)})
    assert (sent.raw_path, sent.client) == ("/%C3%A9", ("peer", 7))


def test_facts_that_are_labels_are_spelled_as_markings_and_nothing_else_is() -> None:
    policies = Policies.load(("us",))
    secret = policies.parse("us:SECRET//NOFORN").text
    error = Refused(rule="clearance", asked=secret, clearance="no label", floor=7, acting="", who=secret)
    told = spelled(error, policies, "en", "label", "entry")
    assert told.detail == "The label SECRET//NOFORN is not dominated by the clearance no label."
    assert (told.rule, told.label, told.entry) == ("clearance", "label", "entry")
    assert error.facts["asked"] == secret
