"""Integrity is a policy like any other, upside down: what joins is as little trusted as the least of it."""

from __future__ import annotations

from functools import reduce
from operator import or_

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.labels import Label, Policies
from tests.labels.worlds import ALL, labels

VERIFIED, REVIEWED, UNTRUSTED = (ALL.parse(f"integrity:{name}") for name in ("VERIFIED", "REVIEWED", "UNTRUSTED"))
TRUST = {VERIFIED: 3, REVIEWED: 2, UNTRUSTED: 1}


def trust(label: Label) -> int:
    """How far a label is trusted: the most where it says nothing."""
    return 3 - dict(label.elements)["integrity"].level if "integrity" in dict(label.elements) else 3


def test_the_levels_fall_in_trust_as_they_rise() -> None:
    policy = ALL.listed["integrity"]
    assert [level.name for level in policy.levels] == ["VERIFIED", "REVIEWED", "UNTRUSTED"]
    assert policy.categories == ()
    assert VERIFIED < REVIEWED < UNTRUSTED
    assert VERIFIED is ALL.bottom(), "what says nothing is trusted: a region's floor says what its people bring"


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(list(TRUST)), min_size=1))
def test_a_whole_is_trusted_like_the_least_of_its_parts(parts: list[Label]) -> None:
    assert TRUST[reduce(or_, parts)] == min(TRUST[part] for part in parts)


@settings(max_examples=200, deadline=None)
@given(labels(), labels())
def test_nothing_flows_to_where_more_is_trusted(a: Label, b: Label) -> None:
    assert not (a <= b and trust(a) < trust(b))
    assert trust(a | b) == min(trust(a), trust(b))
    assert trust(a & b) == max(trust(a), trust(b))


def test_trust_and_secrecy_do_not_buy_each_other() -> None:
    secret = ALL.parse("us:SECRET//NOFORN")
    assert not secret <= UNTRUSTED
    assert not secret >= UNTRUSTED
    assert (secret | UNTRUSTED).text == "integrity:UNTRUSTED + us:SECRET//REL=USA"


@pytest.mark.parametrize(
    ("label", "english", "french"),
    [
        (REVIEWED, "INTEGRITY:REVIEWED", "INTÉGRITÉ:RELU"),
        (UNTRUSTED, "INTEGRITY:UNTRUSTED", "INTÉGRITÉ:NON FIABLE"),
        (ALL.parse("us:SECRET//NOFORN + integrity:UNTRUSTED"), "SECRET//NOFORN + INTEGRITY:UNTRUSTED", None),
    ],
    ids=["reviewed", "untrusted", "with a secret"],
)
def test_it_is_written_and_read_in_both_languages(label: Label, english: str, french: str | None) -> None:
    assert ALL.banner(label) == english
    for written in filter(None, (english, french, ALL.banner(label, "fr"))):
        assert ALL.parse(written) is label
        assert [reading.label for reading in ALL.read_banner(written)] == [label]
    assert ALL.read_portion(f"{ALL.portion(label)} text")[0][0].label is label


def test_its_colour_covers_no_secret() -> None:
    colours = [level.colour for level in ALL.listed["integrity"].levels]
    assert ALL.colour(UNTRUSTED) == colours[2]
    for secret in ("us:CONFIDENTIAL//NOFORN", "us:TOP SECRET//NOFORN", "house:INTERNAL"):
        label = ALL.parse(secret)
        assert ALL.colour(label | UNTRUSTED) == ALL.colour(label)


def test_where_it_is_not_listed_its_mark_is_not_passed_over() -> None:
    policies = Policies.load(["us"])
    (reading,) = policies.read_banner("INTEGRITY:UNTRUSTED")
    assert reading.problem == "unlisted:integrity"


def test_a_region_lists_it_and_a_clearance_says_what_its_holder_may_read() -> None:
    policies = Policies.load(["us", "integrity"])
    document = policies.parse("SECRET//NOFORN + INTEGRITY:UNTRUSTED", ["EXERCISE"])
    assert document <= policies.clearance("SECRET//NOFORN + INTEGRITY:UNTRUSTED", ["EXERCISE"])
    assert not document <= policies.clearance("SECRET//NOFORN + INTEGRITY:REVIEWED", ["EXERCISE"])
    assert document <= policies.top(["EXERCISE"])
