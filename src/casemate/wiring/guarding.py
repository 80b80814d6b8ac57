"""The guard for the command line, without a region: fenced children read the file, and the canonical bytes are kept."""

from __future__ import annotations

import asyncio
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Self

from casemate.engines.guard import CellGuard, Looked
from casemate.engines.sandbox import Sandbox
from casemate.models import Inspector, PersonalData, Secrets
from casemate.transfer.guard import Direction, Format, Verdict

__all__ = ["Guarding"]

_WORDS = ("text", "csv", "json", "jsonl")


class Guarding:
    """For the length of a block. Raises SandboxMissing: then nothing was parsed."""

    def __enter__(self) -> Self:
        self._loop = asyncio.Runner()
        self._sandbox = Sandbox()
        self._guard = CellGuard(self._sandbox)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._loop.run(self._guard.close())
        self._loop.close()
        self._sandbox.close()

    def check(
        self, path: Path, direction: Direction, format: Format | None, schema: bytes, output: Path | None
    ) -> tuple[Verdict, list[str]]:
        """The verdict, and what looks like a secret or like a person's data in what would cross.

        The second is advice and no more: it neither lets anything through nor holds it. `output` gets the canonical
        bytes where they agree. Raises OSError, Damaged.
        """
        looked = self._loop.run(self._guard.look(path, direction, format, schema))
        if output is not None and looked.verdict.agrees:
            self._guard.keep(looked, path, output)
        return looked.verdict, _advice(looked)


def _advice(looked: Looked) -> list[str]:
    if looked.verdict.format not in _WORDS or not looked.canonical:
        return []
    inspectors: list[Inspector] = [Secrets(), PersonalData()]
    if find_spec("detect_secrets") is not None:
        from casemate.engines.detect_secrets import DetectSecrets

        inspectors.append(DetectSecrets())
    found = [finding for each in inspectors for finding in each.look([looked.canonical.decode()])]
    return sorted({finding.rule for finding in found})
