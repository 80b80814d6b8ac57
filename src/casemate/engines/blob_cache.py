"""Copies of sealed blobs on the disk beside a process, so that what is read again need not be fetched again.

    FOLDER/SLOT/DOMAIN/CLASS.NAME        sealed frames, byte for byte as they lie in the store

Each label domain has copies of its own within a bound of its own: what one has asked for never decides what another
finds here, nor what of it is let go. A slot belongs to one process at a time. Nothing is opened here: whoever reads a
copy finds out whether it is whole, and has it dropped where it is not.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import weakref
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path
from threading import Lock

from casemate.engines.files_publish import publish
from casemate.errors import BadInput, Unavailable

__all__ = ["BlobCache"]

SLOTS = 64


@dataclass(slots=True)
class _Domain:
    """Sizes by file name, the least lately used first; `coming`: bytes that are being written."""

    folder: Path
    sizes: OrderedDict[str, int] = field(default_factory=OrderedDict)
    coming: int = 0
    lock: Lock = field(default_factory=Lock)

    def room(self, size: int, bound: int) -> bool:
        """Let go of the least lately used until so many bytes fit; False where they never will."""
        while self.sizes and sum(self.sizes.values()) + self.coming + size > bound:
            name, _ = self.sizes.popitem(last=False)
            (self.folder / name).unlink(missing_ok=True)
        return self.coming + size <= bound


class BlobCache:
    """At most `bound` bytes for each label domain. Safe to ask from several threads."""

    def __init__(self, folder: Path, bound: int) -> None:
        self._bound = bound
        self._slot, claim = _claimed(folder)
        self._let_go = weakref.finalize(self, os.close, claim)
        self._domains: dict[str, _Domain] = {}
        self._lock = Lock()

    def find(self, domain: str, class_id: str, name: str) -> BufferedReader | None:
        """The copy, to be read and closed; None where there is none."""
        held, key = self._domain(domain), f"{class_id}.{name}"
        with held.lock:
            if key not in held.sizes:
                return None
            try:
                file = (held.folder / key).open("rb")
                os.utime(file.fileno())  # so that a later process knows what was used last
            except OSError:
                del held.sizes[key]
                return None
            held.sizes.move_to_end(key)
            return file

    def keep(self, domain: str, class_id: str, name: str, size: int, pieces: Iterable[bytes]) -> BufferedReader | None:
        """Keep a copy of `size` bytes and open it; None, with no piece taken, where it does not fit.

        What `pieces` raises is raised and nothing is kept. A disk that refuses raises OSError.
        """
        held, key = self._domain(domain), f"{class_id}.{name}"
        with held.lock:
            if not held.room(size, self._bound):
                return None
            held.coming += size
        path = held.folder / key
        try:
            publish(path, pieces, durable=False)
            file = path.open("rb")
        finally:
            with held.lock:
                held.coming -= size
        with held.lock:
            held.sizes[key] = os.fstat(file.fileno()).st_size
            held.sizes.move_to_end(key)
        return file

    def drop(self, class_id: str, name: str, domain: str = "") -> None:
        """Forget a copy: the domain's, or everybody's where none is named."""
        key = f"{class_id}.{name}"
        with self._lock:
            chosen = list(self._domains.values())
        for held in [self._domain(domain)] if domain else chosen:
            with held.lock:
                held.sizes.pop(key, None)
                (held.folder / key).unlink(missing_ok=True)

    def copies(self, class_id: str, name: str) -> list[Path]:
        """Every domain's copy of a blob, in this process's slot."""
        return sorted(self._slot.glob(f"*/{class_id}.{name}"))

    def held(self, domain: str) -> int:
        """How many bytes a domain's copies take."""
        found = self._domain(domain)
        with found.lock:
            return sum(found.sizes.values())

    def close(self) -> None:
        """Let another process have the slot, with what is in it."""
        self._let_go()

    def _domain(self, domain: str) -> _Domain:
        with self._lock:
            if domain not in self._domains:
                self._domains[domain] = _found(self._slot, domain, self._bound)
            return self._domains[domain]


def _claimed(folder: Path) -> tuple[Path, int]:
    """The first slot that no other process holds, and the lock that says so."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for number in range(SLOTS):
        descriptor = os.open(folder / f"{number}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            slot = folder / str(number)
            slot.mkdir(exist_ok=True, mode=0o700)
            for known in slot.iterdir():
                for draft in known.glob(".*"):  # what a killed process left half-written
                    draft.unlink()
            return slot, descriptor
        os.close(descriptor)
    raise Unavailable(what="a place for copies of blobs")


def _found(slot: Path, domain: str, bound: int) -> _Domain:
    """What lies there for a domain from earlier, within the bound."""
    if not domain or "/" in domain or domain.startswith("."):
        raise BadInput(what="label domain")
    found = _Domain(slot / domain)
    found.folder.mkdir(exist_ok=True, mode=0o700)
    files = sorted((each.stat().st_mtime_ns, each.name, each.stat().st_size) for each in found.folder.iterdir())
    found.sizes.update((name, size) for _, name, size in files)
    found.room(0, bound)
    return found
