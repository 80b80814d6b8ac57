"""Further nodes of an attempt: the same walls, one seat each, and an end with the first node."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess

import pytest

from casemate.engines import job_order
from tests.engines.job_folders import Attempt, marked, until

pytestmark = pytest.mark.skipif(shutil.which("bwrap") is None, reason="no bubblewrap")

WIDE = {"nodes": 2, "tasks": 2, "network": "host"}
HOLDS = "/job/.mpi/agent node1 'echo begun > /out/begun; exec sleep {mark}'"


@pytest.fixture
def root(outside):
    return outside / "region" / "jobs"


def seated(one: Attempt) -> subprocess.Popen[bytes]:
    """A shim on another node of it, which is this machine too."""
    return subprocess.Popen(
        [*job_order.shim(), "--seat", str(one.path)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,
    )


def code(process, seconds=40):
    """What it ends with; None where it does not."""
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        return None


def soon(order):
    order["beat_s"] = 0.2


def test_what_is_asked_of_another_node_runs_there_in_the_same_walls(root):
    asks = "/job/.mpi/agent -x node1 'hostname; cat /proc/self/status; echo wrong >&2; exit 3'"
    one = Attempt(root, f"cat /proc/self/status > here; hostname; {asks}", "L2", **WIDE).start()
    other = seated(one)
    assert one.process.wait(120) == 0
    assert code(other) == 0
    assert (one.record()["exit"], one.log("err")) == (3, b"wrong\n")
    first, second, *there = one.log().decode().splitlines()
    assert (first, second) == ("node0", "node1")
    kept = ("Uid", "Gid", "Groups", "Cap", "NoNewPrivs", "Seccomp:")
    here = (one.path / "work" / "here").read_text().splitlines()
    assert [line for line in there if line.startswith(kept)] == [line for line in here if line.startswith(kept)]
    used = json.loads((one.path / "used.1").read_bytes())
    assert 0 < used["cpu_us"] < one.record()["usage"]["cpu_us"]


def test_a_seat_is_taken_once(root):
    mark = f"{3600}.{os.getpid()}1"
    one = Attempt(root, HOLDS.format(mark=mark), "L2", change=soon, **WIDE).start()
    first = seated(one)
    until(one.out("begun").exists)
    assert code(seated(one)) == 75
    one.process.send_signal(signal.SIGTERM)
    assert one.process.wait(60) == 0
    assert code(first) == 0
    assert one.record()["reason"] == "stop"
    assert not marked(mark)
    assert code(seated(one)) == 75  # nor after the end


def test_where_no_network_was_ordered_nobody_sits_down(root):
    one = Attempt(root, "hostname; cat /job/.mpi/hosts; test ! -e /job/.mpi/node1", "L2", nodes=2, tasks=3)
    assert one.run() == 0
    assert (one.record()["exit"], one.log()) == (0, b"node0\nnode0 slots=3\n")
    assert code(seated(one)) == 71
    assert not (one.path / "seat.1").exists()
    plain = Attempt(root, "hostname; test ! -e /job/.mpi", "L2")
    assert plain.run() == 0
    assert (plain.record()["exit"], plain.log()) == (0, b"job\n")


@pytest.mark.parametrize("how", ["fenced", "killed"])
def test_what_has_lost_its_first_node_ends(root, how):
    mark = f"{3600}.{os.getpid()}{2 + (how == 'killed')}"
    one = Attempt(root, HOLDS.format(mark=mark), "L2", change=soon, **WIDE).start()
    other = seated(one)
    until(one.out("begun").exists)
    if how == "fenced":
        (one.path / "claim").unlink()
        (one.path / "claim").write_text('{"fenced": "LEASE"}')
    else:
        one.process.kill()
    assert code(other) == 0
    one.process.wait(60)
    assert not (one.path / "exit.json").exists()
    assert not marked(mark)
