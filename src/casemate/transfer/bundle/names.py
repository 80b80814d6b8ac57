"""Names that objects and files in a bundle may have: each safe on every file system, and none another's in disguise."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

__all__ = ["is_banner", "is_digest", "is_name", "is_path", "is_type", "unlike"]

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_TYPE = re.compile(r"[a-z0-9][a-z0-9.+/-]{0,127}")
_DIGEST = re.compile(r"sha512:[0-9a-f]{128}")
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com[1-9]|lpt[1-9])(?:\..*)?", re.IGNORECASE | re.DOTALL)
_FORBIDDEN = frozenset('\\:*?"<>|')
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_LONGEST, _PARTS, _PART = 1024, 32, 255
_LONGEST_BANNER = 1000


def is_name(text: str) -> bool:
    """Whether an object may be called that: it is a tag of OCI too."""
    return _NAME.fullmatch(text) is not None and not text.endswith(".")


def is_type(text: str) -> bool:
    """Whether that can be an artefact's type."""
    return _TYPE.fullmatch(text) is not None


def is_digest(text: str) -> bool:
    """Whether that is `sha512:` and 128 digits in hexadecimal, in lower case."""
    return _DIGEST.fullmatch(text) is not None


def is_banner(text: str) -> bool:
    """Whether that can stand on the outside: no character that is not seen, and no blank but the common one."""
    return 0 < len(text.encode("utf-8", "surrogatepass")) <= _LONGEST_BANNER and all(
        each == " " or unicodedata.category(each)[0] not in "CZ" for each in text
    )


def is_path(text: str) -> bool:
    """Whether that is a relative path that leads nowhere else, on Linux, Windows or macOS."""
    if unicodedata.normalize("NFC", text) != text or any(
        unicodedata.category(each) in _UNSEEN or each in _FORBIDDEN for each in text
    ):
        return False
    parts = text.split("/")
    return len(text.encode()) <= _LONGEST and len(parts) <= _PARTS and all(map(_is_part, parts))


def _is_part(part: str) -> bool:
    if not 0 < len(part.encode()) <= _PART or part in {".", ".."} or _DEVICE.fullmatch(part):
        return False
    return not part[0].isspace() and not part[-1].isspace() and not part.endswith(".")


def unlike(paths: Iterable[str]) -> bool:
    """Whether none of them is another under case folding, nor lies below another."""
    folded = [_folded(path) for path in paths]
    every = set(folded)
    if len(every) < len(folded):
        return False
    for path in folded:
        parts = path.split("/")
        if any("/".join(parts[:end]) in every for end in range(1, len(parts))):
            return False
    return True


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", path.casefold())
