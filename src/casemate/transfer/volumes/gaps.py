"""What is missing of a set, as groups of signs that are read over the telephone. Pure; it names no file.

    payload  = version 1 (1 byte) | the first 5 bytes of the set's id | k | n | a bit for each volume, the first one
               highest | the first 2 bytes of SHA-512 of all before
    groups   = the payload in base 32 (0-9, A-Z without I, L, O and U), four signs and a fifth that checks them

The check sign is a sum over GF(32) that begins with the number of its group: it finds any one wrong sign, two that
changed places, and groups that did; so the group that was misheard is named.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from casemate.errors import BadInput
from casemate.transfer.volumes.parity import MOST
from casemate.transfer.volumes.volume import Layout

__all__ = ["SIGNS", "Gap", "gap_of", "read_code", "write_code"]

SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
SHORT = 5
"""Bytes of a set's id that a code bears."""
_VERSION, _CHECK, _GROUP = 1, 2, 4
_HEARD = str.maketrans({"O": "0", "I": "1", "L": "1"})
_LONGEST = 400  # signs, with what stands between them


@dataclass(frozen=True, slots=True)
class Gap:
    """What is wanted of a set. `wanted`: numbers of volumes, from 1, ascending; as many as are needed at least."""

    set: bytes
    k: int
    n: int
    wanted: tuple[int, ...]


def gap_of(layout: Layout, have: Mapping[int, NDArray[np.uint8]]) -> tuple[int, ...]:
    """Volumes that would make up for what is missing, those of which least is there first; none where nothing is.

    `have`: by the volume's number, a bit for each of its frames that is there (numpy.packbits).
    """
    there = np.zeros(layout.frames, np.int16)
    short: list[tuple[int, int]] = []
    for number in range(1, layout.n + 1):
        own = bits(have, number, layout.frames)
        there += own
        short.append((int(own.sum()), number))
    wanted: list[int] = []
    for _, number in sorted(short):
        if there.min() >= layout.k:
            break
        there += 1 - bits(have, number, layout.frames)
        wanted.append(number)
    return tuple(sorted(wanted))


def bits(have: Mapping[int, NDArray[np.uint8]], number: int, frames: int) -> NDArray[np.uint8]:
    """1 for each frame of that volume that is there."""
    packed = have.get(number)
    return np.zeros(frames, np.uint8) if packed is None else np.unpackbits(packed, count=frames)


def write_code(gap: Gap) -> str:
    """The groups, with a blank between them."""
    marks = np.zeros(gap.n, np.uint8)
    marks[[number - 1 for number in gap.wanted]] = 1
    said = bytes([_VERSION]) + gap.set[:SHORT] + bytes([gap.k, gap.n]) + np.packbits(marks).tobytes()
    said += hashlib.sha512(said).digest()[:_CHECK]
    wide = -(-len(said) * 8 // (5 * _GROUP)) * 5 * _GROUP  # bits, in whole groups
    whole = int.from_bytes(said, "big") << wide - len(said) * 8
    values = [whole >> at & 31 for at in range(wide - 5, -5, -5)]
    groups = [values[at : at + _GROUP] for at in range(0, len(values), _GROUP)]
    return " ".join("".join(SIGNS[v] for v in [*group, checked(i, group)]) for i, group in enumerate(groups))


def checked(number: int, group: list[int]) -> int:
    """The check sign of a group: its number and its signs, each doubled over GF(32), x^5 + x^2 + 1."""
    found = number & 31
    for value in [*group, 0]:
        found = found << 1 ^ (0x25 if found & 16 else 0) ^ value
    return found


def read_code(told: str) -> Gap:
    """The gap that a code tells, however it was written down. Raises BadInput, naming the group that is wrong."""
    if len(told) > _LONGEST:
        raise BadInput(what="A gap code is not as long as that.")
    signs = re.sub(r"[\s.,/_-]", "", told.upper()).translate(_HEARD)
    for at, sign in enumerate(signs):
        if sign not in SIGNS:
            raise BadInput(what=f"Group {at // (_GROUP + 1) + 1} of the gap code has a sign that none has.")
    values = [SIGNS.index(sign) for sign in signs]
    groups = [values[at : at + _GROUP + 1] for at in range(0, len(values), _GROUP + 1)]
    for number, group in enumerate(groups):
        if len(group) != _GROUP + 1 or checked(number, group[:-1]) != group[-1]:
            raise BadInput(what=f"Group {number + 1} of the gap code is not right: have it read again.")
    whole = 0
    for value in (value for group in groups for value in group[:-1]):
        whole = whole << 5 | value
    return _gap(whole, len(groups) * _GROUP * 5)


def _gap(whole: int, wide: int) -> Gap:
    wrong = BadInput(what="The gap code is not right: have all of it read again.")
    said = (whole << -wide % 8).to_bytes(-(-wide // 8), "big")
    if len(said) < 1 + SHORT + 2:
        raise wrong
    k, n = said[1 + SHORT], said[2 + SHORT]
    size = 1 + SHORT + 2 + -(-n // 8)
    body, check, rest = said[:size], said[size : size + _CHECK], said[size + _CHECK :]
    if body[0] != _VERSION or not 1 <= k <= n <= MOST or hashlib.sha512(body).digest()[:_CHECK] != check:
        raise wrong
    marks = np.unpackbits(np.frombuffer(body[3 + SHORT :], np.uint8))
    wanted = tuple(int(each) + 1 for each in np.flatnonzero(marks))
    if any(rest) or len(rest) > 2 or (wanted and wanted[-1] > n):
        raise wrong
    return Gap(body[1 : 1 + SHORT], k, n, wanted)
