"""How a job is shut in, from the fork to the exec: L1 by system calls alone, L2 by bubblewrap and its namespaces.

    root      gives the job a view in which folders that only root may enter are empty but for what the order names, and
              becomes the user of the order's label; another user stays who he is
    L1        no_new_privs, Landlock, seccomp, limits
    L2        limits, then bubblewrap with the filter: no other process, file, host or network is there

Whatever fails here ends the child before it has run anything: it says why on its pipe. It never goes on without a wall.
"""

from __future__ import annotations

import os
import resource

from casemate.cells.shim import kernel, ranks

TYPE_CHECKING = False
if TYPE_CHECKING:  # what they import costs more than the rest of the shim
    from collections.abc import Callable
    from typing import Any

__all__ = ["Place", "bubblewrap", "enter", "level1", "level2", "plain"]

INSIDE = 1000
"""The user that a job is to itself in its own namespace."""
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_ETC = (
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/alternatives",
    "/etc/localtime",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/nsswitch.conf",
    "/etc/protocols",
    "/etc/services",
    "/etc/mime.types",
)
_NETWORK = ("/etc/resolv.conf", "/etc/hosts")
_TOLD = ("/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/sys/vm/overcommit_memory", "/sys/devices/system/cpu")
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
_SHARED = 64 << 20  # bytes of /dev/shm
_COPIED = 256 << 10  # bytes of a file of the machine that is copied into the job's root
_MACHINE = {
    "/proc/loadavg": b"0.00 0.00 0.00 1/1 1\n",  # the C library reads it
    **dict.fromkeys(
        (
            "/proc/diskstats",
            "/proc/interrupts",
            "/proc/kallsyms",
            "/proc/key-users",
            "/proc/sched_debug",
            "/proc/schedstat",
            "/proc/softirqs",
            "/proc/timer_list",
            "/proc/vmstat",
            "/proc/zoneinfo",
        ),
        b"",
    ),
}
"""What counts the whole machine's work, and what stands there instead."""


class Place:
    """Where the attempt lies: the folder's path, and what the order says of it."""

    __slots__ = ("order", "path")

    def __init__(self, path: str, order: dict[str, Any]) -> None:
        self.path, self.order = path, order

    @property
    def uid(self) -> int | None:
        """The user to become; None where this is not root, and stays who it is."""
        return self.order["uid"] if os.geteuid() == 0 else None

    def filter(self) -> bytes:
        """The program for this machine. Raises OSError where the order has none."""
        found = self.order["seccomp"].get(os.uname().machine)
        if not found:
            raise OSError(f"no filter for {os.uname().machine}")
        return bytes.fromhex(found)

    def call(self, name: str) -> int:
        return int(self.order["calls"][os.uname().machine][name])

    def mounts(self) -> list[tuple[str, str, bool]]:
        """Sources of this machine, where they stand for the job, and whether it may write there."""
        return [(source, target, bool(write)) for source, target, write in self.order["mounts"]]


def bubblewrap() -> str:
    """Its path; "" where the machine has none."""
    for folder in ("/usr/bin", "/usr/local/bin", "/bin"):
        if os.access(f"{folder}/bwrap", os.X_OK):
            return f"{folder}/bwrap"
    return ""


def plain(place: Place) -> None:
    """What another attempt has left is where its name says: a link there would lead this job, or root, elsewhere."""
    beside = os.path.dirname(place.path) + "/"
    for path in (place.order["rootfs"], *(source for source, _, _ in place.mounts())):
        if path and os.path.islink(path) and os.path.realpath(os.path.dirname(path)).startswith(beside):
            raise OSError("what the job is to stand in is a link")


def enter(place: Place) -> None:
    """Become who the job is. Raises OSError where root was given nobody to become, or cannot make the job's view."""
    if os.geteuid() != 0:
        return
    uid = place.uid
    if not uid:
        raise OSError("a job never runs as root, and the order names no other user")
    _view(place)
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def limits(place: Place, memory: bool, processes: bool) -> None:
    """`memory`, `processes`: whether a control group holds them already, more exactly than a limit does."""
    for name, value in place.order["limits"].items():
        if (name == "AS" and memory) or (name == "NPROC" and processes):
            continue
        # the kernel counts all that a user runs, this job or not: what runs already comes on top
        size = value + _tasks() if name == "NPROC" else value
        kind = getattr(resource, f"RLIMIT_{name}")
        _, hard = resource.getrlimit(kind)
        size = size if hard == resource.RLIM_INFINITY else min(size, hard)
        resource.setrlimit(kind, (size, size))


def _tasks() -> int:
    """How many threads the user of this process has on this machine."""
    own, found = os.getuid(), 0
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                told = os.stat(f"/proc/{name}/task")
            except OSError:
                continue
            found += told.st_nlink - 2 if told.st_uid == own else 0
    return found


def _view(place: Place) -> None:
    """Folders that the job's user could not walk through become empty ones in which only the order's paths lie.

    What else is in them (keys, data, other attempts) is not there for the job at all.
    """
    folder = place.path
    own = [f"{folder}/{name}" for name in ("in", "work", "out")]
    others = [source for source, _, _ in place.mounts()] + ([place.order["rootfs"]] if place.order["rootfs"] else [])
    paths = [*own, *others]
    closed = dict.fromkeys(own, _closed(own[0])) | {path: _closed(path) for path in others}
    hidden = sorted({top for top in closed.values() if top})
    if not hidden:
        return
    kernel.own_mounts()
    if place.order["level"] == "L2":
        kernel.without("/sys")  # bubblewrap reads the list of all mounts for each that it makes; the job has none of it
    # held before they are covered, and as this view has them: another's cannot be bound
    held = [(path, os.open(path, os.O_PATH | os.O_CLOEXEC), os.path.isdir(path)) for path in paths if closed[path]]
    for number, top in enumerate(hidden):
        if not any(top.startswith(f"{other}/") for other in hidden[:number]):
            kernel.private_folder(top)
    for path, descriptor, folded in held:
        _stood(path if folded else os.path.dirname(path))
        if not folded:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644))
        kernel.bind(descriptor, path)
        os.close(descriptor)


def _stood(path: str) -> None:
    """A folder, and those above it, where they are not there; most stand beside another."""
    try:
        os.mkdir(path)
    except FileExistsError:
        pass
    except FileNotFoundError:
        os.makedirs(path, 0o755, exist_ok=True)


def _closed(path: str) -> str:
    """The first folder on the way that others may not walk through; "" where there is none."""
    at = ""
    for part in path.strip("/").split("/")[:-1]:
        at = f"{at}/{part}"
        if not os.stat(at).st_mode & 0o001:
            return at
    return ""


def level1(place: Place) -> None:
    """The walls of system calls, then the command. Returns never; raises OSError where a wall does not stand."""
    path, order = place.path, place.order
    work, out = f"{path}/work", f"{path}/out"
    reads = [*_SYSTEM, *_ETC, *_TOLD, f"{path}/in", *(source for source, _, write in place.mounts() if not write)]
    writes = [work, out, *(source for source, _, write in place.mounts() if write)]
    if order["network"] == "host":
        reads += _NETWORK
    os.chdir(work)
    environment = _environment(order, f"{path}/in", out, work, f"{work}/.tmp")
    try:
        os.mkdir(f"{work}/.tmp", 0o700)
    except FileExistsError:
        pass
    kernel.drop()
    kernel.no_new_privileges()
    calls = order["calls"][os.uname().machine]
    kernel.landlock(calls, reads, writes, _DEVICES)
    kernel.seccomp(place.call("seccomp"), place.filter())
    execute(order["command"], environment)


def execute(command: list[str], environment: dict[str, str]) -> None:
    """Become the command, looked for on its own PATH. Raises LookupError where there is nothing to execute."""
    name = command[0]
    paths = [name] if "/" in name else [f"{folder}/{name}" for folder in environment["PATH"].split(":") if folder]
    why = f"{name}: No such file or directory"
    for path in paths:
        try:
            os.execve(path, command, environment)  # noqa: S606
        except (FileNotFoundError, NotADirectoryError):
            continue
        except (OSError, ValueError) as error:
            why = f"{name}: {getattr(error, 'strerror', None) or error}"
    raise LookupError(why)


def _environment(order: dict[str, Any], given: str, out: str, work: str, temporary: str) -> dict[str, str]:
    """Nothing of the region's own environment; what the order names comes last."""
    own = {
        "PATH": _PATH,
        "HOME": work,
        "TMPDIR": temporary,
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "CASEMATE_IN": given,
        "CASEMATE_OUT": out,
        "CASEMATE_WORK": work,
    }
    return {**own, **ranks.environment(order), **order["env"]}


def level2(place: Place, status: int, pipe: Callable[[bytes], int]) -> None:
    """Become bubblewrap. `status`: where it tells; `pipe` gives a descriptor from which those bytes can be read."""
    found = bubblewrap()
    if not found:
        raise OSError("bubblewrap is not installed")
    options = _options(place, status, pipe)
    # by a descriptor, not by the command line: everybody on the machine may read that, and it holds the environment
    listed = pipe(b"".join(os.fsencode(one) + b"\0" for one in options))
    leads = leader(place)
    # inside, somebody has to lead the session whose terminal it is: outside they have no names for each other
    command = [leads, "-c", *place.order["command"]] if leads else place.order["command"]
    os.execve(found, ["bwrap", "--args", str(listed), "--", *command], {"PATH": "/usr/bin:/bin"})  # noqa: S606


def _terminal(order: dict[str, Any]) -> bool:
    told = order.get("interactive")
    return told is not None and told["kind"] == "shell"


def leader(place: Place) -> str:
    """Where the job finds `setsid -c`, by which a program comes to lead the session of its terminal; "" for nowhere."""
    if place.order["level"] != "L2" or not _terminal(place.order):
        return ""
    for path in ("/usr/bin/setsid", "/bin/setsid"):
        if os.path.lexists(place.order["rootfs"] + path):
            return path
    return ""


def _small(path: str) -> int:
    """A descriptor for bubblewrap of a small file, which is copied: a mount costs more. -1 for what is bound, or not
    there."""
    try:
        found = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return -1
    told = os.fstat(found)
    if told.st_mode & 0o170000 != 0o100000 or told.st_size > _COPIED:
        os.close(found)
        return -1
    os.set_inheritable(found, True)
    return found


def _options(place: Place, status: int, pipe: Callable[[bytes], int]) -> list[str]:
    path, order = place.path, place.order
    rooms = max(order["disk_mb"], 1) << 20
    options = ["--unshare-all", "--unshare-user", "--uid", str(INSIDE), "--gid", str(INSIDE)]
    options += ["--share-net"] if order["network"] == "host" else []
    # a terminal is the job's own, made by the shim: a new session would only take it away
    options += [] if _terminal(order) else ["--new-session"]
    options += ["--die-with-parent", "--cap-drop", "ALL", "--clearenv", "--hostname", ranks.host(order)]
    options += ["--json-status-fd", str(status), "--seccomp", str(pipe(place.filter()))]
    for name, value in _environment(order, "/in", "/out", "/job", "/tmp").items():
        options += ["--setenv", name, value]
    if order["rootfs"]:
        options += ["--ro-bind", order["rootfs"], "/"]
    else:
        for one in _SYSTEM:
            if os.path.islink(one):
                options += ["--symlink", os.readlink(one), one]
            elif os.path.isdir(one):
                options += ["--ro-bind", one, one]
        for one in (*_ETC, *(_NETWORK if order["network"] == "host" else ())):
            copy = _small(one)
            options += ["--ro-bind-try", one, one] if copy < 0 else ["--file", str(copy), one]
        options += ["--file", str(pipe(f"job:x:{INSIDE}:{INSIDE}::/job:/bin/sh\n".encode())), "/etc/passwd"]
        options += ["--file", str(pipe(f"job:x:{INSIDE}:\n".encode())), "/etc/group"]
    options += [
        "--proc",
        "/proc",
        "--dev",
        "/dev",
        "--size",
        str(_SHARED),
        "--tmpfs",
        "/dev/shm",
        "--remount-ro",
        "/dev",
    ]
    for name, said in _MACHINE.items():
        options += ["--ro-bind-data", str(pipe(said)), name] if os.path.exists(name) else []
    options += ["--size", str(rooms), "--tmpfs", "/tmp"]
    options += ["--ro-bind", f"{path}/in", "/in", "--bind", f"{path}/out", "/out", "--bind", f"{path}/work", "/job"]
    for source, target, write in place.mounts():
        options += ["--bind" if write else "--ro-bind", source, target]
    # the root is a folder in memory: nobody fills it
    return [*options, *(() if order["rootfs"] else ("--remount-ro", "/")), "--chdir", "/job"]
