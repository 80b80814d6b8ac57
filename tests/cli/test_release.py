"""Three people and an officer at the command line: a text goes down, and no key leaves its file."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from casemate.crypto import KEY_SIZE
from casemate.crypto.locked import is_locked
from tests.cli.running import Place, Up, running


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    path = tmp_path_factory.mktemp("release")
    (path / "home").mkdir()
    return Place(path, path / "home").init()


@pytest.fixture(scope="module")
def up(place: Place) -> Iterator[Up]:
    with running(place) as started:
        yield started


def test_a_key_is_made_once_and_locked(place: Place) -> None:
    made = place.run("release", "key", "--output", "mine.key", "--json", stdin="a phrase\n").data
    file = place.path / "mine.key"
    assert file.stat().st_mode & 0o777 == 0o600
    assert is_locked(file.read_bytes())
    assert made["public"] not in str(file.read_bytes())
    assert place.run("release", "key", "--output", "mine.key", stdin="a phrase\n").code == 6
    assert place.run("release", "key", "--output", "none.key", stdin="\n").code == 2
    assert not (place.path / "none.key").exists()
    bare = place.run("release", "key", "--output", "bare.key", "--bare")
    assert bare.code == 0
    assert len((place.path / "bare.key").read_bytes()) == KEY_SIZE


def test_a_statement_is_signed_without_a_region(place: Place) -> None:
    fields = (
        "region",
        "request",
        "requester",
        "object",
        "content",
        "leaves",
        "sanitiser",
        "source",
        "target",
        "reason",
    )
    said = {**dict.fromkeys(fields, "x"), "expires": 1, "approver": "prn_x", "key": ""}
    (place.path / "s.json").write_text(json.dumps(said))
    place.run("release", "key", "--output", "sign.key", stdin="a phrase\n")
    done = place.run("release", "sign", "s.json", "--key", "sign.key", stdin="a phrase\n")
    assert done.code == 0
    key, signature = done.out.split()
    assert key.startswith("ed25519-")
    assert len(signature) == 128
    assert "reason: x" in done.err
    assert place.run("release", "sign", "s.json", "--key", "sign.key", stdin="another\n").code == 2
    (place.path / "s.json").write_text("{}")
    assert place.run("release", "sign", "s.json", "--key", "sign.key", stdin="a phrase\n").code == 2
    (place.path / "sign.key").chmod(0o644)
    assert place.run("release", "sign", "s.json", "--key", "sign.key", stdin="a phrase\n").code == 2


def test_with_one_principal_there_is_no_door(up: Up) -> None:
    told = up.run("release", "list")
    assert told.code == 0
    assert "three principals" in told.err
    assert up.run("release", "show", "rel_never").code == 5
    assert up.run("release", "keys").out == ""


def test_how_much_may_leave_and_what_is_kept_to_leave(up: Up) -> None:
    assert "0 of 20 releases" in up.run("release", "quota").out
    assert up.run("release", "quota", "--count", "3").code == 2
    assert up.run("release", "quota", "--count", "3", "--size", "400", "--json").data["quota"]["count"] == 3
    (up.place.path / "code.txt").write_text("north-7, 42: 3, 5 of 10\n")
    (up.place.path / "bad.txt").write_bytes(b"\xff")
    kept = up.run("release", "dispatch", "gap-code", "code.txt")
    assert kept.code == 0
    assert kept.out.strip() in up.run("release", "dispatches").out
    assert up.run("release", "dispatch", "gap-code", "bad.txt").code == 2
    assert up.run("release", "dispatch", "have-list", "code.txt").code == 3


def test_who_could_read_this(up: Up) -> None:
    told = up.run("policy", "try", "CONFIDENTIAL", "--json").data
    assert [(each["reads"], each["rule"]) for each in told["principals"]] == [(True, "")]
    tried = up.run("policy", "try", "CONFIDENTIAL", "--need", "ALPHA", "--clearance", "PUBLIC")
    assert tried.code == 0
    assert "(whoever is tried)" in tried.out
    assert "the level CONFIDENTIAL of the policy house is needed" in tried.out
    assert "the authorization ALPHA is needed" in tried.out
    assert up.run("policy", "try").code == 2
    assert up.run("policy", "try", "PUBLIC", "--authorization", "ALPHA").code == 2


def test_the_entity_model_needs_no_region(place: Place) -> None:
    assert "entity Principal" in place.run("policy", "schema").out
