"""A lock: requirements with the digests of their wheels, as `pip-compile --generate-hashes` writes them. Pure.

https://pip.pypa.io/en/stable/reference/requirements-file-format/ : continued lines and comments are read, options and
markers are refused, since what they would choose depends on who reads them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from casemate.errors import BadInput
from casemate.jobs.packages import normal

__all__ = ["Pinned", "pinned"]

MOST = 2000
_LINE = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[A-Za-z0-9._, -]*\])?\s*===?\s*([A-Za-z0-9][A-Za-z0-9.!+_-]*)")
_HASH = re.compile(r"--hash[= ]sha256:([0-9a-f]{64})(?=\s|$)")
_COMMENT = re.compile(r"(^|\s)#.*$")


@dataclass(frozen=True, slots=True)
class Pinned:
    """A requirement: `name` as packages are compared, and the digests of which one is to be its wheel's."""

    name: str
    version: str
    hashes: frozenset[str]

    @property
    def text(self) -> str:
        return f"{self.name}=={self.version}"


def pinned(text: str) -> list[Pinned]:
    """The lines of a lock. Raises BadInput, naming the line that says something else."""
    found: dict[str, Pinned] = {}
    number, whole = 0, ""
    for at, raw in enumerate([*text.splitlines(), ""], 1):
        line = _COMMENT.sub("", raw).strip()
        number = number if whole else at
        whole += " " + line.removesuffix("\\")
        if line.endswith("\\") or (raw.lstrip().startswith("#") and whole.strip()):
            continue
        said, whole = whole.strip(), ""
        if not said:
            continue
        one = _one(said, number)
        if one.name in found:
            raise BadInput(what=f"Line {number} of the lock names {one.name} a second time.")
        found[one.name] = one
    if not 1 <= len(found) <= MOST:
        raise BadInput(what=f"A lock has 1 to {MOST} requirements.")
    return list(found.values())


def _one(said: str, number: int) -> Pinned:
    match = _LINE.match(said)
    if match is None:
        raise BadInput(what=f"Line {number} of the lock is not NAME==VERSION --hash=sha256:DIGEST.")
    rest = said[match.end() :]
    hashes = frozenset(_HASH.findall(rest))
    left = _HASH.sub("", rest).strip()
    if left:
        raise BadInput(what=f"Line {number} of the lock says more than a version and digests of sha256: {left[:64]!r}.")
    if not hashes:
        raise BadInput(what=f"Line {number} of the lock has no digest (`pip-compile --generate-hashes`): {match[1]}.")
    return Pinned(normal(match[1]), match[2], hashes)
