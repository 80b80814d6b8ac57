"""Control groups of an attempt, where the machine lets us make them: memory, processes, processors. Versions 1 and 2.

They stand beneath the group that the shim itself is in, so that what holds it holds the job. Where none can be made the
limits of the process hold alone, and the record says nothing of groups that are not there.
"""

from __future__ import annotations

import os
import time

from casemate.cells.shim import files

TYPE_CHECKING = False
if TYPE_CHECKING:  # what they import costs more than the rest of the shim
    from collections.abc import Mapping

__all__ = ["Groups", "learn"]

_ROOT = "/sys/fs/cgroup"
_PERIOD = 100_000  # microseconds over which processors are counted
_FILES = {
    "memory": (("memory.limit_in_bytes", "memory.max"), "memory"),
    "pids": (("pids.max", "pids.max"), "pids"),
    "cpu": (("cpu.cfs_quota_us", "cpu.max"), "cpus"),
}
_TRIES = 50
_NAME = "casemate-"
_STALE = 60.0  # seconds: a shim joins its groups long before
_known: dict[str, str] = {}


class Groups:
    """`made`: the folder of each controller that holds this attempt, by the controller's name."""

    def __init__(self, token: str, sizes: Mapping[str, int]) -> None:
        """`sizes`: `memory` in bytes, `pids` and `cpus` in numbers; what is missing or 0 is not held."""
        self.made: dict[str, str] = {}
        self._doors: list[int] = []
        own = _known or _own()
        for name, (named, size) in _FILES.items():
            if not sizes.get(size):
                continue
            if name in own:
                self._one(f"{own[name]}/{_NAME}{token}", name, named[0], str(_value(name, sizes[size], 1)))
            elif "" in own:
                path = f"{own['']}/{_NAME}{token}"
                self._one(path, name, named[1], str(_value(name, sizes[size], 2)))
        if token.startswith("0"):  # one in sixteen looks: all others cost nothing
            for path in set(self.made.values()):
                _swept(path)

    def _one(self, path: str, name: str, file: str, value: str) -> None:
        try:
            try:
                os.mkdir(path, 0o755)
            except FileExistsError:
                pass
            _write(f"{path}/{file}", value)
            # a group that takes nobody in holds nobody: found out now, not when the job stands before it
            if path not in self.made.values():
                self._doors.append(os.open(f"{path}/cgroup.procs", os.O_WRONLY | os.O_CLOEXEC))
        except OSError:
            if path not in self.made.values():
                _remove(path)
            return
        self.made[name] = path

    def join(self) -> None:
        """This process and what it starts are held from here on."""
        for door in self._doors:
            os.write(door, b"0")

    def killed_for_memory(self) -> bool:
        """Whether the kernel ended a process of this attempt because it had no memory left."""
        path = self.made.get("memory")
        if path is None:
            return False
        for file in ("memory.oom_control", "memory.events"):
            for line in _lines(f"{path}/{file}"):
                name, _, count = line.partition(" ")
                if name == "oom_kill" and count.strip() not in ("", "0"):
                    return True
        return False

    def members(self) -> set[int]:
        """The processes in it now."""
        return {int(line) for path in set(self.made.values()) for line in _lines(f"{path}/cgroup.procs") if line}

    def gone(self) -> bool:
        """Take down those that nobody is in; whether none is left, so that nobody is in any."""
        self.made = {name: path for name, path in self.made.items() if not _remove(path)}
        return not self.made

    def remove(self) -> None:
        """End whoever is left, and take the groups down: after a lack of memory that takes the kernel a moment."""
        for _ in range(_TRIES):
            if self.gone():
                return
            for pid in self.members():
                try:
                    os.kill(pid, 9)
                except ProcessLookupError:
                    pass
            time.sleep(0.01)


def _swept(made: str) -> None:
    """Groups beside the one just made that a killed shim left, once nobody is in them: the kernel removes no others."""
    parent = made.rpartition("/")[0]
    try:
        now = os.stat(made).st_mtime
        found = [name for name in os.listdir(parent) if name.startswith(_NAME)]
    except OSError:
        return
    for name in found:
        try:
            if now - os.stat(f"{parent}/{name}").st_mtime > _STALE:
                os.rmdir(f"{parent}/{name}")
        except OSError:
            continue  # somebody is in it, or another shim was faster


def _value(name: str, size: int, version: int) -> str | int:
    if name != "cpu":
        return size
    return size * _PERIOD if version == 1 else f"{size * _PERIOD} {_PERIOD}"


def learn() -> None:
    """Read once, for all that a warm server forks, which groups it is in."""
    global _known  # noqa: PLW0603 - as above
    _known = _own()


def _own() -> dict[str, str]:
    """The folder of each controller's group that this process is in; "" for version 2."""
    found: dict[str, str] = {}
    for line in _lines("/proc/self/cgroup"):
        number, names, path = (*line.split(":", 2), "", "")[:3]
        roots = [_ROOT, f"{_ROOT}/unified"] if number == "0" else [f"{_ROOT}/{names}"]
        for root in roots:
            for place in (root + path.rstrip("/"), root):  # a container's path may not be there in its own view
                if os.access(f"{place}/cgroup.procs", os.W_OK):
                    for name in names.split(","):
                        found.setdefault(name, place)
                    break
    return found


def _lines(path: str) -> list[str]:
    return files.whole(path).decode("utf-8", "replace").splitlines()


def _write(path: str, value: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, value.encode("ascii"))
    finally:
        os.close(descriptor)


def _remove(path: str) -> bool:
    try:
        os.rmdir(path)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
