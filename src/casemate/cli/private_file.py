"""A private key's file: its owner's alone, made once, never written over; its passphrase is asked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from pathlib import Path

from casemate.cli.passphrase import passphrase
from casemate.cli.tongue import t
from casemate.crypto import KEY_SIZE
from casemate.crypto.locked import is_locked, unlock
from casemate.errors import BadInput, Conflict

__all__ = ["kept", "private"]

_MOST = 64 << 10
_OTHERS = 0o077


def private(file: Path, sizes: Collection[int] = (KEY_SIZE,), asked: Callable[[], str] = passphrase) -> bytes:
    """The private half in its owner's file, of one of these sizes; `asked` is called only where it is locked.

    Raises BadInput where others may open the file, where it holds no such key, and for a wrong passphrase; OSError.
    """
    with file.open("rb") as held:
        if os.fstat(held.fileno()).st_mode & _OTHERS:
            raise BadInput(what=t("keys.open_file", file=file))
        raw = held.read(_MOST)
    return unlock(raw, asked() if is_locked(raw) else "", sizes)


def kept(file: Path, raw: bytes) -> None:
    """A file of its owner's alone, on its disc when this returns. Raises Conflict where there is one already."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise Conflict(what=str(file)) from None
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(raw)
        opened.flush()
        os.fsync(opened.fileno())
