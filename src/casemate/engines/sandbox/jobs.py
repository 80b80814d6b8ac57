"""Which system calls a job may not make: a list of what is forbidden, since a job is any program at all.

What is here reaches beyond the job: other kinds of sockets than its own network's (AF_VSOCK passes every network
namespace), other namespaces, other processes, mounts, modules, keys, tracing, and rings through which calls
pass that no filter sees. Cells have a list of what is allowed (`filter`); this is the wider one, which stands behind
namespaces or Landlock.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from casemate.engines.sandbox import bpf
from casemate.engines.sandbox.machine import Machine

__all__ = ["CALLS", "forbids", "program"]

CALLS = ("landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self", "seccomp")
"""The numbers that the shim itself needs."""

_REFUSED = """
mount umount2 pivot_root chroot move_mount open_tree open_tree_attr mount_setattr fsopen fsmount fsconfig fspick
statmount listmount unshare setns
ptrace process_vm_readv process_vm_writev process_madvise kcmp pidfd_getfd migrate_pages move_pages
bpf perf_event_open userfaultfd keyctl add_key request_key fanotify_init fanotify_mark
init_module finit_module delete_module kexec_load kexec_file_load reboot swapon swapoff acct quotactl quotactl_fd syslog
open_by_handle_at name_to_handle_at settimeofday clock_settime adjtimex clock_adjtime sethostname setdomainname
iopl ioperm modify_ldt vhangup
""".split()
# Answered as by a kernel that has never heard of them: libraries then fall back to what a filter can see.
_UNKNOWN = ("clone3", "io_uring_setup", "io_uring_enter", "io_uring_register")
# System V's and POSIX's shared things have no namespace of their own at L1.
_SHARED = """
shmget shmat shmctl msgget msgsnd msgrcv msgctl semget semop semctl semtimedop mq_open mq_unlink
""".split()
# CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
_NAMESPACES = 0x7E020000
_TERMINAL = (0x5412, 0x541C, 0x541D, 0x5423)
# TIOCSTI types into a terminal, TIOCLINUX and TIOCCONS reach the machine's console, TIOCSETD brings in the kernel's
# seldom used drivers of lines; and personalities take protections away
_PLAIN, _ASKED = 0, 0xFFFFFFFF
_UNIX, _INET, _INET6, _NETLINK = 1, 2, 10, 16


def program(machine: Machine, level: Literal["L1", "L2", "L3"], network: Literal["none", "host"]) -> bytes:
    """The filter, as an array of struct sock_filter."""
    return bpf.assemble(machine.audit, machine.x32, _rules(machine, level, network), bpf.ALLOW)


def forbids(machine: Machine) -> tuple[str, ...]:
    """The calls that are refused whatever their arguments are."""
    return tuple(name for name in (*_REFUSED, *_UNKNOWN) if name in machine.calls)


def _rules(machine: Machine, level: str, network: str) -> Iterator[bpf.Rule]:
    calls = machine.calls
    for name in (*_REFUSED, *(_SHARED if level == "L1" else ())):
        if name in calls:
            yield calls[name], bpf.verdict(bpf.EPERM)
    for name in _UNKNOWN:
        yield calls[name], bpf.verdict(bpf.ENOSYS)
    yield calls["clone"], bpf.masked(0, _NAMESPACES, 0)
    yield calls["ioctl"], bpf.none_of(1, _TERMINAL)
    yield calls["personality"], bpf.one_of(0, (_PLAIN, _ASKED))
    yield calls["socketpair"], bpf.one_of(0, (_UNIX,))
    families = _families(level, network)
    sockets = bpf.one_of(0, families) if families else bpf.verdict(bpf.EPERM)
    # as where a kernel has none: ZeroMQ, and so every notebook's kernel, ends itself on any other word
    yield calls["socket"], bpf.first(0, _NETLINK, bpf.EOPNOTSUPP, sockets)


def _families(level: str, network: str) -> tuple[int, ...]:
    """With the machine's network come the local sockets of its other programs: then there are none of that kind."""
    if network == "host":
        return (_INET, _INET6)
    return (_UNIX, _INET, _INET6) if level != "L1" else ()
