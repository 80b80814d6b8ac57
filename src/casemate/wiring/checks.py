"""What `casemate doctor` looks at: the machine and the folder, never what is stored."""

from __future__ import annotations

import shutil
import stat
import sys
from collections.abc import Collection, Iterable
from contextlib import closing
from pathlib import Path

import msgspec

from casemate.crypto import lockable
from casemate.doors.native.rooms import Check
from casemate.engines.executor_process_probe import reached_here
from casemate.engines.key_store_class import lacking
from casemate.engines.key_store_region import NEXT, is_bare
from casemate.engines.sandbox import support
from casemate.errors import CasemateError
from casemate.settings import Settings
from casemate.wiring.folder import Folder
from casemate.wiring.store import reader_of
from casemate.words import problem, say

__all__ = ["checks"]

ENOUGH = 1 << 30
SWAPS = Path("/proc/swaps")
KEYS = ("region.key", "ledger.key")


def checks(
    folder: Folder, settings: Settings, model: str, language: str, seen: Collection[str] | None = None
) -> list[Check]:
    """Every check, good or not, with what to do. `model` is the embedder's name, "" where there is none.

    `seen`: the access classes of whose keys something may be said; None where who asks has the folder itself.
    """
    records, classes = _records(folder, settings, language)
    return [
        _python(language),
        _disk(folder, language),
        _keys(folder, language, classes if seen is None else classes & {*seen, ""}),
        records,
        _sandbox(language),
        _memory(settings, language),
        _embedder(settings, model, language),
    ]


def _check(name: str, good: bool, slug: str, language: str, /, **facts: object) -> Check:
    return Check(name, good, say(f"doctor.{slug}", language, **facts))


def _python(language: str) -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    good = (3, 11) <= sys.version_info[:2] <= (3, 14)
    return _check("python", good, "python" if good else "python_other", language, version=version)


def _disk(folder: Folder, language: str) -> Check:
    free = shutil.disk_usage(folder.path).free
    return _check("disk", free >= ENOUGH, "disk" if free >= ENOUGH else "disk_low", language, free=free >> 20)


def _keys(folder: Folder, language: str, classes: Iterable[str]) -> Check:
    for name in KEYS:
        if not (folder.keys / name).exists():
            return _check("keys", False, "keys_gone", language, name=name)
    for file in (folder.keys, *folder.keys.glob("*")):
        if stat.S_IMODE(file.stat().st_mode) & 0o077:
            return _check("keys", False, "keys_open", language, name=file.name)
    if (folder.keys / NEXT).exists():
        return _check("keys", False, "keys_rotating", language)
    missing = lacking(folder.keys / "classes", classes)
    if missing:
        return _check("keys", False, "keys_missing", language, names=", ".join(missing))
    return _check("keys", True, "keys_bare" if is_bare(folder.keys) else "keys", language)


def _records(folder: Folder, settings: Settings, language: str) -> tuple[Check, frozenset[str]]:
    """Whether the store opens here and is of this version; the access classes that it knows, "" where there are any."""
    if settings.store.kind == "sqlite" and not folder.records.exists():
        return _check("records", False, "records_gone", language), frozenset()
    try:
        with closing(reader_of(folder, settings)) as reader:
            known = frozenset(row.id for row in reader.classes())
    except CasemateError as error:
        told = problem(error, language)
        return Check("records", False, f"{told.detail} {told.remedy}"), frozenset()
    return _check("records", True, "records", language), known | {""} if known else known


def _sandbox(language: str) -> Check:
    found = support()
    if found.why:
        return _check("sandbox", False, "sandbox_none", language, why=found.why)
    jobs = reached_here()
    levels = ", ".join(jobs.levels) or "L0"
    said = _check(
        "sandbox", bool(jobs.levels), "sandbox", language, version=found.landlock, levels=levels, ways=jobs.ways
    )
    lacking = [f"{level}: {jobs.facts[level]}" for level in ("L1", "L2") if level in jobs.facts]
    return msgspec.structs.replace(said, said=f"{said.said} ({'; '.join(lacking)})") if lacking else said


def _memory(settings: Settings, language: str) -> Check:
    """Whether what is opened of an index stays out of swap: it is locked, or there is no swap."""
    limit, wanted = lockable(), settings.knowledge.memory_mb
    if limit < 0 or limit >> 20 >= wanted:
        return _check("memory", True, "memory", language)
    if not _swaps():
        return _check("memory", True, "memory_no_swap", language, limit=limit >> 20)
    return _check("memory", False, "memory_low", language, limit=limit >> 20, wanted=wanted)


def _swaps() -> list[str]:
    """The swap areas in use."""
    try:
        return SWAPS.read_text(encoding="utf-8").splitlines()[1:]
    except OSError:
        return []


def _embedder(settings: Settings, model: str, language: str) -> Check:
    if model:
        return _check("embedder", True, "embedder", language, name=model)
    wanted = settings.knowledge.embedder == "none"
    return _check("embedder", wanted, "embedder_unwanted" if wanted else "embedder_none", language)
