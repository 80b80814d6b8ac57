"""What a scan asks and what it finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from casemate.labels import Label
from casemate.objects.kind import Ref

__all__ = ["Found", "Page", "Where"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Where:
    """Equality on indexed fields, all of which must hold; no pair means every object of the kind."""

    equal: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """One object of the visible world: its place, version, label and value."""

    ref: Ref
    version: int
    label: Label
    value: T

    @property
    def id(self) -> str:
        return self.ref.id


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A stretch of a scan, oldest first within a class; `after` continues it, or is None at the end."""

    items: tuple[Found[T], ...]
    after: str | None = None
