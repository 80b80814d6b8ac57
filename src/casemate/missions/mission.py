"""A mission: what its author writes. A description that needs no library of the field, and three functions."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Literal, TypeVar

from casemate.missions.context import Context
from casemate.missions.result import Result
from casemate.reports import Report

__all__ = ["Citation", "Mission", "Need", "Output", "Plain", "Role", "parameter"]

P = TypeVar("P")
Plain = bool | int | float | str


def parameter(
    default: Plain | tuple[Plain, ...],
    *,
    unit: str = "",
    low: float | None = None,
    high: float | None = None,
    choices: Sequence[Plain] = (),
    en: str,
    fr: str,
) -> Any:
    """A field of the dataclass of parameters: yes or no, a whole number, a number, a text, or a tuple of one of them.

    `low` and `high`: its least and most, both allowed. `en`, `fr`: what it is, in one sentence.
    """
    told = {"unit": unit, "low": low, "high": high, "choices": tuple(choices), "en": en, "fr": fr}
    return dataclasses.field(default=default, metadata=told)


@dataclass(frozen=True, slots=True)
class Role:
    """What goes in. `formats`: endings of files that it reads, without the point. `many`: more than one may come."""

    name: str
    formats: tuple[str, ...]
    many: bool = False
    required: bool = True
    en: str = ""
    fr: str = ""


@dataclass(frozen=True, slots=True)
class Output:
    """What comes out under a name: a table, a figure, or a file; or several, as `name.north` and `name.south`."""

    name: str
    kind: Literal["table", "figure", "file"]
    en: str = ""
    fr: str = ""


@dataclass(frozen=True, slots=True)
class Citation:
    """What a mission stands on: a library, a data set, a paper. `licence`: an SPDX expression, or what it is called."""

    title: str
    source: str
    licence: str


@dataclass(frozen=True, slots=True)
class Need:
    """What a run takes at most. `memory_mb`, `disk_mb` in MiB, `wall_s` in seconds of wall time."""

    cpus: int = 1
    memory_mb: int = 512
    wall_s: int = 600
    disk_mb: int = 1024


class Mission(ABC, Generic[P]):
    """Subclass it, and name the class (or one of it) as an entry point of the group `casemate.missions`.

    Importing the module and asking for the description must need the standard library alone: what `run` stands on is
    imported in `run`. `parameters` is a frozen dataclass whose fields are each a `parameter`.
    """

    name: ClassVar[str]
    version: ClassVar[str]
    titles: ClassVar[Mapping[str, str]]
    about: ClassVar[Mapping[str, str]]
    parameters: type[P]
    roles: ClassVar[Sequence[Role]] = ()
    outputs: ClassVar[Sequence[Output]] = ()
    stands_on: ClassVar[Sequence[Citation]] = ()

    @abstractmethod
    def need(self, parameters: P, sizes: Mapping[str, int]) -> Need:
        """What a run would take. `sizes`: bytes that each role would be given. Asked before a job is accepted."""

    @abstractmethod
    def run(self, context: Context[P]) -> Result:
        """Do it. The same parameters, inputs and seed give the same result; nothing is fetched."""

    @abstractmethod
    def report(self, context: Context[P], result: Result) -> Report:
        """What a person of the field reads, in the language of the context."""
