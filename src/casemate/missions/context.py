"""What a run is given: parameters, files by role, room to write, and, where there is one, a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, Literal, TypeVar

__all__ = ["Context", "NoModel"]

P = TypeVar("P")


class NoModel(Exception):
    """Nothing generates here. A mission goes on with a template, and says so in its report."""


def _silent(done: int, total: int, what: str) -> None:
    del done, total, what


def _none(prompt: str, most: int) -> str:
    del prompt, most
    raise NoModel("no model answers here")


@dataclass(frozen=True, slots=True)
class Context(Generic[P]):
    """`inputs`: the files of each role, in the order of their names; a role without any has none.

    `out` is where files of the result go, `scratch` is room that is gone afterwards. `seed`: of whatever is drawn.
    """

    parameters: P
    inputs: Mapping[str, Sequence[Path]]
    out: Path
    scratch: Path
    seed: int = 0
    language: Literal["en", "fr"] = "en"
    tell: Callable[[int, int, str], None] = field(default=_silent, repr=False)
    ask: Callable[[str, int], str] = field(default=_none, repr=False)

    def progress(self, done: int, total: int, what: str = "") -> None:
        """How far it is: `done` of `total` (0 where nobody knows), and at what."""
        self.tell(done, total, what)

    def generate(self, prompt: str, most: int = 256) -> str:
        """What a model of the region answers, at the label of the job, in at most that many tokens. Raises NoModel."""
        return self.ask(prompt, most)
