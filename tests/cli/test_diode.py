"""`casemate diode` through its door: two folders, a link between them, and what is said when something is not right."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from casemate.cli import main
from casemate.engines import diode_memory
from casemate.engines.diode_drop import DropFolder
from casemate.engines.diode_outbox import Outbox
from casemate.errors import BadInput, CasemateError, Misconfigured, Occupied, Unavailable
from casemate.transfer.diode import Gaps, Status, write_gaps
from casemate.wiring import diode_high, diode_low
from casemate.wiring.diode import DiodeFolder, new_link
from casemate.wiring.diode_high import receive, told
from casemate.wiring.diode_low import send

Ran = Callable[..., tuple[int, str, str]]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Ran:
    """Runs a command in this process: its exit code and what it said."""

    def run(*words: str | Path) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["diode", *map(str, words), "--language", "en"])
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run


def changed(folder: Path, **settings: str) -> None:
    """Lines of link.toml as they are to be."""
    text = (folder / "link.toml").read_text()
    for name, value in settings.items():
        text = "\n".join(
            [*(line for line in text.splitlines() if not line.startswith(f"{name} ")), f"{name} = {value}", ""]
        )
    (folder / "link.toml").write_text(text)


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    low, high = tmp_path / "low", tmp_path / "high"
    new_link(low, high, "127.0.0.1:0", cap=800, profile="ed25519")
    return low, high


class Receiving:
    """The high side in a thread, with what it tells."""

    def __init__(self, high: Path) -> None:
        self.said: list[tuple[str, str]] = []
        self.stop, self.news, self.listens = Event(), threading.Condition(), Event()
        self.port = 0
        self.failed: list[CasemateError] = []
        self._thread = Thread(target=self._run, args=(high,))
        self._thread.start()

    def _run(self, high: Path) -> None:
        try:
            receive(DiodeFolder(high), self._tell, self.stop, ready=self._ready)
        except CasemateError as error:
            self.failed.append(error)
            self.listens.set()

    def _ready(self, port: int) -> None:
        self.port = port
        self.listens.set()

    def _tell(self, slug: str, what: str) -> None:
        with self.news:
            self.said.append((slug, what))
            self.news.notify_all()

    def until(self, slug: str) -> None:
        with self.news:
            assert self.news.wait_for(lambda: slug in [each for each, _ in self.said], 60), self.said

    def end(self) -> None:
        self.stop.set()
        self._thread.join()


@contextmanager
def receiving(low: Path, high: Path) -> Iterator[Receiving]:
    found = Receiving(high)
    try:
        assert found.listens.wait(60)
        changed(low, address=f'"127.0.0.1:{found.port}"')
        yield found
    finally:
        found.end()


def arrived(high: Path) -> list[bytes]:
    return sorted(file.read_bytes() for file in (high / "arrived").iterdir())


def test_from_one_folder_to_the_other(cli: Ran, tmp_path: Path) -> None:
    low, high = tmp_path / "low", tmp_path / "high"
    code, _, err = cli("new", low, high, "--address", "127.0.0.1:0", "--cap", "800")
    assert (code, "Carry" in err) == (0, True)
    for file in [*low.rglob("*.key"), *high.rglob("*.key")]:
        assert file.stat().st_mode & 0o777 == 0o600
    assert not (high / "keys" / "heartbeat.key").exists()
    assert cli("new", low, high, "--address", "127.0.0.1:0")[0] == Occupied.exit
    changed(low, banner='"EXERCISE SECRET"', turns="1")
    files = [os.urandom(1_400_000), os.urandom(900)]
    (low / "out" / "large").write_bytes(files[0])
    (low / "out" / "urgent" / "small").write_bytes(files[1])
    assert cli("status", high)[0] == 5
    with receiving(low, high) as side:
        code, _, err = cli("send", low, "--once")
        assert (code, "Sent: large." in err, "Sent: small." in err) == (0, True, True), err
        with side.news:
            assert side.news.wait_for(lambda: [s for s, _ in side.said].count("published") == 2, 60)
        alive = cli("status", high)
    assert arrived(high) == sorted(files)
    assert alive[0] == 0, alive
    assert "The link lives" in alive[1]
    code, out, _ = cli("status", low)
    assert (code, "last number 2" in out) == (0, True)
    code, out, _ = cli("status", high, "--json")
    found = json.loads(out.splitlines()[0])["data"]
    assert (found["counts"]["published"], found["unseen"], found["objects"]) == (2, [], [])


def until(holds: Callable[[], bool]) -> None:
    """Wait for what another thread does; a minute is long enough."""
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_what_is_missing_is_named_told_over_the_telephone_and_sent(cli: Ran, pair: tuple[Path, Path]) -> None:
    """Nobody listened to an earlier run: the number that it gave is missed, and its file is still in sent/."""
    low, high = pair
    changed(low, turns="1", address='"127.0.0.1:9"')
    (low / "out" / "first").write_bytes(b"nobody listened")
    assert cli("send", low, "--once")[0] == 0
    said: list[tuple[str, str]] = []
    stop = Event()
    with receiving(low, high) as side:
        sender = Thread(target=send, args=(DiodeFolder(low), lambda *each: said.append(each), stop))
        sender.start()
        try:
            until(lambda: (high / "status.json").exists() and bool(told(DiodeFolder(high)).unseen))  # type: ignore[union-attr]
            out = cli("status", high)[1]
            heard = next(line for line in out.splitlines() if "never seen" in line).split()[-1]
            assert cli("send", low, "--gaps", heard[:-1] + ("0" if heard[-1] != "0" else "1"))[0] == 2
            assert cli("send", low, "--gaps", heard.lower())[0] == 0
            (low / "gaps" / "wrong").write_text(write_gaps(DiodeFolder(low).link(), b"none", Gaps(1, None)))
            (low / "gaps" / "absent").write_text(
                write_gaps(DiodeFolder(low).link(), Outbox(low).sender, Gaps(99, None))
            )
            side.until("published")
            until(lambda: sorted(slug for slug, _ in said) == ["filling", "refused", "refused", "sent"])
        finally:
            stop.set()
            sender.join()
    assert arrived(high) == [b"nobody listened"]


def test_a_file_that_changes_is_withdrawn_and_told(pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    low, _ = pair
    changed(low, address='"127.0.0.1:9"', turns="1000")
    file = low / "out" / "file"
    file.write_bytes(b"one" * 1000)
    said: list[tuple[str, str]] = []
    stop = Event()

    def tell(slug: str, what: str) -> None:
        said.append((slug, what))
        stop.set()

    monkeypatch.setattr(diode_low, "LOOK", 1000)
    sender = Thread(target=send, args=(DiodeFolder(low), tell, stop))
    sender.start()
    until(lambda: (low / "status.json").exists() and "file" in told(DiodeFolder(low)).waiting)  # type: ignore[union-attr]
    file.write_bytes(b"two" * 1001)
    sender.join(60)
    assert said == [("changed", "file")]


# ---- a drop directory ----------------------------------------------------------------------------------------------


@pytest.fixture
def dropped(tmp_path: Path) -> tuple[Path, Path, Path]:
    low, high, drop = tmp_path / "low", tmp_path / "high", tmp_path / "drop"
    new_link(low, high, "", engine="drop", profile="ed25519")
    drop.mkdir()
    for side in (low, high):
        changed(side, drop=f'"{drop}"')
    return low, high, drop


def test_over_somebody_elses_diode(cli: Ran, dropped: tuple[Path, Path, Path]) -> None:
    low, high, drop = dropped
    files = [os.urandom(2_100_000), b""]
    for number, data in enumerate(files):
        (low / "out" / f"file{number}").write_bytes(data)
    assert cli("send", low, "--once")[0] == 0
    laid = sorted(drop.iterdir())
    assert (len(laid), list((low / "out").glob("file*"))) == (2, [])
    whole = laid[0].read_bytes()
    laid[0].write_bytes(whole[: len(whole) // 2])  # the other diode is still at it
    (drop / "stranger.txt").write_text("not ours")
    (drop / "forged.cmo").write_bytes(b"CMO1" + bytes(900))
    code, _, err = cli("receive", high, "--once")
    assert (code, "Refused: forged.cmo." in err) == (0, True)
    assert len(arrived(high)) == 1
    laid[0].write_bytes(whole)
    assert cli("receive", high, "--once")[0] == 0
    assert arrived(high) == sorted(files)
    assert sorted(file.name for file in drop.iterdir()) == ["forged.cmo", "stranger.txt"]
    code, out, _ = cli("status", high)
    assert (code, "DEAD" in out, "Whole and verified: number" in out) == (0, False, True)


def test_a_dropped_file_that_was_changed_is_refused(cli: Ran, dropped: tuple[Path, Path, Path]) -> None:
    low, high, drop = dropped
    (low / "out" / "file").write_bytes(b"x" * 5000)
    assert cli("send", low, "--once")[0] == 0
    [file] = drop.iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[:-100] + b"!" + whole[-99:])
    assert "Refused" in cli("receive", high, "--once")[2]
    file.write_bytes(whole + b"more")
    assert "Refused" in cli("receive", high, "--once")[2]
    assert arrived(high) == []
    file.write_bytes(whole)
    assert cli("receive", high, "--once")[0] == 0
    assert arrived(high) == [b"x" * 5000]
    file.write_bytes(whole)
    assert cli("receive", high, "--once")[0] == 0
    assert list(drop.iterdir()) == [], "what is known already is taken away"


def test_a_drop_that_fails_waits_and_is_told(dropped: tuple[Path, Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    low, high, _ = dropped
    (low / "out" / "file").write_bytes(b"x" * 5000)
    real, said, stop = DropFolder.put, [], Event()

    def fails(self: DropFolder, name: str, pieces: Any) -> None:
        raise Unavailable(what="drop directory")

    monkeypatch.setattr(DropFolder, "put", fails)
    with pytest.raises(Unavailable):
        send(DiodeFolder(low), lambda *_: None, Event(), once=True)

    def tell(slug: str, what: str) -> None:
        said.append(slug)
        monkeypatch.setattr(DropFolder, "put", real)
        if slug == "sent":
            stop.set()

    send(DiodeFolder(low), tell, stop)
    assert said == ["unavailable", "sent"]

    def refuses(*_: Any) -> Any:
        raise Unavailable(what="diode spool")

    monkeypatch.setattr(diode_high, "_emptied", refuses)
    told_: list[str] = []
    receive(DiodeFolder(high), lambda slug, _: told_.append(slug), Event(), once=True)
    assert told_ == ["unavailable"]


# ---- settings and keys ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("symbol", "1401"),
        ("symbol", "9000"),
        ("loss", "0.9"),
        ("cap_mbit", "0"),
        ("engine", '"tcp"'),
        ("colour", "1"),
        ("turns", '"x"'),
    ],
)
def test_settings_that_cannot_be(pair: tuple[Path, Path], name: str, value: str) -> None:
    changed(pair[0], **{name: value})
    with pytest.raises(Misconfigured):
        DiodeFolder(pair[0]).settings()


def test_a_folder_of_the_other_side_or_of_nothing(cli: Ran, pair: tuple[Path, Path], tmp_path: Path) -> None:
    low, high = pair
    assert cli("send", high, "--once")[0] == Misconfigured.exit
    assert cli("receive", low)[0] == Misconfigured.exit
    assert cli("send", tmp_path / "nowhere")[0] == 5
    (low / "link.toml").write_bytes(b"\xff")
    assert cli("send", low)[0] == Misconfigured.exit
    (high / "status.json").write_text("{")
    assert cli("status", high)[0] == 10


def test_a_key_that_others_may_read_or_that_is_none(pair: tuple[Path, Path]) -> None:
    low, high = pair
    key = low / "keys" / "link.key"
    secret = key.read_text().strip()
    key.chmod(0o640)
    with pytest.raises(Misconfigured) as told_:
        DiodeFolder(low).link()
    assert secret not in str(told_.value)
    key.chmod(0o600)
    for text in ("zz", secret[:-2], ""):
        key.write_text(text)
        with pytest.raises(Misconfigured):
            DiodeFolder(low).link()
    (high / "keys" / "heartbeat.pub").write_text("00")
    with pytest.raises(Misconfigured):
        DiodeFolder(high).public()


def test_a_signal_ends_it_in_order(cli: Ran, pair: tuple[Path, Path]) -> None:
    low, _ = pair
    changed(low, address='"127.0.0.1:9"')

    before = signal.getsignal(signal.SIGTERM)

    def ends() -> None:
        until((low / "status.json").exists)
        os.kill(os.getpid(), signal.SIGTERM)

    ending = Thread(target=ends)
    ending.start()
    assert cli("send", low)[0] == 0
    ending.join()
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_c_library_that_cannot_keep_memory_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    assert diode_memory.keep_freed_memory() in (True, False)
    monkeypatch.setattr(diode_memory.ctypes, "CDLL", lambda _: object())
    assert not diode_memory.keep_freed_memory()


def test_a_status_without_room_is_left_out(pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "full")

    monkeypatch.setattr(diode_high, "publish", full)
    with receiving(*pair):
        pass
    assert not (pair[1] / "status.json").exists()


def test_a_port_in_use_is_told(pair: tuple[Path, Path]) -> None:
    low, high = pair
    with receiving(low, high) as side:
        changed(high, address=f'"127.0.0.1:{side.port}"')
        other = Receiving(high)
        other.end()
        assert [type(error) for error in other.failed] == [Occupied]


def test_status_of_a_dead_link_ends_with_seven(cli: Ran, pair: tuple[Path, Path]) -> None:
    with receiving(*pair) as side:
        side.until("dead")
    code, out, _ = cli("status", pair[1])
    assert (code, "THE LINK IS DEAD" in out) == (7, True)
    assert isinstance(told(DiodeFolder(pair[1])), Status)


assert BadInput.exit == 2
