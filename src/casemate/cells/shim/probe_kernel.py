"""Ways out of a job that go through the kernel: system calls by number, harmless where they are let through."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import platform
import struct
from collections.abc import Callable

_LIBC = ctypes.CDLL(None, use_errno=True)
_COLUMN = {"x86_64": 0, "aarch64": 1}.get(platform.machine())
_NUMBERS = {
    "mount": (165, 40),
    "unshare": (272, 97),
    "setns": (308, 268),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "io_uring_setup": (425, 425),
    "bpf": (321, 280),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "userfaultfd": (323, 282),
    "perf_event_open": (298, 241),
    "clone": (56, 220),
    "clone3": (435, 435),
    "open_tree": (428, 428),
    "fsopen": (430, 430),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "kcmp": (312, 272),
    "name_to_handle_at": (303, 264),
    "personality": (135, 92),
    "chroot": (161, 51),
    "shmget": (29, 194),
    "msgget": (68, 186),
    "semget": (64, 190),
    "fanotify_init": (300, 262),
    "memfd_create": (319, 279),
    "move_pages": (279, 239),
}
NEWUSER, NEWNET, NEWNS, _SIGCHLD = 0x10000000, 0x40000000, 0x20000, 17


def call(name: str, *arguments: object) -> int:
    """The result of a system call by its number. Raises OSError as the kernel says."""
    if _COLUMN is None:
        raise OSError(errno.ENOSYS, "an unknown machine")
    result = int(_LIBC.syscall(ctypes.c_long(_NUMBERS[name][_COLUMN]), *arguments))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def long(*values: int) -> list[ctypes.c_long]:
    return [ctypes.c_long(value) for value in values]


def closes(descriptor: int) -> bool:
    os.close(descriptor)
    return True


def in_child(work: Callable[[], object]) -> bool:
    """Whether it works in a process of its own, which it cannot hurt us from."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
        except BaseException:  # noqa: BLE001 - whatever it is, it did not work
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def types(_: str) -> bool:
    """A key typed into a terminal: into one that we have made our own, so that nobody else's is touched."""

    def work() -> None:
        os.setsid()
        _, inner = os.openpty()
        fcntl.ioctl(inner, 0x540E, 0)  # TIOCSCTTY
        fcntl.ioctl(inner, 0x5412, b"x")  # TIOCSTI

    return in_child(work)


def types_here(_: str) -> bool:
    """A key typed into the terminal that somebody works at, where there is one."""
    if not os.isatty(0):
        return False
    fcntl.ioctl(0, 0x5412, b"\n")  # TIOCSTI
    return True


def disciplines(_: str) -> bool:
    """What takes a line apart is chosen anew: other choices than this one bring in drivers that few have looked at."""
    ends = () if os.isatty(0) else os.openpty()
    try:
        fcntl.ioctl(ends[1] if ends else 0, 0x5423, struct.pack("i", 0))  # TIOCSETD, N_TTY
    finally:
        for end in ends:
            os.close(end)
    return True


def others(_: str) -> bool:
    """Terminals of the machine: each that can be opened and was there before us."""
    own = {os.fstat(number).st_rdev for number in range(3)}
    for name in os.listdir("/dev/pts"):
        try:
            found = os.open(f"/dev/pts/{name}", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
        except OSError:
            continue
        told = os.fstat(found).st_rdev
        os.close(found)
        if name.isdigit() and told not in own:
            return True
    return False


def rings(_: str) -> bool:
    return closes(call("io_uring_setup", ctypes.c_long(1), ctypes.create_string_buffer(248)))


def bpf(_: str) -> bool:
    # BPF_MAP_CREATE of an array of one element
    return closes(call("bpf", ctypes.c_long(0), struct.pack("IIII", 2, 4, 4, 1), ctypes.c_long(16)))


def perf(_: str) -> bool:
    # a counter of software (the task's clock), of this process alone, without what the kernel does for it
    attributes = struct.pack("IIQQQQQ", 1, 112, 1, 0, 0, 0, 0x60) + bytes(64)
    return closes(call("perf_event_open", attributes, *long(0, -1, -1, 0)))


def unshares(flags: int) -> Callable[[str], bool]:
    return lambda _: in_child(lambda: call("unshare", *long(flags)))


def clones(_: str) -> bool:
    pid = call("clone", *long(NEWUSER | _SIGCHLD, 0, 0, 0, 0))
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return True


def clones3(_: str) -> bool:
    pid = call("clone3", struct.pack("Q" * 8, NEWUSER, 0, 0, 0, _SIGCHLD, 0, 0, 0), ctypes.c_long(64))
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return True


def joins(fact: str) -> bool:
    """The network of another process."""

    def work() -> None:
        held = os.open(f"/proc/{fact}/ns/net", os.O_RDONLY)
        call("setns", *long(held, NEWNET))

    return in_child(work)


def within(work: Callable[[], object]) -> Callable[[str], bool]:
    """What needs rights that a user has in a namespace of its own: where it works, nobody else sees it."""

    def tried() -> None:
        call("unshare", *long(NEWUSER | NEWNS))
        work()

    return lambda _: in_child(tried)


def shares(name: str, *arguments: int) -> Callable[[str], bool]:
    def tried(_: str) -> bool:
        call(name, *long(*arguments))
        return True

    return tried


def meets(name: str, *arguments: int) -> Callable[[str], bool]:
    """What the machine shares by a number: FACT is the key under which somebody outside has made it."""

    def tried(fact: str) -> bool:
        call(name, *long(int(fact), *arguments))
        return True

    return tried


def handle(_: str) -> bool:
    handle = bytearray(struct.pack("Ii", 128, 0) + bytes(128))
    mount = ctypes.c_int()
    held = (ctypes.c_char * len(handle)).from_buffer(handle)
    call("name_to_handle_at", ctypes.c_long(-100), b"/", held, ctypes.byref(mount), ctypes.c_long(0))
    return True
