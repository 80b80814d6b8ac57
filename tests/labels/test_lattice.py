"""The laws of a lattice, over labels of all packaged policies at once."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from casemate.labels import Label, rollup
from tests.labels.worlds import AGENCIES, ALL, NEEDS, labels

laws = settings(max_examples=300, deadline=None)


@laws
@given(labels(), labels(), labels())
def test_dominance_is_a_partial_order(a: Label, b: Label, c: Label) -> None:
    assert a <= a
    assert (a <= b and b <= a) == (a is b)
    assert not (a <= b and b <= c) or a <= c
    assert (a & b) <= a <= (a | b), "chains to check transitivity on"
    assert (a & b) <= (a | b | c)


@laws
@given(labels(), labels())
def test_the_four_comparisons_agree(a: Label, b: Label) -> None:
    assert (a >= b) is (b <= a)
    assert (a < b) is (a <= b and a is not b)
    assert (a > b) is (b < a)
    assert [a < b, a is b, a > b].count(True) <= 1


@laws
@given(labels(), labels(), labels())
def test_join_is_the_least_upper_bound(a: Label, b: Label, c: Label) -> None:
    join = a | b
    assert a <= join
    assert b <= join
    assert (a <= c and b <= c) is (join <= c)
    assert (a <= b) is (join is b)


@laws
@given(labels(), labels(), labels())
def test_meet_is_the_greatest_lower_bound(a: Label, b: Label, c: Label) -> None:
    meet = a & b
    assert meet <= a
    assert meet <= b
    assert (c <= a and c <= b) is (c <= meet)
    assert (a <= b) is (meet is a)


@laws
@given(labels(), labels(), labels())
def test_join_and_meet_are_idempotent_commutative_associative_absorbing(a: Label, b: Label, c: Label) -> None:
    assert (a | a) is a
    assert (a & a) is a
    assert (a | b) is (b | a)
    assert (a & b) is (b & a)
    assert ((a | b) | c) is (a | (b | c))
    assert ((a & b) & c) is (a & (b & c))
    assert (a | (a & b)) is a
    assert (a & (a | b)) is a


@laws
@given(labels())
def test_bottom_and_top_bound_every_label(a: Label) -> None:
    top = ALL.top(AGENCIES).with_needs(NEEDS)
    assert ALL.bottom() <= a <= top
    assert (a | ALL.bottom()) is a
    assert (a | top) is top
    assert (a & top) is a


@laws
@given(labels(), labels(), labels())
def test_rollup_is_the_join_with_its_floor(a: Label, b: Label, floor: Label) -> None:
    assert rollup([a, b], floor) is (a | b | floor)
    assert rollup([], floor) is floor


@laws
@given(labels())
def test_a_label_is_read_again_from_its_text(a: Label) -> None:
    assert ALL.parse(a.text) is a


@pytest.mark.parametrize(
    ("document", "reader", "flows"),
    [
        ("SECRET//REL TO USA, FRA, GBR", "SECRET//REL TO USA, FRA", True),
        ("SECRET//NOFORN", "SECRET//REL TO USA, FRA", False),
        ("SECRET//REL TO USA, GBR", "SECRET//REL TO USA, FRA", False),
        ("SECRET//REL TO USA, FRA", "SECRET//NOFORN", True),
        ("us:SECRET", "SECRET//REL TO USA, FRA", False),
        ("UNCLASSIFIED", "SECRET//REL TO USA, FRA", True),
        ("SECRET//SI//NOFORN", "TOP SECRET//NOFORN", False),
        ("SECRET//SI//NOFORN", "TOP SECRET//SI//NOFORN", True),
        ("NATO SECRET", "TOP SECRET//NOFORN", False),
        ("fr:SECRET//SPÉCIAL FRANCE", "fr:TRÈS SECRET", False),
        ("fr:SECRET//SPÉCIAL FRANCE", "fr:SECRET//SPÉCIAL FRANCE", True),
        ("DIFFUSION RESTREINTE", "fr:SECRET", False),
        ("INTERNAL//PAYROLL", "RESTRICTED", False),
        ("TLP:AMBER", "TLP:AMBER+STRICT", True),
        ("TLP:AMBER+STRICT", "TLP:AMBER", False),
    ],
)
def test_who_may_read_what(document: str, reader: str, flows: bool) -> None:
    assert (ALL.parse(document, ["EXERCISE"]) <= ALL.parse(reader, ["EXERCISE"])) is flows


def test_agencies_are_all_needed() -> None:
    both = ALL.parse("INTERNAL", ["EXERCISE", "ALPHA"])
    one = ALL.parse("RESTRICTED", ["EXERCISE"])
    assert not both <= one
    assert ALL.parse("INTERNAL") <= one
    assert (both | one).agencies == {"EXERCISE", "ALPHA"}
    assert (both & one).agencies == {"EXERCISE"}
