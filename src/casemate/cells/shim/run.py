"""One attempt, from the claim to the record. See docs/bytes/job-folder.md for what it reads, writes and ends with.

It beats while the job runs, looks for the region's wish to stop, keeps the logs within bounds, and ends what is beyond
its time or its disk. Whoever lost the claim ends everything and writes nothing.
"""

from __future__ import annotations

import _signal as signals  # type: ignore[import-not-found]
import os
import sys
import time

from casemate.cells.shim import files, kernel, ranks, walls
from casemate.cells.shim.groups import Groups
from casemate.cells.shim.watch import Watch

TYPE_CHECKING = False
if TYPE_CHECKING:  # what they import costs more than the rest of the shim
    from typing import Any

    from casemate.cells.shim.terminal import Terminal

__all__ = ["attempt", "job"]

RECORDED, UNRECORDED, CLAIMED = 0, 71, 75


def attempt(path: str) -> None:
    """Run what the folder orders, and end this process."""
    code = UNRECORDED
    try:
        code = _attempt(path)
    except Exception as error:  # noqa: BLE001 - nothing was recorded: the region finds the attempt lost
        sys.stderr.write(f"shim: {type(error).__name__}: {error}\n")
    os._exit(code)


def _attempt(path: str) -> int:
    folder = files.open_folder(path)
    claimed = files.claim(folder)
    if claimed is None:
        return CLAIMED
    try:
        os.setsid()
    except PermissionError:
        pass  # it leads its session already: an engine started it so
    told = files.read(folder, "order.json")
    if told is None:
        return UNRECORDED
    order = files.load(told)
    started = time.time_ns() // 1000
    watch = Watch(folder, claimed, order)
    place = walls.Place(os.readlink(f"/proc/self/fd/{folder}"), order)
    groups = Groups(order["token"], {name: order["groups"].get(name, 0) for name in ("memory", "pids", "cpus")})
    try:
        _furnish(folder, place)
        ended = job(folder, place, groups, watch)
    except OSError as error:
        ended = {"exit": None, "signal": 0, "reason": "sandbox", "why": str(error)[:300], "usage": {}}
    finally:
        groups.remove()
    if not files.mine(folder, claimed):
        return CLAIMED
    record = {"token": order["token"], "attempt": order["attempt"], **ended, "started": started}
    record |= {"ended": time.time_ns() // 1000, "node": os.uname().nodename, "level": order["level"]}
    record["dropped"] = watch.dropped
    try:
        files.put(folder, "exit.json", files.dump(record).encode("ascii"), sync=True)
    except OSError:
        return UNRECORDED
    return RECORDED


def _furnish(folder: int, place: walls.Place) -> None:
    """The folders that a job needs, its own where this is root; and in `in` a place for each mount to stand on."""
    os.umask(0o022)
    new = [name for name in ("in", "work", "out") if files.folder(name, folder)]
    given = [(target[4:], source) for source, target, _ in place.mounts() if target.startswith("/in/")]
    if given:
        inputs = files.open_folder("in", folder)
        for name, source in given:
            _stand(inputs, name, source, place.order["level"])
        os.close(inputs)
    ranks.furnish(folder, place.order)
    if place.uid:
        for name in ("work", "out"):
            if name in new and not ranks.several(place.order):
                os.chown(name, place.uid, place.uid, dir_fd=folder, follow_symlinks=False)
            else:
                _give(name, folder, place.uid)
    if ranks.across(place.order):
        files.put(folder, ranks.READY, b"{}", sync=False)


def _stand(inputs: int, name: str, source: str, level: str) -> None:
    if "/" in name or name in ("", ".", ".."):
        raise OSError("an input stands directly below /in")
    try:
        if level == "L1":
            os.symlink(source, name, dir_fd=inputs)
        elif os.path.isdir(source):
            os.mkdir(name, 0o755, dir_fd=inputs)
        else:
            os.close(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644, dir_fd=inputs))
    except FileExistsError:
        pass


def _give(name: str, at: int, uid: int) -> None:
    """A folder and all in it to the job's user: a checkpoint that another attempt left is in it."""
    inner = files.open_folder(name, at)
    try:
        os.fchown(inner, uid, uid)
        for one in os.listdir(inner):
            told = os.stat(one, dir_fd=inner, follow_symlinks=False)
            if told.st_mode & 0o170000 == 0o040000:
                _give(one, inner, uid)
            else:
                os.chown(one, uid, uid, dir_fd=inner, follow_symlinks=False)
    finally:
        os.close(inner)


def job(folder: int, place: walls.Place, groups: Groups, watch: Watch) -> dict[str, Any]:
    """The job, until it has ended. Raises OSError where it could not be shut in."""
    pipes = {name: os.pipe2(os.O_CLOEXEC) for name in ("out", "err", "said", "status")}
    wake = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    signals.set_wakeup_fd(wake[1], warn_on_full_buffer=False)
    for number in (signals.SIGTERM, signals.SIGINT, signals.SIGHUP):
        signals.signal(number, lambda *_: None)
    kernel.reaps()
    shim = os.getpid()
    terminal = _terminal(folder, place)
    pid = os.fork()
    if pid == 0:
        _become(place, groups, {name: ends[1] for name, ends in pipes.items()}, shim, terminal)
    for ends in pipes.values():
        os.close(ends[1])
    watch.follows(pid, {name: pipes[name][0] for name in ("out", "err")}, wake[0], pipes["status"][0])
    watch.line = terminal
    said = _all(pipes["said"][0])  # until it executes something, or says why not
    if place.order.get("serve") and not said:
        _open(folder, place, watch)
    watch.until_ended()
    _, status, spent = os.wait4(pid, 0)
    # before what is left here is ended: Slurm's own step on the other nodes is among it
    others = ranks.gather(folder, place.order)
    starved = bool(status) and groups.killed_for_memory()
    used = [spent, *watch.finish(groups)]
    return _ended(place, watch, status, used, said, others, starved)


def _open(folder: int, place: walls.Place, watch: Watch) -> None:
    """The way in to a service, once its network is there; what has none by then is ended like one that lost it."""
    from casemate.cells.shim import door  # few attempts are services

    inner = watch.first(10.0)
    if inner:
        watch.serves(door.opened(folder, place, inner))
    else:
        watch.unserved()


def _terminal(folder: int, place: walls.Place) -> Terminal | None:
    """The terminal of a job that somebody is to work in."""
    told = place.order.get("interactive")
    if not told or told["kind"] != "shell":
        return None
    from casemate.cells.shim.terminal import Terminal  # few attempts have one

    return Terminal(folder, int(told["idle_s"]), place.uid)


def _all(pipe: int) -> bytes:
    parts = []
    while part := os.read(pipe, 4096):
        parts.append(part)
    os.close(pipe)
    return b"".join(parts)


def _ended(
    place: walls.Place,
    watch: Watch,
    status: int,
    spent: list[Any],
    said: bytes,
    others: list[dict[str, int]],
    starved: bool,
) -> dict[str, Any]:
    """What the record says. A code above 128 is the signal that ended the command, as a shell tells it."""
    usage = {
        "cpu_us": int(sum(one.ru_utime + one.ru_stime for one in spent) * 1e6) + sum(one["cpu_us"] for one in others),
        "wall_us": watch.lasted_us,
        "rss_kb": max([int(one.ru_maxrss) for one in spent] + [one["rss_kb"] for one in others]),
    }
    kind, _, why = said.decode("utf-8", "replace").partition(":")
    failed = not said and place.order["level"] == "L2" and not watch.why
    failed = failed and os.WIFEXITED(status) and "exit-code" not in watch.told()  # it was bubblewrap that ended
    if kind == "command" or (failed and watch.begins(b"bwrap: execvp ")):
        watch.say(f"casemate: {why}\n" if why else "")
        return {"exit": 127, "signal": 0, "reason": "command", "usage": usage}
    if kind == "sandbox" or failed:
        why = why or "bubblewrap could not set the job up"
        return {"exit": None, "signal": 0, "reason": "sandbox", "why": why[:300], "usage": usage}
    code = os.waitstatus_to_exitcode(status)
    number = -code if code < 0 else code - 128 if 128 < code < 193 else 0
    reason = watch.why or ("memory" if starved else "")
    return {"exit": 128 - code if code < 0 else code, "signal": number, "reason": reason, "usage": usage}


def _become(
    place: walls.Place, groups: Groups, ends: dict[str, int], shim: int, terminal: Terminal | None = None
) -> None:
    """The child: shut in, then another program. Ends by itself where it could not."""
    try:
        _outfit(ends)
        if terminal is not None:
            from casemate.cells.shim.terminal import wear

            wear(terminal.inner, leads=not walls.leader(place))
        groups.join()
        walls.plain(place)
        walls.enter(place)
        kernel.with_parent(shim)
        walls.limits(place, "memory" in groups.made, "pids" in groups.made)
        if place.order["level"] == "L1":
            walls.level1(place)
        elif place.order["level"] == "L2":
            os.set_inheritable(ends["status"], True)
            walls.level2(place, ends["status"], _filled)
        raise OSError(f"{place.order['level']} is not ours to build")
    except LookupError as error:
        os.write(ends["said"], f"command:{error}".encode("utf-8", "replace"))
    except BaseException as error:  # noqa: BLE001 - whatever it is, this process must not go on
        os.write(ends["said"], f"sandbox:{type(error).__name__}: {error}".encode("utf-8", "replace"))
    os._exit(126)


def _outfit(ends: dict[str, int]) -> None:
    """A session and standard descriptors of its own; signals as a program expects them."""
    signals.set_wakeup_fd(-1)
    for number in (signals.SIGTERM, signals.SIGINT, signals.SIGHUP, signals.SIGPIPE, signals.SIGXFSZ, signals.SIGCHLD):
        signals.signal(number, signals.SIG_DFL)
    signals.pthread_sigmask(signals.SIG_SETMASK, ())
    os.setsid()
    null = os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)
    for number, source in enumerate((null, ends["out"], ends["err"])):
        os.dup2(source, number)
    os.umask(0o022)


def _filled(data: bytes) -> int:
    """A descriptor for bubblewrap from which these bytes can be read, once."""
    made = os.memfd_create("order", 0)
    os.write(made, data)
    os.lseek(made, 0, os.SEEK_SET)
    os.set_inheritable(made, True)
    return made
