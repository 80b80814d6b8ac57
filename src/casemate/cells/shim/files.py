"""The attempt's folder, as the shim reads and writes it: by the folder's descriptor, following no link.

JSON goes through the interpreter's own scanner: importing `json` costs more than everything else that the shim does.
"""

from __future__ import annotations

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:  # what they import costs more than the rest of the shim
    from typing import Any

__all__ = ["Claim", "boot", "claim", "dump", "folder", "load", "mine", "open_folder", "put", "read", "started", "whole"]

_MOST = 4 << 20  # bytes of an order: far beyond what a region writes
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


_boot = ""


class _Reading:
    """What the scanner asks for: plain JSON, names and texts as they come."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = float
    memo: dict[str, str] = {}  # noqa: RUF012 - the scanner keeps names here for one call


def load(data: bytes) -> dict[str, Any]:
    """The object that the bytes are. Raises ValueError for anything else."""
    text = data.decode("utf-8").strip()
    try:
        from _json import make_scanner

        value, end = make_scanner(_Reading())(text, 0)  # type: ignore[arg-type]
    except ImportError:
        import json

        value, end = json.loads(text), len(text)
    except StopIteration:
        raise ValueError("no JSON") from None
    if end != len(text) or not isinstance(value, dict):
        raise ValueError("not one object")
    return value


def dump(value: object) -> str:
    """JSON of objects, lists, texts, whole numbers, truth and nothing; that is all that the shim writes."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{dump(str(name))}: {dump(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(dump, value)) + "]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return str(value)
    text = str(value)
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(letter: str) -> str:
    code = ord(letter)
    if letter in '"\\':
        return "\\" + letter
    if 32 <= code < 127:
        return letter
    if code > 0xFFFF:  # as two surrogates: JSON knows no other way to escape it
        code -= 0x10000
        return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
    return f"\\u{code:04x}"


def folder(name: str, at: int) -> bool:
    """A folder of that name; one that is there stays as it is. Whether it is new."""
    try:
        os.mkdir(name, 0o755, dir_fd=at)
    except FileExistsError:
        return False
    return True


def open_folder(path: str | bytes, at: int | None = None) -> int:
    """A descriptor of a folder that is no link."""
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at)


def read(folder: int, name: str) -> bytes | None:
    """A file's bytes; None where there is none. Raises ValueError where it is longer than any that we read."""
    try:
        found = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except FileNotFoundError:
        return None
    try:
        parts = []
        size = 0
        while part := os.read(found, 1 << 16):
            parts.append(part)
            size += len(part)
            if size > _MOST:
                raise ValueError(f"{name} is too long")
        return b"".join(parts)
    finally:
        os.close(found)


def put(folder: int, name: str, data: bytes, sync: bool) -> None:
    """Write it anew beside its name, then give it the name. With `sync` it survives a loss of power from here on."""
    fresh = f".{name}.new"
    try:
        made = os.open(fresh, _NEW, 0o600, dir_fd=folder)
    except FileExistsError:
        os.unlink(fresh, dir_fd=folder)
        made = os.open(fresh, _NEW, 0o600, dir_fd=folder)
    try:
        _whole(made, data)
        if sync:
            os.fsync(made)
    finally:
        os.close(made)
    os.rename(fresh, name, src_dir_fd=folder, dst_dir_fd=folder)
    if sync:
        os.fsync(folder)


def _whole(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]


class Claim:
    """What we wrote into the claim: as long as it stands there, the attempt is ours."""

    __slots__ = ("data",)

    def __init__(self, data: bytes) -> None:
        self.data = data


def claim(folder: int) -> Claim | None:
    """The folder is ours from here on; None where it is another's. No sync: whoever loses power runs no job.

    It is the first beat too.
    """
    told = {
        "pid": os.getpid(),
        "start": started(os.getpid()),
        "boot": boot(),
        "node": os.uname().nodename,
        "nonce": os.urandom(16).hex(),
        "at": time.clock_gettime_ns(time.CLOCK_BOOTTIME),
    }
    data = dump(told).encode("ascii")
    try:
        made = os.open("claim", _NEW, 0o600, dir_fd=folder)
    except FileExistsError:
        return None
    try:
        _whole(made, data)
    finally:
        os.close(made)
    return Claim(data)


def mine(folder: int, claimed: Claim) -> bool:
    """Whether the claim is still ours: the region takes it away from a shim that did not beat for too long."""
    try:
        return read(folder, "claim") == claimed.data
    except (OSError, ValueError):
        return False


def whole(path: str) -> bytes:
    """A small file of the kernel's, without what `open` does besides; b"" where it cannot be read."""
    try:
        found = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    parts = []
    try:
        while part := os.read(found, 1 << 16):
            parts.append(part)
    except OSError:
        return b""
    finally:
        os.close(found)
    return b"".join(parts)


def started(pid: int) -> int:
    """When the process began, in clock ticks since the machine did; 0 where there is none."""
    fields = whole(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    return int(fields[19]) if fields else 0


def boot() -> str:
    """The kernel's id of this start of the machine; "" where it tells none. A process sees one alone."""
    global _boot  # noqa: PLW0603 - the warm server has read it for all that it forks
    if not _boot:
        _boot = whole("/proc/sys/kernel/random/boot_id").decode("ascii").strip()
    return _boot
