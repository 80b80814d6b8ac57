"""What the guard of a channel says of the files of an object: at the side that sends, and again where it comes.

    none    nothing is looked at, unless the sender names a verdict
    known   files whose name claims a format that is made anew without loss have to pass; the others come as they are
    each    every file has to pass; of a PDF its text comes

What lands is what the guard has made, byte for byte; of a model it is the files as they came, which digests and a
signature hold. It must never repair or pass over what is held, and its reasons name rules and never content.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, Protocol

from casemate.transfer.guard import INWARD, Format, claimed, refused_by
from casemate.transfer.region.cargo import Arrived, Carried, Shown

__all__ = ["MOST_MADE", "GuardProfile", "Guards", "Inspected", "Looking", "Remade", "inspected"]

GuardProfile = Literal["none", "known", "each"]
MOST_MADE: Final = 256 << 20
"""Bytes of what was made anew that are held for one bundle."""
_WORDS: Final = frozenset(("text", "csv", "json", "jsonl", "png", "tokenizer", "safetensors"))
_WEIGHTS: Final = frozenset(("tokenizer", "safetensors"))
_AS: Final[dict[str, Format]] = {"csv": "text"}  # a channel names no schema: a table is looked at as words


@dataclass(frozen=True, slots=True)
class Looking:
    """What the guard says of a file: the rule by which it is held, or "" with what was made of it.

    `digest`: SHA-512 of `made` in hexadecimal; of safetensors both are of the header alone.
    """

    format: str
    rule: str = ""
    digest: str = ""
    made: bytes = field(default=b"", repr=False)


class Guards(Protocol):
    """Transforms with one parser and reads again with another. What it cannot look at it holds."""

    async def look(self, name: str, format: Format, head: bytes, size: int, domain: str) -> Looking:
        """`head`: all of a file, of safetensors its header; `size` of the whole. `domain`: the access class; what looks
        at one of another sees nothing of this. Raises SandboxMissing.
        """
        ...


@dataclass(frozen=True, slots=True)
class Inspected:
    """The verdict on an object. `digest`: of the forms on which it was decided; `why`: where it is held, and by what.

    `made`: the files that land as the guard has made them, by path.
    """

    guard: str
    verdict: str
    digest: str
    why: str = ""
    made: Mapping[str, Looking] = field(default_factory=dict, repr=False)

    @property
    def size(self) -> int:
        return sum(len(each.made) for each in self.made.values())


async def inspected(
    guards: Guards, carried: Carried, shown: Sequence[Shown], profile: GuardProfile, domain: str
) -> Inspected | None:
    """The verdict; None where that profile looks at nothing of it. Raises SandboxMissing, Damaged.

    The digest is SHA-512 over a line for each file in the order of paths: path, NUL, format, NUL, digest, line feed.
    """
    told = hashlib.sha512()
    made: dict[str, Looking] = {}
    guard, some = f"inward {profile} v1", False
    for each in sorted(shown, key=lambda one: one.path):
        looking = await _looked(guards, carried, each, profile, domain)
        if looking is None:
            continue
        some = True
        if looking.rule:
            return Inspected(guard, looking.rule, _named(told), f"{carried.name} {each.path}: {looking.rule}")
        told.update(f"{each.path}\0{looking.format}\0{looking.digest}\n".encode())
        if each.remade:
            made[each.path] = looking
    return Inspected(guard, "agree", _named(told), "", made) if some else None


class Remade:
    """An object of a bundle with the files in place that the guard has made."""

    def __init__(self, arrived: Arrived, made: Mapping[str, Looking]) -> None:
        self._arrived, self._made = arrived, made
        self.name, self.digest = arrived.name, arrived.digest
        self.files = {**arrived.files, **{path: len(each.made) for path, each in made.items()}}
        self.formats = {path: each.format for path, each in made.items()}

    async def read(self, path: str) -> bytes:
        made = self._made.get(path)
        return await self._arrived.read(path) if made is None else made.made

    async def head(self, path: str, most: int) -> bytes:
        made = self._made.get(path)
        return await self._arrived.head(path, most) if made is None else made.made[:most]

    async def pieces(self, path: str) -> AsyncIterator[bytes]:
        made = self._made.get(path)
        async for piece in self._arrived.pieces(path) if made is None else _whole(made.made):
            yield piece

    async def copy(self, path: str, into: Path) -> None:
        """Only what is no small file is copied, and of these nothing is made anew."""
        await self._arrived.copy(path, into)


async def _whole(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def _looked(guards: Guards, carried: Carried, shown: Shown, profile: GuardProfile, domain: str) -> Looking | None:
    if shown.path not in carried.files:
        return None  # its room says what is missing
    asked = claimed(shown.name)
    if profile != "each" and asked not in (_WORDS if shown.remade else _WEIGHTS):
        return None
    size = carried.files[shown.path]
    if asked is None:
        return Looking("unknown", refused_by(shown.name, await carried.head(shown.path, 512)) or "guard-format")
    if asked != "safetensors" and size > INWARD.size:
        return Looking(asked, "guard-size")
    head = await carried.head(shown.path, await _needed(carried, shown.path) if asked == "safetensors" else size)
    return await guards.look(shown.name, _AS.get(asked, asked), head, size, domain)


async def _needed(carried: Carried, path: str) -> int:
    """How many bytes of weights a guard looks at: their header, and never more than one may have."""
    return 8 + min(int.from_bytes(await carried.head(path, 8), "little"), INWARD.header + 1)


def _named(told: hashlib._Hash) -> str:
    return f"sha512:{told.hexdigest()}"
