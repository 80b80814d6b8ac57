"""A program for the sandbox that tries what it must not be able to do, and says how each attempt ended.

Inside: asked through the pipes like any cell. Outside, as the control: `python -I probe.py '{...}'` prints the same.
Each attempt gives "done", or the name of the errno that stopped it.
"""

# ruff: noqa: PT017, PTH101, PTH102, PTH104, PTH108, PTH123, PTH208, SIM115
# The calls themselves are what is tried, and no test runs here.

from __future__ import annotations

import ctypes
import errno
import json
import os
import resource
import socket
import sys
import time
from typing import Any

LIBC = ctypes.CDLL(None, use_errno=True)


def call(number: int, *arguments: Any) -> int:
    result = LIBC.syscall(ctypes.c_long(number), *[ctypes.c_long(x) if isinstance(x, int) else x for x in arguments])
    if result < 0:
        raise OSError(ctypes.get_errno(), "syscall")
    return int(result)


def tcp(told: dict[str, Any]) -> None:
    with socket.socket() as sock:
        sock.settimeout(2)
        sock.connect(("127.0.0.1", told["port"]))


def unix(told: dict[str, Any]) -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(told["socket"])


def serve(told: dict[str, Any]) -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(told["folder"] + "/mine.sock")
        sock.listen()


def fork(told: dict[str, Any]) -> None:
    pid = os.fork()
    if not pid:
        os._exit(0)
    os.waitpid(pid, 0)


def spawn(told: dict[str, Any]) -> None:
    os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)


def replace(told: dict[str, Any]) -> None:
    # a file that is there but is no program: whoever may exec is told ENOEXEC or EACCES only after it was looked at
    try:
        os.execv(told["script"], ["x"])
    except OSError as error:
        if error.errno != errno.ENOEXEC:
            raise


def write(told: dict[str, Any]) -> None:
    with open(told["folder"] + "/new", "w") as file:
        file.write("x")


def overwrite(told: dict[str, Any]) -> None:
    os.close(os.open(told["victim"], os.O_RDONLY | os.O_TRUNC))


def read(path: str) -> None:
    with open(path, "rb") as file:
        file.read(64)


ATTEMPTS = {
    "socket": lambda told: socket.socket().close(),
    "socket unix": lambda told: socket.socket(socket.AF_UNIX).close(),
    "socket netlink": lambda told: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0).close(),
    "socketpair": lambda told: [one.close() for one in socket.socketpair()],
    "connect tcp": tcp,
    "connect unix": unix,
    "bind and listen": serve,
    "fork": fork,
    "spawn": spawn,
    "exec": replace,
    "write": write,
    "truncate by opening": overwrite,
    "truncate": lambda told: os.truncate(told["victim"], 0),
    "mkdir": lambda told: os.mkdir(told["folder"] + "/made"),
    "unlink": lambda told: os.unlink(told["doomed"]),
    "rename": lambda told: os.rename(told["moved"], told["moved"] + ".x"),
    "chmod": lambda told: os.chmod(told["victim"], 0o600),
    "read keys": lambda told: read(told["keys"] + "/region.key"),
    "list keys": lambda told: os.listdir(told["keys"]),
    "read run": lambda told: read(told["run"] + "/token"),
    "list run": lambda told: os.listdir(told["run"]),
    "read data": lambda told: read(told["data"] + "/records.db"),
    "list the root": lambda told: os.listdir("/"),
    "read etc": lambda told: read("/etc/passwd"),
    "read the parent's environment": lambda told: read(f"/proc/{told['parent']}/environ"),
    "list processes": lambda told: os.listdir("/proc"),
    "list own home": lambda told: os.listdir(os.environ["HOME"]),
    "signal the parent": lambda told: os.kill(told["parent"], 0),
    "watch the parent": lambda told: os.close(os.pidfd_open(told["parent"])),
    "limit the parent": lambda told: resource.prlimit(told["parent"], resource.RLIMIT_CORE, (0, 0)),
    "raise own limit": lambda told: resource.setrlimit(resource.RLIMIT_CORE, (0, 0)),
    "pin the parent": lambda told: os.sched_setaffinity(told["parent"], os.sched_getaffinity(0)),
    "anonymous file": lambda told: os.close(os.memfd_create("x")),
    "be traced": lambda told: call(told["calls"]["ptrace"], 0, 0, 0, 0),
    "signal by queue": lambda told: call(told["calls"]["tgkill"], told["parent"], told["parent"], 0),
    "personality": lambda told: call(told["calls"]["personality"], 0),
    "extended attribute": lambda told: os.setxattr(told["victim"], "user.x", b"x"),
}


def attempt(name: str, told: dict[str, Any]) -> str:
    try:
        ATTEMPTS[name](told)
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, type(error).__name__)
    except ValueError:  # how `resource` words EPERM
        return "EPERM"
    return "done"


def refused(number: int) -> str:
    """A raw call that could do nothing even where it were let through: every argument is -1."""
    try:
        call(number, -1, -1, -1, -1, -1, -1)
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, "?")
    return "done"


def thread(_: dict[str, Any]) -> str:
    import threading

    try:
        one = threading.Thread(target=lambda: None)
        one.start()
        one.join()
    except RuntimeError:
        return "refused"
    return "done"


def int80(_: dict[str, Any]) -> int:
    """getpid by the calling convention of i386: mov eax, 20; int 0x80; ret."""
    import mmap

    page = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")
    return int(ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))())


def library(told: dict[str, Any]) -> Any:
    """Run a model with onnxruntime, as the embedding cell does."""
    import numpy as np
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = told.get("threads", 1)
    session = onnxruntime.InferenceSession(told["model"], options, providers=["CPUExecutionProvider"])
    (out,) = session.run(None, {"x": np.array([[1.0, 2.0]], np.float32)})
    return out.tolist()


def spin(_: dict[str, Any]) -> None:
    while True:
        pass


def busy(told: dict[str, Any]) -> float:
    began = time.process_time()
    while time.process_time() - began < told["seconds"]:
        pass
    return time.process_time() - began


def hold(told: dict[str, Any]) -> int:
    return len(bytearray(told["bytes"]))


def opened(_: dict[str, Any]) -> int:
    files = []
    try:
        while True:
            files.append(open(__file__, "rb"))
    except OSError as error:
        assert error.errno == errno.EMFILE
    return len(files)


COUNT = [0]


def count(told: dict[str, Any]) -> int:
    COUNT[0] += 1
    time.sleep(told.get("seconds", 0))
    return COUNT[0]


ASKED = {
    "all": lambda told: {name: attempt(name, told) for name in ATTEMPTS},
    "raw": lambda told: {name: refused(number) for name, number in told["calls"].items()},
    "environment": lambda told: dict(os.environ),
    "descriptors": lambda told: sorted(int(name) for name in os.listdir("/proc/self/fd"))[:-1],
    "identity": lambda told: {
        "pid": os.getpid(),
        "session": os.getsid(0),
        "argv": sys.argv[1:],
        "isolated": sys.flags.isolated,
        "path": sys.path,
    },
    "thread": thread,
    "x32": lambda told: call(0x40000000 + 39),
    "int80": int80,
    "library": library,
    "spin": spin,
    "busy": busy,
    "hold": hold,
    "opened": opened,
    "count": count,
    "echo": lambda told: told["value"],
    "sleep": lambda told: time.sleep(told["seconds"]),
    "print": lambda told: print("this is no reply", flush=True),
    "broken": lambda told: 1 // 0,
    "exit": lambda told: os._exit(told["code"]),
    "abort": lambda told: os.abort(),
    "list": lambda told: os.listdir(told["path"]),
    "read": lambda told: open(told["path"]).read(),
}


def answer(told: dict[str, Any]) -> Any:
    return ASKED[told["ask"]](told)


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1].startswith("{"):
        print(json.dumps(answer(json.loads(sys.argv[1]))))
    else:
        from casemate.cells.serve import serve as serve_cell

        serve_cell(dict[str, Any], answer)
