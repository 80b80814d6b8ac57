"""What `casemate doctor` looks at: the machine, not what is stored."""

from __future__ import annotations

import os
import shutil
import stat
import sys

from casemate.doors.native.rooms import Check
from casemate.engines.sandbox import support
from casemate.knowledge import Embedder
from casemate.settings import Settings
from casemate.wiring.folder import Folder

__all__ = ["checks"]

ENOUGH = 1 << 30


def checks(folder: Folder, settings: Settings, embedder: Embedder | None) -> list[Check]:
    """Every check, good or not, with what to do."""
    return [
        _python(),
        _disk(folder),
        _keys(folder),
        _sandbox(),
        _embedder(settings, embedder),
    ]


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    good = (3, 11) <= sys.version_info[:2] <= (3, 14)
    return Check("python", good, version if good else f"{version}: Casemate runs on Python 3.11 to 3.14.")


def _disk(folder: Folder) -> Check:
    free = shutil.disk_usage(folder.path).free
    said = f"{free >> 20} MiB free"
    return Check("disk", free >= ENOUGH, said if free >= ENOUGH else f"{said}: free at least 1 GiB.")


def _keys(folder: Folder) -> Check:
    for file in (folder.keys, *folder.keys.glob("*")):
        if stat.S_IMODE(os.stat(file).st_mode) & 0o077:
            return Check("keys", False, f"{file.name} may be opened by others: chmod go-rwx it.")
    return Check("keys", True, "readable by their owner alone; UNSAFE development keys, unwrapped")


def _sandbox() -> Check:
    found = support()
    if found.why:
        return Check("sandbox", False, f"{found.why}: documents are not parsed on this machine.")
    return Check("sandbox", True, f"seccomp, and Landlock of version {found.landlock}")


def _embedder(settings: Settings, embedder: Embedder | None) -> Check:
    if embedder is not None:
        return Check("embedder", True, f"{embedder.name} (English)")
    wanted = settings.knowledge.embedder == "none"
    return Check("embedder", wanted, "full text alone" if wanted else "no model installed: run `make model`.")
