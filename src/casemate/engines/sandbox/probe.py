"""Whether this kernel can fence a child, and whether a child is fenced: asked of the kernel, never of the child."""

from __future__ import annotations

import ctypes
import sys
from dataclasses import dataclass
from pathlib import Path

from casemate.engines.sandbox.machine import Machine, this_machine

__all__ = ["Support", "filters", "support", "unfenced"]

_SECCOMP_GET_ACTION_AVAIL = 2
_ACTIONS = (0x80000000, 0x00050000)  # kill the process, return an errno


@dataclass(frozen=True, slots=True)
class Support:
    """`why` is empty where a child can be fenced; `landlock` is the ABI that the kernel offers."""

    why: str
    landlock: int = 0
    machine: Machine | None = None


def support() -> Support:
    """What the kernel of this machine can enforce."""
    machine = this_machine()
    if machine is None:
        return Support(f"no filter is known for this machine ({sys.platform})")
    if not Path(sys.executable or "/nonexistent").is_file():
        return Support("the path of the Python interpreter is unknown")
    if not Path("/proc/self/status").is_file():
        return Support("/proc is not mounted, so that no child could be checked")
    libc = ctypes.CDLL(None, use_errno=True)
    for action in _ACTIONS:
        asked = ctypes.c_uint32(action)
        arguments = (ctypes.c_uint(_SECCOMP_GET_ACTION_AVAIL), ctypes.c_uint(0), ctypes.byref(asked))
        if libc.syscall(ctypes.c_long(machine.calls["seccomp"]), *arguments) != 0:
            return Support("the kernel has no seccomp filters")
    create = ctypes.c_long(machine.calls["landlock_create_ruleset"])
    abi = int(libc.syscall(create, None, ctypes.c_size_t(0), ctypes.c_uint32(1)))
    if abi < 1:
        return Support("the kernel has no Landlock, or it is switched off")
    return Support("", abi, machine)


def filters() -> int:
    """How many seccomp filters this process itself runs under (a container's, for example)."""
    return int(_status(Path("/proc/self/status")).get("Seccomp_filters", "0"))


def unfenced(pid: int, before: int) -> str:
    """Why the process is not fenced, or "" where it is. `before`: the filters that it was born with."""
    try:
        status = _status(Path(f"/proc/{pid}/status"))
    except OSError:
        return "the child ended"
    wanted = {"Seccomp": "2", "NoNewPrivs": "1", "Threads": "1"}
    for field, value in wanted.items():
        if status.get(field) != value:
            return f"{field} of the child is {status.get(field)}"
    for field in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        if int(status.get(field, "1"), 16):
            return f"the child holds capabilities ({field})"
    if int(status.get("Seccomp_filters", "0")) <= before:
        return "the child added no filter of its own"
    return ""


def _status(path: Path) -> dict[str, str]:
    lines = (line.partition(":") for line in path.read_text("ascii", "replace").splitlines())
    return {name: value.strip() for name, _, value in lines}
