"""`casemate init` makes a whole region or none, and asks nothing."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from tests.cli.running import Place


def test_it_needs_no_answer_and_says_what_is_unsafe(place: Place) -> None:
    made = place.run("init")
    assert made.code == 0
    assert made.out == "casemate\n"
    assert "lies bare in keys/region.key" in made.err
    assert "solo" in made.err
    assert "casemate up" in made.err
    assert {path.name for path in place.region.iterdir()} == {"casemate.toml", "data", "door", "keys", "run"}
    passable = {place.region, place.region / "door"}
    for folder in (place.region, *place.region.rglob("*")):
        open_to_others = 0o011 if folder in passable else 0
        assert stat.S_IMODE(folder.stat().st_mode) & 0o077 == open_to_others or folder.name == "casemate.toml", folder
    assert [path.name for path in place.path.iterdir()] == ["casemate"], "the draft is gone"


def test_json_says_who_owns_what(place: Place) -> None:
    made = place.run("init", "--policy", "house,us", "--agency", "NAVY", "--json")
    assert made.err == ""
    told = made.json
    assert told["schema"] == 1
    assert told["label"] == "agency=NAVY"
    assert told["marking"] == "PUBLIC"
    assert "us:TOP SECRET" in told["data"]["ceiling"]
    assert told["data"]["folder"] == "casemate"


def test_its_first_entry_is_whole_before_anything_runs(place: Place) -> None:
    place.init()
    checked = place.run("ledger", "verify", "--json")
    [log] = checked.data["logs"]
    assert checked.data["offline"] is True
    assert log["verdict"]["state"] == "ok"
    assert log["verdict"]["entries"] == 1
    assert log["verdict"]["beyond"] == 0


@pytest.mark.parametrize("there", ["region", "file", "something"])
def test_what_is_there_stays_as_it_is(place: Place, there: str) -> None:
    if there == "region":
        place.init()
    elif there == "file":
        place.region.write_text("mine")
    else:
        place.region.mkdir()
        (place.region / "note.txt").write_text("mine")
    before = {path: path.stat().st_mtime_ns for path in place.path.rglob("*")}
    again = place.run("init")
    assert again.code == 14
    assert "→" in again.err
    assert {path: path.stat().st_mtime_ns for path in place.path.rglob("*")} == before


def test_an_empty_folder_may_become_one(place: Place) -> None:
    place.region.mkdir()
    assert place.run("init").code == 0


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--policy", "house,atlantis"), 15),
        (("--policy", "house,house"), 15),
        (("--policy", ","), 15),
        (("--name", 'a"b'), 2),
        (("--agency", "a\nb"), 2),
        (("--port", "70000"), 2),
        (("--port", "many"), 2),
    ],
)
def test_settings_that_cannot_be_make_nothing(place: Place, words: tuple[str, ...], code: int) -> None:
    made = place.run("init", *words)
    assert made.code == code, made
    assert list(place.path.iterdir()) == []
    assert "Traceback" not in made.err


def test_a_place_that_cannot_be_written(place: Place) -> None:
    blocked = place.path / "file"
    blocked.write_text("")
    made = place.run("init", "--folder", blocked / "below")
    assert made.code in (2, 15)
    assert "Traceback" not in made.err


def test_the_folder_may_lie_deep(place: Place) -> None:
    deep = place.path / ("d" * 60) / ("e" * 60) / ("f" * 60)
    assert place.run("init", "--folder", deep).code == 0
    assert place.run("ledger", "verify", "--folder", deep).code == 0


def test_the_environment_names_the_folder(place: Place) -> None:
    assert place.run("init", CASEMATE_FOLDER=str(place.path / "other")).out.strip().endswith("other")
    assert (place.path / "other" / "casemate.toml").exists()


def test_french(place: Place) -> None:
    made = place.run("init", LANG="fr_FR.UTF-8")
    assert "en clair dans keys/region.key" in made.err
    assert "RESTREINT" in made.err


def test_an_owner_whom_the_machine_does_not_name(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    import getpass

    from casemate.cli.init import owner

    def unknown() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr(getpass, "getuser", unknown)
    assert owner() == f"uid{os.getuid()}"


def test_a_region_that_was_never_made_says_how_to_make_one(place: Place) -> None:
    here = str(Path(__file__))
    for words in (("ask", "x"), ("up",), ("doctor",), ("ledger", "verify"), ("config", "show"), ("add", here)):
        ran = place.run(*words)
        assert ran.code == 8, words
        assert "casemate init" in ran.err, words
