"""One attempt, from its claim to its record, at both levels: what ends it, what is kept of it, and who may run it."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
from pathlib import Path

import pytest

from casemate.jobs.executor import Mount
from tests.engines.job_folders import LEVELS, Attempt, marked, until

pytestmark = pytest.mark.skipif(os.uname().sysname != "Linux", reason="Linux alone")

SLEEPS = 'echo begun > "$CASEMATE_OUT/begun"; exec sleep 600'


def ungrouped(order):
    order["groups"] = {}


@pytest.fixture
def root(outside):
    return outside / "region" / "jobs"


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(
    ("command", "code", "number"),
    [("exit 0", 0, 0), ("exit 3", 3, 0), ("kill -9 $$", 137, 9), ("kill -15 $$", 143, 15), ("exit 255", 255, 0)],
)
def test_the_record_says_how_it_ended(root, level, command, code, number):
    one = Attempt(root, command, level)
    assert one.run() == 0
    record = one.record()
    assert (record["exit"], record["signal"], record["reason"]) == (code, number, "")
    assert (record["token"], record["attempt"], record["level"]) == (one.token, 1, level)
    assert 0 < record["started"] <= record["ended"]
    assert one.collected().recorded


@pytest.mark.parametrize("level", LEVELS)
def test_a_job_sees_its_inputs_its_own_environment_and_its_folders(root, level, outside):
    tree = outside / "tree"
    tree.mkdir()
    (tree / "leaf").write_text("of the tree")
    command = """
    cat "$CASEMATE_IN/a/b"; cat "$CASEMATE_IN/data/leaf"; echo "$ASKED $HOME_OF_THE_REGION"; pwd > "$CASEMATE_OUT/where"
    echo x > made; [ -s made ] && ! echo x > "$CASEMATE_IN/a/b" && ! echo x > "$CASEMATE_IN/data/leaf" && echo kept
    """
    mounts = [Mount(str(tree), "/in/data")]
    one = Attempt(root, command, level, {"ASKED": "as ordered"}, mounts, fill=[("a/b", b"an "), ("a/b", b"input\n")])
    one.run()
    assert one.log() == b"an input\nof the treeas ordered \nkept\n"
    assert one.out("where").read_text() == ("/job\n" if level == "L2" else f"{one.path}/work\n")


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("whole", [False, True], ids=["mount", "root"])
def test_what_another_attempt_left_as_a_link_is_not_entered(root, level, whole, outside):
    """What unpacked an environment read what strangers had made: its tree may be anything."""
    secret = outside / "another's"
    secret.mkdir()
    (secret / "key").write_text("secret")
    left = root / "dom" / secrets.token_hex(16) / "out"
    left.mkdir(parents=True)
    tree = left / "tree"
    tree.symlink_to("/" if whole else secret)
    at = str(tree) if level == "L1" else "/env"
    mounts = [] if whole else [Mount(str(tree), at)]
    change = (lambda order: order.update(rootfs=str(tree))) if whole else None
    one = Attempt(root, f"cat {at}/key '{secret}/key' >&2; echo begun", level, mounts=mounts, change=change)
    assert one.run() == 0
    assert one.record()["reason"] == "sandbox"
    assert not (one.path / "log" / "out").exists()


@pytest.mark.parametrize("level", LEVELS)
def test_nothing_to_execute_is_said(root, level):
    one = Attempt(root, ["there-is-no-such-program"], level)
    assert one.run() == 0
    assert (one.record()["exit"], one.record()["reason"]) == (127, "command")
    assert b"there-is-no-such-program" in one.log("err")


@pytest.mark.parametrize("level", LEVELS)
def test_two_shims_of_one_folder_have_one_effect(root, level):
    one = Attempt(root, 'echo ran >> "$CASEMATE_OUT/ran"', level)
    both = [one.start().process, *(one.start().process for _ in range(4))]
    assert sorted(process.wait(120) for process in both) == [0, 75, 75, 75, 75]
    assert one.out("ran").read_text() == "ran\n"


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("how", ["file", "signal"])
def test_a_wish_to_stop_is_a_term_and_then_a_kill(root, level, how):
    asked = Attempt(
        root, 'trap "echo asked; exit 9" TERM; echo > "$CASEMATE_OUT/begun"; while :; do sleep 0.05; done', level
    )
    deaf = Attempt(root, 'trap "" TERM; echo > "$CASEMATE_OUT/begun"; while :; do sleep 0.05; done', level, grace_s=0.2)
    for one in (asked, deaf):
        one.start()
        until(one.out("begun").exists)
        if how == "file":
            (one.path / "stop").write_text(json.dumps({"reason": "cancel", "grace_s": one.order.grace_s}))
        else:
            one.process.send_signal(signal.SIGTERM)
        assert one.process.wait(60) == 0
    assert (asked.record()["exit"], asked.record()["reason"]) == (9, "stop")
    assert asked.log() == b"asked\n"
    assert (deaf.record()["signal"], deaf.record()["reason"]) == (9, "stop")


def test_an_engine_may_end_the_job_before_its_shim(root):
    """Ray asks each process of a job in turn, and the shim last."""
    one = Attempt(root, SLEEPS).start()
    until(one.out("begun").exists)
    (command,) = _children(one.process.pid)
    os.kill(command, signal.SIGTERM)
    until(lambda: _has_ended(command))
    one.process.send_signal(signal.SIGTERM)
    assert one.process.wait(60) == 0
    assert (one.record()["signal"], one.record()["reason"]) == (15, "stop")


def _children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _has_ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.parametrize("level", LEVELS)
def test_its_time_ends(root, level):
    one = Attempt(root, SLEEPS, level, wall_s=1, grace_s=0.1)
    one.run()
    assert one.record()["reason"] == "wall"
    assert one.record()["signal"] in (9, 15)


def test_a_service_has_no_end(root):
    one = Attempt(root, "sleep 1.5; echo still there", wall_s=1, service=True)
    one.run()
    assert (one.record()["reason"], one.log()) == ("", b"still there\n")


@pytest.mark.parametrize("level", LEVELS)
def test_its_disk_ends(root, level):
    def beats(order):
        order["beat_s"] = 0.1

    command = 'for n in 1 2 3 4; do head -c 900000 /dev/zero > "$CASEMATE_OUT/$n"; done; sync; exec sleep 600'
    one = Attempt(root, command, level, disk_mb=1, change=beats)
    one.run()
    assert one.record()["reason"] == "disk"


@pytest.mark.parametrize("level", LEVELS)
def test_no_file_is_longer_than_its_disk(root, level):
    one = Attempt(root, 'head -c 3000000 /dev/zero > "$CASEMATE_OUT/long"', level, disk_mb=1)
    one.run()
    assert one.record()["exit"] != 0
    assert one.out("long").stat().st_size == 1 << 20


@pytest.mark.parametrize("level", LEVELS)
def test_logs_have_a_bound(root, level):
    one = Attempt(root, "head -c 70000000 /dev/zero; echo end >&2", level)
    one.run()
    assert len(one.log()) == 64 << 20
    assert one.record()["dropped"] == 70_000_000 - (64 << 20)
    assert (one.record()["exit"], one.log("err")) == (0, b"end\n")


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("grouped", [pytest.param(True, id="grouped"), pytest.param(False, id="alone")])
def test_who_stays_behind_is_ended(root, level, grouped):
    """Children that left the job's session, and hold its pipes; with a control group, and without."""
    mark = secrets.token_hex(8)
    command = f"for n in 1 2 3; do setsid sh -c 'sleep 600; :' {mark} & done; exit 4"
    one = Attempt(root, command, level, change=None if grouped else ungrouped)
    assert one.run() == 0
    assert one.record()["exit"] == 4
    assert marked(mark) == []


@pytest.mark.parametrize("level", LEVELS)
def test_a_killed_shim_takes_its_job_along(root, level):
    mark = secrets.token_hex(8)
    lines = f"setsid sh -c 'sleep 20; :' {mark} & " if level == "L2" else ""
    one = Attempt(root, f'{lines}echo > "$CASEMATE_OUT/begun"; sh -c "sleep 20; :" {mark}', level).start()
    until(lambda: one.out("begun").exists() and marked(mark))
    pid = one.claim()["pid"]
    os.kill(pid, signal.SIGKILL)
    one.process.wait(60)
    if level == "L2":
        until(lambda: not marked(mark))
    told = one.collected()
    assert (told.claimed, told.alive, told.recorded) == (True, False, False)
    for left in marked(mark):
        os.kill(left, signal.SIGKILL)


@pytest.mark.parametrize("level", LEVELS)
def test_a_shim_whose_claim_was_taken_writes_nothing(root, level):
    def beats(order):
        order["beat_s"] = 0.1

    one = Attempt(root, SLEEPS, level, change=beats).start()
    until(one.out("begun").exists)
    one.process.send_signal(signal.SIGSTOP)
    (one.path / "claim.new").write_text('{"fenced": "lease"}')
    (one.path / "claim.new").rename(one.path / "claim")
    one.process.send_signal(signal.SIGCONT)
    assert one.process.wait(60) == 75
    assert not (one.path / "exit.json").exists()


def test_it_beats(root):
    def beats(order):
        order["beat_s"] = 0.05

    one = Attempt(root, SLEEPS, change=beats).start()
    until(one.out("begun").exists)
    until((one.path / "beat").exists)
    first = json.loads((one.path / "beat").read_bytes())
    assert first["at"] > one.claim()["at"] > 0  # the claim is the first of them
    until(lambda: json.loads((one.path / "beat").read_bytes())["at"] > first["at"])
    assert first["boot"] == one.claim()["boot"]
    assert one.collected().alive
    (one.path / "stop").write_text("")  # a wish that cannot be read is one all the same, at once
    one.process.wait(60)
    assert one.record()["reason"] == "stop"


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone mounts a small disk")
def test_a_disk_that_is_full_at_the_record_is_told_by_the_exit_code(root, tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    small.chmod(0o755)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k,mode=755", "none", small], check=True)
    try:
        tmp_path.chmod(0o755)
        one = Attempt(small / "jobs", 'head -c 9000000 /dev/zero > "$CASEMATE_OUT/all"; exit 0')
        assert one.run() == 71
        told = one.collected()
        assert (told.claimed, told.recorded, told.alive) == (True, False, False)
    finally:
        subprocess.run(["umount", small], check=True)


@pytest.mark.parametrize("order", ["", "{", "[]", '{"version": 1}', None])
def test_an_order_that_cannot_be_read_runs_nothing(root, order):
    one = Attempt(root, "true")
    if order is None:
        (one.path / "order.json").unlink()
    else:
        (one.path / "order.json").write_text(order)
    assert one.run() == 71
    assert not (one.path / "exit.json").exists()


@pytest.mark.parametrize("level", LEVELS)
def test_what_it_used_is_counted_with_its_children(root, level):
    one = Attempt(root, "sh -c 'n=0; while [ $n -lt 200000 ]; do n=$((n+1)); done'", level)
    one.run()
    used = one.record()["usage"]
    assert used["cpu_us"] > 20_000
    assert used["wall_us"] > 0
    assert used["rss_kb"] > 500
