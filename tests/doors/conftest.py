"""One region for all tests of a file: opening one costs more than all of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.doors.wired import Answers, Wired, wired


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wired]:
    with wired(tmp_path_factory.mktemp("region")) as region:
        yield region


@pytest.fixture
def region(opened: Wired) -> Wired:
    """The file's region, with an answerer that has been asked nothing yet."""
    fresh = Answers()
    opened.answers.script, opened.answers.asked, opened.answers.floors = fresh.script, fresh.asked, fresh.floors
    opened.answers.closed = 0
    return opened
