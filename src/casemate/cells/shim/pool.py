"""A warm server: it has read the shim's code, and forks a shim for each folder that it is sent. One for each domain.

It holds no secret and nothing of any label: folders' names come in, process ids go out, and what it forks knows one
folder. It ends when its socket does; what it forked goes on.
"""

from __future__ import annotations

import _signal as signals  # type: ignore[import-not-found]
import _socket
import gc
import os

from casemate.cells.shim import files, groups
from casemate.cells.shim.run import attempt

__all__ = ["serve"]

_PACKET = 1 << 16


def serve(descriptor: int) -> None:
    """Packets of folders' paths, with a zero byte between two; each is answered with as many of PID:START, or 0:0 where
    none could be forked."""
    signals.signal(signals.SIGCHLD, signals.SIG_IGN)  # the kernel buries what we forked
    files.load(b"{}")  # what every shim needs is loaded here, once
    files.boot()
    groups.learn()
    gc.disable()  # a collection in what was forked copies all of these pages, and it ends before there is a need
    gc.freeze()
    door = _socket.socket(fileno=os.dup(descriptor))
    os.set_inheritable(door.fileno(), False)
    os.dup2(os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC), descriptor)
    while packet := door.recv(_PACKET):
        door.send(b" ".join(_forked(door, os.fsdecode(path)) for path in packet.split(b"\0")))


def _forked(door: _socket.socket, path: str) -> bytes:
    try:
        pid = os.fork()
    except OSError:
        return b"0:0"
    if pid == 0:
        signals.signal(signals.SIGCHLD, signals.SIG_DFL)
        door.close()
        attempt(path)
    return b"%d:%d" % (pid, files.started(pid))
