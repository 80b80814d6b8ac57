"""Documents of this machine, read for the command line without a region, and commented: by fenced children alone.

What parses a stranger's file does so where it can reach nothing; a kernel that can fence nobody parses nothing.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any, Self

from casemate.engines.commenter import CellCommenter
from casemate.engines.extractor import CellExtractor
from casemate.engines.sandbox import Sandbox

__all__ = ["Documents"]


class Documents:
    """For the length of a block. Each method raises Unreadable, or SandboxMissing: then nothing was parsed."""

    def __enter__(self) -> Self:
        self._loop = asyncio.Runner()
        self._sandbox = Sandbox()
        self._extractor = CellExtractor(self._sandbox)
        self._commenter = CellCommenter(self._sandbox)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._loop.run(self._extractor.close())
        self._loop.close()
        self._sandbox.close()

    def read(self, name: str, data: bytes) -> Any:
        """The paragraphs of a file, as `knowledge.extract.Extracted`; `name` is only looked at for its extension."""
        return self._loop.run(self._extractor.extract(name, data, "command line"))

    def comment(self, data: bytes, comments: list[tuple[str, int, str]]) -> tuple[bytes, int]:
        """A copy of a DOCX with comments, and how many found their place.

        Each is (a line of the document, which of the equal lines it is, what is said of it).
        """
        return self._loop.run(self._commenter.comment(data, comments))
