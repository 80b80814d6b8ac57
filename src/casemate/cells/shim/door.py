"""The one way in to a service: a socket in its folder, carried to a port of the job's own network.

    folder/serve.sock ──> this process ──> 127.0.0.1:PORT inside
    (and, where the order asks for it, a TCP port of the node whose connections begin with the order's `knock`)

The job has no network but its own, in which nobody else is; so the socket is made here, outside, and only the other end
is opened inside. This process is a child of the shim, as the job's user, behind the job's own filter, and knows nothing
but bytes. It asks the service now and then whether it is well, and says so on a pipe in lines of HEALTHY OPEN PORT:
whether it is, how many connections are open, and the node's port (0 for none). When the pipe breaks, it has ended.
"""

from __future__ import annotations

import _signal as signals  # type: ignore[import-not-found]
import ctypes
import fcntl
import hmac
import os
import resource
import selectors
import socket
import threading
import time

from casemate.cells.shim import kernel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from casemate.cells.shim.walls import Place

__all__ = ["NAME", "opened"]

NAME = "serve.sock"
_USER, _NET = 0x10000000, 0x40000000  # CLONE_NEWUSER, CLONE_NEWNET
_OWNER = 0xB701  # NS_GET_USERNS
_PIECE = 64 << 10
_MOST = 1024  # connections at once
_STRANGERS = 64  # so many that have not knocked yet; one more, and whoever has waited longest is hung up on
_SPARE = 64  # descriptors for what else is open
_PATIENCE = 5.0  # seconds for the knock, and for one look at the health
_LIBC = ctypes.CDLL(None, use_errno=True)


def opened(folder: int, place: Place, inner: int) -> int:
    """Begin to carry for the job whose first process is `inner`; the pipe on which it is said how the service is."""
    told, says = os.pipe2(os.O_CLOEXEC)
    shim = os.getpid()
    if os.fork() == 0:
        try:
            os.close(told)
            _carry(folder, place, inner, says, shim)
        finally:
            os._exit(1)
    os.close(says)
    return told


def _carry(folder: int, place: Place, inner: int, says: int, shim: int) -> None:
    signals.set_wakeup_fd(-1)  # the shim's, which is not ours to wake
    served = place.order["serve"]
    doors = [_local(folder)]
    if served["knock"]:
        doors.append(socket.create_server(("", 0), backlog=128))
    most = _room()
    uid = place.uid  # in the job's own view of users this process may be called root
    _inside(inner)
    _lessened(uid)
    kernel.with_parent(shim)
    kernel.no_new_privileges()
    kernel.seccomp(place.call("seccomp"), place.filter())
    port = doors[1].getsockname()[1] if len(doors) > 1 else 0
    teller = _Teller(says, port)
    threading.Thread(target=_look, args=(served, teller), daemon=True).start()
    _Carrier(doors, int(served["port"]), served["knock"].encode("ascii"), teller, most).run()


def _room() -> int:
    """How many connections there may be at once: each takes two descriptors, and a look at the health takes one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * _MOST + _STRANGERS + _SPARE
    wanted = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return max((wanted - _STRANGERS - _SPARE) // 2, 1)


def _local(folder: int) -> socket.socket:
    """By the folder's own descriptor: a path may be longer than a socket's address."""
    os.fchdir(folder)
    try:
        os.unlink(NAME)
    except FileNotFoundError:
        pass
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    os.umask(0o177)
    made.bind(NAME)
    made.listen(128)
    os.chdir("/")
    return made


def _inside(inner: int) -> None:
    """Into the job's network. Raises OSError; where that is this process' own there would be no wall at all."""
    network = os.open(f"/proc/{inner}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    told, own = os.fstat(network), os.stat("/proc/self/ns/net")
    if (told.st_dev, told.st_ino) == (own.st_dev, own.st_ino):
        raise OSError("the service has no network of its own")
    if os.geteuid() != 0:
        owner = fcntl.ioctl(network, _OWNER)
        _enter(owner, _USER)
        os.close(owner)
    _enter(network, _NET)
    os.close(network)


def _enter(namespace: int, kind: int) -> None:
    if _LIBC.setns(ctypes.c_int(namespace), ctypes.c_int(kind)) < 0:
        raise OSError(ctypes.get_errno(), "setns")


def _lessened(uid: int | None) -> None:
    """The job's user, and no capability."""
    if uid:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    kernel.drop()


class _Teller:
    """Says what has changed, from two threads."""

    def __init__(self, says: int, port: int) -> None:
        self._says, self._port = says, port
        self._turn = threading.Lock()
        self._healthy, self._open = False, 0

    def say(self, healthy: bool | None = None, carried: int | None = None) -> None:
        with self._turn:
            before = (self._healthy, self._open)
            self._healthy = self._healthy if healthy is None else healthy
            self._open = self._open if carried is None else carried
            if before != (self._healthy, self._open):
                os.write(self._says, b"%d %d %d\n" % (self._healthy, self._open, self._port))


def _look(served: dict[str, Any], teller: _Teller) -> None:
    """Again and again, as long as this process lives; it does not live on where it cannot say how the service is."""
    try:
        while True:
            teller.say(healthy=_well(int(served["port"]), str(served["path"])))
            time.sleep(served["every_s"])
    finally:
        os._exit(1)


def _well(port: int, path: str) -> bool:
    """One look: a connection, and where there is a path an answer of 200 to 299 to a GET."""
    try:
        with _line(port) as line:
            if not path:
                return True
            line.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode("ascii"))
            said = b""
            while b"\r\n" not in said and len(said) < 256 and (part := line.recv(256)):
                said += part
            words = said.split(b" ", 2)
            return len(words) > 1 and words[0].startswith(b"HTTP/1.") and words[1][:1] == b"2" and len(words[1]) == 3
    except (OSError, ValueError):
        return False


def _line(port: int) -> socket.socket:
    """A connection to the service. No name is looked up: that would import, and this user may read no library."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        made.settimeout(_PATIENCE)
        made.connect(("127.0.0.1", port))
    except OSError:
        made.close()
        raise
    return made


class _End:
    """One side of a connection. `rest`: bytes that its peer has sent and that have not gone out here yet."""

    __slots__ = ("done", "line", "peer", "rest", "shut")

    def __init__(self, line: socket.socket) -> None:
        line.setblocking(False)
        self.line = line
        self.peer: _End | None = None
        self.rest = b""
        self.done = False  # it has said all that it will
        self.shut = False  # and has been told that its peer has


def _read(line: socket.socket) -> bytes | None:
    """What has come; empty at the end, None where nothing has."""
    try:
        return line.recv(_PIECE)
    except BlockingIOError:
        return None


def _sent(line: socket.socket, data: bytes) -> bytes:
    """What of it could not go out yet."""
    try:
        return data[line.send(data) :]
    except BlockingIOError:
        return data


class _Carrier:
    """Bytes from one side to the other and back; what is slow on one side is read no faster on the other."""

    def __init__(self, doors: list[socket.socket], port: int, knock: bytes, teller: _Teller, most: int = _MOST) -> None:
        self._port, self._knock, self._teller, self._most = port, knock, teller, most
        self._poll = selectors.DefaultSelector()
        self._turn = threading.Lock()  # strangers knock in threads of their own
        self._open = 0
        self._strangers: dict[socket.socket, None] = {}  # in the order in which they came
        for number, door in enumerate(doors):
            door.setblocking(False)
            self._poll.register(door, selectors.EVENT_READ, number)

    def run(self) -> None:
        while True:
            for key, mask in self._poll.select():
                if isinstance(key.data, int):
                    self._accept(key.fileobj, key.data)  # type: ignore[arg-type]
                elif key.data.line.fileno() >= 0:
                    self._moved(key.data, mask)

    def _accept(self, door: socket.socket, number: int) -> None:
        try:
            line, _ = door.accept()
        except OSError:
            return
        if self._open >= self._most:
            line.close()
        elif number == 0:
            self._join(_End(line))
        else:
            self._stranger(line)

    def _stranger(self, line: socket.socket) -> None:
        """Anybody on the node's network may be silent here: whoever knows the secret says it at once."""
        with self._turn:
            if len(self._strangers) >= _STRANGERS:
                longest = next(iter(self._strangers))
                del self._strangers[longest]
                try:
                    longest.shutdown(socket.SHUT_RDWR)  # its thread wakes up, and closes it
                except OSError:
                    pass
            self._strangers[line] = None
        threading.Thread(target=self._knocked, args=(line,), daemon=True).start()

    def _knocked(self, line: socket.socket) -> None:
        """A stranger on the node's network says half of the order's secret first, or is hung up on; the other half
        tells him that it is this door."""
        said, until, half = b"", time.monotonic() + _PATIENCE, len(self._knock) // 2
        try:
            while len(said) < half:
                line.settimeout(max(until - time.monotonic(), 0.001))
                part = line.recv(half - len(said))
                if not part:
                    break
                said += part
        except OSError:
            pass
        with self._turn:
            self._strangers.pop(line, None)
        if hmac.compare_digest(said, self._knock[:half]) and self._open < self._most and self._answered(line):
            self._join(_End(line))
        else:
            line.close()

    def _answered(self, line: socket.socket) -> bool:
        try:
            line.sendall(self._knock[len(self._knock) // 2 :])
        except OSError:
            return False
        return True

    def _join(self, outer: _End) -> None:
        """To the service. Where it does not listen, whoever came is hung up on."""
        try:
            inner = _End(_line(self._port))
        except OSError:
            outer.line.close()
            return
        for line in (outer.line, inner.line):
            if line.family != socket.AF_UNIX:
                line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        outer.peer, inner.peer = inner, outer
        self._counted(1)
        for end in (outer, inner):
            self._poll.register(end.line, selectors.EVENT_READ, end)

    def _counted(self, more: int) -> None:
        with self._turn:
            self._open += more
            self._teller.say(carried=self._open)

    def _moved(self, end: _End, mask: int) -> None:
        peer = end.peer
        assert peer is not None
        try:
            if mask & selectors.EVENT_WRITE and end.rest:
                end.rest = _sent(end.line, end.rest)
            if mask & selectors.EVENT_READ and not peer.rest and not end.done:
                part = _read(end.line)
                end.done = part == b""
                peer.rest = _sent(peer.line, part) if part else b""
            for one, other in ((end, peer), (peer, end)):
                if other.done and not one.rest and not one.shut:
                    one.shut = True
                    one.line.shutdown(socket.SHUT_WR)
        except OSError:
            self._part(end, peer)
            return
        if end.done and peer.done and not end.rest and not peer.rest:
            self._part(end, peer)
            return
        for one in (end, peer):
            self._wait(one)

    def _wait(self, end: _End) -> None:
        peer = end.peer
        reads = not end.done and peer is not None and not peer.rest
        mask = (selectors.EVENT_READ if reads else 0) | (selectors.EVENT_WRITE if end.rest else 0)
        known = end.line.fileno() in self._poll.get_map()
        if not mask:
            if known:
                self._poll.unregister(end.line)
        elif known:
            self._poll.modify(end.line, mask, end)
        else:
            self._poll.register(end.line, mask, end)

    def _part(self, end: _End, peer: _End) -> None:
        for one in (end, peer):
            if one.line.fileno() in self._poll.get_map():
                self._poll.unregister(one.line)
            one.line.close()
        self._counted(-1)
