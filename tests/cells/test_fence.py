"""The fence as a list of steps: in this order, each one needed, and none skipped when another fails.

What the kernel makes of them is felt from inside a real child in tests/engines/test_sandbox.py.
"""

# ruff: noqa: PTH115, PTH208 - what the fence itself does is compared with what it sees

from __future__ import annotations

import base64
import ctypes
import errno
import json
import os
import struct
import sys
from pathlib import Path

import pytest

from casemate.cells import fence

CALLS = {"landlock_create_ruleset": 444, "landlock_add_rule": 445, "landlock_restrict_self": 446, "seccomp": 317}


class Kernel:
    """Writes down what it was asked; `fails` names the step that it refuses."""

    def __init__(self, fails="", abi=7, sockets=False):
        self.fails, self.abi, self.sockets = fails, abi, sockets
        self.asked = []
        self.attributes = b""
        self.program = b""

    def _done(self, name, result=0):
        self.asked.append(name)
        if name == self.fails:
            ctypes.set_errno(errno.EINVAL)
            return -1
        return result

    def syscall(self, number, *arguments):
        name = {value: name for name, value in CALLS.items()}[number.value]
        if name == "landlock_create_ruleset":
            if arguments[0] is None:
                return self._done("landlock version", self.abi)
            self.attributes = arguments[0]
            return self._done("landlock ruleset", os.open("/dev/null", os.O_RDONLY))
        if name == "landlock_add_rule":
            rights, place = struct.unpack("<Qi", arguments[2])
            return self._done((os.readlink(f"/proc/self/fd/{place}"), rights))
        if name == "seccomp":
            length, address = struct.unpack("<HxxxxxxQ", arguments[2])
            self.program = ctypes.string_at(address, length * 8)
        return self._done(name)

    def prctl(self, option, *arguments):
        option = getattr(option, "value", option)
        if option == 24:  # PR_CAPBSET_DROP: there are 41 of them
            return 0 if arguments[0].value < 41 else -1
        names = {38: "no_new_privs", 4: "dumpable", 1: "die with the parent", 47: "ambient"}
        return self._done(names[option])

    def capset(self, header, data):
        assert not any(data)
        return self._done("capset")

    def socket(self, *arguments):
        self.asked.append("socket")
        return 9 if self.sockets else -1


@pytest.fixture
def order(tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "model").mkdir()
    (tmp_path / "file").write_text("x")
    (tmp_path / "program.py").write_text("import sys\nsys.modules['fenced_program'] = list(sys.argv)\n")
    return {
        "parent": os.getppid(),
        "module": str(tmp_path / "program.py"),
        "arguments": ["a"],
        "package": str(Path(sys.modules["casemate"].__file__).parent),
        "home": str(tmp_path / "home"),
        "reads": [str(tmp_path / name) for name in ("model", "file", "absent")],
        "calls": CALLS,
        "filter": base64.b64encode(b"12345678").decode(),
        "limits": {"AS": 1 << 40, "CPU": 60, "NOFILE": 64},
    }


class Ended(BaseException):
    pass


@pytest.fixture
def run(monkeypatch, order):
    """Run `main` against a kernel: (report, exit code or None)."""

    def go(kernel, locked=True, sent=None, tasks=("1",), **changed):
        asked, ask = os.pipe()
        told, tell = os.pipe()
        limits = []
        body = json.dumps({**order, **changed}).encode()
        os.write(ask, struct.pack(">I", len(body)) + body if sent is None else sent)
        os.close(ask)
        listdir = os.listdir

        def listed(path):
            if path == order["home"] and locked:
                raise PermissionError
            return list(tasks) if path == "/proc/self/task" else listdir(path)

        def ended(code):
            raise Ended(code)

        with monkeypatch.context() as patched:
            patched.setattr(fence, "_LIBC", kernel)
            patched.setattr(fence, "REQUESTS", asked)
            patched.setattr(fence, "REPLIES", tell)
            patched.setattr(fence, "_descriptors", lambda: None)
            patched.setattr(fence.os, "listdir", listed)
            patched.setattr(fence.os, "_exit", ended)
            patched.setattr(fence.resource, "setrlimit", lambda kind, limit: limits.append((kind, limit)))
            patched.setattr(sys, "argv", [])
            patched.setitem(sys.modules, "casemate", sys.modules["casemate"])
            patched.delitem(sys.modules, "fenced_program", raising=False)
            try:
                fence.main()
                code = None
            except Ended as error:
                code = error.args[0]
            finally:
                os.close(asked)
                os.close(tell)
            ran = sys.modules.pop("fenced_program", None)
        with os.fdopen(told, "rb") as report:
            said = json.loads(report.read())
        return said, code, ran, limits

    return go


def test_the_steps_and_their_order(run, order):
    kernel = Kernel()
    said, code, ran, limits = run(kernel)
    assert (said, code, ran) == ({"abi": 7}, None, [order["module"], "a"])
    assert kernel.asked == [
        "ambient",
        "capset",
        "no_new_privs",
        "dumpable",
        "die with the parent",
        "landlock version",
        "landlock ruleset",
        (order["reads"][0], 0b1100),
        (order["reads"][1], 0b0100),
        "landlock_restrict_self",
        "seccomp",
        "socket",
    ]
    assert kernel.program == b"12345678"
    assert [kind for kind, _ in limits] == [
        fence.resource.RLIMIT_AS,
        fence.resource.RLIMIT_CPU,
        fence.resource.RLIMIT_NOFILE,
    ]


@pytest.mark.parametrize(
    ("abi", "size", "rights"),
    [(1, 8, 0x1FFF), (2, 8, 0x3FFF), (3, 8, 0x7FFF), (4, 16, 0x7FFF), (5, 16, 0xFFFF), (6, 24, 0xFFFF)],
)
def test_landlock_is_asked_for_what_it_knows(run, abi, size, rights):
    kernel = Kernel(abi=abi)
    assert run(kernel)[0] == {"abi": abi}
    assert len(kernel.attributes) == size
    assert int.from_bytes(kernel.attributes[:8], "little") == rights


@pytest.mark.parametrize(
    "step",
    [
        "capset",
        "no_new_privs",
        "dumpable",
        "die with the parent",
        "landlock version",
        "landlock ruleset",
        "landlock_restrict_self",
        "seccomp",
    ],
)
def test_a_step_that_fails_ends_it(run, step):
    kernel = Kernel(fails=step)
    said, code, ran, _ = run(kernel)
    assert set(said) == {"why"}
    assert (code, ran) == (71, None)
    assert kernel.asked[-1] == step


def test_a_rule_that_fails_ends_it(run, order):
    said, code, ran, _ = run(Kernel(fails=(order["reads"][1], 0b0100)))
    assert "landlock" in said["why"]
    assert (code, ran) == (71, None)


def test_walls_that_do_not_hold_end_it(run):
    assert run(Kernel(), locked=False)[:3] == ({"why": "OSError: landlock does not hold"}, 71, None)
    assert run(Kernel(sockets=True))[:3] == ({"why": "OSError: seccomp does not hold"}, 71, None)


def test_a_parent_that_went_away_ends_it(run):
    assert run(Kernel(), parent=1 << 22)[:3] == ({"why": "OSError: the parent went away"}, 71, None)


def test_an_order_that_is_cut_off_ends_it(run):
    with pytest.raises(EOFError):
        run(Kernel(), sent=b"\0\0\1\0half")


def test_threads_end_it(run):
    said, code, ran, _ = run(Kernel(), tasks=("1", "2"))
    assert (said, code, ran) == ({"why": "OSError: a thread was there before the fence"}, 71, None)


def test_a_filter_that_a_thread_escaped_ends_it(run, monkeypatch):
    kernel = Kernel()
    kernel.syscall = lambda number, *rest: 4711 if number.value == 317 else Kernel.syscall(kernel, number, *rest)
    said, code, ran, _ = run(kernel)
    assert (said, code, ran) == ({"why": "OSError: seccomp: a thread could not be fenced"}, 71, None)


def test_a_module_runs_by_its_name(run):
    assert run(Kernel(), module="this", arguments=[])[1] is None


def test_the_pipes_come_to_their_places_and_everything_else_is_closed():
    asked, ask = os.pipe()
    hear, tell = os.pipe()
    pid = os.fork()
    if not pid:
        os.dup2(asked, 0)
        os.dup2(tell, 1)
        fence._descriptors()
        found = sorted(int(name) for name in os.listdir("/proc/self/fd"))[:-1]
        null = all(os.readlink(f"/proc/self/fd/{place}") == "/dev/null" for place in (0, 1, 2))
        os.write(fence.REPLIES, json.dumps([found, null, os.read(fence.REQUESTS, 4).decode()]).encode())
        os._exit(0)
    os.close(asked)
    os.close(tell)
    os.write(ask, b"work")
    os.close(ask)
    with os.fdopen(hear) as said:
        assert json.loads(said.read()) == [[0, 1, 2, 3, 4], True, "work"]
    assert os.waitpid(pid, 0)[1] == 0
