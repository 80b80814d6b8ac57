"""The filter as the kernel would run it: a small interpreter of classic BPF, for both machines, against the rules."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.engines.sandbox import bpf
from casemate.engines.sandbox import filter as rules
from casemate.engines.sandbox.machine import MACHINES

PID = 4242
HEADERS = {
    "x86_64": ("/usr/include/x86_64-linux-gnu/asm/unistd_64.h", "/usr/include/asm/unistd_64.h"),
    "aarch64": ("/usr/include/asm-generic/unistd.h",),
}
O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_APPEND, O_CLOEXEC = 1, 2, 0o100, 0o1000, 0o2000, 0o2000000
THREAD = 0x3D0F00  # what glibc's pthread_create asks of clone
FORK = 0x1200011  # what its fork does


def run(program: bytes, number: int, machine: int, arguments: tuple[int, ...] = ()) -> int:
    """The verdict on one system call (struct seccomp_data)."""
    padded = (*arguments, 0, 0, 0, 0, 0, 0)[:6]
    data = struct.pack("<iIQ6Q", number, machine, 0, *(value & (2**64 - 1) for value in padded))
    steps = list(struct.iter_unpack("<HBBI", program))
    at = accumulator = 0
    while True:
        code, true, false, constant = steps[at]
        at += 1
        match code:
            case 0x20:
                assert constant % 4 == 0
                accumulator = struct.unpack_from("<I", data, constant)[0]
            case 0x54:
                accumulator &= constant
            case 0x15:
                at += true if accumulator == constant else false
            case 0x35:
                at += true if accumulator >= constant else false
            case 0x06:
                return constant
            case _:
                raise AssertionError(hex(code))


@pytest.fixture(params=sorted(MACHINES))
def machine(request):
    return MACHINES[request.param]


def ask(machine, name, *arguments, threads=False):
    program = rules.program(machine, PID, threads=threads)
    return run(program, machine.calls[name], machine.audit, arguments)


def test_the_kernel_takes_it(machine):
    program = rules.program(machine, PID, threads=True)
    steps = list(struct.iter_unpack("<HBBI", program))
    assert len(steps) <= 4096  # BPF_MAXINSNS
    assert steps[-1][0] == 0x06
    for at, (code, true, false, _) in enumerate(steps):
        if code in (0x15, 0x35):
            assert at + 1 + max(true, false) < len(steps)


def test_another_machine_kills(machine):
    program = rules.program(machine, PID, threads=True)
    for audit in (0x40000003, 0xC000003E, 0xC00000B7, 0x40000028, 0):
        expected = bpf.ALLOW if audit == machine.audit else bpf.KILL
        assert run(program, machine.calls["read"], audit) == expected


def test_x32_kills():
    program = rules.program(MACHINES["x86_64"], PID, threads=True)
    for number in (0x40000000, 0x40000000 + 41, 0x40000000 + 520, -1):
        assert run(program, number, MACHINES["x86_64"].audit) == bpf.KILL


def test_every_name_has_the_verdict_that_the_rules_say(machine):
    conditional = {"open", "openat", "ioctl", "fcntl", "prctl", "tgkill", "prlimit64", "sched_setaffinity", "clone"}
    for name in machine.calls:
        if name in conditional:
            continue
        expected = bpf.ALLOW if name in rules._ALLOWED else bpf.ENOSYS if name in rules._UNKNOWN else bpf.EPERM
        assert ask(machine, name) == expected, name


@pytest.mark.parametrize(
    "name",
    """socket socketpair connect bind listen accept accept4 sendto sendmsg recvfrom recvmsg ptrace process_vm_readv
    process_vm_writev io_uring_setup io_uring_enter io_uring_register bpf perf_event_open userfaultfd keyctl add_key
    request_key unshare setns mount umount2 move_mount open_tree fsopen fsmount fsconfig pivot_root chroot kexec_load
    kexec_file_load init_module finit_module delete_module open_by_handle_at pidfd_getfd execve execveat kill tkill
    seccomp landlock_create_ruleset setrlimit unlinkat renameat2 truncate ftruncate pwrite64 memfd_create""".split(),
)
def test_what_a_child_must_not_do_is_refused(machine, name):
    assert ask(machine, name, threads=True) == bpf.EPERM


@pytest.mark.parametrize("flags", [0, O_CLOEXEC, 0o200000 | O_CLOEXEC])
def test_files_are_opened_for_reading(machine, flags):
    assert ask(machine, "openat", -100, 0x7000, flags) == bpf.ALLOW


@pytest.mark.parametrize(
    "flags",
    [O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_APPEND, 3, O_CLOEXEC | O_RDWR, 0o20000000 | O_RDWR, O_TRUNC | 1 << 40],
)
def test_and_not_for_anything_else(machine, flags):
    assert ask(machine, "openat", -100, 0x7000, flags) == bpf.EPERM
    if "open" in machine.calls:
        assert ask(machine, "open", 0x7000, flags) == bpf.EPERM


def test_threads_but_no_processes(machine):
    assert ask(machine, "clone", THREAD, threads=True) == bpf.ALLOW
    assert ask(machine, "clone", THREAD, threads=False) == bpf.EPERM
    assert ask(machine, "clone", FORK, threads=True) == bpf.EPERM
    for unwanted in (0x10000000, 0x20000000, 0x40000000, 0x20000, 0x2000, 0x4000, 0x02000000, 0x80):
        assert ask(machine, "clone", THREAD | unwanted, threads=True) == bpf.EPERM


def test_limits_are_read_and_not_set(machine):
    assert ask(machine, "prlimit64", 0, 7, 0, 0x7000) == bpf.ALLOW
    assert ask(machine, "prlimit64", PID, 7, 0, 0x7000) == bpf.ALLOW
    assert ask(machine, "prlimit64", PID + 1, 7, 0, 0x7000) == bpf.EPERM
    assert ask(machine, "prlimit64", 0, 7, 0x7000, 0) == bpf.EPERM
    assert ask(machine, "prlimit64", 0, 7, 0x7000 << 32, 0) == bpf.EPERM


def test_it_signals_itself_alone(machine):
    assert ask(machine, "tgkill", PID, PID, 6) == bpf.ALLOW
    assert ask(machine, "tgkill", 1, 1, 6) == bpf.EPERM


def test_controls_on_descriptors(machine):
    assert ask(machine, "ioctl", 0, 0x5401) == bpf.ALLOW
    assert ask(machine, "ioctl", 0, 0x5412) == bpf.EPERM  # TIOCSTI
    assert ask(machine, "ioctl", 0, 0x5412 | 1 << 32) == bpf.EPERM
    assert ask(machine, "fcntl", 0, 3) == bpf.ALLOW
    assert ask(machine, "fcntl", 0, 8) == bpf.EPERM  # F_SETOWN
    assert ask(machine, "prctl", 15) == bpf.ALLOW
    for option in (1, 4, 22, 24, 35, 38, 47):  # PDEATHSIG, DUMPABLE, SECCOMP, CAPBSET_DROP, SET_MM, ...
        assert ask(machine, "prctl", option) == bpf.EPERM


@given(st.sampled_from(sorted(MACHINES)), st.integers(0, 1200), st.lists(st.integers(0, 2**64 - 1), max_size=6))
def test_a_number_that_no_table_has_is_unknown(name, number, arguments):
    machine = MACHINES[name]
    if number not in machine.calls.values():
        program = rules.program(machine, PID, threads=True)
        assert run(program, number, machine.audit, tuple(arguments)) == bpf.ENOSYS


@given(
    st.sets(st.integers(0, 2**32 - 1), min_size=1, max_size=40),
    st.integers(0, 2**64 - 1),
    st.integers(0, 5),
    st.integers(0, 2**32 - 1),
)
def test_the_assembler_means_what_it_says(values, argument, place, mask):
    arguments = (*[0] * place, argument)
    low = argument & 0xFFFFFFFF

    def verdict(body):
        return run(bpf.assemble(1, 0, [(7, body)], bpf.ENOSYS), 7, 1, arguments)

    wanted = sorted(values)
    assert verdict(bpf.one_of(place, wanted)) == (bpf.ALLOW if low in values else bpf.EPERM)
    assert verdict(bpf.one_of(place, [*wanted, low])) == bpf.ALLOW
    assert verdict(bpf.masked(place, mask, wanted[0] & mask)) == (
        bpf.ALLOW if low & mask == wanted[0] & mask else bpf.EPERM
    )
    assert verdict(bpf.is_null(place)) == (bpf.EPERM if argument else bpf.ALLOW)
    assert run(bpf.assemble(1, 0, [(7, bpf.is_null(place))], bpf.ENOSYS), 8, 1, arguments) == bpf.ENOSYS


def test_no_number_has_two_names(machine):
    assert len(set(machine.calls.values())) == len(machine.calls)


def test_the_numbers_are_the_kernels(machine):
    header = next((Path(path) for path in HEADERS[machine.name] if Path(path).is_file()), None)
    if header is None:
        pytest.skip("the kernel's headers are not installed")
    text = header.read_text()
    known = {name: int(number) for name, number in re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", text)}
    known.setdefault("newfstatat", known.get("fstatat", 79))
    compared = {name for name in machine.calls if name in known}
    assert len(compared) > 200
    assert {name: machine.calls[name] for name in compared} == {name: known[name] for name in compared}
