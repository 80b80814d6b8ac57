"""What each wall holds: with it left out, the ways that it closes lead out. A probe that is never live proves nothing.

Ways that are not live whatever is left out are closed by the kernel itself; for each it is said by what, and looked at.
"""

from __future__ import annotations

import resource
import shutil
from pathlib import Path

import pytest

from tests.attacks.escapes import WHO, Scene, needs_bubblewrap, needs_python
from tests.attacks.test_escape_held import at_terminal, terminal_of_a_neighbour

FILTER = """
chroot clone-namespace clone3-namespace compare-processes fanotify file-handle io-uring keys mount move-pages
network-namespace new-filesystem open-tree perf personality socket-netlink socket-vsock terminal-lines
terminal-typing
user-namespace userfault
""".split()
SIZES = "core-dump fill-dev fill-root fill-shm fill-tmp long-file many-files many-processes much-memory".split()
SHARED = ["shared-locks", "shared-memory", "shared-messages"]
FILES = "file-hard-link file-link file-read folder-list folder-write order-read sibling-read".split()
BESIDE = "process-environ process-kill process-memory process-root process-see process-signal".split()
INTO = ["process-copy", "process-descriptor", "process-trace"]

WALLS = [
    ("user", "L2", "filter", FILTER),
    ("root", "L2", "filter", FILTER),
    ("user", "L2", "pid namespace", ["process-kill", "process-see", "process-signal"]),
    ("root", "L2", "pid namespace", ["process-see"]),
    ("user", "L2", "network namespace", ["tcp-loopback", "udp-loopback", "unix-abstract"]),
    ("root", "L2", "network namespace", ["tcp-loopback", "udp-loopback", "unix-abstract"]),
    ("user", "L2", "ipc namespace", SHARED),
    ("user", "L2", "private files", [*FILES, "unix-path", "left-open"]),
    ("user", "L2", "read-only inputs", ["input-write"]),
    ("user", "L2", "clean environment", ["environment"]),
    ("user", "L2", "sizes in memory", SIZES),
    ("root", "L2", "sizes in memory", SIZES),
    ("user", "L1", "landlock", [*FILES, *BESIDE, "input-write", "devices"]),
    ("user", "L1", "landlock and filter", [*FILES, *BESIDE, *INTO, *SHARED, "unix-abstract", "unix-path"]),
    ("root", "L1", "filter", [*SHARED, "socket-vsock", "tcp-loopback", "udp-loopback", "io-uring", "keys"]),
    ("root", "L1", "capabilities", ["capabilities"]),
]

SYS = Path("/proc/sys")


def _set(name, *closed):
    """Whether a setting of the kernel has one of these values; no setting, an older kernel that has not the thing."""
    path = SYS / name
    return not path.exists() or path.read_text().strip() in closed


KERNEL = {
    "bpf": ("kernel.unprivileged_bpf_disabled is not 0", lambda: _set("kernel/unprivileged_bpf_disabled", "1", "2")),
    "perf": ("kernel.perf_event_paranoid is above 2", lambda: _set("kernel/perf_event_paranoid", "3", "4")),
    "userfault": ("vm.unprivileged_userfaultfd is 0", lambda: _set("vm/unprivileged_userfaultfd", "0")),
    "terminal-typing": ("dev.tty.legacy_tiocsti is 0", lambda: _set("dev/tty/legacy_tiocsti", "0")),
    "terminal-own-typing": ("dev.tty.legacy_tiocsti is 0", lambda: _set("dev/tty/legacy_tiocsti", "0")),
    "io-uring": ("kernel.io_uring_disabled is not 0", lambda: _set("kernel/io_uring_disabled", "1", "2")),
    "process-trace": ("kernel.yama.ptrace_scope is above 0", (SYS / "kernel/yama").exists),
    "process-copy": ("kernel.yama.ptrace_scope is above 0", (SYS / "kernel/yama").exists),
    "process-descriptor": ("kernel.yama.ptrace_scope is above 0", (SYS / "kernel/yama").exists),
    "process-memory": ("kernel.yama.ptrace_scope is above 0", (SYS / "kernel/yama").exists),
    "file-hard-link": ("fs.protected_hardlinks is 1", lambda: _set("fs/protected_hardlinks", "1")),
    "socket-vsock": ("the kernel has no AF_VSOCK", lambda: not Path("/dev/vsock").exists()),
    "core-dump": ("the hard limit of who runs this is 0", lambda: resource.getrlimit(resource.RLIMIT_CORE)[1] == 0),
    "devices": ("every device belongs to somebody else", lambda: True),
    "socket-alg": ("CONFIG_CRYPTO_USER_API is off, or CAP_NET_ADMIN not needed", lambda: True),
    "socket-packet": ("CAP_NET_RAW over the machine's network", lambda: True),
    "process-network": ("CAP_SYS_ADMIN over the other network", lambda: True),
    "system-write": ("the permissions of files of root", lambda: True),
    "new-privileges": ("no filter and no Landlock without no_new_privs", lambda: True),
}
"""What else closes a way: said in words, with a look at this machine."""


TERMINAL = [
    ("user", "L2", "filter", ["terminal-own-typing", "terminal-lines"]),
    ("root", "L1", "filter", ["terminal-own-typing", "terminal-lines"]),
    ("user", "L1", "landlock", ["terminal-others"]),
]
"""Walls of a job with a terminal."""


@needs_python
@pytest.mark.parametrize(("who", "level", "guard", "ways"), TERMINAL)
def test_without_its_wall_a_way_leads_out_of_a_terminal(who, level, guard, ways, outside):
    if who not in WHO or (level == "L2" and shutil.which("bwrap") is None):
        pytest.skip("only root becomes another user, and L2 needs bubblewrap")
    with Scene(outside, who) as scene, terminal_of_a_neighbour(scene.owner):
        found, _ = scene.run(level, guard, change=at_terminal)
    held = [way for way in ways if not found[way]]
    assert [way for way in held if way not in KERNEL or not KERNEL[way][1]()] == []


@needs_python
@pytest.mark.parametrize(
    ("who", "level", "guard", "ways"),
    [pytest.param(*wall, marks=[needs_bubblewrap] if wall[1] == "L2" else []) for wall in WALLS],
    ids=[" ".join(wall[:3]).replace(" ", "-") for wall in WALLS],
)
def test_without_its_wall_a_way_leads_out(who, level, guard, ways, outside):
    if who not in WHO:
        pytest.skip("only root becomes another user")
    with Scene(outside, who) as scene:
        found, _ = scene.run(level, guard)
    held = [way for way in ways if not found[way]]
    assert [way for way in held if way not in KERNEL or not KERNEL[way][1]()] == []


def test_most_ways_are_seen_to_lead_out_and_the_kernel_closes_the_others():
    """Of all that is tried, what no wall of ours is shown to hold is one that the kernel is said to close."""
    from casemate.cells.shim.probe import WAYS

    shown = {way for *_, ways in (*WALLS, *TERMINAL) for way in ways}
    assert len(shown) >= 20
    assert set(WAYS) - shown <= set(KERNEL)
