"""Syslog over TLS: real handshakes; nothing in the clear, and nothing of whom the settings do not name, is kept."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from casemate.clock import SECOND, SystemClock
from casemate.engines import syslog_door
from casemate.errors import Misconfigured
from casemate.missions.host import Listening
from casemate.policy import Action
from casemate.wiring import Folder, tls
from tests.attacks.scene import LOW, SECRET
from tests.crypto.authority import Made, make
from tests.laws.world import World, a_world
from tests.missions.test_listening import door
from tests.missions.test_watches import opened

NOW = SystemClock().now()
SENT = b"12 <13>t: one\nx12 <13>t: two\ny"


def settings(path: Path, more: str = "") -> str:
    """Of a second listener, and of the certificate that HTTPS shows."""
    return f"""
[listen]
tls = true
certificate = "{path}/keys/tls/server.pem"
certificate_key = "{path}/keys/tls/server.key"
[missions.listeners.safe]
address = "127.0.0.1:0"
label = "{SECRET}"
bucket = "lab"
peers = ["127.0.0.0/8"]
write = "message"
tls = true
{more}
"""


@pytest.fixture
def shown(tmp_path: Path) -> Path:
    """A folder with a certificate for this machine."""
    (tmp_path / "casemate.toml").write_text('[region]\nname = "north"\n[listen]\ntls = true\n')
    tls.init(Folder(tmp_path), ("node.example",), NOW)
    return tmp_path


@asynccontextmanager
async def secured(path: Path, more: str = "") -> AsyncIterator[tuple[World, Listening]]:
    async with a_world(0, ("us",), settings(path, more)) as world:
        await world.person("ann", SECRET)
        await world.person("low", LOW)
        await world.house.buckets.make(await opened(world, "low", Action("make", "bucket"), LOW), "lab")
        [one] = [each.step.__self__ for each in world.house.loops if each.name == "missions.listen"]
        await one.step()
        yield world, one


def trusting(path: Path, shows: Made | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(path / "keys" / "tls" / "ca.pem"))
    if shows is not None:
        held = path / "sender.pem"
        held.write_bytes(shows.pem + shows.key_pem)
        context.load_cert_chain(held)
    return context


async def sent(one: Listening, data: bytes, context: ssl.SSLContext | None) -> None:
    """Over TLS, or in the clear; returns when the region has ended the connection, or taken all of it."""
    with contextlib.suppress(OSError):
        name = {} if context is None else {"server_hostname": "localhost"}
        reader, writer = await asyncio.open_connection("127.0.0.1", door(one).port, ssl=context, **name)  # type: ignore[arg-type]
        writer.write(data)
        if context is None:
            writer.write_eof()
            await reader.read()
        writer.close()
        await writer.wait_closed()


async def until(true: Callable[[], bool]) -> None:
    while True:
        if true():
            return
        await asyncio.sleep(0.01)


async def hung_up(one: Listening, times: int) -> None:
    await until(lambda: not door(one)._open)
    assert door(one).hung_up == times


async def listed(world: World, one: Listening) -> bytes:
    """All that is kept, once nobody sends any more."""
    await until(lambda: not door(one)._open)
    flow = await opened(world, "ann", Action("read", "object"), SECRET)
    seen = (await world.house.buckets.listed(flow, "lab")).objects
    found = [b"".join([piece async for piece in world.house.buckets.read(flow, each)]) for each in seen]
    return b"".join(sorted(found))


async def test_what_is_sent_over_tls_is_kept_and_what_comes_in_the_clear_is_not(shown: Path) -> None:
    async with secured(shown) as (world, one):
        await sent(one, SENT, trusting(shown))
        assert await listed(world, one) == b"one x\ntwo y\n"
        assert door(one).hung_up == 0
        await sent(one, SENT, None)
        await hung_up(one, 1)
        stranger = ssl.create_default_context()  # who does not know the region's authority says nothing to it
        await sent(one, SENT, stranger)
        await hung_up(one, 2)
        old = trusting(shown)
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_2
        old.set_ciphers("AES128-SHA")
        await sent(one, SENT, old)
        await hung_up(one, 3)
        assert await listed(world, one) == b"one x\ntwo y\n"


async def test_who_has_no_certificate_of_the_authority_is_not_listened_to(shown: Path) -> None:
    now = NOW / SECOND
    ours, others = make("senders", now=now, ca=True), make("others", now=now, ca=True)
    (shown / "senders.pem").write_bytes(ours.pem)
    wrong = [
        None,
        make("edge", others, now=now),
        make("edge", ours, now=now, begins=-40, days=-10),
        make("edge", ours, now=now, purpose=ExtendedKeyUsageOID.SERVER_AUTH),
    ]
    async with secured(shown, f'client_ca = "{shown}/senders.pem"') as (world, one):
        for count, shows in enumerate(wrong, 1):
            await sent(one, SENT, trusting(shown, shows))
            await hung_up(one, count)
        assert await listed(world, one) == b""
        await sent(one, SENT, trusting(shown, make("edge", ours, now=now)))
        assert await listed(world, one) == b"one x\ntwo y\n"


async def test_whoever_is_no_peer_has_no_handshake(shown: Path) -> None:
    async with secured(shown) as (_, one):
        door(one).peers = []
        reader, writer = await asyncio.open_connection("127.0.0.1", door(one).port)
        assert await reader.read() == b""  # it has not said a word, and is hung up on
        writer.close()
        assert door(one).hung_up == 1


async def test_a_handshake_that_does_not_come_counts_as_a_connection_and_ends(
    shown: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with secured(shown) as (_, one):
        monkeypatch.setattr(syslog_door, "HANDSHAKE", 0.2)
        door(one).connections = 1
        reader, writer = await asyncio.open_connection("127.0.0.1", door(one).port)
        await until(lambda: bool(door(one)._open))
        second, its = await asyncio.open_connection("127.0.0.1", door(one).port)
        assert await second.read() == b""
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
        await until(lambda: not door(one)._open)
        its.close()
        writer.close()


async def test_it_ends_while_a_sender_is_still_beginning(shown: Path) -> None:
    async with secured(shown) as (_, one):
        _, writer = await asyncio.open_connection("127.0.0.1", door(one).port)
        await until(lambda: bool(door(one)._open))
        await one.stop()
        assert not door(one)._open
        writer.close()


async def test_a_renewed_certificate_is_taken_while_it_listens(shown: Path) -> None:
    async with secured(shown) as (world, one):
        before = door(one).tls
        [loop] = [each for each in world.house.loops if each.name == "tls.reload"]
        assert await loop.step() == 0
        tls.renew(Folder(shown), NOW)
        assert await loop.step() == 1
        assert door(one).tls is before
        await sent(one, SENT, trusting(shown))
        assert await listed(world, one) == b"one x\ntwo y\n"


@pytest.mark.parametrize("wrong", ["certificate", "authority"])
async def test_what_cannot_be_shown_or_believed_is_named(shown: Path, wrong: str) -> None:
    (shown / "none.pem").write_text("nothing")
    more = f'client_ca = "{shown}/none.pem"' if wrong == "authority" else ""
    if wrong == "certificate":
        (shown / "keys" / "tls" / "server.pem").unlink()
    with pytest.raises(Misconfigured) as caught:
        async with a_world(0, ("us",), settings(shown, more)):
            pass
    named = {"certificate": "listen.tls", "authority": "missions.listeners.safe.client_ca"}
    assert caught.value.facts["setting"] == named[wrong]


async def test_where_there_is_no_room_for_one_more_it_waits_and_goes_on(
    shown: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(syslog_door, "PAUSE", 0.0)
    loop, full = asyncio.get_running_loop(), [1, 2, 3]
    accept = loop.sock_accept

    async def accepted(listens: socket.socket) -> tuple[socket.socket, Any]:
        if full:
            full.pop()
            raise OSError(24, "too many open files")
        return await accept(listens)

    monkeypatch.setattr(loop, "sock_accept", accepted)
    async with secured(shown) as (world, one):
        await sent(one, SENT, trusting(shown))
        assert await listed(world, one) == b"one x\ntwo y\n"
        assert not full
