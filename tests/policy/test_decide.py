"""The decision, rule by rule, and the table that it reads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from casemate import policy
from casemate.identity import ROLES, Principal, Session
from casemate.labels import Label, Policies
from casemate.policy import ACTIONS, Action, Permit, Refuse, Target, decide

POLICIES = Policies.load(("us",))
LOW, SECRET, TOP = (POLICIES.parse(m) for m in ("UNCLASSIFIED", "SECRET//NOFORN", "TOP SECRET//SI//NOFORN"))
ASK = Action("ask", "answer")


def session(*roles: str, floor: Label = LOW, ceiling: Label = SECRET, clearance: Label = SECRET) -> Session:
    return Session("s", Principal("p", "ana", clearance, frozenset(roles or ("user",))), floor, ceiling)


@pytest.mark.parametrize("acting", [LOW, SECRET])
def test_whoever_may_is_permitted_by_the_action_s_own_rule(acting: Label) -> None:
    assert decide(session(), acting, ASK, Target()) == Permit("answer.ask")


@pytest.mark.parametrize(
    ("held", "acting"),
    [
        (session(), TOP),
        (session(floor=SECRET), LOW),
        (session(ceiling=TOP), SECRET),
    ],
)
def test_the_acting_label_lies_between_floor_and_ceiling_and_below_the_clearance(held: Session, acting: Label) -> None:
    refusal = decide(held, acting, ASK, Target())
    assert isinstance(refusal, Refuse)
    assert (refusal.rule, refusal.face) == ("acting-label", "refused")
    assert refusal.facts["acting"] == acting.text


def test_what_no_rule_knows_is_refused() -> None:
    refusal = decide(session(*ROLES), SECRET, Action("invent", "wheel"), Target())
    assert refusal == Refuse("no-rule", {"action": "wheel.invent"})


def test_a_role_is_needed_and_named() -> None:
    refusal = decide(session("operator"), SECRET, ASK, Target())
    assert refusal == Refuse("role", {"action": "answer.ask", "roles": "user"})


def test_what_is_another_s_is_absent_but_for_those_who_may() -> None:
    theirs = Target(owner="somebody")
    assert decide(session(), SECRET, Action("list", "key"), theirs) == Refuse(
        "owner", {"action": "key.list"}, face="absent"
    )
    assert decide(session("officer"), SECRET, Action("list", "key"), theirs) == Permit("key.list")
    assert decide(session(), SECRET, Action("list", "key"), Target(owner="p")) == Permit("key.list")


def test_nothing_is_read_up_and_it_looks_as_if_it_never_was() -> None:
    refusal = decide(session(), LOW, ASK, Target(reads=SECRET))
    assert isinstance(refusal, Refuse)
    assert (refusal.rule, refusal.face) == ("no-read-up", "absent")
    assert decide(session(), SECRET, ASK, Target(reads=LOW)) == Permit("answer.ask")


def test_nothing_is_written_down() -> None:
    refusal = decide(session(), SECRET, ASK, Target(writes=LOW))
    assert refusal == Refuse("no-write-down", {"acting": SECRET.text, "asked": LOW.text})
    assert decide(session(), LOW, ASK, Target(writes=SECRET)) == Permit("answer.ask")


@pytest.mark.parametrize("ceiling", [None, LOW])
def test_nothing_is_lent_above_an_accreditation(ceiling: Label | None) -> None:
    refusal = decide(session(), SECRET, ASK, Target(lends=SECRET, ceiling=ceiling))
    assert refusal == Refuse("accreditation", {"acting": SECRET.text})
    assert decide(session(), SECRET, ASK, Target(lends=LOW, ceiling=LOW)) == Permit("answer.ask")


def test_an_action_is_named_by_kind_and_verb() -> None:
    assert ASK.name == "answer.ask"


def test_every_action_of_the_table_is_used_somewhere() -> None:
    """A rule that nobody asks about is a door that nobody watches."""
    root = Path(policy.__file__).parents[1]
    text = "\n".join(f.read_text() for f in root.rglob("*.py") if f.parent.name != "policy")
    asked = {f"{kind}.{verb}" for verb, kind in re.findall(r'Action\(\s*"(\w+)",\s*"(\w+)"', text)}
    named = set(re.findall(r'"(\w+\.\w+)"', text))
    assert set(ACTIONS) - asked - named == set()


def test_every_action_that_is_asked_about_stands_in_the_table() -> None:
    root = Path(policy.__file__).parents[1]
    text = "\n".join(f.read_text() for f in root.rglob("*.py"))
    asked = {f"{kind}.{verb}" for verb, kind in re.findall(r'Action\(\s*"(\w+)",\s*"(\w+)"', text)}
    assert asked - set(ACTIONS) == {"page.read"}, "only a path that no route has is about nothing in the table"
