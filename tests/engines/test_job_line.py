"""A line into an attempt: its shim's own socket, and nothing else that stands under that name."""

from __future__ import annotations

import asyncio
import os
import socket

import msgspec
import pytest

from casemate.engines.job_folder import boot, started
from casemate.engines.job_line import connected
from casemate.engines.job_scratch import JobScratch
from casemate.errors import Absent, EngineFailed

NAME = "terminal.sock"


@pytest.fixture
def attempt(tmp_path):
    folder = tmp_path / "attempt"
    folder.mkdir(mode=0o700)
    claim(folder)
    return folder


def claim(folder, **more):
    told = {"pid": os.getpid(), "start": started(os.getpid()), "boot": boot(), "node": os.uname().nodename, **more}
    (folder / "claim").write_bytes(msgspec.json.encode(told))


def serving(folder, name=NAME):
    door = socket.socket(socket.AF_UNIX)
    door.bind(str(folder / name))
    door.listen(1)
    return door


def connect(folder):
    held = os.open(folder, os.O_RDONLY)
    try:
        return connected(held, NAME)
    finally:
        os.close(held)


def test_what_the_shim_serves_is_reached(attempt):
    with serving(attempt) as door, connect(attempt) as line:
        other, _ = door.accept()
        other.sendall(b"hi")
        line.setblocking(True)
        assert line.recv(2) == b"hi"
        other.close()


def test_nothing_is_there_yet(attempt):
    with pytest.raises(Absent):
        connect(attempt)
    serving(attempt).close()  # its file stays, and nobody listens
    with pytest.raises(Absent):
        connect(attempt)
    (attempt / "claim").unlink()
    with pytest.raises(Absent):
        connect(attempt)
    claim(attempt, fenced="lease")
    with pytest.raises(Absent):
        connect(attempt)


def test_a_link_to_a_socket_of_the_region_is_not_followed(attempt, tmp_path):
    with serving(tmp_path, "control.sock"):
        (attempt / NAME).symlink_to(tmp_path / "control.sock")
        with pytest.raises(Absent):
            connect(attempt)
    (attempt / NAME).unlink()
    (attempt / NAME).write_text("no socket")
    with pytest.raises(Absent):
        connect(attempt)


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone gives folders away")
def test_a_socket_that_is_not_the_folders_owners_is_none(attempt, tmp_path):
    """The file is his, and another's process listens."""
    with serving(tmp_path, "control.sock"):
        os.link(tmp_path / "control.sock", attempt / NAME)
        os.chown(attempt, 54321, 54321)
        os.chown(attempt / NAME, 54321, 54321)
        with pytest.raises(Absent):
            connect(attempt)


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone gives folders away")
def test_a_socket_of_another_under_a_hard_link_is_none(attempt, tmp_path):
    """A cluster's user puts a socket of somebody else where his job's should be; even his own process may listen."""
    with serving(tmp_path, "control.sock"):
        os.link(tmp_path / "control.sock", attempt / NAME)
        os.chown(attempt / NAME, 54321, 54321)
        with pytest.raises(Absent):
            connect(attempt)


@pytest.mark.parametrize("more", [{"node": "n7"}, {"boot": "another"}])
def test_an_attempt_of_another_machine_is_refused_in_words(attempt, more):
    claim(attempt, **more)
    with serving(attempt), pytest.raises(EngineFailed) as told:
        connect(attempt)
    assert "runs on" in str(told.value.facts["why"])


def test_a_line_says_and_hears_until_its_end(tmp_path):
    scratch = JobScratch(tmp_path / "jobs")
    token = "a" * 32

    async def work():
        folder = await scratch.make("dom", token)
        path = tmp_path / "jobs" / "dom" / token
        assert folder.path == str(path)
        claim(path)
        heard = []

        async def one(reader, writer):
            heard.append(await reader.read())
            writer.write(b"answer")
            writer.close()

        os.chdir(path)
        server = await asyncio.start_unix_server(one, NAME)
        os.chdir("/")
        line = await scratch.line("dom", token, NAME)
        await line.send(b"asked")
        line.finish()
        assert [await line.receive(), await line.receive()] == [b"answer", b""]
        line.close()
        await line.send(b"late")
        server.close()
        return heard

    assert asyncio.run(work()) == [b"asked"]
    with pytest.raises(Absent):
        asyncio.run(scratch.line("dom", "b" * 32, NAME))
