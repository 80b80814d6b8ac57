"""What a caller shows is never printed."""

from __future__ import annotations

from casemate.identity import ROLES, Bearer, Peer, Signed


def test_credentials_do_not_show_their_secrets() -> None:
    signed = Signed("CMKID", "POST", "/p", "q", (("x", "hidden1"),), b"hidden2", "hidden3")
    shown = repr((Bearer("hidden0"), signed, Peer(7)))
    assert "hidden" not in shown
    assert "CMKID" in shown
    assert "7" in shown


def test_a_bearer_is_for_the_api_unless_it_says_otherwise() -> None:
    assert Bearer("a").use == "api"
    assert Bearer("a") != Bearer("a", "console")


def test_roles_are_those_of_the_house() -> None:
    assert ROLES == ("user", "officer", "auditor", "operator", "releaser")
