"""The shim with one of its walls left out, so that the tests see what that wall holds. Nothing but tests runs this.

python -I -S -E unguarded.py TOOLS GUARD FOLDER
"""

from __future__ import annotations

import os
import sys

sys.path.append(sys.argv[1])

from casemate.cells.shim import groups, kernel, walls
from casemate.cells.shim.run import attempt

ALL = ["--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup"]
options = walls._options


def namespaces(left):
    """Bubblewrap with all of the namespaces but these."""

    def built(place, status, pipe):
        made = options(place, status, pipe)
        kept = [one for one in ALL if one not in left]
        return [*kept, *made[made.index("--uid") :]]

    return built


def replaced(*pairs):
    """Bubblewrap with other words in the place of some."""

    def built(place, status, pipe):
        made = options(place, status, pipe)
        for old, new in pairs:
            found = [at for at in range(len(made)) if made[at : at + len(old)] == list(old)]
            if not found:
                raise LookupError(old)
            for at in reversed(found):
                made[at : at + len(old)] = new
        return made

    return built


def whole(place, status, pipe):
    """Bubblewrap with the machine's own files."""
    made = options(place, status, pipe)
    return [*made[: made.index("--ro-bind")], "--bind", "/", "/", "--proc", "/proc", "--chdir", f"{place.path}/work"]


def device(place, status, pipe):
    made = options(place, status, pipe)
    at = made.index("--dev")
    return [*made[:at], "--dev-bind", "/dev", "/dev", *made[at + 2 :]]


def nothing(*_, **__):
    return None


def leave_out(guard):
    if guard == "pid namespace":
        walls._options = namespaces(["--unshare-pid"])
    elif guard == "network namespace":
        walls._options = namespaces(["--unshare-net"])
    elif guard == "ipc namespace":
        walls._options = namespaces(["--unshare-ipc"])
    elif guard == "private files":
        walls._options = whole
    elif guard == "private devices":
        walls._options = device
    elif guard == "clean environment":
        walls._options = replaced((["--clearenv"], []))
        execve = os.execve
        os.execve = lambda path, words, _: execve(path, words, {**os.environ, "TOPSECRET": "x"})
    elif guard == "sizes in memory":
        walls._SHARED = 1 << 30
        walls._options = replaced((["--remount-ro", "/dev"], []), (["--remount-ro", "/"], []))
    elif guard == "read-only inputs":
        made = options
        walls._options = lambda *given: ["--bind" if one == "--ro-bind" else one for one in made(*given)]
    elif guard in ("landlock", "landlock and filter"):
        kernel.landlock = nothing
    elif guard == "no new privileges":
        kernel.no_new_privileges = nothing
    elif guard == "view":
        walls._view = nothing
    elif guard == "groups":
        groups._own = dict
    elif guard == "capabilities":
        walls.enter = nothing
        kernel.drop = nothing


leave_out(sys.argv[2])
attempt(sys.argv[3])
