"""Files that say whom a region believes: read again when they change, and nobody believed where they cannot be read."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import pytest

from casemate.clock import SECOND, ManualClock, SystemClock
from casemate.crypto import KeySigner, generate
from casemate.errors import EngineFailed, Misconfigured
from casemate.identity.attributes import public_text
from casemate.settings import parse
from casemate.wiring import Folder, keys_url
from casemate.wiring.engines import region_of
from casemate.wiring.trust import KnownTrust
from tests.crypto.authority import make, revoked
from tests.identity.provider import ISSUER, Provider

RIGHT = Provider()
HEAD = '[region]\nname = "north"\npolicies = ["us"]\n[listen]\ntls = true\n{listen}\n'
OIDC = f'[oidc.test]\nissuer = "{ISSUER}"\naudience = "a"\njwks = "{{jwks}}"\n'
KEY = public_text(KeySigner(generate()))


def trust(path: Path, listen: str = "", more: str = "", clock: Any = None) -> KnownTrust:
    found = parse(HEAD.format(listen=listen) + more)
    return KnownTrust(Folder(path), found, region_of(found.region), clock or SystemClock())


def touched(path: Path, data: bytes) -> None:
    """Written, with a time of its own however coarse the file system's clock is."""
    before = path.stat().st_mtime_ns if path.exists() else 0
    path.write_bytes(data)
    os.utime(path, ns=(before + 1_000_000_000, max(path.stat().st_mtime_ns, before + 1_000_000_000)))


def test_keys_from_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = trust(tmp_path, more=OIDC.format(jwks="keys.json"))
    assert found.provider("https://nobody.test") is None
    for _ in range(3):
        assert found.provider(ISSUER) is None
    assert capsys.readouterr().err.count("keys.json") == 1
    touched(tmp_path / "keys.json", RIGHT.jwks("ES256"))
    provider = found.provider(ISSUER)
    assert provider is not None
    assert provider.keys.find("es256", "ES256") is not None
    again = found.provider(ISSUER)
    assert again is not None
    assert again.keys is provider.keys
    touched(tmp_path / "keys.json", b"{}")
    assert found.provider(ISSUER) is None
    assert found.provider(ISSUER) is None
    touched(tmp_path / "keys.json", b" " * (300 << 10))
    assert found.provider(ISSUER) is None
    touched(tmp_path / "keys.json", RIGHT.jwks("RS256"))
    provider = found.provider(ISSUER)
    assert provider is not None
    assert provider.keys.find("es256", "ES256") is None


def test_keys_of_a_url_grow_too_old(tmp_path: Path) -> None:
    clock = ManualClock(SystemClock().now())
    found = trust(tmp_path, more=OIDC.format(jwks="https://login.test/keys") + "keep_hours = 2\n", clock=clock)
    kept = tmp_path / "data" / "oidc" / "test.json"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(RIGHT.jwks())
    assert found.provider(ISSUER) is not None
    clock.forward(2 * 3600 + 5)
    assert found.provider(ISSUER) is None
    kept.unlink()
    assert found.provider(ISSUER) is None


def test_certificates_and_lists(tmp_path: Path) -> None:
    now = SystemClock().now()
    root = make("root", now=now / SECOND, ca=True)
    leaf = make("ann", root, now=now / SECOND)
    assert trust(tmp_path).anchors() is None
    found = trust(tmp_path, 'client_ca = "ca.pem"\nclient_crl = "crl.pem"')
    assert found.anchors() is None
    touched(tmp_path / "ca.pem", root.pem)
    assert found.anchors() is None, "the list is missing"
    touched(tmp_path / "crl.pem", revoked(root, now=now / SECOND))
    anchors = found.anchors()
    assert anchors is not None
    assert anchors.stands(leaf.der, now)
    touched(tmp_path / "crl.pem", revoked(root, leaf, now=now / SECOND))
    anchors = found.anchors()
    assert anchors is not None
    assert not anchors.stands(leaf.der, now)


def test_attribute_authorities(tmp_path: Path) -> None:
    more = f'[attributes.hq]\nkey = "{KEY}"\nceiling = "SECRET"\nroles = ["user", "auditor"]\n'
    found = trust(tmp_path, more=more).authorities()["hq"]
    assert (found.name, found.roles) == ("hq", {"user", "auditor"})
    for wrong in (more.replace(KEY, "AAAA"), more.replace("SECRET", "PURPLE"), more.replace('"SECRET"', '""')):
        with pytest.raises(Misconfigured, match=r"attributes\.hq"):
            trust(tmp_path, more=wrong)


class Answering(BaseHTTPRequestHandler):
    """A provider's server with one answer."""

    answer: ClassVar[tuple[int, bytes]] = (200, b"")

    def do_GET(self) -> None:
        status, body = self.answer
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    found = HTTPServer(("127.0.0.1", 0), Answering)
    thread = Thread(target=found.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{found.server_port}/keys"
    found.shutdown()
    found.server_close()
    thread.join()


def test_keys_are_fetched_and_kept(tmp_path: Path, server: str) -> None:
    folder = Folder(tmp_path)
    settings = parse(HEAD.format(listen="") + OIDC.format(jwks=server))
    (loop,) = keys_url.loops(folder, settings)
    assert (loop.name, loop.every) == ("oidc.test", 600.0)
    kept = tmp_path / "data" / "oidc" / "test.json"
    Answering.answer = (200, RIGHT.jwks())
    assert asyncio.run(loop.step()) == 1
    assert kept.read_bytes() == RIGHT.jwks()
    assert kept.stat().st_mode & 0o777 == 0o600
    for answer in ((500, RIGHT.jwks()), (302, b""), (200, b"{}"), (200, b" " * (300 << 10))):
        Answering.answer = answer
        with pytest.raises(EngineFailed):
            asyncio.run(loop.step())
    assert kept.read_bytes() == RIGHT.jwks()
    assert [path.name for path in kept.parent.iterdir()] == ["test.json"]


@pytest.mark.parametrize("url", ["http://login.test/keys", "http://127.0.0.1:1/keys", "https://localhost:1/keys"])
def test_where_keys_do_not_come_from(url: str) -> None:
    with pytest.raises(EngineFailed):
        keys_url.fetched("test", url, None)


def test_a_file_needs_no_loop(tmp_path: Path) -> None:
    assert keys_url.loops(Folder(tmp_path), parse(HEAD.format(listen="") + OIDC.format(jwks="keys.json"))) == []
