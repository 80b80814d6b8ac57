"""The way in to a service, on every engine: health, a socket in its folder, a port for who knows the secret."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from casemate.cells.shim.walls import bubblewrap
from casemate.jobs.executor import Order, Serve
from casemate.jobs.job import Resources
from tests.contracts.executor_rigs import RIGS, Rig, opened, until

KNOCK = "5e" * 16 + "a7" * 16
SERVER = """
import http.server, os
class Face(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *words): pass
    def do_GET(self):
        ill = self.path == "/health" and os.path.exists("/out/ill")
        body = b"x" * 3000000 if self.path == "/much" else b"hello"
        self.send_response(503 if ill else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
http.server.ThreadingHTTPServer(("127.0.0.1", 8000), Face).serve_forever()
"""
pytestmark = pytest.mark.skipif(not bubblewrap(), reason="no bubblewrap: apt-get install bubblewrap")


@pytest.fixture(params=sorted(set(RIGS) - {"ray"}))
def rig(request: pytest.FixtureRequest, runner: asyncio.Runner) -> Iterator[Rig]:
    with opened(request.param) as found:
        yield found
        runner.run(found.close())


async def _served(rig: Rig, path: str = "/health", knock: str = KNOCK) -> Order:
    line = "cat > /job/server.py <<'END'\n" + SERVER + "END\nexec python3 /job/server.py"
    asked = Resources(memory_mb=512, wall_s=60)
    return await rig.order(line, level="L2", service=True, serve=Serve(8000, path, 1, knock), resources=asked)


async def _said(order: Order, path: str) -> bytes:
    """By the socket in the folder, whose path may be too long for an address."""
    held = os.open(order.folder, os.O_PATH)
    try:
        reader, writer = await asyncio.open_unix_connection(f"/proc/self/fd/{held}/serve.sock")
    finally:
        os.close(held)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
    try:
        return await reader.read(-1)
    finally:
        writer.close()


async def _knocks(port: int, said: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(said + b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        return await reader.read(-1)
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


async def test_a_service_is_reached_through_its_folder_and_by_nobody_else(rig: Rig) -> None:
    engine, order = rig.engine(), await _served(rig)
    native = await engine.submit(order)

    async def well() -> bool:
        return (await rig.told(order)).healthy

    async def ill() -> bool:
        return not await well()

    await until(well)
    assert (await _said(order, "/")).endswith(b"\r\n\r\nhello")
    much = await asyncio.gather(*(_said(order, "/much") for _ in range(4)))
    assert {len(one.partition(b"\r\n\r\n")[2]) for one in much} == {3_000_000}
    told = await rig.told(order)
    known = await _knocks(told.port, b"5e" * 16)
    assert (known.startswith(b"a7" * 16), known.endswith(b"hello")) == (True, True)
    assert await _knocks(told.port, b"5f" * 16) == b""
    assert await _knocks(told.port, b"") == b""
    with socket.socket() as line:  # what it listens on is not the machine's
        assert line.connect_ex(("127.0.0.1", 8000)) != 0
    assert os.stat(f"{order.folder}/serve.sock").st_mode & 0o177 == 0  # noqa: PTH116 - it does not wait
    _falls_ill(order, True)
    await until(ill)
    _falls_ill(order, False)
    await until(well)
    await rig.scratch.stop(order.domain, order.token, "cancel")
    await engine.cancel(order.domain, native, 2.0)
    assert (await rig.recorded(order)).reason == "stop"
    with pytest.raises(OSError):  # nobody listens there, or there is no such file
        await _said(order, "/")


async def test_without_a_secret_there_is_no_port_and_without_a_path_a_connection_is_health(rig: Rig) -> None:
    engine, order = rig.engine(), await _served(rig, "", "")
    native = await engine.submit(order)

    async def well() -> bool:
        return (await rig.told(order)).healthy

    await until(well)
    assert (await rig.told(order)).port == 0
    await engine.cancel(order.domain, native, 2.0)
    await rig.recorded(order)


async def test_a_service_that_nobody_can_carry_to_is_ended(rig: Rig) -> None:
    engine, order = rig.engine(), await _served(rig)
    await engine.submit(order)

    async def well() -> bool:
        return (await rig.told(order)).healthy

    await until(well)
    os.kill(_carrier(order), signal.SIGKILL)
    assert (await rig.recorded(order)).reason == "serve"


async def test_where_there_is_no_network_of_its_own_nothing_is_carried(rig: Rig) -> None:
    asked = Resources(memory_mb=512, wall_s=60, network="host")
    order = await rig.order("sleep 60", level="L2", service=True, serve=Serve(8000), resources=asked)
    await rig.engine().submit(order)
    assert (await rig.recorded(order)).reason == "serve"
    assert not await asyncio.to_thread(Path(order.folder, "serve").exists)


def _falls_ill(order: Order, ill: bool) -> None:
    at = Path(order.folder, "out", "ill")
    at.touch() if ill else at.unlink()


def _carrier(order: Order) -> int:
    """The child of the shim that listens on the socket of the folder."""
    inode = ""
    for line in Path("/proc/net/unix").read_text().splitlines():
        if line.endswith(" serve.sock"):
            inode = line.split()[6]
            for folder in Path("/proc").iterdir():
                if folder.name.isdigit() and _holds(folder, inode) and _is_in(folder, order):
                    return int(folder.name)
    raise AssertionError(inode)


def _holds(folder: Path, inode: str) -> bool:
    try:
        return any(str(one.readlink()) == f"socket:[{inode}]" for one in (folder / "fd").iterdir())
    except OSError:
        return False


def _is_in(folder: Path, order: Order) -> bool:
    """Whether it knows this folder: the shim's descriptor of it is inherited."""
    try:
        return any(str(one.readlink()) == os.path.realpath(order.folder) for one in (folder / "fd").iterdir())
    except OSError:
        return False
