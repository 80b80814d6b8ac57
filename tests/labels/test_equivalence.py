"""Equivalences between policies: one-way, exact, never lowering; and joins of policies that have none."""

from __future__ import annotations

import pytest
from hypothesis import given

from casemate.errors import Misconfigured
from casemate.labels import Label, Policies
from casemate.labels.equivalence import equated, read_equivalences
from tests.labels.worlds import labels

ALL = Policies.load(["fr", "nato", "us"])
TEXT = """
[[equivalences]]
from = "fr:DIFFUSION RESTREINTE"
to = "nato:NATO RESTRICTED"
agreement = "Agreement of 2026, article 4"

[[equivalences]]
from = "nato:NATO RESTRICTED"
to = "us:CONFIDENTIAL//REL TO USA, NATO"
agreement = "Arrangement of 2027"

[[equivalences]]
from = "fr:SECRET"
to = "nato:NATO SECRET"
agreement = "Agreement of 2026, article 4"
"""
STATED = read_equivalences(ALL, TEXT, "site.toml")


def test_an_equivalence_adds_and_never_takes() -> None:
    restricted = ALL.parse("DIFFUSION RESTREINTE")
    found = equated(restricted, STATED)
    assert found.label is restricted | ALL.parse("nato:NATO RESTRICTED")
    assert found.agreements == ("Agreement of 2026, article 4",)


def test_it_does_not_compose_nor_run_backwards() -> None:
    """What it adds is no source of the next; and what NATO restricts is not France's for it."""
    assert "us" not in dict(equated(ALL.parse("DIFFUSION RESTREINTE"), STATED).label.elements)
    assert "fr" not in dict(equated(ALL.parse("nato:NATO RESTRICTED"), STATED).label.elements)


@pytest.mark.parametrize(
    "text",
    ["fr:TRÈS SECRET", "fr:DIFFUSION RESTREINTE//SPÉCIAL FRANCE", "fr:SECRET//SPÉCIAL FRANCE", "us:SECRET", "bottom"],
)
def test_what_it_does_not_name_it_does_not_reach(text: str) -> None:
    label = ALL.parse(text)
    assert equated(label, STATED).label is label
    assert equated(label, STATED).agreements == ()


@given(labels())
def test_a_label_is_never_lowered(label: Label) -> None:
    found = equated(label, STATED)
    assert label <= found.label
    assert equated(label, ()).label is label
    assert bool(found.agreements) >= (found.label is not label)


def test_two_of_one_agreement_name_it_once() -> None:
    both = ALL.parse("fr:SECRET") | ALL.parse("nato:NATO RESTRICTED")
    assert equated(both, STATED).agreements == ("Arrangement of 2027", "Agreement of 2026, article 4")


@pytest.mark.parametrize(
    "text",
    [
        "equivalences = [",
        "pairs = []",
        "equivalences = 3",
        '[[equivalences]]\nfrom = "fr:SECRET"\nto = "nato:NATO SECRET"',
        '[[equivalences]]\nfrom = "fr:SECRET"\nto = "nato:NATO SECRET"\nagreement = " "',
        '[[equivalences]]\nfrom = "fr:SECRET"\nto = "nato:NATO SECRET"\nagreement = "x"\nboth = true',
        '[[equivalences]]\nfrom = "fr:SECRET"\nto = "fr:TRÈS SECRET"\nagreement = "x"',
        '[[equivalences]]\nfrom = "fr:NON PROTÉGÉ"\nto = "nato:NATO SECRET"\nagreement = "x"',
        '[[equivalences]]\nfrom = "fr:SECRET + us:SECRET"\nto = "nato:NATO SECRET"\nagreement = "x"',
        '[[equivalences]]\nfrom = "agency=A + fr:SECRET"\nto = "nato:NATO SECRET"\nagreement = "x"',
        '[[equivalences]]\nfrom = "fr:GEHEIM"\nto = "nato:NATO SECRET"\nagreement = "x"',
        '[[equivalences]]\nfrom = "tlp:TLP:RED"\nto = "nato:NATO SECRET"\nagreement = "x"',
    ],
)
def test_what_states_no_agreement_between_two_listed_policies_is_refused(text: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        read_equivalences(ALL, text, "site.toml")
    assert refused.value.facts["setting"] == "site.toml"


def test_without_an_equivalence_a_join_needs_both() -> None:
    """A clearance of one policy reads nothing of a document that bears two, however high it is."""
    both = ALL.parse("fr:SECRET") | ALL.parse("nato:NATO SECRET")
    assert set(dict(both.elements)) == {"fr", "nato"}
    french, allied = ALL.parse("fr:TRÈS SECRET//SPÉCIAL FRANCE"), ALL.parse("nato:COSMIC TOP SECRET")
    assert not both <= french
    assert not both <= allied
    assert both <= french | allied


@given(labels(), labels())
def test_a_join_loses_nothing_of_either(one: Label, other: Label) -> None:
    joined = one | other
    assert one <= joined
    assert other <= joined
    for policy, _ in (*one.elements, *other.elements):
        assert policy in dict(joined.elements)
