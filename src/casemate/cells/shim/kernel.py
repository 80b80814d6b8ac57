"""System calls that `os` does not know, by the C library: what walls are made of. Each raises OSError with its name.

What stands below `ctypes` is used as it is: importing the rest of it takes as long as all other modules of the shim.
"""

from __future__ import annotations

import _ctypes
import os

TYPE_CHECKING = False
if TYPE_CHECKING:  # what they import costs more than the rest of the shim
    from collections.abc import Mapping, Sequence

__all__ = [
    "bind",
    "drop",
    "landlock",
    "no_new_privileges",
    "own_mounts",
    "private_folder",
    "reaps",
    "seccomp",
    "with_parent",
    "without",
]

_PDEATHSIG, _CAPBSET_DROP, _CHILD_SUBREAPER, _NO_NEW_PRIVS, _CAP_AMBIENT = 1, 24, 36, 38, 47
_NEWNS, _BIND, _REC, _PRIVATE = 0x00020000, 4096, 16384, 1 << 18
_NOSUID, _NODEV = 2, 4
_READ = 1 | 4 | 8  # execute, read a file, list a folder
_ON_FILES = 1 | 2 | 4 | 1 << 14  # execute, write, read, truncate
_NOT_MADE = 64 | 2048 | 1 << 15  # devices are not made, nor asked by ioctl
_RIGHTS = {1: 0x1FFF, 2: 0x3FFF, 3: 0x7FFF, 4: 0x7FFF}  # ABI 5 adds ioctl on devices: 0xFFFF


class _Int(_ctypes._SimpleCData):  # type: ignore[type-arg]  # subscripted it cannot be
    _type_ = "i"


class _Long(_ctypes._SimpleCData):  # type: ignore[type-arg]
    _type_ = "L"


class _Address(_ctypes._SimpleCData):  # type: ignore[type-arg]
    """Of bytes; its own bytes are the address."""

    _type_ = "z"


class _Function(_ctypes.CFuncPtr):
    _flags_ = 1 | 8  # of C, and errno is kept
    _restype_ = _Int


_HELD = _ctypes.dlopen(None, 0)  # type: ignore[arg-type]  # what this process has loaded already
_NOUGHT = (_Long(0), _Long(0), _Long(0))
_PRCTL, _CAPSET, _UNSHARE, _MOUNT, _UMOUNT, _SYSCALL = (
    _Function(_ctypes.dlsym(_HELD, name)) for name in ("prctl", "capset", "unshare", "mount", "umount2", "syscall")
)


def _done(what: str, result: int) -> int:
    if result < 0:
        code = _ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")
    return result


def _prctl(what: str, option: int, *arguments: int) -> int:
    return _done(what, _PRCTL(option, *map(_Long, (*arguments, 0, 0, 0, 0)[:4])))


def with_parent(parent: int) -> None:
    """Killed when the thread that started this process ends; and now, where it has ended already."""
    _prctl("die with the parent", _PDEATHSIG, 9)
    if os.getppid() != parent:
        os._exit(71)


def reaps() -> None:
    """Whoever is orphaned below this process becomes its child, so that it can be found and ended."""
    _prctl("subreaper", _CHILD_SUBREAPER, 1)


def no_new_privileges() -> None:
    _prctl("no_new_privs", _NO_NEW_PRIVS, 1)


def drop() -> None:
    """No capability, and none to be had. Where this is no root there are none to lose."""
    for capability in range(64):
        if _PRCTL(_CAPBSET_DROP, _Long(capability), *_NOUGHT) < 0:
            break
    _PRCTL(_CAP_AMBIENT, _Long(4), *_NOUGHT)  # PR_CAP_AMBIENT_CLEAR_ALL; a kernel without it has none
    _done("capset", _CAPSET(_bytes((0x20080522, 4), (0, 4)), bytes(24)))


def own_mounts() -> None:
    """A view of the file system of its own: what is mounted from here on is seen by nobody else."""
    _done("unshare", _UNSHARE(_NEWNS))
    _mount(b"none", b"/", None, _REC | _PRIVATE, None)


def private_folder(path: str) -> None:
    """An empty folder in memory in the place of this one, which anyone may walk through and only we may fill."""
    _mount(b"casemate", os.fsencode(path), b"tmpfs", _NOSUID | _NODEV, b"mode=0755,size=1m,nr_inodes=4096")


def without(path: str) -> None:
    """What is mounted here, and beneath it, is not there any more in this view; where nothing is, nothing changes."""
    _UMOUNT(os.fsencode(path), 2)  # MNT_DETACH


def bind(descriptor: int, path: str) -> None:
    """What the descriptor holds, at this path too."""
    _mount(f"/proc/self/fd/{descriptor}".encode(), os.fsencode(path), None, _BIND | _REC, None)


def _mount(source: bytes, target: bytes, kind: bytes | None, flags: int, data: bytes | None) -> None:
    result = _MOUNT(source, target, kind, _Long(flags), data)
    if result < 0:
        _done(f"mount {os.fsdecode(target)}", result)


def landlock(calls: Mapping[str, int], reads: Sequence[str], writes: Sequence[str], devices: Sequence[str]) -> int:
    """Read and execute beneath `reads`, everything but devices beneath `writes`, read and write `devices`. The ABI."""
    create = calls["landlock_create_ruleset"]
    abi = _call("landlock", create, None, _Long(0), 1)
    rights = _RIGHTS.get(abi, 0xFFFF)
    scopes = 0x3 if abi >= 6 else 0  # abstract sockets and signals stay inside
    attributes = _bytes((rights, 8), (0, 8), (scopes, 8))[: 24 if abi >= 6 else 16 if abi >= 4 else 8]
    ruleset = _call("landlock", create, attributes, _Long(len(attributes)), 0)
    add = calls["landlock_add_rule"]
    for paths, given in ((reads, _READ), (writes, rights & ~_NOT_MADE), (devices, _ON_FILES & rights)):
        for path in paths:
            try:
                found = os.open(path, os.O_PATH | os.O_CLOEXEC)
            except FileNotFoundError:
                continue
            folded = os.fstat(found).st_mode & 0o170000 == 0o040000
            beneath = given if folded else given & _ON_FILES & rights
            rule = _bytes((beneath, 8), (found, 4))
            _call(f"landlock {path}", add, ruleset, 1, rule, 0)
            os.close(found)
    _call("landlock", calls["landlock_restrict_self"], ruleset, 0)
    os.close(ruleset)
    return abi


def _call(what: str, number: int, *arguments: object) -> int:
    return _done(what, _SYSCALL(_Long(number), *arguments))


def _bytes(*fields: tuple[int, int]) -> bytes:
    """Numbers, each with how many bytes it has, as this machine's kernel reads them."""
    return b"".join(value.to_bytes(size, "little") for value, size in fields)


def seccomp(number: int, program: bytes) -> None:
    """The filter, from here on and over every exec."""
    held = _Address(program)
    # struct sock_fprog: a count, padding, the address of the instructions
    _call("seccomp", number, 1, 0, _bytes((len(program) // 8, 8)) + bytes(held))
