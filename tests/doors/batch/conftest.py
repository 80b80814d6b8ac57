"""A region for each test of the Batch wire."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.doors.batch.hand import Hand
from tests.doors.wired import OPEN, Wired, wired


@pytest.fixture
def region(tmp_path: Path) -> Iterator[Wired]:
    with wired(tmp_path) as found:
        yield found


@pytest.fixture
def low(region: Wired) -> Hand:
    return Hand(region, OPEN)
