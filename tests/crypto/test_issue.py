"""The local authority: what it signs, and what nobody can make with it."""

from __future__ import annotations

import pytest
from cryptography import x509

from casemate.crypto.issue import ALWAYS, Pair, describe, make_authority, make_server, permitted

NOW = 1_790_000_000_000_000
DAY = 86_400_000_000


def test_an_authority_is_for_its_hosts_alone() -> None:
    made = make_authority("north", ("Node.Example", "10.1.2.3", "localhost"), NOW)
    found = x509.load_pem_x509_certificate(made.certificate)
    assert permitted(made.certificate) == ("node.example", "10.1.2.3", *ALWAYS)
    basic = found.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (basic.critical, basic.value.ca, basic.value.path_length) == (True, True, 0)
    assert found.extensions.get_extension_for_class(x509.NameConstraints).critical
    usage = found.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.key_cert_sign, usage.crl_sign, usage.digital_signature) == (True, True, False)
    assert describe(made.certificate).hosts == ()
    assert b"PRIVATE" not in repr(made).encode()


def test_a_server_certificate() -> None:
    authority = make_authority("north", ("node.example",), NOW)
    server = describe(make_server(authority, ("node.example",), NOW).certificate)
    assert server.hosts == ("node.example", *ALWAYS)
    assert server.issuer == describe(authority.certificate).subject
    assert server.expires == NOW + 825 * DAY
    late = make_server(authority, (), NOW + 3600 * DAY)
    assert describe(late.certificate).expires == describe(authority.certificate).expires


def test_what_it_does_not_sign() -> None:
    authority, other = make_authority("north", (), NOW), make_authority("south", (), NOW)
    with pytest.raises(ValueError, match=r"evil\.example"):
        make_server(authority, ("evil.example",), NOW)
    with pytest.raises(ValueError, match="key"):
        make_server(Pair(authority.certificate, other.key), (), NOW)


@pytest.mark.parametrize(
    "host", ["", "a b", "*.example", "exämple", "a..b", "x" * 64, "10.0.0.0/8", "a,b", ".".join(["abc"] * 70)]
)
def test_what_is_no_host(host: str) -> None:
    with pytest.raises(ValueError):
        make_authority("north", (host,), NOW)
