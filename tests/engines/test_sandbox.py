"""The fence, felt from inside: a child tries what it must not do; a plain process does the same, as control."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from casemate.engines.cell import Cell, Program
from casemate.engines.sandbox import Limits, Sandbox
from casemate.engines.sandbox.machine import this_machine
from casemate.errors import EngineFailed
from tests.engines.sandboxed import PROBE, ask, needs_kernel

# What a plain process of anybody may do on a common machine: the control that shows that the attempts are real.
COMMON = {
    "socket",
    "socket unix",
    "socketpair",
    "connect tcp",
    "connect unix",
    "bind and listen",
    "fork",
    "spawn",
    "exec",
    "write",
    "truncate by opening",
    "truncate",
    "mkdir",
    "unlink",
    "rename",
    "chmod",
    "read keys",
    "list keys",
    "read run",
    "list run",
    "read data",
    "list the root",
    "read etc",
    "list processes",
    "signal the parent",
    "watch the parent",
    "limit the parent",
    "raise own limit",
    "pin the parent",
    "anonymous file",
    "signal by queue",
    "personality",
}


class Region:
    """A folder as a region has it, a listening port and a listening socket: all within reach of a plain process."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name, file in (("keys", "region.key"), ("run", "token"), ("data", "records.db")):
            (root / name).mkdir()
            (root / name / file).write_text("secret")
        for name in ("victim", "doomed", "moved"):
            (root / name).write_text("content")
        (root / "script").write_bytes(b"\x00no program")
        (root / "script").chmod(0o755)
        self.tcp = socket.create_server(("127.0.0.1", 0))
        self.unix = socket.socket(socket.AF_UNIX)
        self.unix.bind(str(root / "run" / "w.sock"))
        self.unix.listen()

    def told(self) -> dict[str, object]:
        names = {name: str(self.root / name) for name in ("keys", "run", "data", "victim", "doomed", "moved", "script")}
        machine = this_machine()
        assert machine is not None
        rest = {
            "folder": str(self.root),
            "port": self.tcp.getsockname()[1],
            "socket": str(self.root / "run" / "w.sock"),
        }
        return {**names, **rest, "parent": os.getpid(), "calls": machine.calls}

    def close(self) -> None:
        self.tcp.close()
        self.unix.close()


@pytest.fixture
def region(tmp_path):
    made = Region(tmp_path)
    yield made
    made.close()


def plain(told):
    """The same in a process without a fence."""
    run = [sys.executable, "-I", PROBE, json.dumps(told)]
    out = subprocess.run(run, capture_output=True, text=True, check=True, env={"HOME": told.get("folder", "/")})
    return json.loads(out.stdout)


@needs_kernel
class TestFromInside:
    def test_nothing_that_is_forbidden_can_be_done_and_a_plain_process_can_do_it(self, region):
        told = {**region.told(), "ask": "all"}
        inside = ask(told)
        assert {name: how for name, how in inside.items() if how not in ("EPERM", "EACCES")} == {}
        assert (region.root / "victim").read_text() == "content"
        outside = plain(told)
        assert not {name for name in COMMON if outside[name] != "done"}
        assert not COMMON - set(inside)

    def test_every_known_call_that_is_not_allowed_answers_eperm(self, region):
        from casemate.engines.sandbox import filter as rules

        calls = region.told()["calls"]
        conditional = {"open", "openat", "ioctl", "fcntl", "prctl", "tgkill", "prlimit64", "sched_setaffinity", "clone"}
        tried = {name: n for name, n in calls.items() if name not in rules._ALLOWED and name not in conditional}
        said = ask({"ask": "raw", "calls": tried})
        assert len(said) > 130
        assert {name for name, how in said.items() if how != "EPERM"} == {"openat2", "clone3"}
        assert {said["openat2"], said["clone3"]} == {"ENOSYS"}

    def test_a_call_that_nobody_knows_yet_answers_enosys(self):
        assert ask({"ask": "raw", "calls": {"new": 4000}}) == {"new": "ENOSYS"}

    def test_the_other_calling_conventions_of_the_machine_kill(self):
        machine = this_machine()
        if machine is None or not machine.x32:
            pytest.skip("this machine has one calling convention")
        with pytest.raises(EngineFailed) as x32:
            ask({"ask": "x32"})
        with pytest.raises(EngineFailed) as i386:
            ask({"ask": "int80"})
        assert x32.value.facts["why"] == "it was ended by signal 31"  # SIGSYS
        # a kernel without i386 faults on the instruction itself
        assert i386.value.facts["why"] in ("it was ended by signal 31", "it was ended by signal 11")

    def test_threads_only_where_they_are_granted(self):
        assert ask({"ask": "thread"}) == "refused"
        assert ask({"ask": "thread"}, limits=Limits(threads=True)) == "done"

    def test_with_threads_there_is_still_no_fork(self, region):
        told = {**region.told(), "ask": "all"}
        inside = ask(told, limits=Limits(threads=True))
        assert {name: inside[name] for name in ("fork", "spawn", "socket", "exec")} == dict.fromkeys(
            ("fork", "spawn", "socket", "exec"), "EPERM"
        )

    def test_the_environment_is_made_and_not_inherited(self, monkeypatch):
        monkeypatch.setenv("CASEMATE_SECRET", "x")
        monkeypatch.setenv("LD_PRELOAD", "")
        found = ask({"ask": "environment"}, type=dict)
        assert found["ORT_DISABLE_TELEMETRY"] == "1"
        assert found["HF_HUB_OFFLINE"] == "1"
        assert found["OMP_NUM_THREADS"] == "1"
        assert found["OMP_WAIT_POLICY"] == "PASSIVE"
        assert not {"CASEMATE_SECRET", "LD_PRELOAD", "PYTHONPATH", "USER"} & set(found)
        assert found["HOME"] != os.environ.get("HOME")

    def test_it_holds_its_pipes_and_nothing_else(self):
        extra = os.open(PROBE, os.O_RDONLY)
        os.set_inheritable(extra, True)
        try:
            assert ask({"ask": "descriptors"}) == [0, 1, 2, 3, 4]
        finally:
            os.close(extra)

    def test_it_has_a_session_of_its_own_and_an_isolated_interpreter(self):
        found = ask({"ask": "identity"}, arguments=("a", "b"), type=dict)
        assert found["session"] == found["pid"] != os.getpid()
        assert found["argv"] == ["a", "b"]
        assert found["isolated"] == 1
        assert str(Path(PROBE).parent) not in found["path"]

    def test_what_it_prints_is_no_reply(self):
        assert ask({"ask": "print"}) is None

    def test_a_named_folder_can_be_read_and_its_neighbour_cannot(self, tmp_path):
        for name in ("model", "other"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "file").write_text(name)
        reads = (tmp_path / "model",)
        assert ask({"ask": "read", "path": str(tmp_path / "model" / "file")}, reads=reads) == "model"
        (tmp_path / "model" / "link").symlink_to(tmp_path / "other" / "file")
        for path in ("other/file", "model/link", "model/../other/file"):
            with pytest.raises(EngineFailed) as failed:
                ask({"ask": "read", "path": str(tmp_path / path)}, reads=reads)
            assert failed.value.facts["why"] == "it broke (PermissionError)"

    def test_a_model_runs_in_it(self, tmp_path):
        onnx = pytest.importorskip("onnxruntime")
        assert onnx
        (tmp_path / "m.onnx").write_bytes(tiny())
        told = {"ask": "library", "model": str(tmp_path / "m.onnx"), "threads": 2}
        limits = Limits(memory=4 << 30, threads=True, files=256)
        assert ask(told, limits=limits, reads=(tmp_path,)) == [[2.0, 4.0]]


def field(number: int, value: int | bytes) -> bytes:
    """A field of a protobuf message, shorter than 128 bytes."""
    if isinstance(value, int):
        return bytes([number << 3, value])
    return bytes([number << 3 | 2, len(value)]) + value


def tiny() -> bytes:
    """The model y = x + x for x: float[1, 2] (onnx.proto, IR version 8, opset 13)."""
    shape = field(2, field(1, field(1, 1)) + field(1, field(1, 2)))
    kind = field(2, field(1, field(1, 1) + shape))
    node = field(1, b"x") + field(1, b"x") + field(2, b"y") + field(4, b"Add")
    ends = field(11, field(1, b"x") + kind) + field(12, field(1, b"y") + kind)
    return field(1, 8) + field(7, field(1, node) + field(2, b"g") + ends) + field(8, field(2, 13))


@needs_kernel
class TestLimits:
    def test_memory(self):
        with pytest.raises(EngineFailed) as failed:
            ask({"ask": "hold", "bytes": 400 << 20}, limits=Limits(memory=256 << 20))
        assert failed.value.facts["ending"] == "memory"
        assert ask({"ask": "hold", "bytes": 400 << 20}, limits=Limits(memory=1 << 30)) == 400 << 20

    def test_processor_time(self):
        with pytest.raises(EngineFailed) as failed:
            ask({"ask": "spin"}, limits=Limits(cpu=1), deadline=60)
        assert failed.value.facts["ending"] == "cpu"

    def test_open_files(self):
        assert ask({"ask": "opened"}, limits=Limits(files=32), type=int) <= 32

    def test_wall_time(self):
        with pytest.raises(EngineFailed) as failed:
            ask({"ask": "sleep", "seconds": 600}, deadline=0.3)
        assert failed.value.facts["ending"] == "time"


@needs_kernel
class TestLife:
    def test_a_child_dies_with_its_parent_even_while_it_works(self, tmp_path):
        source = (
            "import asyncio, sys\n"
            "from casemate.engines.cell import Cell, Program\n"
            "from casemate.engines.sandbox import Sandbox\n"
            "async def main():\n"
            f"    cell = Cell(Sandbox(), Program('probe', {PROBE!r}))\n"
            "    await cell.start()\n"
            "    asked = asyncio.ensure_future(cell.ask({'ask': 'spin'}, object))\n"
            "    print(cell.pid, flush=True)\n"
            "    await asked\n"
            "asyncio.run(main())\n"
        )
        parent = subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE, text=True, env=os.environ)
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        watch = os.pidfd_open(child)
        parent.kill()
        parent.wait()
        parent.stdout.close()
        import select

        ended, _, _ = select.select([watch], [], [], 20)
        os.close(watch)
        assert ended

    def test_the_home_stays_empty(self, tmp_path):
        async def go():
            sandbox = Sandbox(home=tmp_path / "home")
            cell = Cell(sandbox, Program("probe", PROBE))
            found = await cell.ask({"ask": "environment"}, dict)
            await cell.close()
            return found

        assert asyncio.run(go())["HOME"] == str((tmp_path / "home").resolve())
        assert list((tmp_path / "home").iterdir()) == []

    def test_a_home_that_was_made_is_removed(self):
        sandbox = Sandbox()
        home = sandbox.home
        assert home.is_dir()
        assert home.stat().st_mode & 0o777 == 0o700
        sandbox.close()
        assert not home.exists()
