"""What a commit does: puts and deletes, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from casemate.objects.kind import Kind, Ref

__all__ = ["Change", "Delete", "Put"]


@dataclass(frozen=True, slots=True)
class Put:
    """Store `value` under `id`. `expect` is the version that must be there: 0 for none, None for any."""

    kind: Kind[Any]
    id: str
    value: Any
    parents: tuple[Ref, ...] = ()
    expect: int | None = None


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove the object. `expect` as in `Put`; absent objects are no error where `expect` is None."""

    kind: Kind[Any]
    id: str
    expect: int | None = None


Change = Put | Delete
