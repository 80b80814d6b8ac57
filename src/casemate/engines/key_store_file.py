"""Files that hold keys: mode 0600, in a folder of mode 0700, whole or not there at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from pathlib import Path

from casemate.errors import Damaged, Misconfigured

__all__ = ["publish", "read_private", "remove", "replace", "tell"]

_MOST = 64 << 10


def read_private(path: Path) -> bytes:
    """The bytes of a key file. Raises FileNotFoundError; Misconfigured where others may open it, Damaged."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        if stat.S_IMODE(os.fstat(descriptor).st_mode) & 0o077:
            raise Misconfigured(setting=path.name, why="others than its owner may open the key file; chmod 600")
        raw = os.read(descriptor, _MOST + 1)
    finally:
        os.close(descriptor)
    if not raw or len(raw) > _MOST:
        raise Damaged(what=path.name)
    return raw


def publish(path: Path, data: bytes, durable: bool = True) -> None:
    """Give a new file its name only once its bytes are on the disk; leave the file of whoever came first."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = _draft(path, data, durable)
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink()
    _kept(path.parent, durable)


def replace(path: Path, data: bytes, durable: bool = True) -> None:
    """Put these bytes in the place of the file: whoever opens it finds all of the one or all of the other."""
    draft = _draft(path, data, durable)
    try:
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    _kept(path.parent, durable)


def remove(path: Path, durable: bool = True) -> None:
    """Write over the file, then take its name away; what is absent is no error.

    A disk may keep what was written over: that is why what lies there is wrapped as well.
    """
    with contextlib.suppress(FileNotFoundError):
        size = path.stat().st_size
        descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            os.write(descriptor, bytes(size))
            if durable:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        path.unlink()
        _kept(path.parent, durable)


def tell(path: Path) -> None:
    """Make the file one byte longer."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        os.write(descriptor, b".")
    finally:
        os.close(descriptor)


def _draft(path: Path, data: bytes, durable: bool) -> Path:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, data)
        if durable:
            os.fsync(descriptor)
    except BaseException:
        draft.unlink()
        raise
    finally:
        os.close(descriptor)
    return draft


def _kept(folder: Path, durable: bool) -> None:
    """The folder's names are on the disk."""
    if not durable:
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
