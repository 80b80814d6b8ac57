"""The machines whose system calls are known here, by name: the audit architecture and the numbers.

Source: the kernel's own tables (asm/unistd_64.h for x86_64, asm-generic/unistd.h for aarch64); a test compares this
file with the headers where they are installed. A machine that is not listed here gets no child at all.
"""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass, field

__all__ = ["MACHINES", "Machine", "this_machine"]

# name, number on x86_64, number on aarch64 ("-": this machine has no such call)
_TABLE = """
read 0 63 / write 1 64 / readv 19 65 / writev 20 66 / pread64 17 67 / preadv 295 69 / preadv2 327 286 / close 3 57
close_range 436 436 / lseek 8 62 / fstat 5 80 / stat 4 - / lstat 6 - / newfstatat 262 79 / statx 332 291 / access 21 -
faccessat 269 48 / faccessat2 439 439 / open 2 - / openat 257 56 / openat2 437 437 / readlink 89 - / readlinkat 267 78
getdents 78 - / getdents64 217 61 / getcwd 79 17 / fcntl 72 25 / ioctl 16 29 / dup 32 23 / poll 7 - / ppoll 271 73
select 23 - / pselect6 270 72 / fadvise64 221 223 / statfs 137 43 / fstatfs 138 44
mmap 9 222 / munmap 11 215 / mprotect 10 226 / mremap 25 216 / madvise 28 233 / brk 12 214 / msync 26 227
mincore 27 232 / rt_sigaction 13 134 / rt_sigprocmask 14 135 / rt_sigreturn 15 139 / rt_sigpending 127 136
rt_sigtimedwait 128 137 / sigaltstack 131 132 / restart_syscall 219 128
getpid 39 172 / gettid 186 178 / getppid 110 173 / getuid 102 174 / geteuid 107 175 / getgid 104 176 / getegid 108 177
getresuid 118 148 / getresgid 120 150 / getpgid 121 155 / getpgrp 111 - / getsid 124 156 / getgroups 115 158
capget 125 90 / uname 63 160 / sysinfo 99 179 / getrandom 318 278 / umask 95 166
clock_gettime 228 113 / clock_getres 229 114 / clock_nanosleep 230 115 / nanosleep 35 101 / gettimeofday 96 169
time 201 - / times 100 153 / getrusage 98 165 / getrlimit 97 163 / prlimit64 302 261 / getcpu 309 168
futex 202 98 / futex_waitv 449 449 / futex_wake 454 454 / futex_wait 455 455 / futex_requeue 456 456
set_robust_list 273 99 / get_robust_list 274 100 / set_tid_address 218 96 / rseq 334 293 / arch_prctl 158 -
membarrier 324 283 / sched_yield 24 124 / sched_getaffinity 204 123 / sched_setaffinity 203 122
sched_getparam 143 121 / sched_getscheduler 145 120 / sched_get_priority_max 146 125 / sched_get_priority_min 147 126
clone 56 220 / clone3 435 435 / prctl 157 167 / tgkill 234 131 / exit 60 93 / exit_group 231 94
socket 41 198 / socketpair 53 199 / connect 42 203 / bind 49 200 / listen 50 201 / accept 43 202 / accept4 288 242
sendto 44 206 / sendmsg 46 211 / sendmmsg 307 269 / recvfrom 45 207 / recvmsg 47 212 / recvmmsg 299 243
getsockname 51 204 / getpeername 52 205 / getsockopt 55 209 / setsockopt 54 208 / shutdown 48 210
execve 59 221 / execveat 322 281 / fork 57 - / vfork 58 - / unshare 272 97 / setns 308 268 / mount 165 40
umount2 166 39 / pivot_root 155 41 / chroot 161 51 / chdir 80 49 / fchdir 81 50 / move_mount 429 429
open_tree 428 428 / open_tree_attr 467 467 / mount_setattr 442 442 / fsopen 430 430 / fsmount 432 432
fsconfig 431 431 / fspick 433 433
ptrace 101 117 / process_vm_readv 310 270 / process_vm_writev 311 271 / process_madvise 440 440
process_mrelease 448 448 / kcmp 312 272 / pidfd_open 434 434 / pidfd_getfd 438 438 / pidfd_send_signal 424 424
kill 62 129 / tkill 200 130 / rt_sigqueueinfo 129 138 / rt_tgsigqueueinfo 297 240
bpf 321 280 / perf_event_open 298 241 / userfaultfd 323 282 / io_uring_setup 425 425 / io_uring_enter 426 426
io_uring_register 427 427 / io_setup 206 0 / io_submit 209 2 / keyctl 250 219 / add_key 248 217 / request_key 249 218
seccomp 317 277 / landlock_create_ruleset 444 444 / landlock_add_rule 445 445 / landlock_restrict_self 446 446
init_module 175 105 / finit_module 313 273 / delete_module 176 106 / kexec_load 246 104 / kexec_file_load 320 294
reboot 169 142 / swapon 167 224 / swapoff 168 225 / acct 163 89 / quotactl 179 60 / syslog 103 116
open_by_handle_at 304 265 / name_to_handle_at 303 264
setuid 105 146 / setgid 106 144 / setreuid 113 145 / setregid 114 143 / setresuid 117 147 / setresgid 119 149
setgroups 116 159 / setfsuid 122 151 / setfsgid 123 152 / capset 126 91 / setrlimit 160 164 / setsid 112 157
setpgid 109 154 / setpriority 141 140 / sched_setscheduler 144 119 / sched_setparam 142 118 / sched_setattr 314 274
personality 135 92 / creat 85 - / mkdir 83 - / mkdirat 258 34 / mknod 133 - / mknodat 259 33 / unlink 87 -
unlinkat 263 35 / rmdir 84 - / rename 82 - / renameat 264 38 / renameat2 316 276 / link 86 - / linkat 265 37
symlink 88 - / symlinkat 266 36 / truncate 76 45 / ftruncate 77 46 / fallocate 285 47 / chmod 90 - / fchmod 91 52
fchmodat 268 53 / fchmodat2 452 452 / chown 92 - / lchown 94 - / fchown 93 55 / fchownat 260 54 / setxattr 188 5
lsetxattr 189 6 / fsetxattr 190 7 / removexattr 197 14 / utimensat 280 88 / pwrite64 18 68 / pwritev 296 70
pwritev2 328 287 / sendfile 40 71 / splice 275 76 / tee 276 77 / vmsplice 278 75 / copy_file_range 326 285
memfd_create 319 279 / memfd_secret 447 447 / inotify_init1 294 26 / fanotify_init 300 262 / fanotify_mark 301 263
mq_open 240 180 / shmget 29 194 / shmat 30 196 / msgget 68 186 / semget 64 190 / settimeofday 164 170
clock_settime 227 112 / adjtimex 159 171 / clock_adjtime 305 266 / sethostname 170 161 / setdomainname 171 162
msgsnd 69 189 / msgrcv 70 188 / msgctl 71 187 / semop 65 193 / semctl 66 191 / semtimedop 220 192 / shmctl 31 195
migrate_pages 256 238 / move_pages 279 239 / mq_unlink 241 181 / quotactl_fd 443 443 / set_mempolicy_home_node 450 450
statmount 457 457 / listmount 458 458
iopl 172 - / ioperm 173 - / modify_ldt 154 - / vhangup 153 58
"""


@dataclass(frozen=True, slots=True)
class Machine:
    """`audit` is AUDIT_ARCH_*; numbers from `x32` upward are another calling convention of the machine (0: none)."""

    name: str
    audit: int
    x32: int
    calls: dict[str, int] = field(repr=False)


def _numbers(column: int) -> dict[str, int]:
    rows = (row.split() for line in _TABLE.strip().splitlines() for row in line.split(" / "))
    return {row[0]: int(row[column]) for row in rows if row[column] != "-"}


MACHINES = {
    "x86_64": Machine("x86_64", 0xC000003E, 0x40000000, _numbers(1)),
    "aarch64": Machine("aarch64", 0xC00000B7, 0, _numbers(2)),
}


def this_machine() -> Machine | None:
    """The machine that this process runs on as a 64-bit, little-endian Linux process; None where it is not known."""
    if sys.platform != "linux" or sys.byteorder != "little" or sys.maxsize != 2**63 - 1:
        return None
    return MACHINES.get(platform.machine())
