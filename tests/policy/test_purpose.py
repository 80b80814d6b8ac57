"""Purposes are tokens of a label: what was collected for care is used by whoever acts for care. There is no other rule.

A site declares them; a session acts for those of its acting label, a key for those of its range, a model for those of
its accreditation. Dominance is the whole of it.
"""

from __future__ import annotations

import pytest

from casemate.identity import Principal, Session
from casemate.labels import Label, Policies
from casemate.models import Card
from casemate.policy import Action, Permit, Refuse, Target, decide

SITE = 'extends = "house"\ntokens.PURPOSE = ["CARE", "BILLING"]'
POLICIES = Policies.load(("house",), [SITE])
READ = Action("read", "document")


def purpose(*names: str, level: str = "CONFIDENTIAL") -> Label:
    said = f"//PURPOSE={','.join(names)}" if names else ""
    return POLICIES.parse(f"house:{level}{said}" if said else f"house:{level}", ("CLINIC",))


NONE, CARE, BILLING, BOTH = purpose(), purpose("CARE"), purpose("BILLING"), purpose("BILLING", "CARE")


def acts(clearance: Label = BOTH, ceiling: Label = BOTH, floor: Label = NONE) -> Session:
    return Session("s", Principal("p", "ana", clearance, frozenset({"user"})), floor, ceiling)


@pytest.mark.parametrize(
    ("acting", "bears", "allowed"),
    [
        (CARE, CARE, True),
        (BOTH, CARE, True),
        (CARE, NONE, True),
        (NONE, CARE, False),
        (BILLING, CARE, False),
        (CARE, BOTH, False),
    ],
)
def test_what_bears_a_purpose_is_read_by_whoever_acts_for_it(acting: Label, bears: Label, allowed: bool) -> None:
    decision = decide(acts(), acting, READ, Target(reads=bears))
    assert isinstance(decision, Permit) == allowed
    if isinstance(decision, Refuse):
        assert (decision.rule, decision.face) == ("no-read-up", "absent")


def test_nobody_acts_for_a_purpose_that_his_key_or_clearance_does_not_name() -> None:
    for session in (acts(ceiling=CARE), acts(clearance=CARE, ceiling=CARE)):
        assert isinstance(decide(session, CARE, READ, Target()), Permit)
        for acting in (BILLING, BOTH):
            refusal = decide(session, acting, READ, Target())
            assert isinstance(refusal, Refuse)
            assert refusal.rule == "acting-label"


def test_a_model_is_lent_what_it_is_accredited_for() -> None:
    lent = Target(lends=CARE, ceiling=CARE)
    assert isinstance(decide(acts(), CARE, READ, lent), Permit)
    for ceiling in (NONE, BILLING):
        refusal = decide(acts(), CARE, READ, Target(lends=CARE, ceiling=ceiling))
        assert isinstance(refusal, Refuse)
        assert refusal.rule == "accreditation"
        assert not Card("m", "m", "v", ceiling).accredited(CARE)
    assert Card("m", "m", "v", BOTH).accredited(CARE)


def test_what_is_made_for_two_purposes_is_for_both() -> None:
    assert CARE | BILLING is BOTH
    refusal = decide(acts(), BOTH, READ, Target(writes=CARE))
    assert isinstance(refusal, Refuse)
    assert refusal.rule == "no-write-down", "a purpose is laid down at the release door alone"
