"""A credential for an upstream: a file in keys/, read again when it changes, and shown to nobody."""

from __future__ import annotations

import os
from pathlib import Path

from casemate.errors import Misconfigured

__all__ = ["KeyFile"]

_LONGEST = 64 << 10


class KeyFile:
    """The text of a key file, printable ASCII. `setting` names it in errors; the text itself stands in none."""

    __slots__ = ("_path", "_seen", "_setting", "_text")

    def __init__(self, path: Path, setting: str) -> None:
        self._path = path
        self._setting = setting
        self._seen: tuple[int, int, int] | None = None
        self._text = ""

    def lines(self) -> str:
        """The text as it stands now, without blanks around it. Raises Misconfigured."""
        try:
            found = os.stat(self._path)  # noqa: PTH116 - a third of the cost of Path.stat, at each request
            seen = (found.st_mtime_ns, found.st_size, found.st_ino)
            if seen != self._seen:
                if found.st_size > _LONGEST:
                    raise self.wrong("the file is too long for a key")
                self._text = self._path.read_text(encoding="ascii").strip()
                self._seen = seen
        except (OSError, UnicodeDecodeError):
            raise self.wrong("the file cannot be read") from None
        return self._text

    def line(self) -> str:
        """A key on one line. Raises Misconfigured."""
        text = self.lines()
        if not text or not text.isprintable():
            raise self.wrong("the file holds no key on one line")
        return text

    def wrong(self, why: str) -> Misconfigured:
        """The error for a file that cannot be used."""
        return Misconfigured(setting=self._setting, why=why)
