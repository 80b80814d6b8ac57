"""A region's records move to PostgreSQL and back, and the whole region runs there: real processes, real server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote
from urllib.request import urlopen

import pytest

from casemate.engines.postgres_link import Target
from casemate.engines.postgres_schema import LOCK, open_writer
from casemate.engines.sqlite_schema import open_writer as open_file
from tests.cli.running import Place, running
from tests.engines.postgres_server import OWNER, shared

NOTE = "INTERNAL\n\n(INTERNAL) The orchard opens at nine.\n\nINTERNAL\n"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    return Place(work, home)


@pytest.fixture
def target() -> Iterator[Target]:
    with shared().lent() as lent:
        yield lent


def url(target: Target) -> str:
    return f"postgresql://{OWNER}@{quote(target.host, safe='')}:{target.port}/{target.dbname}"


def tables(place: Place) -> list[dict[str, object]]:
    found: list[dict[str, object]] = place.run("store", "check", "--json").data["tables"]
    return found


@pytest.mark.parametrize("form", [pytest.param("all", marks=pytest.mark.long), "split"])
def test_a_region_moves_runs_there_and_comes_back(place: Place, target: Target, form: str) -> None:
    place.init(processes=form)
    before = tables(place)
    moved = place.run("store", "migrate", "--to", url(target), "--json").data
    assert moved["kind"] == "postgresql"
    assert moved["tables"] == before
    assert not (place.region / "data" / "records.db").exists()
    assert (place.region / "data" / "records.db.moved").exists()
    assert tables(place) == before
    note = place.path / "note.md"
    note.write_text(NOTE)
    with running(place) as up:
        with urlopen(f"{up.console}/api/health") as answer:
            assert json.load(answer)["status"] == "ok"
        assert up.run("add", note).code == 0
        assert {each["name"]: each["good"] for each in up.run("doctor", "--json").json["data"]}["records"]
        assert place.run("store", "migrate", "--to", "sqlite").code == 14, "the region runs"
        assert place.run("store", "check").code == 14
        assert {log["verdict"]["state"] for log in up.run("ledger", "verify", "--json").data["logs"]} == {"ok"}
        entries = len(up.run("ledger", "list", "--json").data)
        assert entries > 3
        assert up.stop() == 0
    checked = place.run("ledger", "verify", "--json").data
    assert checked["offline"]
    assert {log["verdict"]["state"] for log in checked["logs"]} <= {"ok"}
    there = tables(place)
    assert there != before
    assert place.run("store", "migrate", "--to", "sqlite", "--json").data["tables"] == there
    assert "[store]" not in (place.region / "casemate.toml").read_text()
    assert tables(place) == there
    with running(place) as up:
        assert len(up.run("ledger", "list", "--json").data) >= entries


def test_a_password_in_a_url_is_refused_and_never_shown(place: Place) -> None:
    place.init()
    done = place.run("store", "migrate", "--to", "postgresql://casemate:hunter2@localhost/db")
    assert done.code == 2
    assert "hunter2" not in done.out + done.err
    for wrong in ("mysql://a@b/c", "postgresql://a@b:99999/c", "postgresql://a@b/c?sslmode=disable"):
        assert place.run("store", "migrate", "--to", wrong).code == 2
    assert place.run("store", "migrate").code == 2
    assert (place.region / "data" / "records.db").exists()


def test_a_dry_run_prints_the_steps_and_leaves_nothing(place: Place) -> None:
    place.init()
    server = shared()
    target = server.database()
    told = place.run("store", "migrate", "--to", url(target), "--dry-run", "--json").data
    assert [step["number"] for step in told["steps"]] == [1, 2]
    assert "CREATE TABLE rows" in told["steps"][0]["sql"]
    assert any(change.startswith("+ table rows (class_id, kind, id") for change in told["steps"][0]["changes"])
    assert told["rows"]["entries"] > 0
    assert server.run("SELECT nspname FROM pg_namespace WHERE nspname = 'casemate'", target.dbname) == []
    assert place.run("store", "migrate", "--dry-run", "--json").data == {"steps": [], "rows": {}}
    server.drop(target)


def test_a_dry_run_after_writing_leaves_a_region_that_starts(place: Place) -> None:
    """Whoever opens a stopped region's records may be the one who carries the log into the file: with checksums."""
    place.init()
    with running(place) as up:
        assert up.run("bucket", "make", "plans").code == 0
        assert up.stop() == 0
    assert (place.region / "data" / "records.db-wal").stat().st_size > 0, "there is something to carry"
    assert place.run("store", "migrate", "--dry-run").code == 0
    assert int(place.run("store", "check", "--json").data["server"]["pages"]) > 0, "every page bears its checksum"
    with running(place) as up:
        assert "plans" in up.run("bucket", "list").out


def test_a_region_that_still_writes_there_is_not_overwritten(place: Place, target: Target) -> None:
    place.init()
    link = open_writer(target)
    link.run(f"SELECT pg_try_advisory_lock({LOCK})")
    text = (place.region / "casemate.toml").read_text()
    assert place.run("store", "migrate", "--to", url(target)).code == 14
    link.close()
    assert (place.region / "casemate.toml").read_text() == text


def test_a_count_that_drifted_is_named_and_put_right(place: Place) -> None:
    place.init()
    with closing(open_file(place.region / "data" / "records.db")) as db:
        db.execute("UPDATE uses SET used = used + 7 WHERE class_id = (SELECT min(class_id) FROM uses)")
    told = place.run("store", "check")
    assert told.code == 10
    assert "--recount makes it again" in told.err
    assert "made again" in place.run("store", "check", "--recount").err
    assert place.run("store", "check").code == 0


def test_a_region_with_shares_serves_in_either_form(place: Place) -> None:
    """And one whose shares no policy can read does not start."""
    place.init(processes="split")
    settings = place.region / "casemate.toml"
    text = settings.read_text()
    settings.write_text(f"{text}\n[records]\nshare_mb = 8\n")
    with running(place) as up:
        note = place.path / "note.md"
        note.write_text(NOTE)
        assert up.run("add", note).code == 0
        told = up.run("store", "shares", "--json").data
        assert all(0 < each["records_used"] < each["records_share"] == 8 << 20 for each in told), told
        assert "of 8388608" in up.run("store", "shares").out
        assert "blobs : sans part" in up.run("store", "shares", CASEMATE_LANGUAGE="fr").out
        assert up.stop() == 0
    assert place.run("store", "check").code == 0
    settings.write_text(f'{text}\n[records.shares]\n"NO SUCH MARK" = 8\n')
    told = place.run("up")
    assert told.code != 0
    assert "records.shares.NO SUCH MARK" in told.err
