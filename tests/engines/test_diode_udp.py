"""Datagrams over UDP: many in a call where the kernel can, one by one and told where it cannot, never a fragment."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from casemate.engines.diode_udp import UdpEar, UdpMouth, address_of
from casemate.errors import Misconfigured, Occupied, Unavailable


@pytest.fixture
def ear() -> Iterator[UdpEar]:
    found = UdpEar("127.0.0.1:0", 4 << 20)
    yield found
    found.close()


def heard(ear: UdpEar, count: int) -> list[bytes]:
    found: list[bytes] = []
    while len(found) < count:
        now = [bytes(each) for each in ear.hear(20)]
        assert now, f"only {len(found)} arrived"
        found += now
    return found


@pytest.mark.parametrize("offload", [True, False])
def test_what_is_sent_is_heard(offload: bool) -> None:
    ear = UdpEar("127.0.0.1:0", 4 << 20, offload)
    mouth = UdpMouth(f"127.0.0.1:{ear.port}", 1000, offload)
    assert bool(mouth.reason) is not offload
    sent = [bytes([number]) * 1000 for number in range(30)]
    mouth.send(sent)
    mouth.send(sent[:1])
    assert heard(ear, 31) == [*sent, sent[0]]
    assert (ear.lost, mouth.away) == (0, 0)
    assert ear.buffer > 0
    assert list(ear.hear(0)) == []
    mouth.close()
    ear.close()


def test_strangers_datagrams_of_any_length_are_heard_too(ear: UdpEar) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for size in (0, 1, 65_000):
            stranger.sendto(bytes(size), ("127.0.0.1", ear.port))
    assert [len(each) for each in heard(ear, 3)] == [0, 1, 65_000]


@pytest.mark.parametrize("text", ["", "10.0.0.1", "host:6000", "10.0.0.1:x", "10.0.0.1:70000", "[fd00::1]"])
def test_an_address_is_a_number_and_a_port(text: str) -> None:
    with pytest.raises(Misconfigured):
        address_of(text)


def test_addresses_of_both_kinds() -> None:
    assert address_of("10.0.0.1:6000") == ("10.0.0.1", 6000)
    assert address_of("[fd00::1]:6000") == ("fd00::1", 6000)


def test_over_ipv6() -> None:
    try:
        ear = UdpEar("[::1]:0", 1 << 20)
    except Misconfigured:
        pytest.skip("this machine has no IPv6")
    mouth = UdpMouth(f"[::1]:{ear.port}", 500)
    mouth.send([bytes(500)] * 3)
    assert len(heard(ear, 3)) == 3
    mouth.close()
    ear.close()


def test_a_port_in_use_and_an_address_that_is_not_ours(ear: UdpEar) -> None:
    with pytest.raises(Occupied):
        UdpEar(f"127.0.0.1:{ear.port}", 1 << 20)
    with pytest.raises(Misconfigured):
        UdpEar("192.0.2.1:6000", 1 << 20)


def test_row_15_a_way_that_is_too_narrow_is_refused_at_the_start() -> None:
    with pytest.raises(Misconfigured) as told:
        UdpMouth("127.0.0.1:6000", 65_530)
    assert told.value.facts["setting"] == "symbol"


class Failing:
    """A socket that fails as it is told; what it does not fail with it passes on."""

    def __init__(self, real: socket.socket, together: int, alone: int = 0, mtu: int = 65536) -> None:
        self.real, self.together, self.alone, self.mtu = real, together, alone, mtu
        self.sent = 0

    def sendmsg(self, *_: Any) -> None:
        raise OSError(self.together, "made up")

    def send(self, _: bytes) -> None:
        self.sent += 1
        if self.alone:
            raise OSError(self.alone, "made up")

    def getsockopt(self, *_: Any) -> int:
        return self.mtu

    def close(self) -> None:
        self.real.close()


def failing(together: int, alone: int = 0, mtu: int = 65536) -> tuple[UdpMouth, Failing]:
    mouth = UdpMouth("127.0.0.1:6000", 1000)
    found = Failing(mouth._socket, together, alone, mtu)
    mouth._socket = found  # type: ignore[assignment]
    return mouth, found


def test_a_card_that_cannot_cut_is_told_and_each_goes_alone() -> None:
    mouth, found = failing(errno.EIO)
    mouth.send([bytes(1000)] * 3)
    assert (found.sent, mouth.reason) == (3, "made up")
    mouth.close()


def test_a_way_that_is_gone_for_the_moment_is_a_loss() -> None:
    mouth, found = failing(errno.ECONNREFUSED, errno.ENETUNREACH)
    mouth.send([bytes(1000)] * 3)
    mouth.send([bytes(1000)])
    assert (found.sent, mouth.away, mouth.reason) == (1, 2, "")
    mouth.close()


@pytest.mark.parametrize(
    ("together", "alone", "mtu"), [(errno.EMSGSIZE, 0, 1000), (errno.EINVAL, 0, 1000), (errno.EMSGSIZE, 0, 9000)]
)
def test_row_15_a_way_that_becomes_too_narrow_ends_the_sender(together: int, alone: int, mtu: int) -> None:
    mouth, _ = failing(together, alone, mtu)
    with pytest.raises(Misconfigured):
        mouth.send([bytes(1000)] * 3)
    mouth.close()


def test_any_other_failure_is_told() -> None:
    mouth, _ = failing(errno.EBADF, errno.EBADF)
    with pytest.raises(Unavailable):
        mouth.send([bytes(1000)] * 2)
    with pytest.raises(Unavailable):
        mouth.send([bytes(1000)])
    mouth.close()


def test_a_kernel_without_offload_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.socket.setsockopt

    def old(self: socket.socket, level: int, name: int, value: Any) -> None:
        if level == socket.SOL_UDP:
            raise OSError(errno.ENOPROTOOPT, "not in this kernel")
        real(self, level, name, value)

    monkeypatch.setattr(socket.socket, "setsockopt", old)
    ear = UdpEar("127.0.0.1:0", 1 << 20)
    mouth = UdpMouth(f"127.0.0.1:{ear.port}", 500)
    assert mouth.reason == ear.reason == "not in this kernel"
    mouth.send([bytes(500)] * 3)
    assert len(heard(ear, 3)) == 3
    mouth.close()
    ear.close()


def test_row_13_what_had_no_room_is_counted() -> None:
    ear = UdpEar("127.0.0.1:0", 1)
    mouth = UdpMouth(f"127.0.0.1:{ear.port}", 1000, offload=False)
    mouth.send([bytes(1000)] * 200)
    got = len(list(ear.hear(1)))
    mouth.send([bytes(1000)])
    got += len(heard(ear, 1))
    assert ear.lost == 201 - got > 0
    mouth.close()
    ear.close()


def test_a_socket_that_breaks_is_told(ear: UdpEar) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.sendto(b"x", ("127.0.0.1", ear.port))

    class Broken:
        def recvmsg_into(self, *_: Any) -> None:
            raise OSError(errno.EBADF, "made up")

    real, ear._socket = ear._socket, Broken()  # type: ignore[assignment]
    with pytest.raises(Unavailable):
        list(ear.hear(5))
    ear._socket = real
