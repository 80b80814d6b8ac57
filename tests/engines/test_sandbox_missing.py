"""Where the fence is missing, or does not hold, or is only claimed: nothing runs, and nothing is sent."""

from __future__ import annotations

import asyncio
import os
import subprocess
from pathlib import Path

import pytest

from casemate.engines.sandbox import Sandbox, support
from casemate.engines.sandbox.machine import this_machine
from casemate.errors import Misconfigured, SandboxMissing
from tests.engines.sandboxed import PROBE, ask, needs_kernel


class TestWithoutAFence:
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
