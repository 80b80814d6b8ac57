"""Backups on the command line: a region that runs is backed up, drilled, lost, and comes back."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.running import Place, Ran, Up, start

PASSPHRASE = "a lantern at the pier\n"
BACKUP = '\n[backup]\nfolder = "../backups"\nseconds = 0.2\n'


@pytest.fixture
def saved(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Up]:
    """A region that makes backups, in the process form of the test."""
    home = tmp_path / "home"
    home.mkdir()
    place = Place(tmp_path, home).init(processes=request.param)
    settings = place.region / "casemate.toml"
    settings.write_text(settings.read_text() + BACKUP)
    made = place.run("backup", "recipient", "safe.key", "--install", stdin=PASSPHRASE)
    assert made.code == 0, made
    up = start(place)
    try:
        yield up
    finally:
        up.stop()


def back(place: Place, *words: str, **env: str) -> Ran:
    return place.run("backup", "restore", *words, "--from", "backups", "--key", "safe.key", stdin=PASSPHRASE, **env)


@pytest.mark.parametrize("saved", ["split"], indirect=True)
def test_a_region_is_backed_up_drilled_lost_and_brought_back(saved: Up) -> None:
    place = saved.place
    assert stat.S_IMODE((place.path / "safe.key").stat().st_mode) == 0o600
    (place.path / "note.txt").write_text("The lantern burns at the pier.")
    assert saved.run("add", "note.txt").code == 0
    first = saved.run("backup", "run", "--json").data
    assert saved.run("project", "add", "later").code == 0
    drilled = saved.run("backup", "drill", "--json").data
    assert drilled["equal"]
    assert drilled["blobs"] >= 1
    assert drilled["rows"] >= 5
    assert not list((place.region / "run").glob("drill-*")), "a drill leaves nothing behind"
    last = saved.run("backup", "run")
    (place.path / "head.json").write_text(last.out)
    everything = b"".join(path.read_bytes() for path in (place.path / "backups").rglob("*") if path.is_file())
    assert b"lantern" not in everything
    assert b"later" not in everything
    entries = saved.run("ledger", "list", "--json", "--limit", "100").data
    assert "backup.run" in {each["entry"]["action"] for each in entries}
    saved.stop()
    shutil.rmtree(place.region)

    assert place.run("backup", "verify", "--from", "backups").code != 0, "without a key nothing is opened"
    seen = place.run(
        "backup", "verify", "--from", "backups", "--key", "safe.key", "--head", "head.json", stdin=PASSPHRASE
    )
    assert seen.code == 0, seen
    assert back(place, "casemate", "--json").data["commit"] >= last_commit(last)
    assert back(place, "before", "--after", str(first["commit"])).code == 0
    assert back(place, "casemate").code == 6, "not over what is there"
    again = start(place)
    try:
        assert "later" in again.run("project", "list").out
        assert again.run("ledger", "verify").code == 0
        assert again.run("backup", "run").code == 0
    finally:
        again.stop()
    told = place.run("--folder", "before", "ledger", "verify")
    assert told.code == 0, told


def last_commit(ran: Ran) -> int:
    return int(json.loads(ran.out)["commit"])


@pytest.mark.parametrize("saved", ["all"], indirect=True)
def test_a_damaged_backup_is_named_and_its_last_good_point_can_be_had(saved: Up) -> None:
    place = saved.place
    first = saved.run("backup", "run", "--json").data
    assert saved.run("project", "add", "later").code == 0
    assert saved.run("backup", "run").code == 0
    saved.stop()
    [chain] = (place.path / "backups").iterdir()
    newest = max(chain.glob("*.link"), key=lambda path: path.stat().st_mtime_ns)
    newest.write_bytes(newest.read_bytes()[:-1])
    seen = place.run("backup", "verify")
    assert seen.code == 10
    assert newest.name in seen.out
    told = place.run("backup", "verify", "--json")
    assert {fault["what"] for fault in json.loads(told.out)["data"]["faults"]} >= {"damaged"}
    assert back(place, "back").code == 10
    assert not (place.path / "back" / "casemate.toml").exists()
    good = back(place, "good", "--last-good", "--json")
    assert good.code == 0
    assert json.loads(good.out.splitlines()[-1])["data"]["commit"] >= first["commit"]
    french = place.run("backup", "verify", "--language", "fr")
    assert "abîmé" in french.out

    what_is_not_the_regions_own_is_refused(place)
    what_cannot_be_is_said(place)


def what_is_not_the_regions_own_is_refused(place: Place) -> None:
    """A chain that another region wrote, sealed to the same keys."""
    forging = Place(place.path / "thief", place.home)
    forging.path.mkdir()
    forging.init()
    settings = forging.region / "casemate.toml"
    settings.write_text(settings.read_text() + BACKUP)
    for name in ("recovery.pub", "backup.key"):  # the thief has even this
        shutil.copy(place.region / "keys" / name, forging.region / "keys" / name)
    forger = start(forging)
    try:
        assert forger.run("backup", "run").code == 0
        assert forger.run("backup", "verify").code == 0, "to the thief it is whole"
        (place.path / "forged.json").write_text(forger.run("backup", "run").out)
    finally:
        forger.stop()
    forged, key = ("--from", "thief/backups"), ("--key", "safe.key")
    seen = place.run("backup", "verify", *forged, *key, stdin=PASSPHRASE)
    assert (seen.code, "is not signed by this region" in seen.out) == (11, True), seen
    told = place.run("backup", "restore", "back", *forged, *key, stdin=PASSPHRASE)
    assert (told.code, "tampered with" in told.err) == (11, True), told
    assert not (place.path / "back" / "casemate.toml").exists()
    assert place.run("backup", "verify", *forged).code == 11, "the region's own keys/ledger.pub says it as well"
    both = place.run("backup", "verify", *forged, *key, "--head", "forged.json", stdin=PASSPHRASE)
    assert both.code == 11, "what is given has to agree"
    public = ("--signer", place.region / "keys" / "ledger.pub")
    listed = place.run("backup", "list", *forged, *key, *public, "--json", stdin=PASSPHRASE).data
    assert {each["what"] for each in listed[0]["faults"]} == {"tampered", "missing"}
    what_says_whose_it_is(place)


def what_says_whose_it_is(place: Place) -> None:
    """A recovery key that was made where no region was says nothing; then somebody else has to."""
    bare = Place(place.path / "elsewhere", place.home)
    bare.path.mkdir()
    made = bare.run("backup", "recipient", "bare.key", stdin=PASSPHRASE)
    assert (made.code, "--signer" in made.err) == (0, True), made
    ask = ("backup", "list", "--from", place.path / "backups", "--key", "bare.key")
    nobody = bare.run(*ask, stdin=PASSPHRASE)
    assert (nobody.code, "whose links to believe" in nobody.err) == (2, True), nobody
    public = bare.run(*ask, "--signer", place.region / "keys" / "ledger.pub", stdin=PASSPHRASE)
    assert public.code == 0, public
    for wrong in ("bare.key", "bare.key.pub"):
        assert bare.run(*ask, "--signer", wrong, stdin=PASSPHRASE).code == 2
    none = bare.run("backup", "list", "--key", "bare.key", stdin=PASSPHRASE)
    assert none.code != 0
    assert none.err.count("\n") >= 2, "no region, and what to do"


def what_cannot_be_is_said(place: Place) -> None:
    """A time, a commit, a chain and a key that are none."""
    assert back(place, "x", "--at", "yesterday").code == 2
    assert back(place, "x", "--after", "999999", "--last-good").code == 2
    assert back(place, "x", "--chain", "never").code == 5
    wrong = place.run("backup", "list", "--from", "backups", "--key", "safe.key", stdin="wrong\n")
    assert wrong.code == 2
    assert place.run("backup", "recipient", "safe.key", stdin=PASSPHRASE).code == 6
    assert place.run("backup", "recipient", "other.key", stdin="\n").code == 2
    (place.path / "safe.key").chmod(0o644)
    assert back(place, "x").code == 2, "a key that others may read is refused"
    assert place.run("backup", "list").out.count("20") >= 1


def test_a_region_that_makes_no_backups_says_how_to_make_some(region: Up) -> None:
    for words in (("run",), ("drill",), ("list",), ("verify",)):
        told = region.run("backup", *words)
        assert (told.code, "[backup], folder" in told.err) == (2, True), told
    french = region.run("backup", "list", "--language", "fr")
    assert "dossier de sauvegarde" in french.err
