"""Certificates, bindings and attribute files at the command line, as an operator and an authority use them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from casemate.clock import SECOND, SystemClock, iso
from tests.cli.running import Place, Up, running
from tests.crypto.authority import make

NOW = SystemClock().now()
END = iso(NOW + 30 * 86_400 * SECOND)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    path = tmp_path_factory.mktemp("attributes")
    (path / "home").mkdir()
    return Place(path, path / "home").init()


@pytest.fixture(scope="module")
def key(place: Place) -> Path:
    """The authority's key, kept; its line stands in casemate.toml."""
    made = place.run("attributes", "key", "--output", "hq.key", "--json").data
    assert (place.path / "hq.key").stat().st_mode & 0o777 == 0o600
    settings = place.region / "casemate.toml"
    settings.write_text(settings.read_text() + f'\n[attributes.hq]\n{made["line"]}\nceiling = "INTERNAL"\n')
    return place.path / "hq.key"


@pytest.fixture(scope="module")
def up(place: Place, key: Path) -> Iterator[Up]:
    with running(place) as started:
        yield started


def draft(place: Place, **more: object) -> str:
    plain = {
        "authority": "hq",
        "region": "casemate",
        "number": 1,
        "not_after": END,
        "subjects": [
            {"issuer": "https://login.test", "subject": "ann", "clearance": "INTERNAL", "agencies": ["LOCAL"]}
        ],
    }
    (place.path / "draft.json").write_text(json.dumps({**plain, **more}))
    return "draft.json"


def test_sign_and_install(up: Up, key: Path) -> None:
    place = up.place
    signed = place.run("attributes", "sign", draft(place), "--key", key, "--output", "hq.json", "--json").data
    assert (signed["authority"], signed["number"]) == ("hq", 1)
    done = up.run("attributes", "install", "hq", "hq.json", "--json").data
    assert (done["authority"], done["number"], done["subjects"]) == ("hq", 1, 1)
    assert "hq  1  1" in up.run("attributes", "list").out
    again = up.run("attributes", "install", "hq", "hq.json")
    assert again.code != 0
    assert "Statement 1 of hq" in again.err


def test_what_cannot_be_signed(place: Place, key: Path) -> None:
    assert place.run("attributes", "key", "--output", "hq.key").code != 0
    assert place.run("attributes", "sign", draft(place, number=0), "--key", key, "--output", "x.json").code == 2
    open_key = place.path / "open.key"
    open_key.write_bytes(key.read_bytes())
    open_key.chmod(0o644)
    assert "chmod" in place.run("attributes", "sign", draft(place), "--key", open_key, "--output", "x.json").err
    (place.path / "short.key").write_bytes(b"x")
    (place.path / "short.key").chmod(0o600)
    assert place.run("attributes", "sign", draft(place), "--key", "short.key", "--output", "x.json").code == 2
    assert not (place.path / "x.json").exists()


def test_bind_and_unbind(up: Up) -> None:
    made = make("ann", now=NOW / SECOND)
    (up.place.path / "ann.pem").write_bytes(made.pem)
    assert up.run("principal", "add", "ann", "--clearance", "PUBLIC").code == 0
    assert up.run("principal", "bind", "ann", "--certificate", "ann.pem").code == 0
    assert up.run("principal", "bind", "ann", "--subject", "CN=root", "CN=ann").code == 0
    bound = up.run(
        "principal", "bind", "ann", "--oidc", "https://login.test", "a", "--ceiling", "PUBLIC", "--json"
    ).data
    assert (bound["scheme"], bound["subject"]) == ("oidc", "a")
    assert up.run("principal", "bind", "ann", "--oidc", "https://login.test", "a").code != 0, "it is bound already"
    for words in ((), ("--certificate", "ann.pem", "--oidc", "i", "s")):
        wrong = up.run("principal", "bind", "ann", *words)
        assert (wrong.code, "--certificate" in wrong.err) == (2, True)
    assert up.run("principal", "bindings").out.count("ann") >= 3
    for each in up.run("principal", "bindings", "--json").data:
        assert up.run("principal", "unbind", each["id"]).code == 0
    assert up.run("principal", "bindings", "--json").data == []


def test_tls_at_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    place = Place(tmp_path, tmp_path / "home").init()
    assert place.run("tls", "show").code != 0
    told = place.run("tls", "init", "--host", "node.example", "--json").data
    assert told["server"]["hosts"] == ["node.example", "localhost", "127.0.0.1", "::1"]
    assert "tls = true" in (place.region / "casemate.toml").read_text()
    assert place.run("tls", "init").code != 0
    again = place.run("tls", "renew", "--json").data
    assert again["authority"] == told["authority"]
    assert again["server"]["fingerprint"] != told["server"]["fingerprint"]
    shown = place.run("tls")
    assert f"export AWS_CA_BUNDLE={told['authority']['file']}" in shown.out
    assert told["authority"]["fingerprint"] in shown.err
    assert "PRIVATE" not in shown.out + shown.err


def test_settings_that_have_no_listen_table_are_left_to_their_owner(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    place = Place(tmp_path, tmp_path / "home").init()
    place.set("[listen]", "[ listen ]")
    before = (place.region / "casemate.toml").read_text()
    assert "Write `tls = true`" in place.run("tls", "init").err
    assert (place.region / "casemate.toml").read_text() == before
