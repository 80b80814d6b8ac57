"""Which files of a machine are brought, and why others are not. It reads names and sizes, never marks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from casemate.cli.tongue import t

__all__ = ["KINDS", "Skipped", "files"]

KINDS = frozenset(
    ".txt .text .md .markdown .html .htm .xhtml .pdf .docx .pptx .xlsx .eml .xml .tei "
    ".csv .tsv .tab .json .jsonl .ndjson .png .jpg .jpeg .tif .tiff".split()
)
LIMIT = 64 << 20


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that is not brought, and why."""

    path: str
    reason: str


def files(paths: tuple[Path, ...]) -> Iterator[Path | Skipped]:
    """Every file in and below these, each once, in the order of names; hidden ones only where they are named."""
    seen: set[Path] = set()
    for path in paths:
        for found in _below(path):
            real = found.resolve() if isinstance(found, Path) else None
            if real is not None and real not in seen:
                seen.add(real)
                yield _judged(found)  # type: ignore[arg-type]
            elif real is None:
                yield found


def _below(path: Path) -> Iterator[Path | Skipped]:
    if not path.is_dir():
        yield path
        return
    told: list[Skipped] = []
    for folder, folders, names in os.walk(path, onerror=lambda error: told.append(_unread(error))):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(folder, name) for name in sorted(names) if not name.startswith("."))
    yield from told


def _unread(error: OSError) -> Skipped:
    return Skipped(str(error.filename), t("add.unreadable", why=error.strerror))


def _judged(path: Path) -> Path | Skipped:
    try:
        size = path.stat().st_size
    except OSError as error:
        return _unread(error)
    if not path.is_file():
        return Skipped(str(path), t("add.no_file"))
    if path.suffix.lower() not in KINDS:
        return Skipped(str(path), t("add.kind", kind=path.suffix or path.name))
    if not size:
        return Skipped(str(path), t("add.empty"))
    return Skipped(str(path), t("add.large", limit=LIMIT >> 20)) if size > LIMIT else path
