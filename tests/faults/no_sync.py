"""From a moment on the kernel refuses every sync of a process with EIO: a disk that no longer says what it wrote.

Run as `python -m tests.faults.no_sync TRIGGER -m MODULE WORDS...`: the module's program runs as it is; once the file
TRIGGER is there it is removed and a seccomp filter over all threads answers fsync, fdatasync and syncfs with EIO.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import runpy
import struct
import sys
import threading
import time
from pathlib import Path

CALLS = {"x86_64": (317, (74, 75, 306)), "aarch64": (277, (82, 83, 267))}  # seccomp; fsync, fdatasync, syncfs
_NO_NEW_PRIVILEGES, _FILTER, _ALL_THREADS = 38, 1, 1
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _ERROR = 0x7FFF0000, 0x00050000


def possible() -> bool:
    """Whether this machine and kernel can."""
    return platform.machine() in CALLS and Path("/proc/sys/kernel/seccomp/actions_avail").exists()


def refuse_syncs() -> None:
    """No sync succeeds in this process any more."""
    seccomp, syncs = CALLS[platform.machine()]
    jumps = [(_EQUAL, len(syncs) - at, 0, number) for at, number in enumerate(syncs)]
    program = [(_LOAD, 0, 0, 0), *jumps, (_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _ERROR | errno.EIO)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *each) for each in program))
    told = ctypes.create_string_buffer(struct.pack("@HP", len(program), ctypes.addressof(code)))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) or libc.syscall(seccomp, _FILTER, _ALL_THREADS, told):
        raise OSError(ctypes.get_errno(), "seccomp")


def _wait(trigger: Path) -> None:
    while not trigger.exists():
        time.sleep(0.005)
    refuse_syncs()
    trigger.unlink()


if __name__ == "__main__":
    threading.Thread(target=_wait, args=(Path(sys.argv[1]),), daemon=True).start()
    assert sys.argv[2] == "-m"
    module, sys.argv = sys.argv[3], sys.argv[3:]
    os.environ.pop("PYTHONSAFEPATH", None)
    runpy.run_module(module, run_name="__main__", alter_sys=True)
