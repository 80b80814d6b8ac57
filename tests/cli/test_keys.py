"""`casemate keys` and a region under a passphrase, as people use them."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tests.cli.running import Place, running


def digests(folder: Path) -> dict[str, tuple[int, str]]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(p): (p.stat().st_mtime_ns, hashlib.sha384(p.read_bytes()).hexdigest()) for p in found}


def test_a_region_under_a_passphrase_opens_for_nobody_else(place: Place) -> None:
    made = place.run("init", "--port", "0", "--passphrase", "--suite", "cnsa2", stdin="correct horse\n")
    assert made.code == 0, made
    assert "passphrase" in made.err
    settings = place.region / "casemate.toml"
    text = settings.read_text().replace("port = 0", 'port = 0\nprocesses = "split"')
    settings.write_text(text + '\n[knowledge]\nembedder = "none"\n')
    assert place.run("ledger", "verify").code != 0
    assert place.run("ledger", "verify", stdin="wrong\n").code == 2
    assert place.run("ledger", "verify", stdin="correct horse\n").code == 0
    assert place.run("up", stdin="wrong\n").code == 2
    (place.path / "said").write_text("correct horse\n")
    (place.path / "said").chmod(0o600)
    settings.write_text(
        settings.read_text().replace('profile = "cnsa2"', 'profile = "cnsa2"\npassphrase_file = "../said"')
    )
    with running(place) as up:
        assert up.run("doctor", "--json").code in (0, 7)
        assert "locked" in up.run("doctor").out
        for pid in up.children().values():
            for name in ("environ", "cmdline"):
                assert b"correct horse" not in (Path("/proc") / str(pid) / name).read_bytes()
    (place.path / "said").chmod(0o644)
    assert place.run("up").code == 15


def test_a_rotation_touches_no_data(place: Place) -> None:
    place.init()
    with running(place) as up:
        assert up.run("keys", "rotate").code == 14  # it runs
        listed = up.run("keys", "list", "--json").data
        assert {each["destroyed"] for each in listed} == {False}
    blobs, keys = digests(place.region / "data" / "blobs"), digests(place.region / "keys" / "classes")
    done = place.run("keys", "rotate", "--json").data
    assert done["before"] != done["after"]
    assert done["keys"] == len(keys)
    assert digests(place.region / "data" / "blobs") == blobs
    after = digests(place.region / "keys" / "classes")
    assert after.keys() == keys.keys()
    assert not set(after.values()) & set(keys.values())
    with running(place) as up:
        assert up.run("ledger", "verify").code == 0
        assert "class-key.rotate" in up.run("ledger", "list", "--json").out


def test_a_key_gets_a_passphrase_and_loses_it(place: Place) -> None:
    place.init()
    assert place.run("keys", "lock", stdin="word\n").code == 0
    assert place.run("ledger", "verify", stdin="").code != 0
    assert place.run("ledger", "verify", stdin="word\n").code == 0
    assert place.run("keys", "lock", "--bare", stdin="word\n").code == 0
    assert place.run("ledger", "verify").code == 0


def test_a_key_is_destroyed_where_somebody_acts(place: Place) -> None:
    place.init()
    with running(place) as up:
        shown = up.run("keys", "show", "--for", "INTERNAL")
        assert shown.code == 0, shown
        assert up.run("keys", "destroy", "--for", "INTERNAL", stdin="n\n").code != 0
        done = up.run("keys", "destroy", "--for", "INTERNAL", "--yes")
        assert done.code == 0, done
        assert "destroyed" in done.out
        assert up.run("keys", "show", "--for", "INTERNAL").code == 5
        assert up.run("ledger", "verify").code == 0
    with running(place) as up:
        assert up.run("keys", "show", "--for", "INTERNAL").code == 5
