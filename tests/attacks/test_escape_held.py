"""No way leads out of a job: sixty of them, at both levels, for a region of root and for one of an ordinary user."""

from __future__ import annotations

import contextlib
import os

import pytest

from tests.attacks.escapes import JOB, WHO, Scene, needs_bubblewrap, needs_python

WAYS = 66


@contextlib.contextmanager
def terminal_of_a_neighbour(owner):
    outer, inner = os.openpty()
    os.fchown(inner, owner, owner)
    try:
        yield
    finally:
        os.close(outer)
        os.close(inner)


@needs_python
@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("level", [pytest.param("L2", marks=needs_bubblewrap), "L1"])
def test_no_way_leads_out(who, level, outside):
    with Scene(outside, who) as scene:
        found, record = scene.run(level)
    assert len(found) == WAYS
    assert [way for way, out in found.items() if out] == []
    assert (record["exit"], record["level"]) == (0, level)


def at_terminal(order):
    order["interactive"] = {"kind": "shell", "idle_s": 0, "port": 0}


@needs_python
@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("level", [pytest.param("L2", marks=needs_bubblewrap), "L1"])
def test_no_way_leads_out_of_a_job_with_a_terminal(who, level, outside):
    with Scene(outside, who) as scene, terminal_of_a_neighbour(scene.owner):
        found, record = scene.run(level, change=at_terminal)
    assert len(found) == WAYS
    assert [way for way, out in found.items() if out] == []
    assert (record["exit"], record["level"]) == (0, level)


@needs_python
@needs_bubblewrap
@pytest.mark.skipif("root" not in WHO, reason="root alone has another user to become")
@pytest.mark.parametrize("level", ["L2", "L1"])
def test_what_a_job_of_root_writes_is_never_roots(level, outside):
    with Scene(outside, "root") as scene:
        _, record = scene.run(level, command=("/bin/sh", "-c", 'echo made > "$CASEMATE_OUT/x"'))
        told = (scene.attempt / "out" / "x").stat()
    assert record["exit"] == 0
    assert (told.st_uid, told.st_gid) == (JOB, JOB)


@needs_python
@pytest.mark.skipif("root" not in WHO, reason="root alone may run jobs as root")
@pytest.mark.parametrize("uid", [None, 0])
def test_root_runs_nothing_as_root(uid, outside):
    with Scene(outside, "root") as scene:
        _, record = scene.run("L1", command=("/bin/true",), uid=uid)
    assert (record["exit"], record["reason"]) == (None, "sandbox")


@needs_python
@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("broken", ["no filter", "bad filter", "no landlock", "another level"])
def test_a_wall_that_cannot_be_built_runs_nothing(who, broken, outside):
    def change(order):
        machine = os.uname().machine
        if broken == "no filter":
            order["seccomp"] = {}
        elif broken == "bad filter":
            order["seccomp"][machine] = "AAAAAAAAAAA="
        elif broken == "no landlock":
            order["calls"][machine]["landlock_create_ruleset"] = 9999
        else:
            order["level"] = "L3"

    with Scene(outside, who) as scene:
        _, record = scene.run("L1", command=("/bin/sh", "-c", "echo ran > x"), change=change)
        assert not (scene.attempt / "work" / "x").exists()
    assert (record["exit"], record["reason"]) == (None, "sandbox")
    assert record["why"]


@needs_python
@needs_bubblewrap
@pytest.mark.parametrize("who", WHO)
def test_what_counts_the_work_of_the_machine_is_not_told(who, outside):
    names = "loadavg diskstats interrupts kallsyms key-users schedstat softirqs timer_list vmstat zoneinfo"
    script = f'cd /proc && for one in {names}; do [ -e $one ] && cat $one; done > "$CASEMATE_OUT/told"; true'
    with Scene(outside, who) as scene:
        _, record = scene.run("L2", command=("/bin/sh", "-c", script))
        told = (scene.attempt / "out" / "told").read_bytes()
    assert (record["exit"], record["level"]) == (0, "L2")
    assert told == b"0.00 0.00 0.00 1/1 1\n"
