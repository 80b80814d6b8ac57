"""A head on paper: groups that a person can read aloud, copy by hand and type in again, each with its own check.

    L1 abcde-fghij-...     the log, the size, the root: 5 characters of base32 to a group, 8 groups to a line
                           the last group of a line is the check of its line

The check is the first 25 bits of the SHA-384 over the line's number and its other groups. It finds what was typed wrong
and in which line; it proves nothing, for anybody can compute it. What proves is that the paper was in a safe.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass

from casemate.crypto import digest
from casemate.errors import BadInput
from casemate.ledger.checkpoint import Head
from casemate.ledger.tree import PROFILES

__all__ = ["Paper", "print_paper", "read_paper"]

_GROUP, _LINE = 5, 7
_MAGIC = b"\x01"
_NUMBERED = re.compile(r"\s*L?([0-9]{1,2})\s+(.*)", re.IGNORECASE)
_CONFUSED = str.maketrans({"0": "o", "1": "l", "8": "b"})


@dataclass(frozen=True, slots=True)
class Paper:
    """The lines of a head."""

    head: Head
    lines: tuple[str, ...]


def print_paper(head: Head) -> Paper:
    """The head in lines. Raises BadInput where its root is none of our hashes."""
    try:
        root, log = bytes.fromhex(head.root), head.log.encode("ascii")
    except ValueError:
        raise BadInput(what="This is no head.") from None
    if len(root) not in {profile.size for profile in PROFILES.values()} or not 0 < len(log) < 256 or head.size < 0:
        raise BadInput(what="This is no head.")
    raw = _MAGIC + bytes([len(log)]) + log + head.size.to_bytes(8, "big") + root
    text = base64.b32encode(raw).decode().rstrip("=").lower()
    groups = [text[at : at + _GROUP] for at in range(0, len(text), _GROUP)]
    parts = [groups[at : at + _LINE] for at in range(0, len(groups), _LINE)]
    lines = tuple(f"L{number} {'-'.join([*part, _check(number, part)])}" for number, part in enumerate(parts, 1))
    return Paper(head, lines)


def read_paper(lines: Iterable[str]) -> Head:
    """The head that was typed in. Raises BadInput, with the line that was typed wrong."""
    texts: list[str] = []
    for number, line in enumerate((line for line in lines if line.strip()), 1):
        found = _NUMBERED.fullmatch(line)
        if found is None or int(found[1]) != number:
            raise BadInput(what=f"Line {number} is missing.")
        groups = re.split(r"[\s-]+", found[2].strip().lower().translate(_CONFUSED))
        if len(groups) < 2 or _check(number, groups[:-1]) != groups[-1]:
            raise BadInput(what=f"Line {number} was typed wrong.")
        texts += groups[:-1]
    text = "".join(texts).upper()
    try:
        raw = base64.b32decode(text + "=" * (-len(text) % 8))
        log = raw[2 : 2 + raw[1]].decode("ascii")
        size, root = raw[2 + raw[1] :][:8], raw[10 + raw[1] :]
    except (binascii.Error, ValueError, IndexError):
        raise BadInput(what="Lines are missing.") from None
    if raw[:1] != _MAGIC or len(root) not in {profile.size for profile in PROFILES.values()}:
        raise BadInput(what="Lines are missing.")
    return Head(log, int.from_bytes(size, "big"), root.hex())


def _check(number: int, groups: list[str]) -> str:
    return base64.b32encode(digest(f"casemate paper {number} {'-'.join(groups)}".encode())).decode()[:_GROUP].lower()
