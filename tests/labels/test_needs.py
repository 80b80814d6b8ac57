"""Authorizations in a label: beside the marking, in the canonical text, and in the order."""

from __future__ import annotations

import pytest

from casemate.errors import MarkingError
from casemate.labels import Policies, make_label

POLICIES = Policies.load(("us",))
BOTH = "agency=EXERCISE + need=Alpha + need=b/2 + us:SECRET//REL=USA"


def test_the_text_is_read_as_itself() -> None:
    label = POLICIES.parse(BOTH)
    assert (label.text, label.needs) == (BOTH, {"Alpha", "b/2"})
    assert POLICIES.parse("us:SECRET//NOFORN + need=b/2 + need=Alpha", ("EXERCISE",)) is label
    assert POLICIES.parse("need=A").text == "need=A"


def test_a_clearance_keeps_them_and_no_marking_shows_them() -> None:
    label = POLICIES.parse(BOTH)
    assert POLICIES.clearance(BOTH).needs == label.needs
    assert POLICIES.banner(label) == POLICIES.banner(label.without_needs) == "SECRET//NOFORN"
    assert POLICIES.portion(label) == "(S//NF)"


@pytest.mark.parametrize("name", ["", "two words", "A,B", "A&B", "x" * 65, "é"])
def test_a_name_that_a_text_cannot_bear_is_refused(name: str) -> None:
    with pytest.raises(MarkingError):
        make_label({}, (), (name,))
    with pytest.raises(MarkingError):
        POLICIES.parse(f"us:SECRET//NOFORN + need={name}")


def test_more_needs_lie_higher() -> None:
    plain = POLICIES.parse("us:SECRET//NOFORN")
    one, two = plain.with_needs(["A"]), plain.with_needs(["B"])
    assert plain < one < one | two
    assert not one <= two
    assert (one | two).needs == {"A", "B"}
    assert one & two is plain
    assert one.with_needs(["A"]) is one
    assert one.with_needs(()) is one
    assert one.without_needs is plain.without_needs is plain
