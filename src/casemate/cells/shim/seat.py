"""A further node of an attempt: the walls of the same order, built before the job says anything, and a seat in them.

It waits until the first node's shim has furnished the folder, takes the first free seat with O_EXCL, so that none is
taken twice, and runs what takes commands from there (`ranks`). It ends with the first node: when that is over, loses
its claim, or has not beaten for as long as the region would call it lost. It writes no record and no beat.
"""

from __future__ import annotations

import os
import sys
import time

from casemate.cells.shim import files, ranks, run, walls
from casemate.cells.shim.groups import Groups
from casemate.cells.shim.watch import Watch, boottime

TYPE_CHECKING = False
if TYPE_CHECKING:  # what they import costs more than the rest of the shim
    from typing import Any

__all__ = ["seat"]

_PATIENCE = 120.0  # seconds until the first node is to be ready


def seat(path: str) -> None:
    """Sit down in a folder's attempt, and end this process with it."""
    code = run.UNRECORDED
    try:
        code = _seat(path)
    except Exception as error:  # noqa: BLE001 - the ranks of this node do not begin: mpirun says so
        sys.stderr.write(f"seat: {type(error).__name__}: {error}\n")
    os._exit(code)


def _seat(path: str) -> int:
    folder = files.open_folder(path)
    told = files.read(folder, "order.json")
    order = files.load(told) if told is not None else {}
    if not order or not ranks.across(order):
        return run.UNRECORDED
    claimed = _ready(folder)
    number = _taken(folder, order["nodes"])
    if claimed is None or not number:
        return run.CLAIMED
    try:
        os.setsid()
    except PermissionError:
        pass  # it leads its session already: an engine started it so
    command = ["/bin/sh", ranks.SERVE, f"node{number}"]
    order = {**order, "command": command, "seat": number, "service": False, "serve": None, "interactive": None}
    sizes = {name: order["groups"].get(name, 0) for name in ("memory", "pids", "cpus")}
    groups = Groups(f"{order['token']}-{number}", sizes)
    watch = _Sitting(folder, claimed, order, number)
    used: dict[str, Any] = {"cpu_us": 0, "rss_kb": 0}
    try:
        used |= run.job(folder, walls.Place(os.path.realpath(path), order), groups, watch)["usage"]
    finally:
        groups.remove()
        files.put(folder, f"used.{number}", files.dump(used).encode("ascii"), sync=False)
    return run.RECORDED


def _ready(folder: int) -> files.Claim | None:
    """The claim of the first node's shim, once it has furnished the folder; None where it does not come to that."""
    until = boottime() + _PATIENCE
    while files.read(folder, ranks.READY) is None:
        if boottime() > until or files.read(folder, "exit.json") is not None:
            return None
        time.sleep(0.05)
    told = files.read(folder, "claim")
    return files.Claim(told) if told is not None else None


def _taken(folder: int, nodes: int) -> int:
    """The number of the first seat that was free, which it is no longer; 0 where all are taken."""
    for number in range(1, nodes):
        try:
            made = os.open(f"seat.{number}", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=folder)
        except FileExistsError:
            continue
        try:
            os.write(made, os.uname().nodename.encode("ascii", "replace"))
        finally:
            os.close(made)
        return number
    return 0


class _Sitting(Watch):
    """Watches a seat: it is the first node that beats, and that says when it is over."""

    def __init__(self, folder: int, claimed: files.Claim, order: dict[str, Any], number: int) -> None:
        super().__init__(folder, claimed, order)
        self._number = number
        self._lease = max(15.0, 3 * float(order["beat_s"]))
        self._heard, self._since = b"", boottime()

    def beat(self) -> None:
        """Whether the first node still does: each of its beats is another one."""
        told = files.read(self._folder, "beat") or b""
        if told != self._heard:
            self._heard, self._since = told, boottime()
        elif boottime() > self._since + self._lease:
            self.stop("fenced", 0.0)

    def _look(self) -> None:
        if files.read(self._folder, ranks.OVER) is not None or files.read(self._folder, "exit.json") is not None:
            self.stop("stop", 0.0)
        super()._look()

    def _log(self, name: str) -> int:
        return super()._log(f"{name}.{self._number}")
