"""A job's terminal as its shim holds it, at both levels: frames, sizes, signals, who may visit, and what is kept."""

from __future__ import annotations

import os
import socket
import struct
import time

import pytest

from tests.engines.job_folders import LEVELS, Attempt, until

pytestmark = pytest.mark.skipif(os.uname().sysname != "Linux", reason="Linux alone")

SHELL = ["/bin/sh", "-i"]


def at_terminal(idle_s=0):
    def change(order):
        order["interactive"] = {"kind": "shell", "idle_s": idle_s, "port": 0}

    return change


class Visitor:
    """Somebody at the socket. `shown`: what came; `at`: where it began."""

    def __init__(self, one, place=0, hello=True):
        until((one.path / "terminal.sock").exists)
        folder = os.open(one.path, os.O_RDONLY)
        self.line = socket.socket(socket.AF_UNIX)
        self.line.connect(f"/proc/self/fd/{folder}/terminal.sock")
        os.close(folder)
        self.line.settimeout(60)
        self.at, self.shown, self.taken = None, b"", False
        if hello:
            self.say(b"a", place.to_bytes(8, "big"))

    def say(self, kind, said):
        self.line.sendall(kind + len(said).to_bytes(2, "big") + said)

    def type(self, text):
        self.say(b"i", text.encode())

    def frame(self):
        head = self.line.recv(3, socket.MSG_WAITALL)
        if len(head) < 3:
            return False
        size = int.from_bytes(head[1:], "big")
        said = self.line.recv(size, socket.MSG_WAITALL) if size else b""
        if head[:1] == b"@":
            self.at = int.from_bytes(said, "big")
        elif head[:1] == b"t":
            self.taken = True
        else:
            assert head[:1] == b"o"
            self.shown += said
        return True

    def sees(self, text):
        while text.encode() not in self.shown:
            assert self.frame(), self.shown
        return self

    def rest(self):
        while self.frame():
            pass
        return self.shown


@pytest.fixture
def root(outside):
    return outside / "region" / "jobs"


@pytest.mark.parametrize("level", LEVELS)
def test_a_terminal_has_a_size_signals_and_an_end(root, level):
    one = Attempt(root, SHELL, level, change=at_terminal()).start()
    visitor = Visitor(one)
    assert (one.path / "terminal.sock").stat().st_mode & 0o777 == 0o600
    visitor.type("stty size\r")
    visitor.sees("24 80")
    visitor.say(b"w", struct.pack(">HH", 33, 99))
    visitor.type("stty size; [ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo ye''s\r")
    visitor.sees("33 99").sees("yes")
    visitor.type("sleep 600\r")
    visitor.sees("sleep 600")
    time.sleep(0.2)
    visitor.type("\x03")
    visitor.type("echo code-$?\r")
    visitor.sees("code-130")
    visitor.type("exit 7\r")
    shown = visitor.rest()
    assert one.process.wait(60) == 0
    assert (one.record()["exit"], one.record()["reason"]) == (7, "")
    assert one.log() == shown
    assert visitor.at == 0
    assert not (one.path / "terminal.sock").exists()


@pytest.mark.parametrize("level", LEVELS)
def test_what_a_quick_job_shows_is_kept_and_told(root, level):
    one = Attempt(root, "echo first; read line; seq 20000; echo last", level, change=at_terminal()).start()
    visitor = Visitor(one).sees("first")
    visitor.type("\r")
    shown = visitor.rest()
    assert shown.endswith(b"20000\r\nlast\r\n")
    one.process.wait(60)
    assert one.log() == shown


def test_who_comes_back_sees_what_he_missed_and_the_former_leaves(root):
    one = Attempt(root, SHELL, "L1", change=at_terminal()).start()
    first = Visitor(one)
    first.type("held=7; echo be''gun\r")
    first.sees("begun")
    seen = len(first.shown)
    second = Visitor(one, place=seen)
    while first.frame():
        pass
    assert first.taken
    second.type("echo held-$held\r")
    second.sees("held-7")
    assert second.at == seen
    third = Visitor(one, place=1 << 60)
    third.type("exit\r")
    third.rest()
    one.process.wait(60)
    assert third.at == len(one.log()) - len(third.shown)


def test_a_reader_who_stops_is_waited_for_and_loses_nothing(root):
    one = Attempt(root, "read line; seq 200000; echo the-end", "L1", change=at_terminal()).start()
    visitor = Visitor(one)
    visitor.type("\r")
    time.sleep(1)
    shown = visitor.rest()
    assert shown.endswith(b"200000\r\nthe-end\r\n")
    assert one.process.wait(60) == 0
    assert one.log() == shown


@pytest.mark.parametrize("wrong", [b"x\0\0", b"a\0\1x", b"w\0\1x", b"i\0\1x"])
def test_whoever_says_something_else_is_hung_up_on(root, wrong):
    one = Attempt(root, SHELL, "L1", change=at_terminal()).start()
    stranger = Visitor(one, hello=False)
    stranger.line.sendall(wrong)
    assert stranger.line.recv(1) == b""
    visitor = Visitor(one)
    visitor.type("exit 3\r")
    visitor.rest()
    one.process.wait(60)
    assert one.record()["exit"] == 3


@pytest.mark.parametrize("level", LEVELS)
def test_nobody_working_in_it_ends_it(root, level):
    one = Attempt(root, SHELL, level, change=at_terminal(idle_s=1), grace_s=2.0).start()
    until(lambda: one.process.poll() == 0, 20)
    assert one.record()["reason"] == "idle"


@pytest.mark.parametrize("level", LEVELS)
def test_a_wish_to_stop_hangs_up(root, level):
    one = Attempt(
        root,
        "trap 'echo hung-up; exit 9' HUP; echo ready; while :; do sleep 0.1; done",
        level,
        change=at_terminal(),
        grace_s=30.0,
    ).start()
    visitor = Visitor(one).sees("ready")
    (one.path / "stop").write_text('{"reason": "cancel", "grace_s": 30}')
    visitor.sees("hung-up")
    assert one.process.wait(60) == 0
    assert (one.record()["exit"], one.record()["reason"]) == (9, "stop")


@pytest.mark.parametrize("level", LEVELS)
def test_nothing_to_execute_is_said(root, level):
    one = Attempt(root, ["there-is-no-such-program"], level, change=at_terminal())
    one.run()
    assert one.record()["exit"] == 127
    logs = b"".join(path.read_bytes() for path in (one.path / "log").iterdir())
    assert b"there-is-no-such-program" in logs


def test_a_job_without_one_has_no_terminal(root):
    one = Attempt(root, "[ -t 0 ] || [ -t 1 ] || exit 4", "L1")
    one.run()
    assert one.record()["exit"] == 4
