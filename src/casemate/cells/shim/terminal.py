"""A job's terminal: the shim holds it, and one visitor at a time reaches it through a socket in the folder.

    the job, on the inner end <──> this process, on the outer end <──> folder/terminal.sock <──> whoever visits

Whoever visits may leave and come back, and so may the region: the job goes on, and what it shows meanwhile is kept
(the last of it here, all of it in the log). Frames go both ways: a letter, a length of 2 bytes, and so many bytes.

    a  PLACE (8 bytes): the visitor has seen what was shown up to there; first of all      @  PLACE of what follows
    i  what was typed                                                                      o  what was shown
    w  rows and columns (2 bytes each)                                                     t  another has come instead
"""

from __future__ import annotations

import fcntl
import os
import select
import socket
import struct
import termios
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["NAME", "Terminal", "wear"]

NAME = "terminal.sock"
KEPT = 256 << 10
"""Bytes of what was shown last that whoever comes is shown again."""
_FULL = 64 << 10  # bytes that wait for somebody who is slow: then the other side waits too
_PIECE = 16 << 10
_LAST = 2.0  # seconds for the last words to a visitor
_FIRST = (24, 80)


def wear(inner: int, leads: bool) -> None:
    """The terminal is this process' standard descriptors from here on. `leads`: and that of the session it leads."""
    if leads:
        fcntl.ioctl(inner, termios.TIOCSCTTY, 0)
    for number in range(3):
        os.dup2(inner, number)


class Terminal:
    """`inner`: the end that the job gets. `place`: how many bytes have been shown."""

    def __init__(self, folder: int, idle_s: int, uid: int | None) -> None:
        self._folder, self._idle_s = folder, idle_s
        self._outer, self.inner = os.openpty()
        if uid:
            os.fchown(self.inner, uid, uid)
        os.set_blocking(self._outer, False)
        self._size(*_FIRST)
        self._door = _door(folder)
        self._visitor: socket.socket | None = None
        self._ready = False  # the visitor has said where he stands
        self._heard = self._typed = self._out = b""
        self._shown = b""
        self.place = 0
        self._last = time.clock_gettime(time.CLOCK_BOOTTIME)
        self._gone = False
        self._poll = select.poll()
        self._keep: Callable[[bytes], object] = bytes

    def begin(self, poll: select.poll, keep: Callable[[bytes], object]) -> None:
        """From here on it is waited for here. `keep` is given everything that is shown."""
        self._poll, self._keep = poll, keep
        poll.register(self._door, select.POLLIN)
        poll.register(self._outer, select.POLLIN)

    def has(self, end: int) -> bool:
        """Whether that descriptor is one of its own."""
        held = self._visitor.fileno() if self._visitor is not None else -1
        return end in (self._door.fileno(), self._outer, held)

    def ready(self, end: int, mask: int) -> None:
        """Something can be done there."""
        if end == self._door.fileno():
            self._come()
        elif end == self._outer:
            if mask & select.POLLOUT:
                self._type()
            if mask & ~select.POLLOUT:
                self._read()
        else:
            if mask & select.POLLOUT:
                self._send()
            if mask & ~select.POLLOUT:
                self._hear()
        self._wait()

    def idle(self) -> bool:
        """Whether nothing has been typed or shown for longer than is allowed."""
        return bool(self._idle_s) and time.clock_gettime(time.CLOCK_BOOTTIME) - self._last > self._idle_s

    def hang_up(self) -> bool:
        """Tell whoever is in the foreground that the terminal goes; False where nobody is."""
        try:
            group = os.tcgetpgrp(self._outer)
            if group > 1:
                os.killpg(group, 1)
            return group > 1
        except OSError:
            return False

    def finish(self) -> None:
        """The job has ended: its last words are read, kept and told; then nothing of it is left."""
        until = time.monotonic() + _LAST
        while not self._gone and time.monotonic() < until and self._read():
            self._flush()
        self._flush()
        self._leave()
        self._door.close()
        for end in (self._outer, self.inner):
            os.close(end)
        try:
            os.unlink(NAME, dir_fd=self._folder)
        except OSError:
            pass

    def _come(self) -> None:
        try:
            line, _ = self._door.accept()
        except OSError:
            return
        if self._visitor is not None:
            self._tell(b"t", b"")
            self._flush()
            self._leave()
        line.setblocking(False)
        self._visitor, self._ready = line, False
        self._heard = self._out = b""
        self._poll.register(line, select.POLLIN)

    def _leave(self) -> None:
        if self._visitor is None:
            return
        try:
            self._poll.unregister(self._visitor)
        except KeyError:
            pass
        self._visitor.close()
        self._visitor, self._out, self._ready = None, b"", False

    def _wait(self) -> None:
        """Who is slow is waited for, and nothing more is taken for him."""
        if not self._gone:
            mask = 0 if len(self._out) > _FULL else select.POLLIN
            self._poll.modify(self._outer, mask | (select.POLLOUT if self._typed else 0))
        if self._visitor is not None:
            mask = 0 if len(self._typed) > _FULL else select.POLLIN
            self._poll.modify(self._visitor, mask | (select.POLLOUT if self._out else 0))

    def _read(self) -> bool:
        """What the job shows; False where there is nothing more now."""
        try:
            part = os.read(self._outer, _PIECE)
        except BlockingIOError:
            return False
        except OSError:  # its session has ended, and the terminal with it
            part = b""
        if not part:
            self._gone = True
            try:
                self._poll.unregister(self._outer)
            except KeyError:
                pass
            return False
        self._last = time.clock_gettime(time.CLOCK_BOOTTIME)
        self.place += len(part)
        self._shown = (self._shown + part)[-KEPT:]
        self._keep(part)
        if self._ready:
            self._tell(b"o", part)
        return True

    def _type(self) -> None:
        try:
            self._typed = self._typed[os.write(self._outer, self._typed[:_PIECE]) :]
        except BlockingIOError:
            pass
        except OSError:
            self._typed = b""

    def _hear(self) -> None:
        line = self._visitor
        if line is None:
            return
        try:
            part = line.recv(_PIECE)
        except BlockingIOError:
            return
        except OSError:
            part = b""
        if not part:
            self._leave()
            return
        self._heard += part
        while len(self._heard) >= 3 and len(self._heard) >= 3 + int.from_bytes(self._heard[1:3], "big"):
            kind, size = self._heard[:1], int.from_bytes(self._heard[1:3], "big")
            said, self._heard = self._heard[3 : 3 + size], self._heard[3 + size :]
            if not self._said(kind, said):
                self._leave()
                return

    def _said(self, kind: bytes, said: bytes) -> bool:
        """One frame; False for one that nobody may send."""
        if kind == b"a" and len(said) == 8 and not self._ready:
            self._show(int.from_bytes(said, "big"))
        elif kind == b"i" and self._ready and not self._gone:
            self._last = time.clock_gettime(time.CLOCK_BOOTTIME)
            self._typed += said
            self._type()
        elif kind == b"w" and len(said) == 4:
            self._size(*struct.unpack(">HH", said))
        else:
            return kind == b"i" and self._ready
        return True

    def _show(self, place: int) -> None:
        """What was shown since the visitor was here last, as far as it is still here."""
        at = min(max(place, self.place - len(self._shown)), self.place)
        self._ready = True
        self._tell(b"@", at.to_bytes(8, "big"))
        rest = self._shown[len(self._shown) - (self.place - at) :]
        for start in range(0, len(rest), _PIECE):
            self._tell(b"o", rest[start : start + _PIECE])

    def _tell(self, kind: bytes, said: bytes) -> None:
        self._out += kind + len(said).to_bytes(2, "big") + said
        self._send()

    def _send(self) -> None:
        if self._visitor is None:
            return
        try:
            self._out = self._out[self._visitor.send(self._out) :] if self._out else b""
        except BlockingIOError:
            pass
        except OSError:
            self._leave()

    def _flush(self) -> None:
        """What waits for the visitor, now; one who does not take it has lost it."""
        if self._visitor is None or not self._out:
            return
        try:
            self._visitor.settimeout(_LAST)
            self._visitor.sendall(self._out)
            self._visitor.setblocking(False)
            self._out = b""
        except OSError:
            self._leave()

    def _size(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self._outer, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def _door(folder: int) -> socket.socket:
    """By the folder's own descriptor: a path may be longer than a socket's address. It has its name once it listens."""
    draft = f"{NAME}.new"
    try:
        os.unlink(draft, dir_fd=folder)
    except FileNotFoundError:
        pass
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    before = os.umask(0o177)
    try:
        made.bind(f"/proc/self/fd/{folder}/{draft}")
    finally:
        os.umask(before)
    made.listen(8)
    os.rename(draft, NAME, src_dir_fd=folder, dst_dir_fd=folder)
    made.setblocking(False)
    return made
