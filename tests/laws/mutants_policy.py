"""Mutants of the policy: one line of its source broken, named after the leak, with the test that sees it."""

from __future__ import annotations

from tests.laws.breaks_source import Edit
from tests.laws.killers_tests import Tested

DECIDE, NEED, DOOR = "casemate.policy.decide", "casemate.policy.need", "casemate.policy.release"


def _decide(name: str) -> Tested:
    return Tested(f"tests/policy/test_decide.py::{name}")


def _door(name: str) -> Tested:
    return Tested(f"tests/policy/test_release.py::{name}")


BETWEEN = _decide("test_the_acting_label_lies_between_floor_and_ceiling_and_below_the_clearance")
UP = _decide("test_nothing_is_read_up_and_it_looks_as_if_it_never_was")
ORDER = Tested("tests/policy/test_order.py::test_the_first_rule_that_says_no_is_the_answer")

# name, leak, the line, what stands in its place, the killer
DECISION = (
    (
        "acting-below-the-floor",
        "a program acts below what it brings",
        Edit(f"{DECIDE}:decide", "session.floor <= acting <= session.ceiling", "acting <= session.ceiling"),
        BETWEEN,
    ),
    (
        "acting-above-the-ceiling",
        "a key reaches higher than it was issued for",
        Edit(f"{DECIDE}:decide", "acting <= session.ceiling <= principal.clearance", "acting <= principal.clearance"),
        BETWEEN,
    ),
    (
        "acting-above-the-clearance",
        "a clearance that was lowered still opens",
        Edit(f"{DECIDE}:decide", "session.ceiling <= principal.clearance", "session.ceiling"),
        BETWEEN,
    ),
    (
        "unknown-action-permitted",
        "a door that nobody wrote a rule for stands open",
        Edit(f"{DECIDE}:decide", 'return Refuse("no-rule", {"action": name})', "return Permit(name)"),
        _decide("test_what_no_rule_knows_is_refused"),
    ),
    (
        "role-not-asked",
        "whoever is cleared may grant",
        Edit(f"{DECIDE}:decide", "roles.isdisjoint(rule.roles)", "False"),
        _decide("test_a_role_is_needed_and_named"),
    ),
    (
        "role-before-labels",
        "whoever lacks a role learns what is there",
        Edit(
            f"{DECIDE}:decide",
            "refusal is not None:",
            "refusal is not None and not principal.roles.isdisjoint(rule.roles):",
        ),
        ORDER,
    ),
    (
        "anothers-for-whoever-has-the-role",
        "everybody reads everybody's usage",
        Edit(f"{DECIDE}:decide", "roles.isdisjoint(rule.others)", "roles.isdisjoint(rule.roles)"),
        _decide("test_what_is_another_s_is_absent_but_for_those_who_may"),
    ),
    (
        "anothers-told",
        "what is another's is refused, not absent",
        Edit(f"{DECIDE}:decide", '{"action": name}, face="absent"', '{"action": name}'),
        _decide("test_what_is_another_s_is_absent_but_for_those_who_may"),
    ),
    (
        "read-up",
        "SECRET is read at UNCLASSIFIED",
        Edit(f"{DECIDE}:_mandatory", "not target.reads.without_needs <= acting", "not acting <= target.reads"),
        UP,
    ),
    (
        "read-up-told",
        "what is above is refused, not absent",
        Edit(f"{DECIDE}:_mandatory", ', face="absent"', ""),
        UP,
    ),
    (
        "write-down",
        "SECRET is written at UNCLASSIFIED",
        Edit(f"{DECIDE}:_mandatory", "not acting <= target.writes", "not target.writes <= acting"),
        _decide("test_nothing_is_written_down"),
    ),
    (
        "lent-to-the-unaccredited",
        "SECRET goes to whoever has no accreditation",
        Edit(f"{DECIDE}:_accredited", "target.ceiling is not None and", "target.ceiling is None or"),
        _decide("test_nothing_is_lent_above_an_accreditation"),
    ),
    (
        "lent-above-its-accreditation",
        "SECRET goes to an engine for UNCLASSIFIED",
        Edit(f"{DECIDE}:_accredited", "asked <= target.ceiling", "target.ceiling <= asked"),
        _decide("test_nothing_is_lent_above_an_accreditation"),
    ),
    (
        "lent-outside-without-its-needs",
        "what few need to know goes to an engine outside that was not accredited for it",
        Edit(f"{DECIDE}:_accredited", "lends if target.outside else lends.without_needs", "lends.without_needs"),
        ORDER,
    ),
    (
        "distrust-ignored",
        "a document that asks for a grant gets it",
        Edit(f"{DECIDE}:_mandatory", "distrust(acting) > rule.integrity", "False"),
        ORDER,
    ),
    (
        "trust-upside-down",
        "only what is untrusted may change the region",
        Edit(f"{DECIDE}:_mandatory", "distrust(acting) > rule.integrity", "distrust(acting) < rule.integrity"),
        ORDER,
    ),
    (
        "originator-not-asked",
        "what its originator controls leaves without his leave",
        Edit(f"{DECIDE}:_mandatory", "target.outside and", "False and"),
        ORDER,
    ),
    (
        "one-originator-for-all",
        "of two originators one says yes for both",
        Edit(
            f"{DECIDE}:_mandatory",
            "not target.originators <= target.approved",
            "target.originators and not target.originators & target.approved",
        ),
        ORDER,
    ),
    (
        "need-not-asked",
        "whoever is cleared knows what he need not",
        Edit(f"{DECIDE}:_needed", "reads.needs <= acting.needs", "True"),
        ORDER,
    ),
    (
        "expression-not-asked",
        "an expression of who needs to know is not read",
        Edit(f"{DECIDE}:_needed", "target.need.allows(acting.needs)", "True"),
        ORDER,
    ),
    (
        "need-told",
        "what one need not know is refused, not absent",
        Edit(f"{DECIDE}:_needed", ', face="absent"', ""),
        ORDER,
    ),
    (
        "any-of-all",
        "of two authorizations one suffices",
        Edit(f"{NEED}:_satisfied", "all(each)", "any(each)"),
        Tested("tests/policy/test_need.py::test_an_expression_means_what_it_says"),
    ),
    (
        "needed-part-lost",
        "of what is needed a part is forgotten",
        Edit(f"{NEED}:Need.split", "if not _satisfied(part, plain)", "if False"),
        Tested("tests/policy/test_need.py::test_what_a_label_can_say_is_split_off_and_nothing_is_lost"),
    ),
    (
        "orcon-has-no-originator",
        "what no agency owns has no originator to ask",
        Edit("casemate.policy.origin:originators", 'label.agencies or frozenset({""})', "label.agencies"),
        Tested("tests/policy/test_origin.py"),
    ),
)  # fmt: skip

RELEASE = (
    (
        "released-by-the-requester",
        "whoever asks says yes himself",
        Edit(f"{DOOR}:_stands", "each.id == asked.requester", "False"),
        _door("test_an_approval_that_does_not_stand"),
    ),
    (
        "released-by-one",
        "one person lets it go",
        Edit(f"{DOOR}:may_leave", "len(standing) < APPROVERS", "not standing"),
        _door("test_one_approval_is_not_enough"),
    ),
    (
        "released-by-one-twice",
        "one person counts as two",
        Edit(f"{DOOR}:_beside", "each.id == other.id or each.key == other.key", "False"),
        _door("test_an_approval_that_does_not_stand"),
    ),
    (
        "released-unsigned",
        "a yes that nobody signed counts",
        Edit(f"{DOOR}:_stands", "None if each.signed else", "None if True else"),
        _door("test_an_approval_that_does_not_stand"),
    ),
    (
        "released-by-the-uncleared",
        "whoever may not see it lets it go",
        Edit(f"{DOOR}:_knows", "(asked.source | asked.lies) <= him.clearance", "True"),
        _door("test_an_approval_that_does_not_stand"),
    ),
    (
        "released-upside-down",
        "it goes beside or above, as if that were down",
        Edit(f"{DOOR}:_asked", "floor <= asked.target <= asked.source", "floor <= asked.target"),
        _door("test_a_request_that_may_not"),
    ),
    (
        "released-after-its-time",
        "a yes of long ago still opens",
        Edit(f"{DOOR}:_asked", "now >= asked.expires", "False"),
        _door("test_a_request_that_may_not"),
    ),
    (
        "released-though-changed",
        "something else leaves than was shown",
        Edit(f"{DOOR}:_asked", "if asked.changed", "if False"),
        _door("test_a_request_that_may_not"),
    ),
    (
        "released-without-its-originator",
        "an agency's words leave without its yes",
        Edit(f"{DOOR}:may_leave", "if silent:", "if False:"),
        _door("test_every_originator_has_to_speak"),
    ),
    (
        "released-by-the-registrar",
        "who hands out the keys approves beside one",
        Edit(f"{DOOR}:_beside", "each.id == one.registrar or one.id == each.registrar", "False"),
        _door("test_a_registrar_does_not_approve_beside_the_key_that_he_registered"),
    ),
)

TABLE = (*DECISION, *RELEASE)
