"""The link's datagrams over UDP: many of them in one call (GSO, GRO), never a fragment, never an answer.

The kernel cuts what one `sendmsg` gives into datagrams of the length that a control message names (UDP_SEGMENT, Linux
4.18), and joins what arrived in a row (UDP_GRO, 5.0). Where it cannot, each datagram is a call of its own, and `reason`
says why. Nothing is ever sent from the ear's socket; how many datagrams it had no room for the kernel counts
(SO_RXQ_OVFL) and says with the next one.
"""

from __future__ import annotations

import errno
import select
import socket
import struct
from collections.abc import Iterator, Sequence

from casemate.errors import Misconfigured, Occupied, Unavailable

__all__ = ["UdpEar", "UdpMouth", "address_of"]

UDP_SEGMENT, UDP_GRO, SO_RXQ_OVFL, SO_RCVBUFFORCE = 103, 104, 40, 33
IP_MTU_DISCOVER, IP_MTU, IPV6_MTU_DISCOVER, IPV6_MTU, PMTUDISC_DO = 10, 14, 23, 24, 2
SEGMENTS, LONGEST = 64, 65_507
_INT = struct.Struct("i")
_NO_OFFLOAD = frozenset({errno.EIO, errno.EINVAL, errno.EOPNOTSUPP, errno.ENOPROTOOPT})
_AWAY = frozenset(
    {errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN, errno.ENOBUFS, errno.EPERM}
)
_READS = 64


def address_of(text: str) -> tuple[str, int]:
    """`10.0.0.2:6000` or `[fd00::2]:6000`. Raises Misconfigured."""
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.inet_pton(family, host)
        number = int(port)
    except (OSError, ValueError):
        raise Misconfigured(setting="address", why=f"{text} is not ADDRESS:PORT, in numbers") from None
    if not 0 <= number < 65536:
        raise Misconfigured(setting="address", why=f"{number} is no port")
    return host, number


def _socket(host: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)


class UdpMouth:
    """Sends to one address. `reason`: why datagrams leave one by one, where they do; `away`: calls refused."""

    def __init__(self, address: str, datagram: int, offload: bool = True) -> None:
        host, port = address_of(address)
        self.reason = "" if offload else "switched off"
        self.away = 0
        self._datagram = datagram
        self._segment = [(socket.SOL_UDP, UDP_SEGMENT, struct.pack("H", datagram))]
        self._socket = _socket(host)
        six = self._socket.family == socket.AF_INET6
        level = socket.IPPROTO_IPV6 if six else socket.IPPROTO_IP
        self._around = 48 if six else 28
        self._mtu = (level, IPV6_MTU if six else IP_MTU)
        try:
            self._socket.setsockopt(level, IPV6_MTU_DISCOVER if six else IP_MTU_DISCOVER, PMTUDISC_DO)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
            self._socket.connect((host, port))
        except OSError as error:
            self._socket.close()
            raise Misconfigured(setting="address", why=error.strerror or str(error)) from None
        try:
            self.fits()
        except Misconfigured:
            self._socket.close()
            raise
        if not self.reason:
            try:
                self._socket.setsockopt(socket.SOL_UDP, UDP_SEGMENT, 0)
            except OSError as error:
                self.reason = error.strerror or str(error)

    @property
    def most(self) -> int:
        """Datagrams that leave in one call."""
        return max(1, min(SEGMENTS, LONGEST // self._datagram))

    def fits(self) -> None:
        """Raises Misconfigured where the way to there takes no datagram of that length."""
        mtu = self._socket.getsockopt(*self._mtu)
        if mtu < self._datagram + self._around:
            raise Misconfigured(
                setting="symbol", why=f"the way takes {mtu} bytes, and a datagram has {self._datagram + self._around}"
            )

    def send(self, datagrams: Sequence[bytes]) -> None:
        if not self.reason and len(datagrams) > 1:
            try:
                self._socket.sendmsg(datagrams, self._segment)
            except OSError as error:
                if error.errno == errno.EMSGSIZE or error.errno not in _NO_OFFLOAD | _AWAY:
                    return self._failed(error)
                if error.errno in _AWAY:
                    self.away += 1
                    return None
                self.fits()  # a way that became narrow says EINVAL too
                self.reason = error.strerror or str(error)
            else:
                return None
        for datagram in datagrams:
            try:
                self._socket.send(datagram)
            except OSError as error:
                self._failed(error)
        return None

    def _failed(self, error: OSError) -> None:
        """A way that is gone for the moment is a loss like any other; one that is too narrow ends the sender."""
        if error.errno == errno.EMSGSIZE:
            self.fits()
            raise Misconfigured(setting="symbol", why=error.strerror or str(error)) from None
        if error.errno not in _AWAY:
            raise Unavailable(what="diode link") from None
        self.away += 1

    def close(self) -> None:
        self._socket.close()


class UdpEar:
    """Listens at one address. `buffer`: the bytes of room that the kernel gave, perhaps fewer than were asked for."""

    def __init__(self, address: str, room: int, offload: bool = True) -> None:
        host, port = address_of(address)
        self.lost = 0
        self._socket = _socket(host)
        try:
            self._roomy(room)
            self._socket.setsockopt(socket.SOL_SOCKET, SO_RXQ_OVFL, 1)
            if offload:
                self.reason = self._joined()
            else:
                self.reason = "switched off"
            self._socket.bind((host, port))
        except OSError as error:
            self._socket.close()
            if error.errno == errno.EADDRINUSE:
                raise Occupied(what=address) from None
            raise Misconfigured(setting="address", why=error.strerror or str(error)) from None
        self._socket.setblocking(False)
        self.buffer = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 2
        self.port = self._socket.getsockname()[1]
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN)
        self._view = memoryview(bytearray(1 << 16))

    def _roomy(self, room: int) -> None:
        """As much room as was asked for where this process may (CAP_NET_ADMIN), else what net.core.rmem_max allows."""
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, room)
        except PermissionError:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)

    def _joined(self) -> str:
        try:
            self._socket.setsockopt(socket.SOL_UDP, UDP_GRO, 1)
        except OSError as error:
            return error.strerror or str(error)
        return ""

    def hear(self, seconds: float) -> Iterator[memoryview]:
        if not self._poll.poll(max(0.0, seconds) * 1000):
            return
        for _ in range(_READS):
            try:
                count, told, _, _ = self._socket.recvmsg_into([self._view], 128)
            except BlockingIOError:
                return
            except OSError:
                raise Unavailable(what="diode link") from None
            each = self._told(told) or count
            yield self._view[:each][:count]
            for at in range(each, count, each or 1):
                yield self._view[at : min(at + each, count)]

    def _told(self, told: list[tuple[int, int, bytes]]) -> int:
        """The length of the datagrams that were joined, 0 for one alone; and how many were lost so far."""
        each = 0
        for level, kind, data in told:
            if (level, kind) == (socket.SOL_UDP, UDP_GRO):
                each = _INT.unpack_from(data)[0]
            elif (level, kind) == (socket.SOL_SOCKET, SO_RXQ_OVFL):
                self.lost = int.from_bytes(data[:4], "little")
        return each

    def close(self) -> None:
        self._socket.close()
