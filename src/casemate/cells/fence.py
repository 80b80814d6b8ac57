"""What runs first in every child, before it has read one byte of work: it shuts itself in, says so, becomes the cell.

It is run as a file (`python -I -B fence.py`), knows only the standard library and reads one order from its parent.
It may never go on unfenced: whatever fails, it says why and ends. Why here and not between fork and exec: no Python
runs between fork and exec of a process with threads, and the filter may then forbid exec itself.

Order: the descriptors, limits, capabilities, no_new_privs, Landlock, seccomp, a try of both. The parent does not take
the report's word for it: it reads the seccomp mode of this process from /proc.
"""

from __future__ import annotations

import base64
import contextlib
import ctypes
import fcntl
import importlib.util
import json
import os
import resource
import runpy
import stat
import struct
import sys
from typing import Any

REQUESTS, REPLIES = 3, 4
"""Descriptors of the two pipes, once fenced. 0, 1 and 2 are /dev/null: what a library prints cannot become a reply."""

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT = 1, 4, 24, 38, 47
_SECCOMP_SET_MODE_FILTER, _SECCOMP_FILTER_FLAG_TSYNC = 1, 1
_RULE_PATH_BENEATH, _VERSION = 1, 1
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
_FILE_RIGHTS = {1: 0x1FFF, 2: 0x3FFF, 3: 0x7FFF, 4: 0x7FFF}  # ABI 5 adds ioctl on devices: 0xFFFF
_LIBC = ctypes.CDLL(None, use_errno=True)


def _kernel(what: str, result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")
    return result


def _call(what: str, number: int, *arguments: Any) -> int:
    return _kernel(what, int(_LIBC.syscall(ctypes.c_long(number), *arguments)))


def _prctl(what: str, option: int, *arguments: int) -> int:
    padded = [ctypes.c_ulong(value) for value in (*arguments, 0, 0, 0, 0)[:4]]
    return _kernel(what, int(_LIBC.prctl(ctypes.c_int(option), *padded)))


def _order() -> dict[str, Any]:
    """The parent's order: a length of four bytes and JSON. Read by descriptor, so that not a byte more is taken."""
    (size,) = struct.unpack(">I", _exactly(4))
    order: dict[str, Any] = json.loads(_exactly(size))
    return order


def _exactly(size: int) -> bytes:
    parts = b""
    while len(parts) < size:
        part = os.read(REQUESTS, size - len(parts))
        if not part:
            raise EOFError("the parent went away")
        parts += part
    return parts


def _descriptors() -> None:
    null = os.open("/dev/null", os.O_RDWR)
    requests, replies = os.dup(0), os.dup(1)
    # moved out of the way first: any of them could have got one of the numbers that the pipes are to have
    null, requests, replies = (fcntl.fcntl(one, fcntl.F_DUPFD, 16) for one in (null, requests, replies))
    os.dup2(requests, REQUESTS)
    os.dup2(replies, REPLIES)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    os.closerange(REPLIES + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def _limits(limits: dict[str, int]) -> None:
    for name, value in limits.items():
        kind = getattr(resource, f"RLIMIT_{name}")
        _, hard = resource.getrlimit(kind)
        ceiling = value if hard == resource.RLIM_INFINITY else min(value, hard)
        # the hard limit on CPU time stays: the parent moves the soft one along from request to request
        resource.setrlimit(kind, (ceiling, hard if name == "CPU" else ceiling))


def _drop_capabilities() -> None:
    """A child of root keeps no capability; a child of anyone else never had one."""
    for capability in range(64):
        if _LIBC.prctl(_PR_CAPBSET_DROP, ctypes.c_ulong(capability), 0, 0, 0) < 0:
            break
    _LIBC.prctl(_PR_CAP_AMBIENT, 4, 0, 0, 0)  # PR_CAP_AMBIENT_CLEAR_ALL
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    _kernel("capset", int(_LIBC.capset(header, (ctypes.c_uint32 * 6)())))


def _landlock(calls: dict[str, int], reads: list[str]) -> int:
    """Nothing of the file system but reading what is beneath these paths; the ABI that enforces it."""
    create = calls["landlock_create_ruleset"]
    abi = _call("landlock", create, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION))
    tcp = 0x3 if abi >= 4 else 0  # bind and connect
    scopes = 0x3 if abi >= 6 else 0  # abstract sockets and signals stay inside
    attributes = struct.pack("<QQQ", _FILE_RIGHTS.get(abi, 0xFFFF), tcp, scopes)
    attributes = attributes[: 24 if abi >= 6 else 16 if abi >= 4 else 8]
    ruleset = _call("landlock", create, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint32(0))
    for path in reads:
        with contextlib.suppress(FileNotFoundError):
            _grant(calls["landlock_add_rule"], ruleset, path)
    _call("landlock", calls["landlock_restrict_self"], ctypes.c_int(ruleset), ctypes.c_uint32(0))
    os.close(ruleset)
    return abi


def _grant(add: int, ruleset: int, path: str) -> None:
    found = os.open(path, os.O_PATH | os.O_CLOEXEC)
    rights = _READ_FILE | (_READ_DIR if stat.S_ISDIR(os.fstat(found).st_mode) else 0)
    beneath = struct.pack("<Qi", rights, found)
    _call(f"landlock {path}", add, ctypes.c_int(ruleset), ctypes.c_int(_RULE_PATH_BENEATH), beneath, ctypes.c_uint32(0))
    os.close(found)


def _seccomp(number: int, program: bytes) -> None:
    # struct sock_fprog: a count, padding, the address of the instructions
    instructions = ctypes.create_string_buffer(program, len(program))
    fprog = struct.pack("<HxxxxxxQ", len(program) // 8, ctypes.addressof(instructions))
    mode, flags = ctypes.c_uint(_SECCOMP_SET_MODE_FILTER), ctypes.c_uint(_SECCOMP_FILTER_FLAG_TSYNC)
    if _call("seccomp", number, mode, flags, fprog) != 0:
        raise OSError("seccomp: a thread could not be fenced")


def _fence(order: dict[str, Any]) -> int:
    if len(os.listdir("/proc/self/task")) != 1:  # noqa: PTH208 - every import costs each child
        raise OSError("a thread was there before the fence")
    _limits(order["limits"])
    _drop_capabilities()
    _prctl("no_new_privs", _PR_SET_NO_NEW_PRIVS, 1)
    _prctl("dumpable", _PR_SET_DUMPABLE, 0)
    _prctl("die with the parent", _PR_SET_PDEATHSIG, 9)
    if os.getppid() != order["parent"]:
        raise OSError("the parent went away")
    abi = _landlock(order["calls"], order["reads"])
    _seccomp(order["calls"]["seccomp"], base64.b64decode(order["filter"]))
    _try(order["home"])
    return abi


def _try(home: str) -> None:
    """Both walls must be felt from inside before anyone relies on them. `home` is ours: only Landlock forbids it."""
    try:
        os.listdir(home)  # noqa: PTH208
    except PermissionError:
        pass
    else:
        raise OSError("landlock does not hold")
    if _LIBC.socket(1, 1, 0) >= 0:
        raise OSError("seccomp does not hold")


def _report(report: dict[str, Any]) -> None:
    os.write(REPLIES, json.dumps(report).encode() + b"\n")


def _house(folder: str) -> None:
    """Make `casemate` importable from its folder, without making whatever lies beside it importable."""
    spec = importlib.util.spec_from_file_location(
        "casemate", f"{folder}/__init__.py", submodule_search_locations=[folder]
    )
    if spec is None or spec.loader is None:
        raise ImportError("casemate")
    module = importlib.util.module_from_spec(spec)
    sys.modules["casemate"] = module
    spec.loader.exec_module(module)


def main() -> None:
    """Fence, report, run. Ends with 71 where the fence does not hold."""
    _descriptors()
    order = _order()
    try:
        report = {"abi": _fence(order)}
    except Exception as error:  # noqa: BLE001 - whatever it is, this process must not go on
        _report({"why": f"{type(error).__name__}: {error}"})
        os._exit(71)
    _report(report)
    sys.argv = [order["module"], *order["arguments"]]
    _house(order["package"])
    if order["module"].endswith(".py"):
        runpy.run_path(order["module"], run_name="__main__")
    else:
        runpy.run_module(order["module"], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
