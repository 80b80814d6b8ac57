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
from casemate.engines.sandbox import Limits, Sandbox, support
from casemate.engines.sandbox.machine import this_machine
from casemate.errors import EngineFailed, Misconfigured, SandboxMissing

PROBE = str(Path(__file__).with_name("probe.py"))
needs_kernel = pytest.mark.skipif(bool(support().why), reason=f"no sandbox here: {support().why}")

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
        for name, file in (("keys", "master.key"), ("run", "token"), ("data", "records.db")):
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


def ask(told, *, limits=None, reads=(), arguments=(), deadline=30.0, type=object, protect=()):
    """One question to a fresh probe."""

    async def go():
        sandbox = Sandbox(protect=protect)
        cell = Cell(sandbox, Program("probe", PROBE, tuple(reads), limits or Limits(), tuple(arguments), deadline))
        try:
            return await cell.ask(told, type)
        finally:
            await cell.close()
            sandbox.close()

    return asyncio.run(go())


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


class TestWithoutAFence:
    """Nothing runs where the fence is missing or does not hold, and nothing is sent."""

    def test_a_kernel_that_cannot(self, monkeypatch):
        from casemate.engines.sandbox import probe, spawn

        monkeypatch.setattr(spawn, "support", lambda: probe.Support("the kernel has no Landlock"))
        monkeypatch.setattr(spawn.subprocess, "Popen", lambda *a, **k: pytest.fail("a child was started"))
        with pytest.raises(SandboxMissing) as missing:
            ask({"ask": "echo", "value": 1})
        assert missing.value.facts["why"] == "the kernel has no Landlock"

    @pytest.mark.parametrize("machine", [("linux", "riscv64"), ("darwin", "x86_64"), ("linux", "i686")])
    def test_a_machine_that_is_not_known(self, monkeypatch, machine):
        from casemate.engines.sandbox import machine as known

        monkeypatch.setattr(known.sys, "platform", machine[0])
        monkeypatch.setattr(known.platform, "machine", lambda: machine[1])
        assert "no filter is known" in support().why

    @needs_kernel
    @pytest.mark.parametrize(("missing", "why"), [("seccomp", "seccomp"), ("landlock_create_ruleset", "Landlock")])
    def test_a_kernel_without_one_of_the_two(self, monkeypatch, missing, why):
        import dataclasses

        from casemate.engines.sandbox import probe

        machine = this_machine()
        assert machine is not None
        absent = dataclasses.replace(machine, calls={**machine.calls, missing: 4000})
        monkeypatch.setattr(probe, "this_machine", lambda: absent)
        assert why in support().why

    @needs_kernel
    @pytest.mark.parametrize(
        ("claim", "why"),
        [
            ('{"abi": 7}', "Seccomp of the child is"),
            ('{"why": "seccomp: Invalid argument"}', "seccomp: Invalid argument"),
            ("nonsense", ""),
            ("", "fenced in time"),
        ],
    )
    def test_a_child_that_only_says_so_is_killed_and_gets_no_work(self, monkeypatch, tmp_path, claim, why):
        from casemate.engines.sandbox import spawn

        heard = tmp_path / "heard"
        (tmp_path / "cells").mkdir()
        (tmp_path / "cells" / "fence.py").write_text(
            "import os, struct\n"
            "size = struct.unpack('>I', os.read(0, 4))[0]\n"
            "while size > 0: size -= len(os.read(0, size))\n"
            f"os.write(1, {claim!r}.encode() + (b'\\n' if {claim!r} else b''))\n"
            f"if {claim!r}:\n    data = os.read(0, 100)\n    open({str(heard)!r}, 'wb').write(b'got ' + data)\n"
        )
        monkeypatch.setattr(spawn, "PACKAGE", tmp_path)
        started = []
        popen = subprocess.Popen
        monkeypatch.setattr(spawn.subprocess, "Popen", lambda *a, **k: started.append(popen(*a, **k)) or started[-1])
        with pytest.raises(SandboxMissing) as missing:
            ask({"ask": "echo", "value": "the secret"})
        assert why in str(missing.value.facts["why"])
        assert [process.poll() is not None for process in started] == [True]
        assert not heard.exists() or heard.read_bytes() == b"got "

    @needs_kernel
    def test_a_filter_that_lets_all_through_is_noticed_by_the_child(self, monkeypatch):
        from casemate.engines.sandbox import bpf, spawn

        open_door = lambda machine, pid, threads: bpf.assemble(machine.audit, machine.x32, [], bpf.ALLOW)  # noqa: E731
        monkeypatch.setattr(spawn, "program", open_door)
        with pytest.raises(SandboxMissing) as missing:
            ask({"ask": "echo", "value": 1})
        assert "seccomp does not hold" in str(missing.value.facts["why"])

    @needs_kernel
    def test_a_landlock_that_lets_the_home_be_read_is_noticed_by_the_child(self, tmp_path):
        async def go():
            sandbox = Sandbox(home=tmp_path / "home")
            await sandbox.spawn(PROBE, reads=(sandbox.home,))

        with pytest.raises(SandboxMissing) as missing:
            asyncio.run(go())
        assert "landlock does not hold" in str(missing.value.facts["why"])

    @pytest.mark.parametrize(
        ("field", "value", "why"),
        [
            ("Seccomp", "0", "Seccomp of the child is 0"),
            ("NoNewPrivs", "0", "NoNewPrivs of the child is 0"),
            ("Threads", "2", "Threads of the child is 2"),
            ("CapEff", "0000000000000001", "the child holds capabilities (CapEff)"),
            ("CapPrm", "1", "the child holds capabilities (CapPrm)"),
            ("Seccomp_filters", "3", "the child added no filter of its own"),
        ],
    )
    def test_what_the_kernel_says_of_a_child(self, monkeypatch, field, value, why):
        from casemate.engines.sandbox import probe

        fenced = {"Seccomp": "2", "NoNewPrivs": "1", "Threads": "1", "Seccomp_filters": "4"}
        fenced |= dict.fromkeys(("CapInh", "CapPrm", "CapEff", "CapAmb"), "0000000000000000")
        monkeypatch.setattr(probe, "_status", lambda path: fenced)
        assert probe.unfenced(1, before=3) == ""
        monkeypatch.setattr(probe, "_status", lambda path: {**fenced, field: value})
        assert probe.unfenced(1, before=3) == why

    def test_a_child_that_is_gone_is_not_fenced(self):
        from casemate.engines.sandbox import probe

        assert probe.unfenced(1 << 22, before=0) == "the child ended"

    @needs_kernel
    @pytest.mark.parametrize(("broken", "why"), [("executable", "interpreter"), ("proc", "/proc is not mounted")])
    def test_a_machine_on_which_nothing_can_be_checked(self, monkeypatch, broken, why):
        from casemate.engines.sandbox import probe

        if broken == "executable":
            monkeypatch.setattr(probe.sys, "executable", "")
        else:
            monkeypatch.setattr(probe, "Path", lambda path: Path(str(path).replace("/proc", "/nonexistent")))
        assert why in support().why

    @needs_kernel
    def test_a_machine_that_starts_no_process(self, monkeypatch):
        from casemate.engines.sandbox import spawn

        def refuse(*arguments, **options):
            raise BlockingIOError(11, "Resource temporarily unavailable")

        monkeypatch.setattr(spawn.subprocess, "Popen", refuse)
        before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
        with pytest.raises(SandboxMissing) as missing:
            ask({"ask": "echo", "value": 1})
        assert missing.value.facts["why"] == "a child process cannot be started"
        assert len(os.listdir("/proc/self/fd")) <= before  # noqa: PTH208

    def test_what_is_protected_is_never_granted(self, tmp_path):
        (tmp_path / "keys").mkdir()
        for reads in (tmp_path, tmp_path / "keys", tmp_path / "keys" / ".." / "keys"):
            with pytest.raises(Misconfigured):
                ask({"ask": "echo", "value": 1}, reads=(reads,), protect=(tmp_path / "keys",))


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
