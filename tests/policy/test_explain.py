"""Who could read this, and why not: the same yes and no as the decision, and every reason by its own name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.identity import Principal, Session
from casemate.labels import Label, Policies
from casemate.policy import ACTIONS, Action, Need, Permit, Refuse, Target, decide
from casemate.policy.explain import Why, explain

POLICIES = Policies.load(("us", "fr"))
TEXTS = (
    "bottom",
    "us:SECRET//REL=USA",
    "us:SECRET//REL=FRA,USA",
    "us:TOP SECRET//REL=USA//SCI=SI",
    "us:UNCLASSIFIED//DISSEM=FOUO",
    "fr:SECRET",
    "agency=NAVY + us:CONFIDENTIAL//REL=USA",
    "agency=NAVY + agency=ARMY + us:TOP SECRET//REL=USA//SCI=SI,TK",
)
LABELS = [POLICIES.parse(text) for text in TEXTS]
LOW, SECRET, SHARED, TOP = LABELS[:4]
NEEDS = ["", "A", "A&B", "A|B", "A&(B|C)", '"two words"|A']


def person(clearance: Label, *roles: str) -> Principal:
    return Principal("p", "ann", clearance, frozenset(roles or ("user",)))


@given(
    st.sampled_from(LABELS),
    st.sampled_from(LABELS),
    st.sets(st.sampled_from("ABC")),
    st.sets(st.sampled_from("ABC")),
    st.sampled_from(NEEDS),
    st.sampled_from(sorted(ACTIONS)),
    st.sets(st.sampled_from(("user", "officer", "auditor", "operator", "releaser"))),
)
def test_it_says_what_the_decision_would_say(
    label: Label, clearance: Label, asks: set[str], has: set[str], need: str, action: str, roles: set[str]
) -> None:
    lies, cleared = label.with_needs(asks), clearance.with_needs(has)
    him = Principal("p", "ann", cleared, frozenset(roles))
    told = explain(him, lies, Need.parse(need), action)
    kind, _, verb = action.rpartition(".")
    session = Session("s", him, POLICIES.bottom(), cleared)
    decision = decide(session, cleared, Action(verb, kind), Target(reads=lies, need=Need.parse(need)))
    assert told.reads == isinstance(decision, Permit)
    assert told.rule == (decision.rule if isinstance(decision, Refuse) else "")
    assert told.reads == (not told.why)


@pytest.mark.parametrize(
    ("clearance", "label", "why"),
    [
        (LOW, SECRET, Why("no-read-up", "level", "us", "", "SECRET", "")),
        (SECRET, TOP, Why("no-read-up", "level", "us", "", "TOP SECRET", "SECRET")),
        (SECRET, TOP, Why("no-read-up", "category", "us", "SCI", "SI")),
        (SHARED, SECRET, Why("no-read-up", "released", "us", "REL", "USA", "FRA, USA")),
        (LOW, SECRET, Why("no-read-up", "released", "us", "REL", "USA", "")),
        (LOW, LABELS[5], Why("no-read-up", "level", "fr", "", "SECRET", "")),
        (SECRET, LABELS[6], Why("no-read-up", "agency", "", "", "NAVY", "")),
    ],
)
def test_each_missing_part_is_named(clearance: Label, label: Label, why: Why) -> None:
    assert why in explain(person(clearance), label, Need()).why


def test_every_reason_is_told_and_not_the_first_alone() -> None:
    told = explain(person(LOW, "officer"), TOP.with_needs({"A"}), Need.parse("B|C"))
    assert [(why.rule, why.what) for why in told.why] == [
        ("no-read-up", "level"),
        ("no-read-up", "category"),
        ("no-read-up", "released"),
        ("need", "authorization"),
        ("need", "expression"),
        ("role", "role"),
    ]
    assert told.why[3].asked == "A"
    assert told.why[4].asked == "B|C"
    assert (told.why[5].asked, told.why[5].has) == ("user", "officer")


def test_an_action_that_no_rule_knows_is_done_by_nobody() -> None:
    assert explain(person(TOP), LOW, Need(), "wheel.invent").rule == "no-rule"


def test_who_dominates_and_needs_to_know_reads() -> None:
    told = explain(person(TOP.with_needs({"A", "B"})), SECRET.with_needs({"A"}), Need.parse("B|C"))
    assert (told.principal, told.reads, told.why) == ("ann", True, ())
