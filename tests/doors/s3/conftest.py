"""A caller with a key from the floor up, and a bucket of its own for each test."""

from __future__ import annotations

import itertools

import pytest

from tests.doors.s3.signing import Caller
from tests.doors.wired import Wired

NUMBERS = itertools.count()


@pytest.fixture
def caller(region: Wired) -> Caller:
    return Caller(region)


@pytest.fixture
def bucket(caller: Caller) -> str:
    name = f"bucket-{next(NUMBERS)}"
    assert caller.ask("PUT", f"/{name}").status == 200
    return name
