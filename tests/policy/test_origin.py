"""Originators: who must be asked before it is told on, and that joining labels never loses one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.labels import Label, Policies, make_label
from casemate.policy import originators

POLICIES = Policies.load(("us", "nato"))


def label(text: str, *agencies: str) -> Label:
    return POLICIES.parse(text, agencies)


@pytest.mark.parametrize(
    ("text", "agencies", "asked"),
    [
        ("us:SECRET//NOFORN", ("NSA",), set()),
        ("us:SECRET//ORCON/NOFORN", ("NSA",), {"NSA"}),
        ("us:SECRET//ORCON/NOFORN", ("NSA", "DIA"), {"NSA", "DIA"}),
        ("nato:NATO SECRET", ("NSA",), set()),
        ("nato:NATO SECRET + us:SECRET//ORCON/NOFORN", ("NSA",), {"NSA"}),
        ("us:SECRET//ORCON/NOFORN", (), {""}),
        ("bottom", ("NSA",), set()),
    ],
)
def test_the_owners_of_what_is_controlled_are_asked(text: str, agencies: tuple[str, ...], asked: set[str]) -> None:
    assert originators(label(text, *agencies)) == asked


def test_both_forms_of_the_control_count() -> None:
    plain = dict(label("us:SECRET//ORCON/NOFORN").elements)["us"]
    usgov = type(plain)(plain.level, plain.level_name, frozenset({("DISSEM", "ORCON-USGOV")}), plain.permissive)
    assert originators(make_label({"us": usgov}, ("NSA",))) == {"NSA"}
    elsewhere = type(plain)(plain.level, plain.level_name, frozenset({("SCI", "ORCON")}), plain.permissive)
    assert originators(make_label({"us": elsewhere}, ("NSA",))) == frozenset()


LABELS = st.builds(
    label,
    st.sampled_from(("us:SECRET//ORCON/NOFORN", "us:SECRET//NOFORN", "nato:NATO SECRET", "bottom")),
    st.sampled_from(("NSA", "DIA", "CIA")),
)


@given(LABELS, LABELS)
def test_what_is_made_of_two_sources_asks_the_originators_of_both(a: Label, b: Label) -> None:
    assert originators(a) | originators(b) <= originators(a | b)


@given(LABELS, LABELS)
def test_whatever_lies_higher_asks_no_fewer(a: Label, b: Label) -> None:
    if a <= b:
        assert originators(a) <= originators(b)
