"""Metrics of a process on the disk, for the process that shows them: a file for each label domain, renamed into place.

    run/metrics/PROCESS/CLASS      sealed with that class' key; whoever reads asks for the classes that he may see

A reader opens the files of those classes and no others, so neither their number nor their size tells him of the rest.
Nobody waits for anybody: a writer replaces, a reader takes what the name gives. They are not durable and need not be.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from casemate.errors import Damaged, Destroyed
from casemate.store import Sealer
from casemate.telemetry import Kept
from casemate.telemetry.kept import BOUND, read, write

__all__ = ["MetricsFiles"]

_NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
_OLD = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
_PURPOSE = "metrics"
_SEALED = BOUND + 1024


class MetricsFiles:
    """One folder for all processes of a region; `process` is the name of this one ("" where it only reads)."""

    def __init__(self, folder: Path, sealer: Sealer, process: str = "") -> None:
        self._folder = folder
        self._sealer = sealer
        self._process = process

    def write(self, class_id: str, kept: Kept) -> None:
        """Put a domain's numbers in the place of the last ones. Raises OSError."""
        own = self._folder / self._process
        own.mkdir(parents=True, exist_ok=True, mode=0o700)
        sealed = self._sealer.seal(class_id, _PURPOSE, write(kept), self._aad(self._process, class_id))
        draft = own / f".{class_id}"
        with os.fdopen(os.open(draft, _NEW, 0o600), "wb") as file:
            file.write(sealed)
        draft.replace(own / class_id)

    def own(self) -> Iterator[Kept]:
        """What this process had written before it was started again; what cannot be read is left out."""
        with contextlib.suppress(OSError):
            for path in sorted((self._folder / self._process).iterdir()):
                if not path.name.startswith("."):
                    yield from self._read(self._process, path.name)

    def of(self, class_id: str) -> list[Kept]:
        """The numbers of one domain in every process that has any."""
        try:
            processes = sorted(path.name for path in self._folder.iterdir())
        except OSError:
            return []
        return [kept for process in processes for kept in self._read(process, class_id)]

    def _read(self, process: str, class_id: str) -> Iterator[Kept]:
        try:
            with os.fdopen(os.open(self._folder / process / class_id, _OLD), "rb") as file:
                sealed = file.read(_SEALED + 1)
            if len(sealed) <= _SEALED:
                yield read(self._sealer.open(class_id, _PURPOSE, sealed, self._aad(process, class_id)))
        except (OSError, Damaged, Destroyed):
            return

    @staticmethod
    def _aad(process: str, class_id: str) -> bytes:
        return f"{_PURPOSE}\0{process}\0{class_id}".encode()
