"""Starts a program that is not ours in the sandbox: it serves on a socket file in a folder of its own, and that is all.

It cannot connect to anything, by any kind of socket: what it was sent can leave it only as an answer. It starts no
process, writes no file, and reads its libraries, its own folder and what is named for it.
"""

from __future__ import annotations

import asyncio
import base64
import os
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from casemate.engines.sandbox import bpf
from casemate.engines.sandbox.filter import _rules
from casemate.engines.sandbox.machine import Machine
from casemate.engines.sandbox.places import readable
from casemate.engines.sandbox.probe import filters, support
from casemate.engines.sandbox.spawn import _CALLS, _HANDSHAKE, Child, Sandbox, _launch, _prove
from casemate.errors import CasemateError, SandboxMissing

__all__ = ["program", "serve"]

_SERVES = """
bind listen accept accept4 getsockname getpeername getsockopt setsockopt shutdown recvfrom recvmsg sendto sendmsg
epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 eventfd2 pipe2 execve unlink unlinkat
""".split()
_AF_UNIX, _STREAM, _KIND = 1, 1, 0xF  # the kind of a socket lies in the low bits; what is above are flags


def program(machine: Machine, pid: int) -> bytes:
    """The filter: what cells may do, threads, and to serve on stream sockets of the local kind. Never to connect."""
    rules = list(_rules(machine, pid, threads=True))
    rules += [(machine.calls[name], bpf.verdict(bpf.ALLOW)) for name in _SERVES if name in machine.calls]
    stream = bpf.masked(1, _KIND, _STREAM)
    rules.append((machine.calls["socket"], bpf.one_of(0, (_AF_UNIX,), stream)))
    rules.append((machine.calls["socketpair"], bpf.one_of(0, (_AF_UNIX,), stream)))
    ruled = {number for number, _ in rules}
    rules += [(number, bpf.verdict(bpf.EPERM)) for number in machine.calls.values() if number not in ruled]
    return bpf.assemble(machine.audit, machine.x32, rules, bpf.ENOSYS)


async def serve(
    sandbox: Sandbox,
    path: Path,
    arguments: Sequence[str],
    folder: Path,
    reads: Sequence[Path] = (),
    *,
    tells: bool = False,
) -> Child:
    """Start the program at `path`. `folder`: where it may make its socket. `tells`: what it prints comes as replies.

    Raises SandboxMissing where it could not be fenced, or did not prove it: it is dead by then.
    """
    found = support()
    if found.why or found.machine is None:
        raise SandboxMissing(why=found.why)
    granted = readable([path, *reads], sandbox._protect)
    before = filters()
    child = await _launch(sandbox.home, "launch.py")
    try:
        order = _order(child.pid, found.machine, path, arguments, folder, granted, sandbox.home, tells)
        await asyncio.wait_for(_prove(child, order, before), _HANDSHAKE)
        child.requests.write(b"!")
    except BaseException as error:
        child.kill()
        await asyncio.shield(child.ended())
        if isinstance(error, CasemateError) or not isinstance(error, Exception):
            raise
        raise SandboxMissing(why=f"a child did not come to be fenced in time ({type(error).__name__})") from None
    return child


def _order(
    pid: int,
    machine: Machine,
    path: Path,
    arguments: Sequence[str],
    folder: Path,
    granted: list[str],
    home: Path,
    tells: bool,
) -> bytes:
    order: dict[str, Any] = {
        "parent": os.getpid(),
        "program": str(path),
        "arguments": list(arguments),
        "folder": str(folder),
        "home": str(home),
        "reads": granted,
        "hears": False,
        "tells": tells,
        "calls": {name: machine.calls[name] for name in _CALLS},
        "filter": base64.b64encode(program(machine, pid)).decode("ascii"),
        "limits": {"CORE": 0, "FSIZE": 0, "MEMLOCK": 0, "MSGQUEUE": 0, "NOFILE": 256},
    }
    body = msgspec.json.encode(order)
    return struct.pack(">I", len(body)) + body
