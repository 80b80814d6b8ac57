"""Ways out of a job, each tried once: a program of the standard library that is run where a job runs.

    python -I -S -E __main__.py --probe FACT=VALUE...

It prints one line of JSON: for each way, true where it led out. A fact names what only the one who asks can know (a
file that must not be read, a port that something listens at); a way whose fact is missing is not tried. Run where
nothing holds it, it does no harm: nothing is mounted, killed, written or sent beyond what the facts name.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import resource
import socket
import struct
import sys
from collections.abc import Callable

from casemate.cells.shim import probe_kernel as kernel_ways
from casemate.cells.shim.probe_kernel import call, closes, in_child, long

__all__ = ["WAYS", "main"]


def _reads(fact: str) -> bool:
    with open(fact, "rb") as file:
        return bool(file.read(1))


def _writes(fact: str) -> bool:
    """A file made in a folder that is not ours, and taken away again."""
    path = f"{fact}/.casemate-probe-{os.getpid()}"
    closes(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    os.unlink(path)
    return True


def _connects(fact: str) -> bool:
    with socket.create_connection(("127.0.0.1", int(fact)), 2):
        return True


def _sends(fact: str) -> bool:
    """A datagram out, and its answer back."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.settimeout(2)
        made.sendto(b"?", ("127.0.0.1", int(fact)))
        return bool(made.recv(8))


def _local(address: str | bytes) -> bool:
    with socket.socket(socket.AF_UNIX) as made:
        made.settimeout(2)
        made.connect(address)
        return True


def _made(family: int, kind: int) -> bool:
    with socket.socket(family, kind):
        return True


def _sees(fact: str) -> bool:
    """Another process of the machine, by what it is called."""
    with open(f"/proc/{fact}/cmdline", "rb") as file:
        return b"casemate-probe-neighbour" in file.read()


def _kills(fact: str) -> bool:
    os.kill(int(fact), 0)
    with open(f"/proc/{fact}/cmdline", "rb") as file:  # a namespace may have a process of the same number
        return b"casemate-probe-neighbour" in file.read()


def _signals(fact: str) -> bool:
    """A signal to another process, which it can be asked about: SIGUSR1 makes the neighbour write to its file."""
    os.kill(int(fact), 10)
    return True


def _looks_into(fact: str) -> bool:
    with open(f"/proc/{fact}/environ", "rb") as file:
        return bool(file.read(1))


def _memory(fact: str) -> bool:
    with open(f"/proc/{fact}/mem", "rb"):
        return True


def _root_of(fact: str) -> bool:
    return bool(os.listdir(os.path.join("/proc", fact, "root", "etc")))


def _traces(fact: str) -> bool:
    call("ptrace", *long(0x4206, int(fact), 0, 0))  # PTRACE_SEIZE: it runs on, and is let go when we end
    return True


def _copies(fact: str) -> bool:
    into = ctypes.create_string_buffer(8)
    local = struct.pack("QQ", ctypes.addressof(into), 8)
    remote = struct.pack("QQ", 0x400000, 8)
    try:
        call("process_vm_readv", ctypes.c_long(int(fact)), local, *long(1), remote, *long(1, 0))
    except OSError as error:
        return error.errno == errno.EFAULT  # it may look; there is nothing at that address
    return True


def _takes(fact: str) -> bool:
    held = call("pidfd_open", *long(int(fact), 0))
    try:
        return closes(call("pidfd_getfd", *long(held, 0, 0)))
    finally:
        os.close(held)


def _forks(fact: str) -> bool:
    """More processes than were allowed."""
    most, made = int(fact), []
    try:
        for _ in range(most):
            pid = os.fork()
            if pid == 0:
                import signal

                signal.pause()
                os._exit(0)
            made.append(pid)
    except OSError:
        return False
    finally:
        for pid in made:
            os.kill(pid, 9)
            os.waitpid(pid, 0)
    return True


def _takes_memory(fact: str) -> bool:
    def work() -> None:
        held = bytearray(int(fact))
        held[:: resource.getpagesize()] = b"x" * len(held[:: resource.getpagesize()])

    return in_child(work)


def _fills(folder: str) -> Callable[[str], bool]:
    def tried(fact: str) -> bool:
        """More bytes in a folder in memory than it may have, in files of which none is long."""
        made = []
        try:
            for number in range(int(fact) >> 20):
                made.append(f"{folder}/casemate-fill-{os.getpid()}-{number}")
                with open(made[-1], "wb", buffering=0) as file:
                    if file.write(bytes(1 << 20)) < 1 << 20:
                        return False
        finally:
            for path in made:
                if os.path.exists(path):
                    os.unlink(path)
        return True

    return tried


def _long_file(fact: str) -> bool:
    """A file longer than any may be, in the working directory."""

    def work() -> None:
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        with open("casemate-long", "wb") as file:
            file.truncate(int(fact))

    try:
        return in_child(work)
    finally:
        if os.path.exists("casemate-long"):
            os.unlink("casemate-long")


def _dumps(_: str) -> bool:
    return resource.getrlimit(resource.RLIMIT_CORE)[1] != 0


def _opens(fact: str) -> bool:
    """More files at once than may be open."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (int(fact), int(fact)))
    return True


def _gains(_: str) -> bool:
    """Whether a program that bears another's rights would be given them."""
    with open("/proc/self/status", encoding="ascii") as file:
        told = dict(line.split(":", 1) for line in file)
    return told["NoNewPrivs"].strip() == "0"


def _capable(_: str) -> bool:
    with open("/proc/self/status", encoding="ascii") as file:
        told = dict(line.split(":", 1) for line in file)
    return int(told["CapEff"], 16) != 0 or int(told["CapPrm"], 16) != 0


def _devices(_: str) -> bool:
    """A device of the machine that is more than nothing, zeros and chance."""
    plain = {"null", "zero", "full", "random", "urandom", "tty", "ptmx", "console"}
    for name in sorted(os.listdir("/dev")):
        path = f"/dev/{name}"
        if name not in plain and not os.path.isdir(path) and not os.path.islink(path):
            try:
                return closes(os.open(path, os.O_RDWR | os.O_NONBLOCK))
            except OSError:
                continue
    return False


def _lists(fact: str) -> bool:
    return len(os.listdir(fact)) > 0


def _links_out(fact: str) -> bool:
    """A link in the folder that may be written, to a file that may not be read."""
    os.symlink(fact, "casemate-link")
    try:
        return _reads("casemate-link")
    finally:
        os.unlink("casemate-link")


def _hard_links(fact: str) -> bool:
    os.link(fact, "casemate-hard")
    os.unlink("casemate-hard")
    return True


def _left_open(_: str) -> bool:
    """A descriptor that nobody meant to give."""
    for number in range(3, 256):
        try:
            told = os.readlink(f"/proc/self/fd/{number}")
        except OSError:
            continue
        if told != os.path.realpath(sys.argv[0]):  # the interpreter reads us by one
            return True
    return False


def _speaks_of(fact: str) -> bool:
    """What the region's own environment holds."""
    return fact in os.environ


WAYS: dict[str, tuple[str, Callable[[str], bool]]] = {
    "file-read": ("secret", _reads),
    "file-link": ("secret", _links_out),
    "file-hard-link": ("secret", _hard_links),
    "folder-list": ("secrets", _lists),
    "folder-write": ("elsewhere", _writes),
    "sibling-read": ("sibling", _reads),
    "order-read": ("order", _reads),
    "input-write": ("input", _writes),
    "system-write": ("system", _writes),
    "tcp-loopback": ("tcp", _connects),
    "udp-loopback": ("udp", _sends),
    "unix-abstract": ("abstract", lambda fact: _local(b"\0" + fact.encode())),
    "unix-path": ("socket", _local),
    "socket-vsock": ("", lambda _: _made(40, socket.SOCK_STREAM)),
    "socket-netlink": ("", lambda _: _made(16, socket.SOCK_RAW)),
    "socket-alg": ("", lambda _: _made(38, socket.SOCK_SEQPACKET)),
    "socket-packet": ("", lambda _: _made(17, socket.SOCK_RAW)),
    "process-see": ("neighbour", _sees),
    "process-kill": ("neighbour", _kills),
    "process-signal": ("neighbour", _signals),
    "process-environ": ("neighbour", _looks_into),
    "process-memory": ("neighbour", _memory),
    "process-root": ("neighbour", _root_of),
    "process-trace": ("neighbour", _traces),
    "process-copy": ("neighbour", _copies),
    "process-descriptor": ("neighbour", _takes),
    "process-network": ("neighbour", kernel_ways.joins),
    "core-dump": ("", _dumps),
    "new-privileges": ("", _gains),
    "capabilities": ("", _capable),
    "terminal-typing": ("", kernel_ways.types),
    "terminal-own-typing": ("", kernel_ways.types_here),
    "terminal-lines": ("", kernel_ways.disciplines),
    "terminal-others": ("", kernel_ways.others),
    "user-namespace": ("", kernel_ways.unshares(kernel_ways.NEWUSER)),
    "network-namespace": ("", kernel_ways.unshares(kernel_ways.NEWUSER | kernel_ways.NEWNET)),
    "clone-namespace": ("", kernel_ways.clones),
    "clone3-namespace": ("", kernel_ways.clones3),
    "mount": ("", kernel_ways.within(lambda: call("mount", b"none", b"/tmp", b"tmpfs", *long(0, 0)))),
    "open-tree": ("", lambda _: closes(call("open_tree", ctypes.c_long(-100), b"/", ctypes.c_long(0)))),
    "new-filesystem": ("", kernel_ways.within(lambda: call("fsopen", b"tmpfs", ctypes.c_long(0)))),
    "io-uring": ("", kernel_ways.rings),
    "bpf": ("", kernel_ways.bpf),
    "perf": ("", kernel_ways.perf),
    "userfault": ("", lambda _: closes(call("userfaultfd", ctypes.c_long(1)))),
    "keys": ("", kernel_ways.shares("keyctl", 0, -3, 1)),
    "compare-processes": ("", lambda _: call("kcmp", *long(os.getpid(), os.getpid(), 0, 0, 0)) >= 0),
    "file-handle": ("", kernel_ways.handle),
    "personality": ("", kernel_ways.shares("personality", 0x0400000)),
    "chroot": ("", kernel_ways.within(lambda: call("chroot", b"/"))),
    "fanotify": ("", lambda _: closes(call("fanotify_init", *long(0x200, 0)))),
    "move-pages": ("", kernel_ways.shares("move_pages", 0, 0, 0, 0, 0, 0)),
    "shared-memory": ("key", kernel_ways.meets("shmget", 0, 0)),
    "shared-messages": ("key", kernel_ways.meets("msgget", 0)),
    "shared-locks": ("key", kernel_ways.meets("semget", 0, 0)),
    "devices": ("", _devices),
    "left-open": ("", _left_open),
    "environment": ("variable", _speaks_of),
    "many-processes": ("processes", _forks),
    "much-memory": ("memory", _takes_memory),
    "fill-tmp": ("tmp", _fills("/tmp")),
    "fill-shm": ("shm", _fills("/dev/shm")),
    "fill-dev": ("shm", _fills("/dev")),
    "fill-root": ("shm", _fills("")),
    "long-file": ("length", _long_file),
    "many-files": ("files", _opens),
}
"""Each way by its name: the fact that it needs ("" for none), and what tries it."""


def main(facts: list[str]) -> None:
    """Try every way whose fact is given, and print what led out."""
    given = {"": "", **dict(fact.split("=", 1) for fact in facts)}
    found: dict[str, bool] = {}
    for name, (fact, tried) in WAYS.items():
        if fact in given:
            try:
                found[name] = tried(given[fact])
            except (OSError, ValueError, MemoryError, KeyError, AttributeError):
                found[name] = False
    sys.stdout.write(json.dumps(found) + "\n")
