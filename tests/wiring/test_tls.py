"""The server's certificate on the disk: made, renewed while it is served, and refused where it cannot be."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from pathlib import Path

import pytest

from casemate.clock import SECOND, SystemClock
from casemate.errors import BadInput, Conflict, Misconfigured
from casemate.wiring import Folder, tls
from tests.crypto.authority import make

NOW = SystemClock().now()
SETTINGS = '[region]\nname = "north"\n[listen]\ntls = true\n'


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    (tmp_path / "casemate.toml").write_text(SETTINGS)
    return Folder(tmp_path)


def settings(folder: Folder, *lines: str) -> None:
    folder.settings_file.write_text(SETTINGS + "".join(f"{line}\n" for line in lines))


def test_what_init_makes(folder: Folder) -> None:
    made = tls.init(folder, ("node.example",), NOW)
    assert made.server.hosts == ("node.example", "localhost", "127.0.0.1", "::1")
    assert made.authority is not None
    assert {path.name: path.stat().st_mode & 0o777 for path in folder.tls.iterdir()} == {
        "ca.pem": 0o600,
        "ca.key": 0o600,
        "server.pem": 0o600,
        "server.key": 0o600,
    }
    with pytest.raises(Conflict):
        tls.init(folder, (), NOW)
    assert tls.show(folder) == made


def test_renewal_keeps_hosts_and_authority(folder: Folder) -> None:
    with pytest.raises(Misconfigured):
        tls.renew(folder, NOW)
    made = tls.init(folder, ("node.example",), NOW)
    later = tls.renew(folder, NOW + 100 * 86_400 * SECOND)
    assert later.authority == made.authority
    assert later.server.hosts == made.server.hosts
    assert (later.server.fingerprint != made.server.fingerprint, later.server.expires > made.server.expires) == (
        True,
        True,
    )
    (folder.tls / "ca.key").write_bytes(b"x")
    with pytest.raises(BadInput):
        tls.renew(folder, NOW)


def test_what_is_no_host(folder: Folder) -> None:
    with pytest.raises(BadInput):
        tls.init(folder, ("a b",), NOW)
    with pytest.raises(Misconfigured):
        tls.show(folder)


def shake(serving: tls.Serving, trusted: ssl.SSLContext) -> bytes:
    """A handshake in memory; the certificate that the client has seen."""
    ends = [(ssl.MemoryBIO(), ssl.MemoryBIO()) for _ in range(2)]
    server = serving.context.wrap_bio(ends[0][0], ends[0][1], server_side=True)
    client = trusted.wrap_bio(ends[1][0], ends[1][1], server_hostname="localhost")
    for _ in range(6):
        for each in (client, server):
            with contextlib.suppress(ssl.SSLWantReadError):
                each.do_handshake()
            ends[0][0].write(ends[1][1].read())
            ends[1][0].write(ends[0][1].read())
    found = client.getpeercert(binary_form=True)
    assert found is not None
    return found


def test_a_renewed_certificate_is_taken_by_a_running_process(folder: Folder) -> None:
    tls.init(folder, (), NOW)
    serving = tls.serving(folder, folder.settings())
    assert serving is not None
    trusted = ssl.create_default_context(cafile=str(folder.tls / "ca.pem"))
    before = shake(serving, trusted)
    assert asyncio.run(serving.loop().step()) == 0
    tls.renew(folder, NOW)
    assert shake(serving, trusted) == before
    assert asyncio.run(serving.loop().step()) == 1
    after = shake(serving, trusted)
    assert after != before
    (folder.tls / "server.key").write_bytes(make("x", now=NOW / SECOND).key_pem)
    with pytest.raises(Misconfigured):
        asyncio.run(serving.loop().step())
    assert shake(serving, trusted) == after, "a key that does not fit leaves the running context as it was"
    (folder.tls / "server.key").unlink()
    assert asyncio.run(serving.loop().step()) == 0


def test_who_is_not_believed(folder: Folder) -> None:
    tls.init(folder, ("node.example",), NOW)
    serving = tls.serving(folder, folder.settings())
    assert serving is not None
    other = Folder(folder.path / "other")
    other.path.mkdir()
    other.settings_file.write_text(SETTINGS)
    tls.init(other, (), NOW)
    with pytest.raises(ssl.SSLError):
        shake(serving, ssl.create_default_context(cafile=str(other.tls / "ca.pem")))


def test_settings_that_cannot_be(folder: Folder) -> None:
    with pytest.raises(Misconfigured):
        tls.serving(folder, folder.settings())
    tls.init(folder, (), NOW)
    (folder.tls / "server.key").chmod(0o640)
    with pytest.raises(Misconfigured, match="chmod"):
        tls.serving(folder, folder.settings())
    (folder.tls / "server.key").chmod(0o600)
    settings(folder, 'client_ca = "nothing.pem"')
    with pytest.raises(Misconfigured, match="client_ca"):
        tls.serving(folder, folder.settings())
    folder.settings_file.write_text('[region]\nname = "north"\n')
    assert tls.serving(folder, folder.settings()) is None


def test_the_organisations_own_certificate(folder: Folder) -> None:
    made = make("node", now=NOW / SECOND)
    (folder.path / "own.pem").write_bytes(made.pem)
    (folder.path / "own.key").write_bytes(made.key_pem)
    (folder.path / "own.key").chmod(0o600)
    settings(folder, 'certificate = "own.pem"', 'certificate_key = "own.key"', 'tls_minimum = "1.3"')
    told = tls.show(folder)
    assert (told.authority, told.server.subject) == (None, "CN=node")
    serving = tls.serving(folder, folder.settings())
    assert serving is not None
    assert serving.context.minimum_version is ssl.TLSVersion.TLSv1_3
    (folder.path / "own.pem").write_bytes(b"x")
    with pytest.raises(Misconfigured):
        tls.show(folder)


@pytest.mark.parametrize(
    ("lines", "named"),
    [
        (('certificate = "a"',), "listen.certificate"),
        (('client_crl = "a"',), "listen.client_crl"),
        (("[oidc.a]", 'issuer = "i"', 'audience = ""', 'jwks = "k"'), "oidc.a"),
        (("[oidc.a]", 'issuer = "i"', 'audience = "a"', 'jwks = "k"', "skew_seconds = 900"), "oidc.a"),
        (("[oidc.a]", 'issuer = "i"', 'audience = "a"', 'jwks = "k"', 'algorithms = ["HS256"]'), "HS256"),
        (("[oidc.a]", 'issuer = "i"', 'audience = "a"', 'jwks = "k"', 'algorithms = ["none"]'), "none"),
        (("[oidc.'a b']", 'issuer = "i"', 'audience = "a"', 'jwks = "k"'), "oidc.a b"),
        (("[attributes.service]", 'key = "k"', 'ceiling = "PUBLIC"'), "attributes.service"),
        (("[attributes.a]", 'key = "k"', 'ceiling = "PUBLIC"', 'roles = ["officer"]'), "officer"),
        (
            (
                *("[oidc.a]", 'issuer = "i"', 'audience = "a"', 'jwks = "k"'),
                *("[oidc.b]", 'issuer = "i"', 'audience = "b"', 'jwks = "k"'),
            ),
            "oidc",
        ),
    ],
    ids=str,
)
def test_what_casemate_toml_cannot_say(folder: Folder, lines: tuple[str, ...], named: str) -> None:
    settings(folder, *lines)
    with pytest.raises(Misconfigured, match=named):
        folder.settings()


def test_certificates_need_tls(folder: Folder) -> None:
    folder.settings_file.write_text('[region]\nname = "north"\n[listen]\nclient_ca = "a"\n')
    with pytest.raises(Misconfigured, match=r"listen\.tls"):
        folder.settings()
