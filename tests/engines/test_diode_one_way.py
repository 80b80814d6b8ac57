"""The link over a real one-way wire: the commands as a stranger runs them, and not one byte that comes back."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from casemate.transfer.diode import INTERVAL, Status
from casemate.wiring.diode import DiodeFolder, new_link
from tests.engines.one_way import CASEMATE, HIGH, OneWay, one_way, until

PORT = 6000
FAST = 1600.0


@pytest.fixture(scope="module")
def wire() -> Iterator[OneWay]:
    with one_way() as found:
        assert found.reverse >= 0
        yield found


def made(folder: Path, symbol: int = 8192, **settings: str) -> tuple[Path, Path]:
    """The two folders of a link, and lines of its low side's settings as they are to be."""
    low, high = folder / "low", folder / "high"
    new_link(low, high, f"{HIGH}:{PORT}", symbol=symbol, cap=FAST, profile="ed25519")
    text = (low / "link.toml").read_text()
    for name, value in settings.items():
        kept = [line for line in text.splitlines() if not line.startswith(f"{name} ")]
        text = "\n".join([*kept, f"{name} = {value}", ""])
    (low / "link.toml").write_text(text)
    return low, high


def arrived(high: Path) -> list[bytes]:
    return sorted(file.read_bytes() for file in (high / "arrived").iterdir())


def status(high: Path) -> Status:
    return msgspec.json.decode((high / "status.json").read_bytes(), type=Status)


def sent(wire: OneWay, low: Path) -> None:
    subprocess.run([*wire.low, *CASEMATE, "send", str(low), "--once"], check=True, timeout=120, capture_output=True)


def test_row_01_and_28_two_of_a_hundred_lost_and_nothing_ever_back(wire: OneWay, tmp_path: Path) -> None:
    """Datagrams one by one, since the loss of a joined one would be the loss of all that are in it."""
    low, high = made(tmp_path, offload="false", turns="1")
    files = [os.urandom(3_000_000), os.urandom(70_000), b""]
    for number, data in enumerate(files):
        (low / "out" / f"file{number}").write_bytes(data)
    wire.reverse  # noqa: B018 - counted from here
    wire.loss(20)
    with wire.running(wire.high, "receive", high) as receiving:
        until(receiving, "Listening")
        sent(wire, low)
        for _ in files:
            until(receiving, "Whole and verified")
    wire.loss(0)
    assert arrived(high) == sorted(files)
    assert 5 <= status(high).lost <= 50
    assert wire.reverse == 0
    talk = "import socket\nwith socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s: s.sendto(b'x', ('10.77.0.1', 9))"
    subprocess.run([*wire.high, "python3", "-c", talk], check=True, timeout=60)
    assert wire.reverse > 0, "the counter sees what does try to go back"


def test_row_12_the_sender_first_and_the_carousel_brings_it(wire: OneWay, tmp_path: Path) -> None:
    low, high = made(tmp_path, turns="1000")
    data = os.urandom(2_000_000)
    (low / "out" / "file").write_bytes(data)
    with wire.running(wire.low, "send", low), wire.running(wire.high, "receive", high) as receiving:
        until(receiving, "Whole and verified")
    assert arrived(high) == [data]


def test_row_13_a_receiver_that_cannot_keep_up_says_what_it_lost(wire: OneWay, tmp_path: Path) -> None:
    low, high = made(tmp_path, turns="1000")
    text = (high / "link.toml").read_text().replace("buffer_mib = 64", "buffer_mib = 1")
    (high / "link.toml").write_text(text)
    data = os.urandom(6_000_000)
    (low / "out" / "file").write_bytes(data)
    with wire.running(wire.high, "receive", high) as receiving:
        until(receiving, "Listening")
        found = DiodeFolder(high)
        assert found.settings().buffer_mib == 1
        [child] = Path(f"/proc/{receiving.pid}/task/{receiving.pid}/children").read_text().split() or [receiving.pid]
        os.kill(int(child), signal.SIGSTOP)
        with wire.running(wire.low, "send", low) as sending:
            while (
                not (low / "status.json").exists()
                or msgspec.json.decode((low / "status.json").read_bytes())["sent"] < 700
            ):
                assert sending.poll() is None
            os.kill(int(child), signal.SIGCONT)
            until(receiving, "Whole and verified")
    assert arrived(high) == [data]
    assert status(high).overflow > 0


def test_row_15_a_symbol_that_the_way_does_not_take_is_refused_at_the_start(wire: OneWay, tmp_path: Path) -> None:
    low, _ = made(tmp_path, symbol=8192)
    wire.mtu(1500)
    try:
        ended = subprocess.run(
            [*wire.low, *CASEMATE, "send", str(low)], capture_output=True, text=True, timeout=60, check=False
        )
    finally:
        wire.mtu(9000)
    assert ended.returncode == 15
    assert "1500" in ended.stderr


def test_row_35_a_plug_that_is_pulled_is_told_before_the_third_heartbeat(wire: OneWay, tmp_path: Path) -> None:
    low, high = made(tmp_path)
    (low / "out" / "file").write_bytes(b"small")
    with wire.running(wire.high, "receive", high) as receiving:
        until(receiving, "Listening")
        with wire.running(wire.low, "send", low) as sending:
            until(receiving, "Whole and verified")
            wire.up(False)
            until(receiving, "DEAD")
            while "dead" not in {alarm.what for alarm in status(high).alarms}:
                assert receiving.poll() is None
            found = status(high)
            wire.up(True)
            until(receiving, "lives")
            assert sending.poll() is None, "a plug that is pulled ends no sender"
    [at] = [alarm.at for alarm in found.alarms if alarm.what == "dead"]
    assert 0 < at - found.heartbeat < 3 * INTERVAL
    assert found.dead(at)
