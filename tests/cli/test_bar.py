"""What moves on a terminal, and nowhere else."""

from __future__ import annotations

import io
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from casemate.cli.bar import bar, waiting
from casemate.cli.store_scrub import SHELVES, come


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def talking(moves: bool) -> Any:
    return SimpleNamespace(colours=lambda stream: moves)


@pytest.mark.parametrize("moves", [True, False])
def test_on_a_terminal_alone_something_moves(monkeypatch: pytest.MonkeyPatch, moves: bool) -> None:
    told = Terminal()
    monkeypatch.setattr(sys, "stderr", told)
    monkeypatch.setenv("TERM", "xterm")
    with waiting(talking(moves), "backup.running"):
        pass
    with bar(talking(moves), "store.scrubbing", SHELVES) as tell:
        tell(3)
    assert ("Writing an increment" in told.getvalue()) is moves
    assert ("3/256" in told.getvalue()) is moves


def test_how_far_a_scrub_has_come_is_in_the_name_that_it_goes_on_from() -> None:
    assert [come(after) for after in ("00" * 48, "7f" * 48, "ff" * 48)] == [0, 127, 255]
    assert come("missing/") == come("missing/" + "a" * 96) == come("") == SHELVES
