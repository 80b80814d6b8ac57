"""Cedar as a veto: it refuses more and never grants, it fails closed, and what does not fit stops the start."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.errors import Misconfigured
from casemate.identity import ROLES, Principal, Session
from casemate.labels import Label, Policies
from casemate.policy import ACTIONS, Action, Permit, Refuse, Target, decide
from casemate.policy.veto import asked, schema

pytest.importorskip("cedarpy")

from casemate.engines import cedar
from casemate.engines.cedar import CedarVeto

POLICIES = Policies.load(("us",))
LOW, SECRET, TOP = (
    POLICIES.parse(t)
    for t in ("bottom", "agency=NAVY + us:SECRET//REL=USA", "agency=NAVY + us:TOP SECRET//REL=USA//SCI=SI")
)
ANY = "permit(principal, action, resource);"
ASK = Action("ask", "answer")


def session(*roles: str, clearance: Label = TOP, name: str = "ann") -> Session:
    return Session("k1", Principal("prn_ann", name, clearance, frozenset(roles or ("user",))), LOW, clearance)


def refuses(
    policies: str, acting: Label = SECRET, action: Action = ASK, target: Target | None = None, **who: Any
) -> str:
    told = CedarVeto({"a.cedar": policies}).refuses(
        session(*who.pop("roles", ()), **who), acting, action, target or Target()
    )
    assert told is None or told.rule == "cedar"
    return "" if told is None else told.facts["policy"]


@pytest.mark.parametrize(
    ("forbid", "other"),
    [
        ('principal.name == "ann"', {"name": "ben"}),
        ('principal.roles.contains("auditor")', {}),
        ('context.acting.levels.contains("us:SECRET")', {"acting": TOP}),
        ('context.acting.categories.contains("us:SCI=SI")', {"acting": SECRET}),
        ('context.acting.agencies.contains("NAVY")', {"acting": LOW}),
        ('context.acting.needs.contains("ALPHA")', {"acting": SECRET}),
        ('context.acting.releasable.contains("us:REL=USA")', {"acting": LOW}),
        ('principal.clearance.levels.contains("us:TOP SECRET")', {"clearance": SECRET}),
        ('context.ceiling.text == principal.clearance.text && context.session == "k1" && resource.mine', {}),
        ('resource.owner == "prn_ben"', {}),
    ],
)
def test_a_forbid_says_its_own_name(forbid: str, other: dict[str, Any]) -> None:
    asks = 'action == Casemate::Action::"answer.ask"'
    text = f'{ANY} @id("no-such") forbid(principal, {asks}, resource) when {{ {forbid} }};'
    acting = TOP.with_needs({"ALPHA"}) if "SCI" in forbid or "ALPHA" in forbid else SECRET
    roles = ("auditor", "user") if "roles" in forbid else ()
    owner = "prn_ben" if "owner" in forbid else "prn_ann"
    told = refuses(text, acting, target=Target(owner=owner), roles=roles, clearance=TOP.with_needs({"ALPHA"}))
    assert told == "no-such"
    assert refuses(text, **{"acting": SECRET, "clearance": TOP, **other, "action": Action("list", "answer")}) == ""
    if other:
        assert refuses(text, **other) == ""


def test_without_a_permit_nothing_passes() -> None:
    assert refuses('permit(principal, action == Casemate::Action::"answer.list", resource);') == "none permits it"
    assert refuses('@id("x") forbid(principal, action, resource);') == "x"
    assert refuses("forbid(principal, action, resource);") == "policy0"


@pytest.mark.parametrize(
    "text",
    [
        f'{ANY} forbid(principal, action, resource) when {{ 9223372036854775807 + context.session.like "x" }};',
        f"{ANY} forbid(principal, action, resource) when {{ principal.rank > 3 }};",
        f'{ANY} forbid(principal, action == Action::"x", resource);',
        f'{ANY} forbid(principal, action == Casemate::Action::"wheel.invent", resource);',
        "permit(principal, action",
        'permit(principal == User::"x", action, resource);',
        "",
        "  // nothing but words\n",
    ],
)
def test_what_does_not_fit_the_entity_model_stops_the_start(text: str) -> None:
    with pytest.raises(Misconfigured) as told:
        CedarVeto({"site.cedar": text})
    assert told.value.facts["setting"] == "cedar.folder"


def test_a_policy_that_fails_refuses_although_cedar_passes_it_over() -> None:
    """An overflow is no type error: it validates, fails when it is asked, and Cedar then lets the request pass."""
    text = f"{ANY} forbid(principal, action, resource) when {{ 9223372036854775807 + 1 > 0 }};"
    assert refuses(text) == "failed"


@pytest.mark.parametrize("error", [ValueError("x"), RuntimeError("x"), KeyError("x")])
def test_whatever_prevents_an_answer_is_a_no(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fails(*args: Any) -> Any:
        raise error

    monkeypatch.setattr(cedar.cedarpy, "is_authorized", fails)
    assert refuses(ANY) == "failed"


@given(
    st.sampled_from((LOW, SECRET, TOP)),
    st.sampled_from((LOW, SECRET, TOP)),
    st.sets(st.sampled_from(ROLES)),
    st.sampled_from(sorted(ACTIONS)),
    st.sampled_from((None, LOW, SECRET, TOP)),
    st.booleans(),
)
def test_a_permit_grants_nothing_that_the_rules_refuse(
    acting: Label, clearance: Label, roles: set[str], name: str, reads: Label | None, mine: bool
) -> None:
    """As the gate asks: first the rules, then the veto. The veto's yes leaves the rules' answer as it is."""
    kind, _, verb = name.rpartition(".")
    action, target = Action(verb, kind), Target(reads=reads, owner="prn_ann" if mine else "prn_ben")
    him = Session("k1", Principal("prn_ann", "ann", clearance, frozenset(roles)), LOW, clearance)
    decision = decide(him, acting, action, target)
    permits, forbids = ALWAYS.refuses(him, acting, action, target), NEVER.refuses(him, acting, action, target)
    both = decision if isinstance(decision, Refuse) else permits or decision
    assert both == decision
    assert isinstance(forbids, Refuse)
    assert not isinstance(decision if isinstance(decision, Refuse) else forbids, Permit)


ALWAYS, NEVER = CedarVeto({"a.cedar": ANY}), CedarVeto({"a.cedar": f"{ANY} forbid(principal, action, resource);"})


@pytest.mark.parametrize("name", ["a\nb", 'a"b', "a\\b", "\u202e", "é", 'Casemate::Principal::"x"'])
def test_no_name_is_read_as_cedar(name: str) -> None:
    assert refuses(
        f'{ANY} @id("n") forbid(principal, action, resource) when {{ principal.name like "a*" }};', name=name
    ) in (
        "n",
        "",
    )
    him = Session(name, Principal(name, name, TOP, frozenset({"user"})), LOW, TOP)
    assert ALWAYS.refuses(him, SECRET, ASK, Target(owner=name)) is None


def test_services_and_visitors_are_not_asked_about() -> None:
    service = Session(
        "knowledge", Principal("service:knowledge", "service:knowledge", TOP, frozenset({"service"})), TOP, TOP
    )
    visitor = Session("visitor", Principal("visitor", "stranger", LOW, frozenset({"user"})), LOW, LOW)
    assert NEVER.refuses(service, TOP, ASK, Target()) is None
    assert NEVER.refuses(visitor, LOW, ASK, Target()) is None


def test_what_it_is_told_is_the_callers_own() -> None:
    """No label of what is read, written or lent: the caller could learn from the answer what he does not see."""
    facts = asked(session(), SECRET, ASK, Target(reads=TOP, writes=TOP, lends=TOP, ceiling=TOP, owner="prn_ben"))
    assert facts is not None
    assert (facts.owner, facts.mine, facts.acting.text) == ("prn_ben", False, SECRET.text)
    assert "TOP" not in str([facts.acting, facts.floor])
    assert set(facts.__slots__) == {
        "principal", "name", "roles", "clearance", "session", "floor", "ceiling", "acting", "action", "owner", "mine",
    }  # fmt: skip


def test_every_action_stands_in_the_entity_model() -> None:
    named = set(re.findall(r'^\s+"([a-z.-]+)",?$', schema(), re.MULTILINE))
    assert named == set(ACTIONS)
