"""What a view is made of: statements, judgements and their withdrawals, each with a label and where it came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from casemate_intelligence.label import Label

__all__ = ["Judgement", "Record", "Source", "Statement", "Withdrawal"]


@dataclass(frozen=True, slots=True, order=True)
class Source:
    """A file, a row, or characters `start` to `end` of a document (from 0, end excluded; -1 where there are none).

    Rows and characters are counted among those of the very label of what stands there, and no others.
    """

    name: str
    start: int = -1
    end: int = -1
    quote: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """One value of one property of one entity. `group`: the type of the value in FollowTheMoney (name, date, entity).

    An entity is there where a statement of it can be seen, and nowhere else; `prop` is empty where a statement says
    no more than that it is.
    """

    entity: str
    schema: str
    prop: str
    value: str
    label: Label
    source: Source
    group: str = "string"


@dataclass(frozen=True, slots=True)
class Judgement:
    """A person says that two entities are the same (`same`), or are not. Undone by a Withdrawal that names it."""

    id: str
    left: str
    right: str
    same: bool
    label: Label
    by: str
    at: str
    why: str = ""
    kind: Literal["judgement"] = "judgement"


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """The judgement counts no more, for whoever can see this."""

    judgement: str
    label: Label
    by: str
    at: str


Record = Statement | Judgement | Withdrawal
