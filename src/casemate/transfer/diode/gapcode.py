"""The gap code: what the high side lacks of one object, as a few words that are read over the telephone.

    7.3-9.12.40-41.KQ7      of object 7 the blocks 3 to 9, 12, 40 and 41
    7.ALL.M2C               object 7 was announced and nothing of it is known
    7.NONE.0VA              object 7 is whole: its carousel may end

Blocks are counted from 0. The three signs at the end are an HMAC under the link's key over the sender and the words:
what was misheard, or meant for another link, is refused; so is a code that somebody without the key made up, but for
one in 32,768. A code has at most 24 ranges: the nearest gaps become one, and more is sent than is missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from casemate.crypto import hmac, same
from casemate.errors import BadInput
from casemate.transfer.diode.session import gap_key_of

__all__ = ["RANGES", "Gaps", "ranges", "read_gaps", "write_gaps"]

RANGES = 24
LONGEST = 600
_SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: no I, L, O, U
_MISREAD = str.maketrans("ILO", "110")
_RANGE = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?")
Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Gaps:
    """`missing`: first and last block of each gap; None for the whole object, empty for none of it."""

    sequence: int
    missing: tuple[Range, ...] | None

    @property
    def words(self) -> str:
        if self.missing is None:
            return f"{self.sequence}.ALL"
        if not self.missing:
            return f"{self.sequence}.NONE"
        told = (f"{first}-{last}" if last > first else str(first) for first, last in self.missing)
        return f"{self.sequence}.{'.'.join(told)}"


def ranges(numbers: Iterable[int], most: int = 0) -> tuple[Range, ...]:
    """Rising numbers as ranges; `most` of them, where given, the nearest joined."""
    found: list[list[int]] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    if most and len(found) > most:
        between = sorted(range(1, len(found)), key=lambda place: found[place][0] - found[place - 1][1])
        for place in sorted(between[: len(found) - most], reverse=True):
            found[place - 1][1] = found.pop(place)[1]
    return tuple((first, last) for first, last in found)


def write_gaps(link: bytes, sender: bytes, gaps: Gaps) -> str:
    """The code, with its check signs."""
    return f"{gaps.words}.{_check(link, sender, gaps.words)}"


def read_gaps(link: bytes, sender: bytes, code: str) -> Gaps:
    """A code as it was heard: blanks, commas or colons for dots, and small letters, do. Raises BadInput."""
    parts = re.split(r"[\s.,:;/]+", code.strip().upper()) if len(code) <= LONGEST else []
    if len(parts) < 3 or not re.fullmatch(r"[1-9][0-9]{0,17}", parts[0]):
        raise BadInput(what="gap code")
    gaps = Gaps(int(parts[0]), _missing(parts[1:-1]))
    heard = parts[-1].translate(_MISREAD)
    if not heard.isascii() or not same(heard.encode(), _check(link, sender, gaps.words).encode()):
        raise BadInput(what="check signs of the gap code")
    return gaps


def _missing(parts: Sequence[str]) -> tuple[Range, ...] | None:
    if parts in (["ALL"], ["NONE"]):
        return None if parts == ["ALL"] else ()
    found: list[Range] = []
    for part in parts:
        match = _RANGE.fullmatch(part)
        first = int(match[1]) if match else -1
        last = int(match[2] or match[1]) if match else -1
        if first < 0 or last < first or (found and first <= found[-1][1]) or len(found) == RANGES:
            raise BadInput(what="gap code")
        found.append((first, last))
    return tuple(found)


def _check(link: bytes, sender: bytes, words: str) -> str:
    number = int.from_bytes(hmac(gap_key_of(link), sender + words.encode())[:2], "big")
    return "".join(_SIGNS[number >> shift & 31] for shift in (10, 5, 0))
