"""Trust as a part of a label: taken out, and joined by itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.labels import Label, Policies
from casemate.policy import distrusting, trusted
from casemate.policy.trust import distrust

POLICIES = Policies.load(("us", "integrity"))
TEXTS = ("us:SECRET//NOFORN", "us:TOP SECRET//SI//NOFORN", "us:UNCLASSIFIED", "bottom")
TRUST = ("", " + integrity:REVIEWED", " + integrity:UNTRUSTED")


def label(text: str, trust: str = "", *needs: str) -> Label:
    return POLICIES.parse(text + trust, ("EXERCISE",)).with_needs(needs)


LABELS = st.builds(label, st.sampled_from(TEXTS), st.sampled_from(TRUST), st.sampled_from(("A", "B")))


@pytest.mark.parametrize(("trust", "level"), list(zip(TRUST, (0, 1, 2), strict=True)))
def test_how_little_it_may_be_trusted(trust: str, level: int) -> None:
    assert distrust(label("us:SECRET//NOFORN", trust)) == level


@given(LABELS)
def test_what_is_trusted_lies_below_and_loses_nothing_else(one: Label) -> None:
    found = trusted(one)
    assert distrust(found) == 0
    assert found <= one
    assert distrusting(found, one) is one
    assert (found.agencies, found.needs) == (one.agencies, one.needs)


@given(LABELS, LABELS)
def test_distrust_is_joined_and_nothing_else(one: Label, other: Label) -> None:
    found = distrusting(one, other)
    assert distrust(found) == max(distrust(one), distrust(other))
    assert trusted(found) is trusted(one)
    assert one <= found <= one | other


def test_a_label_that_says_nothing_of_it_stays_itself() -> None:
    plain = label("us:SECRET//NOFORN")
    assert trusted(plain) is distrusting(plain, plain) is plain
