"""The inside of a bundle laid open in a folder: an OCI layout, and the same files under their own names.

    FOLDER/oci-layout, index.json, blobs/sha512/HEX        release.dsse.json, metadata/*        files/NAME/PATH

It appears whole, once somebody has judged what came, or not at all. Names were judged when they were read.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from casemate.engines.files_publish import sync_folder
from casemate.errors import Conflict
from casemate.transfer.bundle import LAYOUT, Inside, Piece

__all__ = ["Laid", "laid"]


@contextmanager
def laid(folder: Path) -> Iterator[Laid]:
    """A folder that is there when the block ends, if `appear` was called. Raises Conflict where it is there already."""
    if folder.exists():
        raise Conflict(what=str(folder))
    draft = folder.with_name(f".{secrets.token_hex(8)}.part")
    (draft / "blobs" / "sha512").mkdir(parents=True, mode=0o700)
    try:
        with ExitStack() as stack:
            yield Laid(folder, draft, stack)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


class Laid:
    """A layout that is being laid open: blobs as their pieces come, one after the other, then all the rest."""

    def __init__(self, folder: Path, draft: Path, stack: ExitStack) -> None:
        self._target = folder
        self._draft = draft
        self._folder = draft / "blobs" / "sha512"
        self._stack = stack
        self._digest = ""
        self._file = -1

    def write(self, piece: Piece) -> None:
        """The next piece of a blob."""
        if piece.digest != self._digest:
            self._stack.close()
            self._digest = piece.digest
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            self._file = os.open(self._folder / piece.digest.partition(":")[2], flags, 0o600)
            self._stack.callback(os.close, self._file)
        view = piece.data
        while view:
            view = view[os.write(self._file, view) :]

    def appear(self, inside: Inside) -> None:
        """All of it under its name, on the disk."""
        self._stack.close()
        _named(self._draft, inside)
        _synced(self._draft)
        self._draft.rename(self._target)
        sync_folder(self._target.parent)


def _named(draft: Path, inside: Inside) -> None:
    """What is small, and the files under their own names."""
    blobs = draft / "blobs" / "sha512"
    (draft / "oci-layout").write_bytes(LAYOUT)
    (draft / "release.dsse.json").write_bytes(inside.sealed)
    (draft / "metadata").mkdir(mode=0o700)
    for name, raw in inside.metadata.items():
        (draft / "metadata" / name).write_bytes(raw)
    (draft / "index.json").write_bytes(inside.index_raw)
    for digest, blob in inside.blobs.items():
        if not blob.size:
            (blobs / digest.partition(":")[2]).touch(0o600)
    for pointed in inside.index:
        for file in inside.manifests[pointed.digest].files:
            place = draft / "files" / pointed.name / file.path
            place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.link(blobs / file.digest.partition(":")[2], place)


def _synced(folder: Path) -> None:
    for path in sorted(folder.rglob("*")):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    sync_folder(folder)
