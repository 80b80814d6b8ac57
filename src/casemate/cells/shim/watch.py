"""What the shim does while a job runs: it beats, drains the logs, and ends what is stopped, too long or too large.

Age and time are CLOCK_BOOTTIME: whoever sets the clock of the wall ends nothing. Nothing here waits for the job alone;
a job that holds its pipes open, or is silent, changes nothing.
"""

from __future__ import annotations

import os
import select
import time

from casemate.cells.shim import files
from casemate.cells.shim.groups import Groups

TYPE_CHECKING = False
if TYPE_CHECKING:  # what they import costs more than the rest of the shim
    from collections.abc import Mapping
    from typing import Any

    from casemate.cells.shim.terminal import Terminal

__all__ = ["Watch"]

LOG = 64 << 20
"""Bytes that are kept of each of the two logs."""
_LOOK = 1.0  # seconds between two looks for the region's wish to stop
_WISH = 1.0  # seconds in which an engine asks the rest of what it ends
_ENTRIES = 200_000  # files that are counted for the disk; a job with more is over its bound
_DEEP = 64
_TRIES = 100


def boottime() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Watch:
    """`why`: for what the job was ended, "" where it ended by itself. `dropped`: bytes of logs beyond their bound."""

    def __init__(self, folder: int, claimed: files.Claim, order: dict[str, Any]) -> None:
        self._folder, self._claimed, self._order = folder, claimed, order
        self._logs = -1
        self._begun = boottime()
        self._boot = files.boot()
        self._pid = self._pidfd = self._wake = self._status = self._service = -1
        self._said = b""
        self._pipes: dict[int, str] = {}  # the end that we read -> the log's name
        self._files: dict[str, int] = {}  # a log that has been written to
        self._left: dict[str, int] = {}
        self._heads: dict[str, bytes] = {}
        self._kill_at = 0.0
        self._told: dict[str, Any] = {}
        self._rest = b""
        self.line: Terminal | None = None
        self._quiet = self._begun  # since when nobody is connected, 0.0 while somebody is
        self.why = ""
        self.dropped = 0

    @property
    def lasted_us(self) -> int:
        return int((boottime() - self._begun) * 1e6)

    def beat(self) -> None:
        """That we live. A disk that is full keeps nobody from living: the region then looks at the process."""
        at = files.dump({"boot": self._boot, "at": int(boottime() * 1e9)})
        try:
            files.put(self._folder, "beat", at.encode("ascii"), sync=False)
        except OSError:
            pass

    def follows(self, pid: int, pipes: Mapping[str, int], wake: int, status: int) -> None:
        """From here on this process is watched, and what it prints goes into the logs."""
        self._pid, self._pidfd, self._wake, self._status = pid, os.pidfd_open(pid), wake, status
        for name, end in pipes.items():
            os.set_blocking(end, False)
            self._pipes[end] = name
        os.set_blocking(status, False)

    def serves(self, pipe: int) -> None:
        """From here on the folder says how the service is; where nobody can say so any more, it is ended."""
        os.set_blocking(pipe, False)
        self._service = pipe

    def until_ended(self) -> None:
        """Returns once the process that was followed has ended; it has not been waited for."""
        poll = select.poll()
        for one in (*self._pipes, self._pidfd, self._wake, *((self._service,) if self._service >= 0 else ())):
            poll.register(one, select.POLLIN)
        if self.line is not None:
            self.line.begin(poll, self._show)
        beat_s = float(self._order["beat_s"])
        wall = float(self._order["wall_s"])
        next_beat, next_look = self._begun + beat_s, boottime() + _LOOK
        while True:
            now = boottime()
            if now >= next_beat:
                self.beat()
                self._still()
                next_beat = now + beat_s
            if now >= next_look:
                self._look()
                next_look = now + _LOOK
            if wall and now >= self._begun + wall:
                self.stop("wall", float(self._order["grace_s"]))
            if self._kill_at and now >= self._kill_at:
                self.kill()
            ready = poll.poll(max(0.0, min(next_beat, next_look) - now) * 1000 + 1)
            for end, mask in ready:
                if self.line is not None and self.line.has(end):
                    self.line.ready(end, mask)
                elif end in self._pipes and not self._drain(end):
                    poll.unregister(end)
                elif end == self._service and not self._serving():
                    poll.unregister(end)
                    self.unserved()
                elif end == self._wake:
                    os.read(self._wake, 512)
                    self._look()
                    self.stop("stop", float(self._order["grace_s"]))
            if any(end == self._pidfd for end, _ in ready):
                self._asked()
                return

    def _asked(self) -> None:
        """An engine that ends a job may ask what the shim runs before it asks the shim: its wish is waited for."""
        ended = os.waitid(os.P_PIDFD, self._pidfd, os.WEXITED | os.WNOWAIT)
        by_term = ended is not None and ended.si_status in (15, 128 + 15)
        if by_term and not self.why and select.select([self._wake], [], [], _WISH)[0]:
            self.why = "stop"

    def unserved(self) -> None:
        """Nobody carries to the service: it is ended, unless it has just ended by itself, and its network with it."""
        if not select.select([self._pidfd], [], [], 0.5)[0]:
            self.stop("serve", 0.0)

    def _serving(self) -> bool:
        """What the way in has said last, into the folder; False where it says no more."""
        try:
            part = os.read(self._service, 4096)
        except BlockingIOError:
            return True
        self._said += part
        *lines, self._said = self._said.split(b"\n")
        if lines:
            healthy, connections, port = map(int, lines[-1].split())
            self._quiet = 0.0 if connections else boottime()
            told = files.dump({"healthy": bool(healthy), "open": connections, "port": port})
            try:
                files.put(self._folder, "serve", told.encode("ascii"), sync=False)
            except OSError:
                pass  # a full disk: the next change is told
        return bool(part)

    def _still(self) -> None:
        """Whether the attempt is still ours, and within its disk."""
        if not files.mine(self._folder, self._claimed):
            self.stop("fenced", 0.0)
        elif not self.why and self._order["disk_mb"] and self._used() > self._order["disk_mb"] << 20:
            self.stop("disk", 0.0)

    def _used(self) -> int:
        """Bytes of what the job wrote; more than any bound where there are too many files to count."""
        left = [_ENTRIES]
        return sum(_size(self._folder, name, left, _DEEP) for name in ("work", "out"))

    def _look(self) -> None:
        try:
            told = files.read(self._folder, "stop")
            wish = files.load(told) if told is not None else None
            grace = float((wish or {}).get("grace_s", 0.0))
        except (OSError, ValueError, TypeError):
            wish, grace = {}, 0.0
        if wish is not None:
            self.stop("stop", grace)
        if not self.why and self._idle():
            self.stop("idle", float(self._order["grace_s"]))

    def _idle(self) -> bool:
        """Whether somebody was to work here, and nobody has for longer than is allowed."""
        if self.line is not None:
            return self.line.idle()
        told = self._order.get("interactive") or {}
        return bool(told.get("idle_s") and self._quiet and boottime() - self._quiet > told["idle_s"])

    def stop(self, why: str, grace: float) -> None:
        """SIGTERM, and SIGKILL after so many seconds. A second wish can only make it earlier."""
        if not self.why:
            self.why = why
            self._terminate()
        at = boottime() + grace
        self._kill_at = min(self._kill_at, at) if self._kill_at else at

    def _terminate(self) -> None:
        if self.line is not None and self.line.hang_up():
            return
        target = self._inner() or self._pid
        try:
            os.killpg(os.getpgid(target), 15)
        except (ProcessLookupError, PermissionError):
            self.kill()

    def _inner(self) -> int:
        """Where bubblewrap stands between: the first process of the job's namespace, whose group is the job's."""
        return int(self.told().get("child-pid", 0))

    def kill(self) -> None:
        """Everything of it, at once: the group here, and with bubblewrap's own end the whole namespace."""
        for target in (self._inner(), self._pid):
            if target:
                for signal in (os.killpg, os.kill):
                    try:
                        signal(target, 9)
                    except (ProcessLookupError, PermissionError):
                        pass

    def first(self, seconds: float) -> int:
        """The first process of the job's namespaces, once bubblewrap has told; 0 where it does not."""
        until = boottime() + seconds
        while not (found := self._inner()) and boottime() < until:
            if select.select([self._pidfd], [], [], 0.005)[0]:
                break
        return found

    def told(self) -> dict[str, Any]:
        """What bubblewrap has told so far: lines of JSON."""
        while True:
            try:
                part = os.read(self._status, 4096)
            except (BlockingIOError, OSError):
                break
            if not part:
                break
            self._rest += part
        *lines, self._rest = self._rest.split(b"\n")
        for line in lines:
            if line.strip():
                self._told |= files.load(line)
        return self._told

    def _drain(self, end: int) -> bool:
        """What lies in the pipe into its log, as far as there is room; False when nobody can write any more."""
        while True:
            try:
                part = os.read(end, 1 << 16)
            except BlockingIOError:
                return True
            if not part:
                return False
            self._keep(self._pipes[end], part)
            if len(part) < 1 << 16:
                return True

    def _keep(self, name: str, part: bytes) -> None:
        kept = part[: self._left.get(name, LOG)]
        try:
            written = os.write(self._log(name), kept) if kept else 0
        except OSError:
            written = 0  # the disk is full: the job goes on, and the record says how much is missing
        self._left[name] = self._left.get(name, LOG) - written
        self.dropped += len(part) - written

    def _show(self, part: bytes) -> None:
        """What stands on a terminal is what the job says."""
        self._keep("out", part)

    def _log(self, name: str) -> int:
        """Its file, made when there is something to be written. Raises OSError."""
        if self._logs < 0:
            files.folder("log", self._folder)
            self._logs = files.open_folder("log", self._folder)
        if name not in self._files:
            new = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
            self._files[name] = os.open(name, new, 0o600, dir_fd=self._logs)
        return self._files[name]

    def finish(self, groups: Groups) -> list[Any]:
        """Whoever the job left behind is ended, the last of the logs taken; what those have used."""
        used: list[Any] = []
        for _ in range(_TRIES):
            if _reaped(used) and groups.gone():
                break
            for pid in (_children() | groups.members()) - {os.getpid()}:
                try:
                    os.kill(pid, 9)
                except ProcessLookupError:
                    pass
            time.sleep(0.005)
        for end in self._pipes:
            self._drain(end)
        if self.line is not None:
            self.line.finish()
        return used

    def say(self, text: str) -> None:
        """A word of ours in the job's error log."""
        try:
            os.write(self._log("err"), text.encode("utf-8", "replace"))
        except OSError:
            self.dropped += len(text)

    def begins(self, start: bytes) -> bool:
        """Whether what went wrong begins so: on a terminal there is one log."""
        name = "log/err" if self.line is None else "log/out"
        try:
            found = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self._folder)
        except OSError:
            return False
        try:
            return os.read(found, len(start)) == start
        finally:
            os.close(found)


def _reaped(used: list[Any]) -> bool:
    """What those that have ended had used comes into `used`; whether nobody else is left."""
    while True:
        try:
            pid, _, spent = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return True
        if not pid:
            return False
        used.append(spent)


def _children() -> set[int]:
    """Processes whose parent we are: those that lost theirs have become ours."""
    own = os.getpid()
    try:
        with open(f"/proc/{own}/task/{own}/children", "rb") as file:
            return {int(pid) for pid in file.read().split()}
    except OSError:
        return set()


def _size(at: int, name: str, left: list[int], deep: int) -> int:
    """Bytes on the disk beneath a folder. `left`: how many entries may still be counted."""
    try:
        inner = files.open_folder(name, at)
    except OSError:
        return 0
    found = 0
    try:
        with os.scandir(inner) as entries:
            for entry in entries:
                left[0] -= 1
                if left[0] < 0 or not deep:
                    return 1 << 62
                told = entry.stat(follow_symlinks=False)
                found += told.st_blocks * 512
                if entry.is_dir(follow_symlinks=False):
                    found += _size(inner, entry.name, left, deep - 1)
    except OSError:
        pass  # it went while we looked
    finally:
        os.close(inner)
    return found
