"""Every reader of the link over made-up bytes: our errors, or nothing. A fuzzer has the same targets (fuzz.py)."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transfer.diode.fuzz import TARGETS
from tests.transfer.diode.sim import Faults, Link, Memory


@pytest.mark.parametrize("name", TARGETS)
def test_row_07_no_reader_raises_anything_of_its_own(name: str) -> None:
    @settings(max_examples=150, deadline=None)
    @given(st.binary(max_size=300))
    def law(data: bytes) -> None:
        TARGETS[name](data)

    law()


def test_row_07_every_prefix_of_a_real_run_is_survived() -> None:
    """What was really sent, cut and joined anywhere."""
    found = Link(1, Faults(), spool=Memory())
    found.offer(random.Random(1).randbytes(30_000))
    sent = b"".join(found.sent() + found.sent())
    draw = random.Random(2)
    for _ in range(300):
        start = draw.randrange(len(sent))
        found.receiver.take(sent[start : start + draw.randrange(9000)], found.now)
    assert found.receiver.counts["datagrams"] == 300
    assert found.receiver.counts["restored"] == 0
