"""A warm server: it has read the shim's code, and forks a shim for each folder that it is sent. One for each domain.

It holds no secret and nothing of any label: folders' names come in, process ids go out, and what it forks knows one
folder. It ends when its socket does; what it forked goes on.
"""

from __future__ import annotations

import _signal as signals  # type: ignore[import-not-found]
import gc
import os
import socket

from casemate.cells.shim import files
from casemate.cells.shim.run import attempt

__all__ = ["serve"]


def serve(descriptor: int) -> None:
    """Packets of a folder's path, each answered with PID START, or with nothing where none could be forked."""
    signals.signal(signals.SIGCHLD, signals.SIG_IGN)  # the kernel buries what we forked
    files.load(b"{}")  # what every shim needs is loaded here, once
    files.boot()
    gc.disable()  # a collection in what was forked copies all of these pages, and it ends before there is a need
    gc.freeze()
    door = socket.socket(fileno=os.dup(descriptor))
    os.set_inheritable(door.fileno(), False)
    os.dup2(os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC), descriptor)
    while packet := door.recv(1 << 16):
        try:
            pid = os.fork()
        except OSError:
            door.send(b"-")
            continue
        if pid == 0:
            signals.signal(signals.SIGCHLD, signals.SIG_DFL)
            door.close()
            attempt(os.fsdecode(packet))
        door.send(b"%d %d" % (pid, files.started(pid)))
