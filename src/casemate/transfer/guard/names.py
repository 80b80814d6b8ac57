"""Names of members: those that mean the same place on every file system, and nothing outside the folder.

A name is refused, never repaired: two names that a repair would make one are how one file replaces another.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from casemate.transfer.guard.verdict import held

__all__ = ["MEMBERS", "Member", "safe_names"]

MEMBERS: Final = 100_000
_PART, _WHOLE, _PARTS = 200, 900, 32  # bytes of a part and of the whole; parts
_FORBIDDEN: Final = re.compile(r'[<>:"|?*\\]')
_DEVICES: Final = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|clock\$|com[0-9\u00b9\u00b2\u00b3]|lpt[0-9\u00b9\u00b2\u00b3])(?:\..*)?"
)
_HIDDEN: Final = frozenset(("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"))
Kind = Literal["file", "folder", "symlink", "hardlink", "device", "fifo", "socket"]


@dataclass(frozen=True, slots=True)
class Member:
    """A member as its container tells of it."""

    name: str
    kind: Kind = "file"


def safe_names(names: Iterable[str | Member]) -> tuple[str, ...]:
    """The names, all of them relative, plain, and different from each other on every file system.

    A text is a file's name. Raises Refused (`guard-name`, or `guard-count` beyond `MEMBERS`); `why` says what is wrong
    and never quotes a name.
    """
    kept: list[str] = []
    files: dict[str, int] = {}
    folders: dict[str, str] = {}
    for each in names:
        member = Member(each) if isinstance(each, str) else each
        if len(kept) >= MEMBERS:
            raise held("guard-count", f"more than {MEMBERS:,} members")
        if member.kind not in ("file", "folder"):
            raise held("guard-name", member.kind)
        name = member.name[:-1] if member.kind == "folder" and member.name.endswith("/") else member.name
        _plain(name)
        _apart(name, member.kind == "folder", files, folders)
        kept.append(name)
    return tuple(kept)


def _plain(name: str) -> None:
    """One name by itself."""
    try:
        whole = name.encode()
    except UnicodeEncodeError:
        raise held("guard-name", "encoding") from None
    parts = name.split("/")
    if not name or len(whole) > _WHOLE or len(parts) > _PARTS:
        raise held("guard-name", "length")
    if name.startswith("/") or re.match(r"[A-Za-z]:", name):
        raise held("guard-name", "absolute")
    if unicodedata.normalize("NFC", name) != name:
        raise held("guard-name", "not normalised")
    if any(unicodedata.category(c) in _HIDDEN for c in name) or _FORBIDDEN.search(name):
        raise held("guard-name", "character")
    for part in parts:
        if part in ("", ".", ".."):
            raise held("guard-name", "traversal")
        if len(part.encode()) > _PART or part != part.strip() or part.endswith("."):
            raise held("guard-name", "part")
        if _DEVICES.fullmatch(_folded(part).rstrip(" .")):
            raise held("guard-name", "device")


def _apart(name: str, is_folder: bool, files: dict[str, int], folders: dict[str, str]) -> None:
    """Against those before it: no two are one where case or form does not count, and no file is a folder too."""
    parts = name.split("/")
    above = parts if is_folder else parts[:-1]
    for count in range(1, len(above) + 1):
        path = "/".join(above[:count])
        folded = _folded(path)
        if folded in files or folders.setdefault(folded, path) != path:
            raise held("guard-name", "clash")
    if not is_folder:
        folded = _folded(name)
        if folded in files or folded in folders:
            raise held("guard-name", "clash")
        files[folded] = 1


def _folded(text: str) -> str:
    """As a file system might that counts neither case nor compatibility forms."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
