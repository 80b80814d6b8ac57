"""Which files a child may read: the interpreter, its libraries, this package, and what was named for it."""

from __future__ import annotations

import site
import sys
import sysconfig
from collections.abc import Iterable, Sequence
from pathlib import Path

import casemate
from casemate.errors import Misconfigured

__all__ = ["PACKAGE", "readable"]

PACKAGE = Path(casemate.__file__).resolve().parent
_SYSTEM = (
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/lib",
    "/lib64",
    "/etc/ld.so.cache",
    "/usr/share/zoneinfo",
    "/proc/self",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/sys/vm/overcommit_memory",
    "/sys/devices/system/cpu",
)


def readable(reads: Iterable[Path], protect: Sequence[Path]) -> list[str]:
    """The paths, resolved, each once. Misconfigured where one of them would open what is to be protected."""
    paths = sysconfig.get_paths()
    python = [paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    python += [
        *site.getsitepackages(),
        f"{sys.base_prefix}/lib",
        f"{sys.base_prefix}/lib64",
        f"{sys.prefix}/pyvenv.cfg",
    ]
    named = [str(path.resolve()) for path in (*map(Path, python), PACKAGE, *map(Path, reads))]
    # /proc/self is another place for the child than for us: the system's own names are left to the child to resolve
    granted = list(dict.fromkeys([*_SYSTEM, *named]))
    for secret in (Path(path).resolve() for path in protect):
        for path in granted:
            if secret.is_relative_to(Path(path).resolve()):
                raise Misconfigured(setting="folder", why=f"{secret} lies in {path}, which parsers may read")
    return granted
