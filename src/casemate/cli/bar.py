"""A bar that says how far a run has come: on a terminal, where movement is welcome; elsewhere nothing moves."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from casemate.cli.talk import Talk
from casemate.cli.tongue import t

__all__ = ["bar", "progress", "waiting"]

T = TypeVar("T")


@contextmanager
def bar(talk: Talk, slug: str, total: int) -> Iterator[Any]:
    """A bar on a terminal, for the length of a block; what it yields is told how many are done."""
    if not total or not talk.colours(sys.stderr):
        yield _still
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(t(slug), total=total)
        yield lambda done: shown.update(task, completed=done)


@contextmanager
def waiting(talk: Talk, slug: str) -> Iterator[None]:
    """On a terminal, for the length of a block: what is being waited for, and for how long by now."""
    if not talk.colours(sys.stderr):
        yield
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        shown.add_task(t(slug), total=None)
        yield


def _still(done: int) -> None:
    """A bar that does not move."""
    del done


def progress(talk: Talk, chosen: Sequence[T], slug: str) -> Iterator[T]:
    """These, one after the other, under a bar."""
    with bar(talk, slug, len(chosen)) as tell:
        for done, each in enumerate(chosen):
            tell(done)
            yield each
        tell(len(chosen))
