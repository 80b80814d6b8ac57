"""What runs first in a child that becomes somebody else's program: it shuts itself in as `fence` does, and executes it.

The order says which program, with which arguments, and a folder in which it may make its socket. The program cannot
undo the fence: no_new_privs, Landlock and the filter stay over exec. It may serve on a socket of the local kind and
connect to none; it may read its libraries and what it was given, and write nothing. One that `hears` has the pipe of
requests for its standard input, and one that `tells` the pipe of replies for its standard output.
"""

from __future__ import annotations

import base64
import importlib.util
import os
import struct
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

_EXECUTE, _READ_FILE, _READ_DIR, _REMOVE_FILE, _MAKE_SOCKET = 1, 1 << 2, 1 << 3, 1 << 5, 1 << 9
_AF_UNIX, _AF_INET, _STREAM = 1, 2, 1


def _fence() -> ModuleType:
    """`fence`, which lies beside this file; nothing else there becomes importable."""
    spec = importlib.util.spec_from_file_location("fence", Path(__file__).with_name("fence.py"))
    if spec is None or spec.loader is None:
        raise ImportError("fence")
    module = importlib.util.module_from_spec(spec)
    sys.modules["fence"] = module
    spec.loader.exec_module(module)
    return module


def _landlock(fence: Any, calls: dict[str, int], reads: list[str], folder: str) -> int:
    """As fence does, but what may be read may be run, and in one folder a socket may be made and removed."""
    create = calls["landlock_create_ruleset"]
    abi = int(fence._call("landlock", create, None, fence.ctypes.c_size_t(0), fence.ctypes.c_uint32(1)))
    tcp, scopes = 0x3 if abi >= 4 else 0, 0x3 if abi >= 6 else 0
    attributes = struct.pack("<QQQ", fence._FILE_RIGHTS.get(abi, 0xFFFF), tcp, scopes)
    attributes = attributes[: 24 if abi >= 6 else 16 if abi >= 4 else 8]
    ruleset = fence._call("landlock", create, attributes, fence.ctypes.c_size_t(len(attributes)), 0)
    for path in reads:
        if os.path.exists(path):  # noqa: PTH110 - every import costs each child
            rights = _EXECUTE | _READ_FILE | (_READ_DIR if os.path.isdir(path) else 0)  # noqa: PTH112
            _grant(fence, calls["landlock_add_rule"], ruleset, path, rights)
    _grant(fence, calls["landlock_add_rule"], ruleset, folder, _MAKE_SOCKET | _REMOVE_FILE)
    fence._call("landlock", calls["landlock_restrict_self"], fence.ctypes.c_int(ruleset), 0)
    os.close(ruleset)
    return abi


def _grant(fence: Any, add: int, ruleset: int, path: str, rights: int) -> None:
    found = os.open(path, os.O_PATH | os.O_CLOEXEC)
    beneath = struct.pack("<Qi", rights, found)
    fence._call(f"landlock {path}", add, fence.ctypes.c_int(ruleset), fence.ctypes.c_int(1), beneath, 0)
    os.close(found)


def _try(fence: Any, home: str) -> None:
    """The walls must be felt from inside before anyone relies on them."""
    try:
        os.listdir(home)  # noqa: PTH208
    except PermissionError:
        pass
    else:
        raise OSError("landlock does not hold")
    if fence._LIBC.socket(_AF_INET, _STREAM, 0) >= 0:
        raise OSError("seccomp does not hold")


def main() -> None:
    """Fence, report, execute. Ends with 71 where the fence does not hold, with 72 where there is nothing to execute."""
    fence: Any = _fence()
    fence._descriptors()
    order = fence._order()
    if order["hears"]:
        os.dup2(fence.REQUESTS, 0)  # the filter knows no dup2
    if order["tells"]:
        os.dup2(fence.REPLIES, 1)
    try:
        fence._limits(order["limits"])
        fence._drop_capabilities()
        fence._prctl("no_new_privs", fence._PR_SET_NO_NEW_PRIVS, 1)
        fence._prctl("die with the parent", fence._PR_SET_PDEATHSIG, 9)
        if os.getppid() != order["parent"]:
            raise OSError("the parent went away")
        abi = _landlock(fence, order["calls"], order["reads"], order["folder"])
        fence._seccomp(order["calls"]["seccomp"], base64.b64decode(order["filter"]))
        _try(fence, order["home"])
    except Exception as error:  # noqa: BLE001 - whatever it is, this process must not go on
        fence._report({"why": f"{type(error).__name__}: {error}"})
        os._exit(71)
    fence._report({"abi": abi})
    fence._exactly(1)  # the parent looks at this process before it becomes another program
    os.set_inheritable(fence.REQUESTS, False)
    os.set_inheritable(fence.REPLIES, False)
    try:
        os.execve(order["program"], [order["program"], *order["arguments"]], os.environ)  # noqa: S606
    except OSError:
        os._exit(72)


if __name__ == "__main__":
    main()
