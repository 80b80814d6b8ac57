"""Somebody at a terminal: a real command at the inner end of a real pty, whose keys and screen are ours."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.cli.running import CASEMATE, PATIENCE, Place

__all__ = ["Person", "at_terminal"]


class Person:
    """`screen`: all that has been shown so far."""

    def __init__(self, place: Place, *words: str) -> None:
        self.outer, self._inner = os.openpty()
        self.size(30, 100)
        self.before = termios.tcgetattr(self._inner)
        self.screen = b""
        inner = self._inner
        self.process = subprocess.Popen(
            [*CASEMATE, *words],
            cwd=place.path,
            env={**place.environment, "TERM": "xterm-256color"},
            stdin=inner,
            stdout=inner,
            stderr=inner,
            start_new_session=True,
        )

    def size(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.outer, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, keys: str) -> None:
        os.write(self.outer, keys.encode())

    def sees(self, text: str, seconds: float = PATIENCE) -> None:
        """Until that stands on the screen; what stood before it is forgotten."""
        end = time.monotonic() + seconds
        while text.encode() not in self.screen:
            assert time.monotonic() < end, self.screen
            self._read(0.1)
        self.screen = self.screen.partition(text.encode())[2]

    def ended(self) -> int:
        """The exit code, once the command has ended; what it showed last is on the screen."""
        end = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            assert time.monotonic() < end, self.screen
            self._read(0.1)
        while self._read(0.0):
            pass
        return self.process.returncode

    @property
    def as_before(self) -> bool:
        """Whether the terminal is as it was."""
        return termios.tcgetattr(self._inner) == self.before

    def _read(self, seconds: float) -> bool:
        if not select.select([self.outer], [], [], seconds)[0]:
            return False
        with contextlib.suppress(OSError):
            self.screen += os.read(self.outer, 65536)
        return True

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        os.close(self.outer)
        os.close(self._inner)


@contextmanager
def at_terminal(place: Place, *words: str) -> Iterator[Person]:
    """For the length of a block."""
    person = Person(place, *words)
    try:
        yield person
    finally:
        person.close()
