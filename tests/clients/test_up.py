"""`casemate up` in real processes: what prevents it, what ends it, and what is left whole whatever happens to it."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import apsw
import pytest

from casemate.engines.sqlite_schema import summing
from tests.cli.running import CASEMATE, Place, Up, gone, running, start, until

FORMS = ("all", "split")
ROLES = {"all": {"all"}, "split": {"writer", "answer", "control", "data"}}
NOTE = "INTERNAL\n\n(INTERNAL) The orchard opens at nine, note {n}.\n\nINTERNAL\n"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    yield Place(work, home)
    assert list(home.iterdir()) == [], "something was written into HOME"


def refused(place: Place, code: int, *words: str, **env: str) -> str:
    """`up` cannot; it says why on standard error, and leaves no process and no lock behind."""
    done = place.run("up", **env)
    assert done.code == code, done
    assert "→" in done.err, "what to do"
    assert "Traceback" not in done.err
    assert all(word in done.err for word in words), done.err
    return done.err


def states(place: Place) -> set[str]:
    """The verdicts on every log, whether the region runs or not."""
    checked = place.run("ledger", "verify", "--json")
    assert checked.code in (0, 20), checked  # 20: a request was under way when its process was killed
    return {log["verdict"]["state"] for log in checked.json["data"]["logs"]}


@pytest.mark.parametrize("form", FORMS)
def test_it_says_where_it_answers_and_how_to_sign_in(place: Place, form: str) -> None:
    place.init(processes=form)
    with running(place) as up:
        assert up.children().keys() == ROLES[form]
        assert up.told["token"].startswith("cm_")
        with urlopen(f"{up.console}/api/health") as answer:
            assert json.load(answer)["status"] == "ok"
        assert (up.console == up.wires) is (form == "all")
        keys = up.run("key", "list", "--json").data
        assert [key["floor"] for key in keys] == ["agency=LOCAL"]
        children = up.children()
        assert up.stop() == 0
    assert all(gone(pid) for pid in children.values())
    assert {path.name for path in (place.region / "run").iterdir()} <= {"region.lock", "empty"}
    assert states(place) == {"ok"}


def test_ctrl_c_is_told_and_is_no_failure(place: Place) -> None:
    place.init()
    process = subprocess.Popen(
        [*CASEMATE, "up"],
        cwd=place.path,
        env=place.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("Console   http://127.0.0.1:")
    assert process.stdout.readline().startswith("Sign in   cm_")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "The region has stopped." in err


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP])
def test_other_polite_signals_end_it_too(place: Place, how: signal.Signals) -> None:
    place.init()
    with running(place) as up:
        assert up.stop(how) == 0


@contextmanager
def _two_ports() -> Iterator[int]:
    """A port that is taken while this is entered; it and the next are below those that the kernel gives to clients."""
    while True:
        port = random.SystemRandom().randrange(20_000, 32_000)
        with socket.socket() as taken, socket.socket() as following:
            try:
                following.bind(("127.0.0.1", port + 1))
                taken.bind(("127.0.0.1", port))
            except OSError:
                continue
            following.close()
            taken.listen()
            yield port
            return


@pytest.mark.parametrize("form", FORMS)
def test_a_port_in_use(place: Place, form: str) -> None:
    place.init(processes=form)
    with _two_ports() as port:
        place.set("port = 0", f"port = {port}")
        assert str(port) in refused(place, 14)
    with running(place) as up:
        assert up.wires.endswith(str(port))


def test_an_address_of_another_machine(place: Place) -> None:
    place.init()
    place.set('host = "127.0.0.1"', 'host = "203.0.113.9"')
    assert "203.0.113.9" in refused(place, 15)


def test_a_second_one_in_the_same_folder(place: Place) -> None:
    place.init()
    with running(place) as up:
        refused(place, 14, "in use")
        assert up.run("doctor").code == 0


@pytest.mark.parametrize("form", FORMS)
def test_a_folder_of_a_newer_version_is_left_untouched(place: Place, form: str) -> None:
    place.init(processes=form)
    records = place.region / "data" / "records.db"
    summing()
    with contextlib.closing(apsw.Connection(str(records))) as db:
        db.execute("UPDATE meta SET value = '999' WHERE name = 'schema'")
    before = records.read_bytes()
    refused(place, 13, "999")
    assert records.read_bytes() == before
    looked = place.run("doctor")
    assert looked.code == 7
    assert "999" in looked.out
    assert place.run("ledger", "verify").code == 13


def test_records_that_are_none(place: Place) -> None:
    place.init()
    records = place.region / "data" / "records.db"
    records.write_bytes(b"not a database".ljust(records.stat().st_size, b"!"))
    refused(place, 10)
    assert place.run("ledger", "verify").code == 10


@pytest.mark.parametrize("lost", ["keys/region.key", "keys/ledger.key", "data/records.db"])
def test_what_is_gone_is_named_and_never_made_anew(place: Place, lost: str) -> None:
    place.init()
    (place.region / lost).unlink()
    assert lost in refused(place, 10)
    assert not (place.region / lost).exists()
    assert place.run("doctor").code == 7
    assert place.run("ledger", "verify").code == 10


def test_another_regions_keys_open_nothing(place: Place) -> None:
    place.init()
    assert place.run("init", "--folder", "other").code == 0
    shutil.copy(place.path / "other/keys/region.key", place.region / "keys/region.key")
    assert place.run("ledger", "verify").code in (4, 10)


def test_keys_that_others_may_open(place: Place) -> None:
    place.init()
    (place.region / "keys/region.key").chmod(0o644)
    refused(place, 15, "region.key")
    assert place.run("doctor").code == 7


@pytest.mark.parametrize("wrong", ["port = [", "colour = 1", "policies = []", 'processes = "many"'])
def test_settings_that_cannot_be(place: Place, wrong: str) -> None:
    place.init()
    settings = place.region / "casemate.toml"
    settings.write_text(f"[region]\n{wrong}\n" if "proc" not in wrong else f"[listen]\n{wrong}\n")
    refused(place, 15)


def test_problems_are_told_in_french(place: Place) -> None:
    place.init()
    with running(place):
        assert "utilis" in refused(place, 14, LANG="fr_FR.UTF-8")


def test_a_tampered_ledger_is_seen_offline(place: Place) -> None:
    place.init()
    with running(place) as up:
        for n in range(3):
            up.run("ask", f"What about {n}?")
    with sqlite3.connect(place.region / "data/records.db") as db:
        db.execute("UPDATE entries SET leaf = zeroblob(48) WHERE seq = 2")
    db.close()
    checked = place.run("ledger", "verify")
    assert checked.code == 11
    assert "TAMPERED at entry 2" in checked.out


def test_a_rollback_of_the_whole_folder_is_seen_against_a_remembered_head_alone(place: Place) -> None:
    place.init()
    with running(place) as up:
        up.run("ask", "One?")
    shutil.copytree(place.region, place.path / "backup")
    with running(place) as up:
        up.run("ask", "Two?")
    with running(place) as up:
        (place.path / "heads").write_text(up.run("ledger", "heads").out)
    shutil.rmtree(place.region)
    shutil.move(place.path / "backup", place.region)
    assert place.run("ledger", "verify").code == 0
    seen = place.run("ledger", "verify", "--head", "heads")
    assert seen.code == 10
    assert "INCOMPLETE" in seen.out


@pytest.mark.parametrize("form", FORMS)
def test_the_children_end_with_a_supervisor_that_was_killed(place: Place, form: str) -> None:
    place.init(processes=form)
    up = start(place)
    children = up.children()
    assert children.keys() == ROLES[form]
    up.process.kill()
    up.process.wait()
    with running(place) as again:
        assert again.run("doctor").code == 0
        assert all(gone(pid) for pid in children.values())
    for stream in (up.process.stdout, up.process.stderr):
        assert stream is not None
        stream.close()
    assert states(place) == {"ok"}


class Load(threading.Thread):
    """Somebody who adds and asks all the time; what fails meanwhile must fail clearly."""

    def __init__(self, up: Up) -> None:
        super().__init__()
        self.up = up
        self.over = threading.Event()
        self.codes: set[int] = set()
        self.torn: list[str] = []
        self.added = 0

    def run(self) -> None:
        number = 0
        while not self.over.is_set():
            number += 1
            note = self.up.place.path / f"note-{number}.txt"
            note.write_text(NOTE.format(n=number))
            for ran in (
                self.up.run("add", note, "--json"),
                self.up.run("ask", "When does the orchard open?", "--json"),
            ):
                self.codes.add(ran.code)
                if "Traceback" in ran.err or not ran.out.startswith('{"schema":1'):
                    self.torn.append(str(ran))
            self.added = number


@pytest.mark.parametrize(("form", "role"), [("all", "all"), *(("split", role) for role in sorted(ROLES["split"]))])
def test_a_child_that_is_killed_at_any_moment_is_started_again(place: Place, form: str, role: str) -> None:
    place.init(processes=form)
    moments = random.Random(role)
    with running(place) as up:
        load = Load(up)
        load.start()
        try:
            for _ in range(3):
                time.sleep(moments.uniform(0.05, 0.6))
                victim = up.children()[role]
                os.kill(victim, signal.SIGKILL)
                until(lambda victim=victim: up.children().get(role, victim) != victim)
                until(lambda: up.run("doctor", "--json").code == 0)
        finally:
            load.over.set()
            load.join()
        assert load.torn == []
        assert load.codes <= {0, 7, 8}, load.codes
        notes = [up.place.path / f"note-{n}.txt" for n in range(1, load.added + 1)]
        until(lambda: up.run("add", *notes, "--json").code == 0)  # the one that was killed last is back
        again = up.run("add", *notes, "--json").data
        assert (again["quarantined"], again["unmarked"]) == ([], [])
        until(lambda: up.run("ask", "When does the orchard open?").code == 0)
        assert "nine" in up.run("ask", "When does the orchard open?").out
        assert states(place) <= {"ok", "interrupted"}
    assert states(place) <= {"ok", "interrupted"}


@pytest.mark.parametrize("form", FORMS)
def test_everything_killed_at_any_moment_leaves_a_folder_that_starts_again(place: Place, form: str) -> None:
    place.init(processes=form)
    moments = random.Random(form)
    for _ in range(3):
        up = start(place)
        assert up.told
        load = Load(up)
        load.start()
        time.sleep(moments.uniform(0.1, 0.9))
        for pid in (up.process.pid, *up.children().values()):
            with contextlib.suppress(ProcessLookupError):  # it saw that its parent is gone
                os.kill(pid, signal.SIGKILL)
        load.over.set()
        load.join()
        up.stop()
        for stream in (up.process.stdout, up.process.stderr):
            assert stream is not None
            stream.close()
        assert states(place) <= {"ok", "interrupted"}
    with running(place) as up:
        notes = sorted(place.path.glob("note-*.txt"))
        assert up.run("add", *notes, "--json").data["quarantined"] == []
        assert "nine" in up.run("ask", "When does the orchard open?").out


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, small enough to be filled; only root may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount") or "mount"
    done = subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=200m", "tmpfs", folder], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    yield folder
    subprocess.run([shutil.which("umount") or "umount", folder], check=True)


def fill(folder: Path, left: int) -> Path:
    """Take all room but so many bytes."""
    ballast = folder / "filling"
    with ballast.open("wb") as file:
        while (room := shutil.disk_usage(folder).free - left) > 0:
            try:
                os.posix_fallocate(file.fileno(), 0, room)
                break
            except OSError as error:  # the region writes all the while: what was free a moment ago is not
                if error.errno != errno.ENOSPC:
                    raise
    return ballast


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("left", [40 << 20, 1 << 20, 0])
def test_a_full_disk_is_told_and_reading_goes_on(small_disk: Path, tmp_path: Path, form: str, left: int) -> None:
    home = tmp_path / "home"
    home.mkdir()
    place = Place(small_disk, home).init(processes=form)
    with running(place) as up:
        (place.path / "a.txt").write_text(NOTE.format(n=1))
        (place.path / "b.txt").write_text(NOTE.format(n=2))
        assert up.run("add", "a.txt", "--json").data["added"] == 1
        filling = fill(small_disk, left)
        full = up.run("add", "b.txt")
        assert full.code == 7
        assert "Free some space" in full.err
        assert "nine" in up.run("ask", "When does the orchard open?").out, "what is there is still answered"
        filling.unlink()
        until(lambda: up.run("add", "b.txt", "--json").code == 0)
        assert up.run("add", "b.txt", "--json").data["known"] == 1
        assert states(place) == {"ok"}
    assert states(place) == {"ok"}


def test_a_region_is_not_made_where_it_does_not_fit(small_disk: Path, tmp_path: Path) -> None:
    filling = fill(small_disk, 8 << 20)
    made = Place(small_disk, tmp_path).run("init", "--folder", small_disk / "region", TMPDIR=str(tmp_path))
    assert made.code == 7
    assert "full" in made.err
    assert list(small_disk.iterdir()) == [filling]
