"""Attempts' folders: durable, bounded, never leading out of themselves, whatever a job or another node wrote there."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casemate.engines import job_folder, job_ground
from casemate.engines.job_scratch import JobScratch
from casemate.errors import Absent, BadInput, StorageFull, TooLarge
from casemate.jobs.executor import Collected, Mount, Order
from casemate.jobs.job import Resources, Usage

DOMAIN, TOKEN = "dom", "0123456789abcdef" * 2


@pytest.fixture
def scratch(tmp_path):
    return JobScratch(tmp_path / "jobs")


@pytest.fixture
def folder(scratch):
    return asyncio.run(scratch.make(DOMAIN, TOKEN))


def do(awaitable):
    return asyncio.run(awaitable)


def ordered(folder, **more):
    return Order(TOKEN, 1, DOMAIN, folder.path, ("true",), {}, Resources(), **more)


def claimed_by_us(folder, token=TOKEN):
    told = {"pid": os.getpid(), "start": job_folder.started(os.getpid()), "boot": job_folder.boot()}
    Path(folder.path, "claim").write_text(json.dumps({**told, "node": os.uname().nodename, "nonce": "x"}))


def recorded(folder, **more):
    told = {"token": TOKEN, "attempt": 1, "exit": 0, "signal": 0, "reason": "", "started": 5, "ended": 7, **more}
    Path(folder.path, "exit.json").write_text(json.dumps(told))


def test_an_order_makes_the_folder_where_it_is_not_there_yet(scratch):
    told = scratch.at(DOMAIN, TOKEN)
    do(scratch.order(told, ordered(told)))
    assert do(scratch.make(DOMAIN, TOKEN)) == told
    assert json.loads(Path(told.path, "order.json").read_text())["token"] == TOKEN


def test_only_what_was_printed_is_told_as_printed(scratch, folder):
    claimed_by_us(folder)
    recorded(folder)
    assert do(scratch.collected(DOMAIN, TOKEN)).printed == ()
    Path(folder.logs, "err").write_text("said")
    assert do(scratch.collected(DOMAIN, TOKEN)).printed == ("err",)


def test_a_place_that_cannot_be_spread_is_left_as_it_is(tmp_path):
    held = os.open(tmp_path, os.O_RDONLY)
    os.close(held)
    job_ground.spread(held)


def test_a_folder_is_made_once_and_for_its_owner_alone(scratch, folder):
    Path(folder.work, "kept").write_text("kept")
    assert do(scratch.make(DOMAIN, TOKEN)) == folder
    assert Path(folder.work, "kept").exists()
    assert [stat.S_IMODE(path.stat().st_mode) for path in (Path(folder.path), Path(folder.path).parent)] == [0o700] * 2
    assert do(scratch.known(DOMAIN)) == [TOKEN]
    assert do(scratch.known("other")) == []


@pytest.mark.parametrize("token", ["", "..", "../x", "0" * 31, "0" * 33, "G" * 32, "0" * 31 + "/"])
def test_a_token_is_a_token(scratch, token):
    with pytest.raises(BadInput):
        do(scratch.make(DOMAIN, token))
    with pytest.raises(BadInput):
        do(scratch.remove(DOMAIN, token))


@pytest.mark.parametrize("domain", ["", "..", "a/b", "a" * 129, "."])
def test_a_domain_is_a_name(scratch, domain):
    with pytest.raises(BadInput):
        do(scratch.make(domain, TOKEN))


def test_an_order_lies_in_its_own_folder(scratch, folder):
    do(scratch.order(folder, ordered(folder, mounts=(Mount("/a", "/in/a"),))))
    told = json.loads(Path(folder.path, "order.json").read_bytes())
    assert (told["version"], told["token"], told["mounts"]) == (1, TOKEN, [["/a", "/in/a", False]])
    assert set(told["seccomp"]) == {"x86_64", "aarch64"}
    other = do(scratch.make(DOMAIN, secrets.token_hex(16)))
    with pytest.raises(BadInput):
        do(scratch.order(other, ordered(folder)))


def test_inputs_are_filled_piece_by_piece(scratch, folder):
    assert do(scratch.fill(folder, "a/b/c", b"one ")) == f"{folder.inputs}/a/b/c"
    do(scratch.fill(folder, "a/b/c", b"two"))
    do(scratch.order(folder, ordered(folder)))
    assert Path(folder.inputs, "a/b/c").read_bytes() == b"one two"
    assert stat.S_IMODE(Path(folder.inputs, "a/b/c").stat().st_mode) == 0o644
    for name in ("", "/x", "../x", "a/../x", "a//x", ".", "a/\0", "x" * 256):
        with pytest.raises(BadInput):
            do(scratch.fill(folder, name, b""))


def test_a_link_among_the_inputs_is_not_followed(scratch, folder, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "file").write_text("as it was")
    Path(folder.inputs, "link").symlink_to(tmp_path / "elsewhere")
    Path(folder.inputs, "file").symlink_to(tmp_path / "file")
    for name in ("link/x", "file"):
        with pytest.raises(OSError, match=r"."):
            do(scratch.fill(folder, name, b"x"))
    assert (list((tmp_path / "elsewhere").iterdir()), (tmp_path / "file").read_text()) == ([], "as it was")


def test_what_came_out_is_told_by_name(scratch, folder):
    out = Path(folder.outputs)
    (out / "a").mkdir()
    (out / "a" / "deep").write_bytes(b"12345")
    (out / "ünïcödé \n '\"").write_bytes(b"1")
    Path(os.fsdecode(os.fsencode(out) + b"/\xff\xfe")).write_bytes(b"12")
    (out / "link").symlink_to("/etc/passwd")
    (out / "folder").symlink_to("/etc")
    os.mkfifo(out / "pipe")
    found = do(scratch.outputs(DOMAIN, TOKEN, "", 10))
    assert found == sorted([("a/deep", 5), ("ünïcödé \n '\"", 1), (os.fsdecode(b"\xff\xfe"), 2)])
    assert do(scratch.outputs(DOMAIN, TOKEN, "a", 10)) == [("deep", 5)]
    assert do(scratch.outputs(DOMAIN, TOKEN, "a/deep", 10)) == [("", 5)]
    assert do(scratch.read(DOMAIN, TOKEN, "out", os.fsdecode(b"\xff\xfe"), 1, 10)) == b"\0"[:0] + b"2"
    assert do(scratch.read(DOMAIN, TOKEN, "out", "a/deep", 9, 10)) == b""
    for path in ("missing", "a/missing"):
        with pytest.raises(Absent):
            do(scratch.outputs(DOMAIN, TOKEN, path, 10))


@pytest.mark.parametrize("path", ["folder", "folder/passwd", "link"])
def test_no_link_is_followed_out(scratch, folder, path, tmp_path):
    Path(folder.outputs, "link").symlink_to("/etc/passwd")
    Path(folder.outputs, "folder").symlink_to("/etc")
    with pytest.raises((BadInput, Absent)):
        do(scratch.read(DOMAIN, TOKEN, "out", path, 0, 10))
    if path != "link":
        with pytest.raises((BadInput, Absent)):
            do(scratch.outputs(DOMAIN, TOKEN, path, 10))


def test_a_pipe_is_no_file_to_wait_at(scratch, folder):
    os.mkfifo(Path(folder.outputs, "pipe"))
    with pytest.raises(BadInput):
        do(scratch.read(DOMAIN, TOKEN, "out", "pipe", 0, 10))


def test_a_room_is_out_or_log(scratch, folder):
    assert do(scratch.read(DOMAIN, TOKEN, "log", "out", 0, 10)) == b""
    with pytest.raises(BadInput):
        do(scratch.read(DOMAIN, TOKEN, "..", "order.json", 0, 10))


def test_too_many_files_are_refused(scratch, folder):
    for number in range(6):
        Path(folder.outputs, str(number)).touch()
    assert len(do(scratch.outputs(DOMAIN, TOKEN, "", 6))) == 6
    with pytest.raises(TooLarge):
        do(scratch.outputs(DOMAIN, TOKEN, "", 5))
    Path(folder.outputs, "inner").mkdir()
    Path(folder.outputs, "inner", "one").touch()
    with pytest.raises(TooLarge):
        do(scratch.outputs(DOMAIN, TOKEN, "", 6))


def test_files_of_all_folders_count_together(scratch, folder):
    for name in ("a/1", "a/2", "b/1", "b/2"):
        Path(folder.outputs, name).parent.mkdir(exist_ok=True)
        Path(folder.outputs, name).touch()
    assert len(do(scratch.outputs(DOMAIN, TOKEN, "", 4))) == 4
    with pytest.raises(TooLarge):
        do(scratch.outputs(DOMAIN, TOKEN, "", 3))


def test_what_is_no_file_is_bounded_too(scratch, folder):
    left = job_folder._Left(0)
    left.entries = 2
    for name in "abc":
        Path(folder.outputs, name).mkdir()
    with job_folder.opened(folder.outputs) as held, pytest.raises(TooLarge):
        list(job_folder._files(held, "", 64, left))


def deep(top, count):
    """Folders in one another, deeper than any path can be long."""
    held = os.open(top, os.O_RDONLY)
    for _ in range(count):
        os.mkdir("d" * 100, dir_fd=held)
        inner = os.open("d" * 100, os.O_RDONLY, dir_fd=held)
        os.close(held)
        held = inner
    os.close(held)


def test_folders_without_end_are_refused_and_removed(scratch, folder):
    deep(folder.outputs, 3000)
    with pytest.raises(TooLarge):
        do(scratch.outputs(DOMAIN, TOKEN, "", 10_000))
    do(scratch.remove(DOMAIN, TOKEN))
    assert not Path(folder.path).exists()
    assert list(Path(folder.path).parent.iterdir()) == []


def test_it_is_removed_whatever_a_job_did_to_its_folders(scratch, folder, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "kept").touch()
    inner = Path(folder.work, "inner")
    inner.mkdir()
    (inner / "x").touch()
    (inner / "link").symlink_to(tmp_path / "elsewhere")
    inner.chmod(0)
    do(scratch.remove(DOMAIN, TOKEN))
    do(scratch.remove(DOMAIN, TOKEN))
    assert do(scratch.known(DOMAIN)) == []
    assert (tmp_path / "elsewhere" / "kept").exists()
    assert do(scratch.collected(DOMAIN, TOKEN)) == Collected()


def test_what_is_half_removed_is_still_known_and_removed(scratch, folder):
    Path(folder.path).rename(folder.path + ".gone")
    assert do(scratch.known(DOMAIN)) == [TOKEN]
    assert do(scratch.collected(DOMAIN, TOKEN)) == Collected()
    do(scratch.remove(DOMAIN, TOKEN))
    assert do(scratch.known(DOMAIN)) == []


def test_a_full_disk_is_said_so(scratch, folder, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageFull):
        do(scratch.order(folder, ordered(folder)))
    assert not Path(folder.path, "order.json").exists()


def test_the_record_counts_for_its_own_token_alone(scratch, folder):
    assert do(scratch.collected(DOMAIN, TOKEN)) == Collected()
    claimed_by_us(folder)
    told = do(scratch.collected(DOMAIN, TOKEN))
    assert (told.claimed, told.alive, told.recorded) == (True, True, False)
    recorded(folder, token="f" * 32)
    assert not do(scratch.collected(DOMAIN, TOKEN)).recorded
    recorded(folder, usage={"cpu_us": 3, "wall_us": 4, "rss_kb": 5, "more": 6}, node="n", level="L2", reason="wall")
    told = do(scratch.collected(DOMAIN, TOKEN))
    assert (told.recorded, told.exit, told.started, told.ended) == (True, 0, 5, 7)
    assert (told.usage, told.node, told.level, told.reason) == (Usage(3, 4, 5), "n", "L2", "wall")


def test_whoever_is_fenced_commits_nothing(scratch, folder):
    claimed_by_us(folder)
    do(scratch.fence(DOMAIN, TOKEN))
    recorded(folder)
    told = do(scratch.collected(DOMAIN, TOKEN))
    assert (told.claimed, told.alive, told.recorded, told.exit) == (True, False, False, None)
    assert json.loads(Path(folder.path, "stop").read_bytes())["grace_s"] == 0


def test_a_fence_stands_where_no_shim_has_come(scratch):
    do(scratch.fence(DOMAIN, TOKEN))
    do(scratch.fence(DOMAIN, TOKEN))
    assert do(scratch.collected(DOMAIN, TOKEN)) == Collected(claimed=True)


def test_a_lease_ends_by_the_clock_that_nobody_sets(scratch, folder, monkeypatch):
    claimed_by_us(folder)
    now = job_folder.time.clock_gettime(job_folder.time.CLOCK_BOOTTIME)
    for age, alive in ((0, True), (job_folder.LEASE_S - 1, True), (job_folder.LEASE_S + 1, False)):
        beat = {"boot": job_folder.boot(), "at": int((now - age) * 1e9)}
        Path(folder.path, "beat").write_text(json.dumps(beat))
        assert do(scratch.collected(DOMAIN, TOKEN)).alive is alive


def test_a_lease_of_another_machine_ends_by_the_clock_of_its_file_system(scratch, folder):
    told = {"pid": 1, "start": 1, "boot": "another", "node": "n2", "nonce": "x"}
    Path(folder.path, "claim").write_text(json.dumps(told))
    beat = Path(folder.path, "beat")
    beat.write_text(json.dumps({"boot": "another", "at": 1}))
    assert do(scratch.collected(DOMAIN, TOKEN)).alive
    os.utime(beat, (1, 1))
    assert not do(scratch.collected(DOMAIN, TOKEN)).alive
    assert not [path for path in Path(folder.path).iterdir() if path.name.startswith(".now")]


def test_a_process_of_the_same_number_is_not_the_shim(scratch, folder):
    claimed_by_us(folder)
    claim = json.loads(Path(folder.path, "claim").read_bytes())
    Path(folder.path, "claim").write_text(json.dumps({**claim, "start": claim["start"] + 1}))
    assert not do(scratch.collected(DOMAIN, TOKEN)).alive


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ["token", "exit", "signal", "reason", "started", "ended", "node", "level", "usage", "pid", "fenced", "boot"]
RECORDS = st.binary(max_size=200) | st.dictionaries(st.sampled_from(FIELDS), JSONS).map(
    lambda told: json.dumps({"token": TOKEN, **told}).encode()
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(record=RECORDS, claim=RECORDS, beat=RECORDS)
def test_no_record_is_believed_beyond_its_shape(scratch, folder, record, claim, beat):
    for name, data in (("exit.json", record), ("claim", claim), ("beat", beat)):
        Path(folder.path, name).write_bytes(data)
    told = do(scratch.collected(DOMAIN, TOKEN))
    assert told.claimed
    if told.recorded:
        assert json.loads(record)["token"] == TOKEN
        assert told.exit is None or (type(told.exit) is int and told.exit >= 0)
        assert min(told.signal, told.started, told.ended, *(told.usage.cpu_us, told.usage.rss_kb)) >= 0
        assert max(len(told.node), len(told.reason), len(told.level)) <= 64


@pytest.mark.parametrize("kind", ["long", "link", "pipe", "folder"])
def test_a_record_is_a_small_file(scratch, folder, kind, tmp_path):
    claimed_by_us(folder)
    path = Path(folder.path, "exit.json")
    recorded(folder)
    if kind == "long":
        path.write_text(path.read_text()[:-1] + " " * (1 << 20) + "}")
    elif kind == "link":
        path.rename(tmp_path / "real")
        path.symlink_to(tmp_path / "real")
    else:
        path.unlink()
        os.mkfifo(path) if kind == "pipe" else path.mkdir()
    assert not do(scratch.collected(DOMAIN, TOKEN)).recorded


def test_the_wish_to_stop_is_written_whole(scratch, folder):
    do(scratch.stop(DOMAIN, TOKEN, 'a "reason"'))
    assert json.loads(Path(folder.path, "stop").read_bytes())["reason"] == 'a "reason"'
    with pytest.raises(Absent):
        do(scratch.stop(DOMAIN, secrets.token_hex(16), "x"))
