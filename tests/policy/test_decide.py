"""The decision, rule by rule, and the table that it reads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from casemate import policy
from casemate.identity import ROLES, Principal, Session
from casemate.labels import Label, Policies
from casemate.policy import ACTIONS, Action, Need, Permit, Refuse, Target, decide, originators
from casemate.words.say import sentences

POLICIES = Policies.load(("us",))
LOW, SECRET, TOP = (POLICIES.parse(m) for m in ("UNCLASSIFIED", "SECRET//NOFORN", "TOP SECRET//SI//NOFORN"))
ASK = Action("ask", "answer")
GRANT = Action("grant", "principal")
ALPHA = SECRET.with_needs(["ALPHA"])
BOTH = SECRET.with_needs(["ALPHA", "BRAVO"])
TRUST = Policies.load(("us", "integrity"))
CONTROLLED = POLICIES.parse("SECRET//ORCON/NOFORN", ("NSA", "DIA"))


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
    asked = {f"{kind}.{verb}" for verb, kind in re.findall(r'Action\(\s*"(\w+)",\s*"([\w-]+)"', text)}
    named = set(re.findall(r'"([\w-]+\.\w+)"', text))
    assert set(ACTIONS) - asked - named == set()


def test_every_action_that_is_asked_about_stands_in_the_table() -> None:
    root = Path(policy.__file__).parents[1]
    text = "\n".join(f.read_text() for f in root.rglob("*.py"))
    asked = {f"{kind}.{verb}" for verb, kind in re.findall(r'Action\(\s*"(\w+)",\s*"([\w-]+)"', text)}
    assert asked - set(ACTIONS) == {"page.read"}, "only a path that no route has is about nothing in the table"


# ---- rule 1, with authorizations ------------------------------------------------------------------------------------


def test_nobody_acts_with_an_authorization_that_his_session_has_not() -> None:
    knowing = session(ceiling=ALPHA, clearance=BOTH)
    assert decide(knowing, ALPHA, ASK, Target()) == Permit("answer.ask")
    assert decide(knowing, SECRET, ASK, Target()) == Permit("answer.ask")
    assert decide(knowing, BOTH, ASK, Target()) == Refuse("acting-needs", {"needs": "BRAVO"})
    assert decide(session(), BOTH, ASK, Target()) == Refuse("acting-needs", {"needs": "ALPHA, BRAVO"})


def test_nor_without_one_that_it_cannot_lay_down() -> None:
    """What it sends back was made with it."""
    bound = session(floor=LOW.with_needs(["ALPHA"]), ceiling=BOTH, clearance=BOTH)
    refusal = decide(bound, SECRET, ASK, Target())
    assert isinstance(refusal, Refuse)
    assert refusal.rule == "acting-label"
    assert decide(bound, ALPHA, ASK, Target()) == Permit("answer.ask")


def test_a_clearance_that_lost_an_authorization_opens_no_session_that_has_it() -> None:
    refusal = decide(session(ceiling=ALPHA), SECRET, ASK, Target())
    assert isinstance(refusal, Refuse)
    assert refusal.rule == "acting-label"


def test_an_authorization_lifts_no_label() -> None:
    refusal = decide(session(ceiling=ALPHA, clearance=ALPHA), TOP.with_needs(["BRAVO"]), ASK, Target())
    assert isinstance(refusal, Refuse)
    assert refusal.rule == "acting-label"


# ---- need to know ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("acting", "reads", "need", "allowed"),
    [
        (ALPHA, ALPHA, "", True),
        (BOTH, ALPHA, "", True),
        (SECRET, ALPHA, "", False),
        (ALPHA, BOTH, "", False),
        (ALPHA, SECRET, "ALPHA|BRAVO", True),
        (ALPHA, SECRET, "BRAVO|CHARLIE", False),
        (SECRET, SECRET, "ALPHA|BRAVO", False),
        (BOTH, ALPHA, "BRAVO|CHARLIE", True),
    ],
)
def test_what_one_need_not_know_is_absent(acting: Label, reads: Label, need: str, allowed: bool) -> None:
    knowing = session(ceiling=BOTH, clearance=BOTH)
    decision = decide(knowing, acting, ASK, Target(reads=reads, need=Need.parse(need)))
    assert decision == (Permit("answer.ask") if allowed else Refuse("need", {"acting": acting.text}, face="absent"))


def test_need_to_know_writes_as_labels_do() -> None:
    knowing = session(ceiling=BOTH, clearance=BOTH)
    assert decide(knowing, SECRET, ASK, Target(writes=ALPHA)) == Permit("answer.ask")
    refusal = decide(knowing, ALPHA, ASK, Target(writes=SECRET))
    assert isinstance(refusal, Refuse)
    assert refusal.rule == "no-write-down"


def test_an_engine_inside_needs_no_authorization_and_one_outside_must_be_named_for_it() -> None:
    knowing = session(ceiling=BOTH, clearance=BOTH)
    inside, outside = Target(lends=ALPHA, ceiling=SECRET), Target(lends=ALPHA, ceiling=SECRET, outside=True)
    assert decide(knowing, ALPHA, ASK, inside) == Permit("answer.ask")
    assert decide(knowing, ALPHA, ASK, outside) == Refuse("accreditation", {"acting": ALPHA.text})
    named = Target(lends=ALPHA, ceiling=BOTH, outside=True)
    assert decide(knowing, ALPHA, ASK, named) == Permit("answer.ask")
    assert isinstance(decide(knowing, ALPHA, ASK, Target(lends=ALPHA, ceiling=LOW)), Refuse)


# ---- integrity ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("trust", "allowed"), [("", True), (" + REVIEWED", False), (" + UNTRUSTED", False)])
def test_what_is_not_verified_grants_nothing(trust: str, allowed: bool) -> None:
    acting = TRUST.parse("us:SECRET//NOFORN" + trust.replace(" + ", " + integrity:"))
    officer = session("officer", "user", ceiling=acting, clearance=acting)
    decision = decide(officer, acting, GRANT, Target())
    assert decision == (Permit("principal.grant") if allowed else Refuse("integrity", {"acting": acting.text}))
    assert decide(officer, acting, ASK, Target()) == Permit("answer.ask"), "whoever asks may have read anything"


def test_what_changes_the_region_demands_integrity() -> None:
    changing = {name for name, rule in ACTIONS.items() if rule.integrity is not None}
    assert {
        "guardrail.add",
        "guardrail.change",
        "key.issue",
        "model.accredit",
        "model.register",
        "model.retire",
        "principal.add",
        "principal.grant",
        "project.add",
        "quota.set",
        "region.configure",
    } <= changing
    assert {rule.integrity for rule in ACTIONS.values()} == {None, 0}


# ---- originators ----------------------------------------------------------------------------------------------------


def test_what_is_originator_controlled_leaves_with_the_approval_of_each() -> None:
    holder = session(ceiling=CONTROLLED, clearance=CONTROLLED)

    def leaving(*approved: str, outside: bool = True) -> Target:
        asked = originators(CONTROLLED)
        return Target(None, None, CONTROLLED, CONTROLLED, "", Need(), outside, asked, frozenset(approved))

    assert decide(holder, CONTROLLED, ASK, leaving()) == Refuse("orcon", {"originators": "DIA, NSA"})
    assert decide(holder, CONTROLLED, ASK, leaving("NSA", "CIA")) == Refuse("orcon", {"originators": "DIA"})
    assert decide(holder, CONTROLLED, ASK, leaving("NSA", "DIA")) == Permit("answer.ask")
    assert decide(holder, CONTROLLED, ASK, leaving(outside=False)) == Permit("answer.ask"), "whoever sees it, reads it"


# ---- the order ------------------------------------------------------------------------------------------------------


def test_labels_come_before_need_to_know_and_roles_last() -> None:
    """Were the role asked first, whoever lacks it would be told apart what is hidden and what never was."""
    nobody = session("operator", ceiling=BOTH, clearance=BOTH)
    hidden, unknown = Target(reads=TOP), Target(reads=BOTH)
    assert _rule(decide(nobody, SECRET, ASK, hidden)) == "no-read-up"
    assert _rule(decide(nobody, SECRET, ASK, Target(reads=TOP.with_needs(["X"]), owner="else"))) == "no-read-up"
    assert _rule(decide(nobody, SECRET, ASK, unknown)) == "need"
    assert _rule(decide(nobody, SECRET, ASK, Target(owner="else"))) == "role"
    assert _rule(decide(session(), SECRET, ASK, Target(owner="else"))) == "owner"
    assert _rule(decide(nobody, SECRET, ASK, Target(reads=BOTH, writes=LOW))) == "no-write-down"
    assert _rule(decide(nobody, TOP, Action("invent", "wheel"), hidden)) == "acting-label"
    assert _rule(decide(nobody, SECRET, Action("invent", "wheel"), hidden)) == "no-rule"


def test_rules_that_stand_in_the_docstring_are_those_that_there_are() -> None:
    module = Path(policy.__file__).with_name("decide.py").read_text()
    said = re.findall(r"^ ?\d+\. `([a-z-]+)`", module, re.MULTILINE)
    given = set(re.findall(r'Refuse\(\s*"([a-z-]+)"', module))
    assert set(said) | {"acting-needs"} == given
    assert said == [
        "acting-label",
        "no-rule",
        "no-read-up",
        "no-write-down",
        "accreditation",
        "integrity",
        "orcon",
        "need",
        "role",
        "owner",
    ]


def test_every_rule_has_its_sentences_in_both_languages() -> None:
    module = Path(policy.__file__).with_name("decide.py").read_text()
    for rule in set(re.findall(r'Refuse\(\s*"([a-z-]+)"', module)):
        for language in ("en", "fr"):
            for part in ("detail", "remedy"):
                assert f"rules.{rule}.{part}" in sentences(language), (rule, language)


def _rule(decision: Permit | Refuse) -> str:
    assert isinstance(decision, Refuse)
    return decision.rule
