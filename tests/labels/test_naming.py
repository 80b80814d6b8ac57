"""What a policy's words are called in ADatP-4774: marks and elements, both ways."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.errors import MarkingError
from casemate.labels import Element, Mark, Policies
from casemate.labels.marking import ordered
from casemate.labels.xml.naming import (
    Information,
    Tagged,
    information_of_element,
    information_of_mark,
    mark_of_information,
    policy_of,
)
from tests.labels.worlds import ALL

NATO = Policies.load(["nato"]).listed["nato"]
KFOR_ONLY = Mark(
    "nato",
    "NATO CONFIDENTIAL",
    (("CONTEXT", ("KFOR",)), ("ONLY", ("IRL", "SWE", "UKR", "NATO")), ("ADMIN", ("STAFF",))),
)
MARKS = [
    "NATO UNCLASSIFIED",
    "NATO UNCLASSIFIED - STAFF MEDICAL",
    "NATO/EAPC UNCLASSIFIED Releasable to EAPC",
    "NATO SECRET//ATOMAL/CRYPTO Releasable to Japan, RESOLUTE SUPPORT",
    "NATO/KFOR CONFIDENTIAL Ireland, Sweden, Ukraine, NATO ONLY",
    "COSMIC TOP SECRET//BALK/BOHEMIA",
]


def test_a_mark_keeps_how_it_is_written() -> None:
    said = information_of_mark(NATO, KFOR_ONLY)
    assert said == Information(
        "NATO",
        "CONFIDENTIAL",
        (
            Tagged("Context", "PERMISSIVE", ("KFOR",), "urn:oid:1.3.26.1.4.4"),
            Tagged("Only", "PERMISSIVE", ("IRL", "SWE", "UKR", "NATO"), "urn:oid:1.3.26.1.4.5"),
            Tagged("Administrative", "INFORMATIVE", ("STAFF",), "urn:oid:1.3.26.1.4.3"),
        ),
        "urn:oid:1.3.26.1.3.1",
    )
    assert mark_of_information(NATO, said) == KFOR_ONLY


@given(st.sampled_from(MARKS))
def test_a_mark_of_nato_is_what_its_label_says(text: str) -> None:
    (parsed,) = ALL.parse_mark(text, "full")
    mark = parsed.mark
    policy = ALL.listed[mark.policy]
    again = ordered(policy, mark_of_information(policy, information_of_mark(policy, mark)))
    # The XML names the owner of a list that reaches beyond it; the marking leaves it out.
    said = tuple((name, tuple(t for t in tokens if (name, t) != ("REL", "NATO"))) for name, tokens in again.values)
    assert Mark(again.policy, again.level, said) == mark
    assert ALL.label(again) is ALL.label(mark)


@given(
    st.sampled_from(
        ["us:SECRET//SI//ORCON/REL TO USA, JPN", "uk:OFFICIAL-SENSITIVE//LOCSEN", "house:INTERNAL//PAYROLL"]
    )
)
def test_a_policy_without_names_of_its_own_is_named_by_its_words(text: str) -> None:
    label = ALL.parse(text)
    ((name, element),) = label.elements
    said = information_of_element(ALL.listed[name], element)
    assert said.policy == name
    assert said.uri == ""
    assert {tagged.name for tagged in said.tags} <= ALL.listed[name].by_name.keys()
    assert policy_of(ALL.listed.values(), said).name == name
    assert ALL.label(mark_of_information(ALL.listed[name], said)) is label


@pytest.mark.parametrize(
    "mark",
    [
        Mark("us", "SECRET"),
        Mark("nato", "SECRET"),
        Mark("nato", "NATO SECRET", (), ("NATO",)),
        Mark("nato", "NATO SECRET", (("CONTEXT", ("KFOR", "EAPC")),)),
        Mark("nato", "NATO SECRET", (("SAP", ("SPECIAL",)),)),
    ],
    ids=str,
)
def test_a_mark_that_is_not_the_policy_s_is_refused(mark: Mark) -> None:
    with pytest.raises(MarkingError):
        information_of_mark(NATO, mark)


@pytest.mark.parametrize(
    "element",
    [
        Element(1, "NATO SECRET"),
        Element(9, "NATO ULTRA"),
        Element(3, "NATO SECRET", frozenset({("TEAM", "PAYROLL")})),
        Element(3, "NATO SECRET", frozenset({("SAP", "SPECIAL")})),
        Element(3, "NATO SECRET", frozenset(), (("EYES", frozenset({"NATO"})),)),
    ],
    ids=str,
)
def test_an_element_that_is_not_the_policy_s_is_refused(element: Element) -> None:
    with pytest.raises(MarkingError):
        information_of_element(NATO, element)


def test_nobody_is_a_list_without_a_name() -> None:
    said = information_of_element(NATO, Element(3, "NATO SECRET", frozenset(), (("REL", frozenset()),)))
    assert said.tags[-1] == Tagged("Releasable To", "PERMISSIVE", (), "urn:oid:1.3.26.1.4.2")
    assert mark_of_information(NATO, said) == Mark("nato", "NATO SECRET")
