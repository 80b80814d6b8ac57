"""The file of a data key: whose it is, the key wrapped, and a keyed digest of both.

    "casemate class key v1\\n" | name of the region's key "\\n" | wrapped (`crypto.wrap`, the class id as context) | mac

`mac` is HMAC-SHA-384 over all before it, under a key derived from the region's private key: whoever can write into
keys/ but opens nothing there cannot bring the region to seal under a key of his. CLASS is the class's id.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from casemate.crypto import DIGEST_SIZE, KEY_SIZE, Keeper, derive, digest, hmac, same
from casemate.engines.key_store_file import publish, read_private, remove, replace, tell
from casemate.errors import Damaged

__all__ = ["GONE", "WRAPPED", "ClassKeys", "lacking"]

WRAPPED, GONE = ".key", ".gone"
_TOLD = ".told"  # a byte for each key that was destroyed: its size says whether there is anything new to look for
_HEAD = b"casemate class key v1\n"
_TOMBSTONE = b"casemate class key destroyed\n"
_REGION = "region"
_PLAIN = re.compile(r"[a-z0-9_]{1,64}")


def _name(class_id: str) -> str:
    """What the files of a class are called. What is no plain name is named by its digest."""
    name = class_id or _REGION
    if not _PLAIN.fullmatch(name) or class_id == _REGION:
        name = f"x-{digest(class_id.encode()).hex()[:32]}"
    return name


def lacking(folder: Path, class_ids: Iterable[str]) -> list[str]:
    """Of these classes, the files that should be there and are not: neither the key, nor that it was destroyed."""
    names = sorted(map(_name, class_ids))
    return [f"{n}{WRAPPED}" for n in names if not any((folder / f"{n}{end}").exists() for end in (WRAPPED, GONE))]


class ClassKeys:
    """The files below keys/classes/, with what opens them: the region's key, and its successor's where there is one."""

    def __init__(self, folder: Path, keepers: tuple[Keeper, ...], privates: Sequence[bytes]) -> None:
        self.folder = folder
        self.keepers = keepers
        self._told = str(folder / _TOLD)
        self._macs = [derive(private, b"class key files") for private in privates]

    def path(self, class_id: str, end: str) -> Path:
        return self.folder / f"{_name(class_id)}{end}"

    def held(self) -> frozenset[str]:
        """The names of the classes that have a data key."""
        return frozenset(path.name.removesuffix(WRAPPED) for path in self.folder.glob(f"[!.]*{WRAPPED}"))

    def gone(self) -> frozenset[str]:
        """The names of the classes whose data key was destroyed."""
        return frozenset(path.name.removesuffix(GONE) for path in self.folder.glob(f"[!.]*{GONE}"))

    def told(self) -> int:
        """A number that is another one as soon as a process has destroyed a key."""
        try:
            return os.stat(self._told).st_size  # noqa: PTH116 - a third of the cost of Path.stat, at each request
        except FileNotFoundError:
            return 0

    def wrap(self, class_id: str, key: bytes, to: int = 0) -> bytes:
        """The file of a data key, under the region's key or (1) its successor."""
        recipient = self.keepers[to].recipient
        body = _HEAD + recipient.name.encode() + b"\n" + recipient.wrap(key, class_id.encode())
        return body + hmac(self._macs[to], body)

    def read(self, class_id: str) -> bytes | None:
        """The data key in the file of a class, or None. Raises Damaged, Misconfigured."""
        try:
            raw = read_private(self.path(class_id, WRAPPED))
        except FileNotFoundError:
            return None
        return self._opened(raw, class_id)[0]

    def wrap_again(self, class_id: str) -> bool:
        """Wrap a data key to the successor; whether it was not yet. The key itself stays what it is."""
        path = self.path(class_id, WRAPPED)
        key, by = self._opened(read_private(path), class_id)
        if by == len(self.keepers) - 1:
            return False
        replace(path, self.wrap(class_id, key, len(self.keepers) - 1))
        return True

    def destroy(self, class_id: str, durable: bool = True) -> None:
        """First the tombstone, then the key: whoever is killed between them has destroyed it."""
        publish(self.path(class_id, GONE), _TOMBSTONE, durable)
        tell(self.folder / _TOLD)
        remove(self.path(class_id, WRAPPED), durable)
        for left in self.folder.glob(f".{self.path(class_id, WRAPPED).name}.*"):
            with contextlib.suppress(OSError):
                remove(left, durable)

    def _opened(self, raw: bytes, class_id: str) -> tuple[bytes, int]:
        """The data key, and the place of the key that it is wrapped to. Raises Damaged."""
        body, mac = raw[:-DIGEST_SIZE], raw[-DIGEST_SIZE:]
        name, _, wrapped = body.removeprefix(_HEAD).partition(b"\n")
        for place, keeper in enumerate(self.keepers):
            if keeper.recipient.name.encode() == name and same(hmac(self._macs[place], body), mac):
                key = keeper.unwrap(wrapped, class_id.encode())
                if raw.startswith(_HEAD) and len(key) == KEY_SIZE:
                    return key, place
        raise Damaged(what="key of a class")
