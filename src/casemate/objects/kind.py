"""A kind of object: its type, version, indexed fields and upgrades."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeVar

import msgspec

from casemate.errors import Damaged

__all__ = ["Kind", "Ref"]

T = TypeVar("T")
Upgrade = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Ref:
    """Where an object lies: its kind, its id, and the id of its access class."""

    kind: str
    id: str
    class_id: str


def _none(value: object) -> tuple[str, ...]:
    """What a kind names of which it has not been said."""
    del value
    return ()


def _nothing(id: str, value: object) -> tuple[tuple[str, str], ...]:
    """As `_none`, of what a value was made from."""
    del id, value
    return ()


@dataclass(frozen=True)
class Kind(Generic[T]):
    """A stored type. `indexed` names the str fields that a `Where` may ask for by equality.

    `upgrades[n]` turns the plain fields of version n into those of version n + 1. `snapshot` says whether objects of
    this kind ride in the data plane's snapshot. `blobs` says which blobs of its own class a value names: what nobody
    names is swept. `withholds`: such an object keeps something from being shown or done, so a question that meets a
    damaged one is Damaged as a whole; others are passed over. `sources`: kind and id of what the object of that id was
    made from, as far as its value says so, beside the parents of its row.
    """

    name: str
    type: type[T]
    version: int = 1
    indexed: tuple[str, ...] = ()
    upgrades: Mapping[int, Upgrade] = field(default_factory=dict)
    snapshot: bool = False
    blobs: Callable[[T], Iterable[str]] = _none
    sources: Callable[[str, T], Iterable[tuple[str, str]]] = _nothing
    withholds: bool = False

    def encode(self, value: T) -> bytes:
        """The bytes that are sealed: MessagePack of (version, fields)."""
        return msgspec.msgpack.encode((self.version, value))

    def decode(self, raw: bytes) -> T:
        """The value, upgraded where an older version wrote it. Raises Damaged."""
        try:
            if raw[:2] == self._now:
                return self._decoder.decode(raw)[1]
            version, fields = msgspec.msgpack.decode(raw, type=tuple[int, Any])
            while version < self.version:
                fields = self.upgrades[version](fields)
                version += 1
            if version > self.version:
                raise Damaged(what=f"{self.name} of version {version}")
            return msgspec.convert(fields, self.type)
        except (msgspec.DecodeError, msgspec.ValidationError, KeyError):
            raise Damaged(what=self.name) from None

    @cached_property
    def _now(self) -> bytes:
        """How the bytes of a value of this version begin: a list of two, and a small number."""
        return bytes((0x92, self.version)) if self.version < 0x80 else b""

    @cached_property
    def _decoder(self) -> msgspec.msgpack.Decoder[tuple[int, T]]:
        """Made once: most values are of the present version, and are read without a step between."""
        return msgspec.msgpack.Decoder(tuple[int, self.type])  # type: ignore[name-defined]

    def index(self, value: T) -> tuple[tuple[str, str], ...]:
        """The (field, text) pairs under which the value can be found again."""
        return tuple((name, str(getattr(value, name))) for name in self.indexed)
