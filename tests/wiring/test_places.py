"""Sockets, locks and folders: the small things that decide whether a region can start where one died."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from casemate.errors import Misconfigured, NotRunning, Occupied
from casemate.wiring import Folder
from casemate.wiring.alone import hold
from casemate.wiring.local import answers, connect, listen, reachable
from casemate.wiring.tcp import listen_tcp


@pytest.fixture
def deep(tmp_path: Path) -> Path:
    """A folder whose name alone is longer than a socket's may be."""
    folder = tmp_path / ("d" * 100) / ("e" * 100)
    folder.mkdir(parents=True)
    return folder


def test_a_local_socket_may_lie_deep_and_is_its_owners_alone(deep: Path) -> None:
    path = deep / "a.sock"
    with listen(path):
        assert path.stat().st_mode & 0o777 == 0o600
        assert answers(path)

        async def talk() -> bytes:
            async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                writer.write(b"hello")
                writer.close()

            async with await asyncio.start_unix_server(greet, sock=listen(deep / "b.sock")):
                reader, writer = await connect(deep / "b.sock")
                said = await reader.read()
                writer.close()
                return said

        assert asyncio.run(talk()) == b"hello"


def test_a_socket_file_that_a_dead_process_left_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.sock"
    listen(path).close()
    assert path.exists()
    assert not answers(path)
    with listen(path):
        assert answers(path)
    assert not answers(tmp_path / "never.sock")


def test_where_no_socket_can_be_nothing_stays_open(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    (tmp_path / "a.sock").mkdir()
    with pytest.raises(OSError, match=r"."):
        listen(tmp_path / "a.sock")
    with pytest.raises(OSError, match=r"."):
        asyncio.run(connect(tmp_path / "none.sock"))
    with pytest.raises(FileNotFoundError), reachable(tmp_path / "no" / "a.sock"):
        pass
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_tcp_port_is_ours_taken_or_impossible() -> None:
    with listen_tcp("127.0.0.1", 0) as ours:
        port = ours.getsockname()[1]
        with pytest.raises(Occupied) as taken:
            listen_tcp("127.0.0.1", port)
        assert str(port) in str(taken.value.facts["what"])
    with pytest.raises(Misconfigured):
        listen_tcp("203.0.113.7", 0)
    with pytest.raises(Misconfigured):
        listen_tcp("no-such-host.invalid.", 0)


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
def test_ipv6_loopback() -> None:
    try:
        with listen_tcp("::1", 0) as ours:
            assert ours.family is socket.AF_INET6
    except Misconfigured:
        pytest.skip("this machine has no IPv6 loopback")


HOLDER = """
import asyncio, sys
from pathlib import Path
from casemate.wiring import Folder
from casemate.wiring.alone import hold
async def main():
    fd = await hold(Folder(Path(sys.argv[1])))
    print("held", flush=True)
    sys.stdin.read()
asyncio.run(main())
"""


def test_one_region_per_folder(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.run.mkdir()
    other = subprocess.Popen([sys.executable, "-c", HOLDER, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert other.stdin is not None
    assert other.stdout is not None
    with other.stdin, other.stdout:
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(Occupied):
            asyncio.run(hold(folder))
        other.kill()
        other.wait()
    os.close(asyncio.run(hold(folder)))


def test_whoever_starts_waits_for_the_orphans_of_a_supervisor_that_was_killed(tmp_path: Path) -> None:
    """The lock is still held, but by nobody who is alive under the number that is written there."""
    folder = Folder(tmp_path)
    folder.run.mkdir()

    async def story() -> None:
        first = await hold(folder)
        (folder.run / "region.lock").write_text("999999999")
        waiting = asyncio.ensure_future(hold(folder))
        await asyncio.sleep(0.2)
        assert not waiting.done()
        os.close(first)
        os.close(await asyncio.wait_for(waiting, 10))

    asyncio.run(story())


def test_a_folder_knows_its_parts(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    assert not folder.exists
    with pytest.raises(NotRunning):
        folder.settings()
    folder.settings_file.write_bytes(b"\xff")
    with pytest.raises(Misconfigured):
        folder.settings()
    folder.settings_file.write_text("[listen]\nport = 81\n")
    assert folder.exists
    assert folder.wires() == "http://127.0.0.1:81"
    folder.settings_file.write_text('[listen]\nhost = "::1"\nport = 81\n')
    assert folder.wires() == "http://[::1]:81"
    folder.door.mkdir()
    folder.addresses.write_text("{")
    assert folder.wires() == "http://[::1]:81"
    folder.addresses.write_text('{"wires": "http://127.0.0.1:5", "console": "http://127.0.0.1:6"}')
    assert folder.wires() == "http://127.0.0.1:5"
    assert Folder.default() == Path("casemate")


def test_the_face_gives_what_it_names_and_nothing_else() -> None:
    import casemate.wiring as face

    for name in face.__all__:
        assert getattr(face, name) is not None
    with pytest.raises(AttributeError):
        _ = face.nonsense
