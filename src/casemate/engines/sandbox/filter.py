"""Which system calls a fenced child may make: a list of what is allowed, never of what is forbidden.

A child computes on what it was sent. It reads files that Landlock lets it read, and its two pipes. It makes no socket,
no process, no file; it signals nobody but itself. What is known and refused answers EPERM; what this list has never
heard of answers ENOSYS, as an older kernel would, so that libraries fall back.
"""

from __future__ import annotations

from collections.abc import Iterator

from casemate.engines.sandbox import bpf
from casemate.engines.sandbox.machine import Machine

__all__ = ["program"]

_ALLOWED = """
read write readv writev pread64 preadv preadv2 close close_range lseek fstat stat lstat newfstatat statx access
faccessat faccessat2 readlink readlinkat getdents getdents64 getcwd dup poll ppoll select pselect6 fadvise64 statfs
fstatfs mmap munmap mprotect mremap madvise brk msync mincore rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending
rt_sigtimedwait sigaltstack restart_syscall getpid gettid getppid getuid geteuid getgid getegid getresuid getresgid
getpgid getpgrp getsid getgroups capget uname sysinfo getrandom umask clock_gettime clock_getres clock_nanosleep
nanosleep gettimeofday time times getrusage getrlimit getcpu futex futex_waitv futex_wake futex_wait futex_requeue
set_robust_list get_robust_list set_tid_address rseq arch_prctl membarrier sched_yield sched_getaffinity
sched_getparam sched_getscheduler sched_get_priority_max sched_get_priority_min exit exit_group
""".split()

# Their flags lie behind a pointer, where a filter cannot look: libraries fall back to open and clone.
_UNKNOWN = ("openat2", "clone3")

# O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND: the same bits on both machines
_WRITING = 0o1 | 0o2 | 0o100 | 0o1000 | 0o2000
# CLONE_VM | CLONE_SIGHAND | CLONE_THREAD must be there; no CLONE_NEW*, CLONE_PTRACE, CLONE_VFORK, CLONE_UNTRACED
_THREAD = 0x100 | 0x800 | 0x10000
_NO_THREAD = 0x7E020000 | 0x80 | 0x2000 | 0x4000 | 0x800000
# TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX: what opening and closing a file asks. Not TIOCSTI.
_ASKS = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
# F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC. Not F_SETOWN.
_DESCRIPTOR = (0, 1, 2, 3, 4, 1030)
# PR_GET_PDEATHSIG, PR_GET_DUMPABLE, PR_SET_NAME, PR_GET_NAME, PR_CAPBSET_READ, PR_GET_NO_NEW_PRIVS, PR_SET_VMA
_PRCTL = (2, 3, 15, 16, 23, 39, 0x53564D41)


def program(machine: Machine, pid: int, *, threads: bool) -> bytes:
    """The filter for the child with this process id, as an array of struct sock_filter."""
    rules = list(_rules(machine, pid, threads))
    ruled = {number for number, _ in rules}
    rules += [(number, bpf.verdict(bpf.EPERM)) for number in machine.calls.values() if number not in ruled]
    return bpf.assemble(machine.audit, machine.x32, rules, bpf.ENOSYS)


def _rules(machine: Machine, pid: int, threads: bool) -> Iterator[bpf.Rule]:
    calls = machine.calls
    for name in _ALLOWED:
        if name in calls:
            yield calls[name], bpf.verdict(bpf.ALLOW)
    for name in _UNKNOWN:
        yield calls[name], bpf.verdict(bpf.ENOSYS)
    if "open" in calls:
        yield calls["open"], bpf.masked(1, _WRITING, 0)
    yield calls["openat"], bpf.masked(2, _WRITING, 0)
    yield calls["ioctl"], bpf.one_of(1, _ASKS)
    yield calls["fcntl"], bpf.one_of(1, _DESCRIPTOR)
    yield calls["prctl"], bpf.one_of(0, _PRCTL)
    yield calls["tgkill"], bpf.one_of(0, (pid,))
    yield calls["prlimit64"], bpf.one_of(0, (0, pid), bpf.is_null(2))
    yield calls["sched_setaffinity"], bpf.one_of(0, (0, pid))
    yield calls["clone"], bpf.masked(0, _THREAD | _NO_THREAD, _THREAD) if threads else bpf.verdict(bpf.EPERM)
