from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from casemate import errors, frames
from casemate.engines.sqlite_read import SqliteReader
from casemate.engines.writer_socket import SocketCommitter, WriterServer
from casemate.errors import Conflict, Internal, Occupied, Unavailable
from casemate.store import Batch, Receipt
from tests.contracts.stores import entries, entry

SERVER = Path(__file__).with_name("writer_server_child.py")


class Scripted:
    """A committer that does what the batch's key says."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.asked = asyncio.Semaphore(0)
        self.release = asyncio.Event()

    async def commit(self, batch: Batch) -> Receipt:
        self.seen.append(batch.key)
        self.asked.release()
        if batch.key == "wait":
            await self.release.wait()
        if batch.key == "defect":
            raise RuntimeError("not ours")
        if batch.key == "conflict":
            raise Conflict(what="document doc_1")
        return Receipt((("class_a", len(self.seen)),))


def served(folder: Path, trial: Callable[[Scripted, Path], Awaitable[None]], uid: int | None = None) -> None:
    async def inside() -> None:
        committer = Scripted()
        server = WriterServer(folder / "writer.sock", committer, uid)
        await server.start()
        try:
            await trial(committer, folder / "writer.sock")
        finally:
            await server.stop()
        assert not (folder / "writer.sock").exists()

    asyncio.run(inside())


def test_errors_cross_with_their_class_and_facts(tmp_path: Path) -> None:
    async def trial(_: Scripted, path: Path) -> None:
        client = SocketCommitter(path)
        with pytest.raises(Conflict) as caught:
            await client.commit(Batch(domain="d", key="conflict"))
        assert caught.value.facts == {"what": "document doc_1"}
        with pytest.raises(Internal):
            await client.commit(Batch(domain="d", key="defect"))
        assert (await client.commit(Batch(domain="d"))).entries == (("class_a", 3),)
        await client.close()
        await client.close()

    served(tmp_path, trial)


def test_a_slow_commit_holds_up_no_other_on_the_same_line(tmp_path: Path) -> None:
    async def trial(committer: Scripted, path: Path) -> None:
        client = SocketCommitter(path)
        slow = asyncio.create_task(client.commit(Batch(domain="d", key="wait")))
        await committer.asked.acquire()
        assert (await client.commit(Batch(domain="d"))).entries
        assert not slow.done()
        committer.release.set()
        assert (await slow).entries
        await client.close()

    served(tmp_path, trial)


def test_a_client_that_gives_up_leaves_the_line_in_order(tmp_path: Path) -> None:
    async def trial(committer: Scripted, path: Path) -> None:
        client = SocketCommitter(path)
        slow = asyncio.create_task(client.commit(Batch(domain="d", key="wait")))
        await committer.asked.acquire()
        slow.cancel()
        committer.release.set()
        assert (await client.commit(Batch(domain="d"))).entries == (("class_a", 2),)
        await client.close()

    served(tmp_path, trial)


def test_another_user_is_not_heard(tmp_path: Path) -> None:
    async def trial(committer: Scripted, path: Path) -> None:
        with pytest.raises(Unavailable):
            await SocketCommitter(path, patience=0).commit(Batch(domain="d"))
        assert committer.seen == []

    served(tmp_path, trial, uid=os.getuid() + 1)


def test_the_socket_is_its_owners_alone(tmp_path: Path) -> None:
    async def trial(_: Scripted, path: Path) -> None:
        assert os.stat(path).st_mode & 0o777 == 0o600  # noqa: PTH116

    served(tmp_path, trial)


@pytest.mark.parametrize(
    "noise", [b"GET / HTTP/1.1\r\n\r\n", b"\x00\x00\x00\x02\xff\xff", b"\x00\x00\x00\x09abc", b"\x00"]
)
def test_noise_ends_its_own_connection_and_nothing_else(tmp_path: Path, noise: bytes) -> None:
    async def trial(_: Scripted, path: Path) -> None:
        client = SocketCommitter(path)
        await client.commit(Batch(domain="d"))
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(noise)
        writer.write_eof()
        assert await reader.read() == b""
        writer.close()
        assert (await client.commit(Batch(domain="d"))).entries
        await client.close()

    served(tmp_path, trial)


def test_a_frame_beyond_the_bound_is_refused_before_it_is_read(tmp_path: Path) -> None:
    async def trial(_: Scripted, path: Path) -> None:
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b"\xff\xff\xff\xff")
        assert await reader.read() == b""
        writer.close()

    served(tmp_path, trial)


def test_a_client_that_leaves_before_its_answer_harms_nobody(tmp_path: Path) -> None:
    async def trial(committer: Scripted, path: Path) -> None:
        _, writer = await asyncio.open_unix_connection(path)
        writer.write(frames.encode([1, Batch(domain="d", key="wait")]))
        await writer.drain()
        await committer.asked.acquire()
        writer.close()
        await writer.wait_closed()
        committer.release.set()
        client = SocketCommitter(path)
        assert (await client.commit(Batch(domain="d"))).entries
        await client.close()

    served(tmp_path, trial)


def test_two_servers_do_not_share_a_socket_and_a_dead_ones_is_replaced(tmp_path: Path) -> None:
    async def trial(committer: Scripted, path: Path) -> None:
        with pytest.raises(Occupied):
            await WriterServer(path, committer).start()

    dead = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    dead.bind(str(tmp_path / "writer.sock"))
    dead.close()
    served(tmp_path, trial)


def test_a_file_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "writer.sock").write_text("mine")
    with pytest.raises(Occupied):
        asyncio.run(WriterServer(tmp_path / "writer.sock", Scripted()).start())
    with pytest.raises(Unavailable):
        asyncio.run(SocketCommitter(tmp_path / "writer.sock", patience=0).commit(Batch(domain="d")))
    assert (tmp_path / "writer.sock").read_text() == "mine"


def test_a_name_that_the_kernel_does_not_take_is_an_error_at_once(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="too long"):
        asyncio.run(WriterServer(tmp_path / ("x" * 200), Scripted()).start())
    assert list(tmp_path.iterdir()) == []


def test_a_folder_however_deep_can_hold_the_socket(tmp_path: Path) -> None:
    async def trial(_: Scripted, path: Path) -> None:
        client = SocketCommitter(path)
        assert (await client.commit(Batch(domain="d"))).entries
        await client.close()

    served(tmp_path / ("deep" * 20) / ("deeper" * 20), trial)


def test_where_nobody_listens_a_commit_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        asyncio.run(SocketCommitter(tmp_path / "writer.sock", patience=0.1).commit(Batch(domain="d")))


def test_a_commit_waits_for_a_writer_that_is_about_to_come(tmp_path: Path) -> None:
    async def inside() -> None:
        client = SocketCommitter(tmp_path / "writer.sock", patience=30)
        work = asyncio.create_task(client.commit(Batch(domain="d")))
        await asyncio.sleep(0.06)
        server = WriterServer(tmp_path / "writer.sock", Scripted())
        await server.start()
        assert (await work).entries
        await client.close()
        await server.stop()
        await server.stop()

    asyncio.run(inside())


def test_stopping_ends_what_waits_and_a_keyless_batch_is_not_sent_again(tmp_path: Path) -> None:
    async def inside() -> None:
        committer = Scripted()
        server = WriterServer(tmp_path / "writer.sock", committer)
        await server.start()
        client = SocketCommitter(tmp_path / "writer.sock")
        works = [asyncio.create_task(client.commit(Batch(domain="d", key=key))) for key in ("wait", "")]
        await committer.asked.acquire()
        await committer.asked.acquire()
        assert (await works[1]).entries
        await server.stop()
        again = WriterServer(tmp_path / "writer.sock", committer)
        committer.release.set()
        await again.start()
        assert (await works[0]).entries
        assert committer.seen == ["wait", "", "wait"]
        committer.release.clear()
        keyless = asyncio.create_task(client.commit(Batch(domain="wait")))
        assert (await keyless).entries
        await client.close()
        await again.stop()

    asyncio.run(inside())


def test_an_answer_to_nothing_or_of_an_unknown_error_is_survived(tmp_path: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for error in ("Nonsense", "Conflict"):
            number, *_ = await frames.read(reader, list) or (0,)
            await frames.write(writer, [number + 7, None, "Conflict", {}])
            await frames.write(writer, [number, None, error, {"what": "x"}])
        await frames.read(reader, list)
        writer.write(b"\x00\x00\x00\x01\xc1")
        assert await reader.read() == b""
        writer.close()

    async def inside() -> None:
        server = await asyncio.start_unix_server(answer, tmp_path / "writer.sock")
        client = SocketCommitter(tmp_path / "writer.sock", patience=0)
        with pytest.raises(Internal):
            await client.commit(Batch(domain="d"))
        with pytest.raises(errors.Conflict):
            await client.commit(Batch(domain="d"))
        with pytest.raises(Unavailable):
            await client.commit(Batch(domain="d"))
        await client.close()
        server.close()

    asyncio.run(inside())


def test_a_writer_killed_in_the_middle_and_restarted_takes_each_keyed_batch_once(tmp_path: Path) -> None:
    async def start() -> asyncio.subprocess.Process:
        child = await asyncio.create_subprocess_exec(
            sys.executable, str(SERVER), str(tmp_path), stdout=asyncio.subprocess.PIPE
        )
        assert child.stdout is not None
        assert await child.stdout.readline() == b"ready\n"
        return child

    async def inside() -> None:
        child = await start()
        client = SocketCommitter(tmp_path / "run" / "writer.sock", patience=60)
        works = [
            asyncio.create_task(client.commit(entries(entry(f"ent_{number}"), key=f"k{number}")))
            for number in range(200)
        ]
        await asyncio.wait(works, return_when=asyncio.FIRST_COMPLETED)
        child.send_signal(signal.SIGKILL)
        await child.wait()
        child = await start()
        receipts = await asyncio.gather(*works)
        given = [seq for receipt in receipts for _, seq in receipt.entries]
        assert sorted(given) == list(range(200))
        reader = SqliteReader(tmp_path / "data" / "records.db")
        assert dict(reader.sizes()) == {"class_a": 200}
        reader.close()
        await client.close()
        child.terminate()
        assert await child.wait() == 0

    asyncio.run(inside())
