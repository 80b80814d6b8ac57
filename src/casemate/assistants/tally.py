"""A tally: how many questions gave the same bytes in the region and in worlds that held only what may be seen.

It says who was compared, at which label and how it ended; never what was asked or found. Its digests are salted, and
the salt is whoever counted's alone: nobody can try a guess against a kept tally.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from typing import Any

import msgspec

from casemate.crypto import Signer, key_id, verify
from casemate.labels import Label
from casemate.objects import Kind

__all__ = ["TALLY", "Compared", "Digest", "Tally", "signed", "spelled", "stands"]


class Compared(msgspec.Struct, frozen=True):
    """One world against its copy. `settled` is False where documents came and went all the time it was compared.

    `principal` is "" where a whole access class was compared. `first` and `second` are digests of every result and
    every answer, in the order of the questions.
    """

    principal: str
    floor: str
    acting: str
    classes: int
    documents: int
    passages: int
    equal: int
    unequal: int
    settled: bool
    first: str
    second: str


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """What was counted, and the region's signature over it.

    `left`: principals who could not be compared (they may not ask what was asked). `at` is the moment that was planned,
    or at which it began; `asked` a salted digest of the questions.
    """

    region: str
    software: str
    by: str
    at: int
    questions: int
    asked: str
    worlds: tuple[Compared, ...]
    left: tuple[str, ...] = ()
    compared: str = "search results, answers and citations"
    solo: bool
    key_id: str
    signature: str = ""

    @property
    def good(self) -> bool:
        """Whether something was compared, and all of it was equal."""
        return any(world.equal for world in self.worlds) and not any(world.unequal for world in self.worlds)

    def body(self) -> bytes:
        """What is signed: everything but the signature, in the order of its fields."""
        return b"casemate tally v1\n" + msgspec.json.encode(msgspec.structs.replace(self, signature=""))


TALLY = Kind("proof.tally", Tally)


def signed(tally: Tally, signer: Signer) -> Tally:
    """The tally under that key."""
    named = msgspec.structs.replace(tally, key_id=signer.key_id)
    return msgspec.structs.replace(named, signature=signer.sign(named.body()).hex())


def stands(body: bytes, signature: str, key: str, public: bytes) -> bool:
    """Whether the key of that name, whose public half this is, signed these very bytes."""
    try:
        raw = bytes.fromhex(signature)
    except ValueError:
        return False
    return key == key_id(public) and verify(public, body, raw)


class Digest:
    """SHA-384 under a salt of everything that it is given, piece by piece; lengths are part of it."""

    def __init__(self, salt: bytes) -> None:
        self._mac = hmac.new(salt, digestmod="sha384")

    def add(self, pieces: Iterable[bytes]) -> None:
        """The next pieces."""
        for piece in pieces:
            self._mac.update(len(piece).to_bytes(8, "big") + piece)

    @property
    def hex(self) -> str:
        return self._mac.hexdigest()


def spelled(value: Any) -> bytes:
    """Any result as bytes: all its fields in their order, labels as their canonical text."""
    return msgspec.json.encode(value, enc_hook=_text)


def _text(value: Any) -> str:
    if isinstance(value, Label):
        return value.text
    raise TypeError(f"nobody has said how {type(value).__name__} is written")
