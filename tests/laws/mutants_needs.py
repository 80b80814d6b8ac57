"""Mutants of need to know, originators and integrity: a line broken, named after the leak, with the test that sees it.

Those of the decision stand in `mutants_policy`.
"""

from __future__ import annotations

from tests.laws.breaks_source import Edit
from tests.laws.killers import doors, gates
from tests.laws.killers_tests import Tested

NEED, CLASSES, SETTLE = "casemate.policy.need", "casemate.access.classes:Classes", "casemate.access.settle"


def _need(name: str) -> Tested:
    return Tested(f"tests/policy/test_need.py::{name}")


def _access(name: str) -> Tested:
    return Tested(f"tests/access/test_needs.py::{name}")


def _doors(name: str) -> Tested:
    return Tested(f"tests/doors/native/test_needs.py::{name}")


def _accounts(name: str) -> Tested:
    return Tested(f"tests/accounts/test_needs.py::{name}")


def _trust(name: str) -> Tested:
    return Tested(f"tests/access/test_integrity.py::{name}")


MEANS = _need("test_an_expression_means_what_it_says")
LEFT = _need("test_what_a_label_can_say_is_split_off_and_nothing_is_lost")
EXPRESSION = _access("test_one_of_two_suffices_where_the_class_says_so")
RESTS = _access("test_it_comes_to_rest_among_those_who_need_to_know")

EXPRESSIONS = (
    (
        "unknown-name-satisfies",
        "an authorization that one has not counts",
        Edit(f"{NEED}:_satisfied", "node.name in authorizations", "True"),
        MEANS,
    ),
    (
        "mixed-operators",
        "A&B|C is read as either of its two meanings",
        Edit(f"{NEED}:_parsed", 'inner.operator not in ("", here)', "False"),
        _need("test_what_is_no_expression_is_refused"),
    ),
    (
        "ends-early",
        "an expression that was cut off is read as what is left of it",
        Edit(f"{NEED}:_parsed", "wanted or len(opened) > 1", "False"),
        _need("test_what_is_no_expression_is_refused"),
    ),
    (
        "depth-unbounded",
        "a text of parentheses takes the process's stack",
        Edit(f"{NEED}:_parsed", "len(opened) > DEPTH", "False"),
        _need("test_length_and_depth_are_bounded"),
    ),
    (
        "written-order-counts",
        "A&B and B&A are two classes",
        Edit(f"{NEED}:_joined", "sorted(flat)", "flat"),
        _need("test_order_and_repetition_make_no_other_class"),
    ),
    (
        "parts-lost-in-the-split",
        "what a label cannot say is forgotten",
        Edit(f"{NEED}:Need.split", "if not _satisfied(part, plain)", "if False"),
        LEFT,
    ),
    (
        "choices-split-off",
        "whoever has either of two is asked for both",
        Edit(f"{NEED}:Need.split", 'root.operator == "&"', 'root.operator in ("&", "|")'),
        LEFT,
    ),
    (
        "chosen-do-not-suffice",
        "what was found bears less than what it was found by",
        Edit(f"{NEED}:_chosen", 'able if node.operator == "&" else able[:1]', "able[:1]"),
        _need("test_some_that_suffice_are_chosen"),
    ),
)

ORIGINATORS = (
    (
        "one-control-forgotten",
        "ORCON-USGOV asks nobody",
        Edit("casemate.policy.origin:originators", "token in CONTROLS", 'token == "ORCON"'),
        Tested("tests/policy/test_origin.py::test_both_forms_of_the_control_count"),
    ),
    (
        "lend-outside-unasked",
        "a lend to the outside asks no originator",
        Edit("casemate.access.leave:lend", "originators(value.label) if to.outside else NOBODY", "NOBODY"),
        Tested("tests/access/test_orcon.py::test_it_leaves_the_region_for_no_engine"),
    ),
)

GATE = (
    (
        "expression-ignored",
        "classes are seen without their need to know",
        Edit(f"{CLASSES}._seen", "not access.need or self._need(access).allows(acting.needs)", "True"),
        EXPRESSION,
    ),
    (
        "written-for-everybody",
        "what is made with an authorization lies where everybody cleared sees it",
        Edit(f"{CLASSES}.of", "access_class(label)", "access_class(label.without_needs)"),
        _access("test_its_entries_stand_where_it_acts"),
    ),
    (
        "held-without-its-need",
        "a document for few rests among all",
        Edit(f"{CLASSES}.holding", "label = label.with_needs(plain)", "pass"),
        RESTS,
    ),
    (
        "held-without-the-rest",
        "what one of two opens is open",
        Edit(f"{CLASSES}.holding", "rest.allows(label.needs)", "True"),
        RESTS,
    ),
    (
        "found-without-its-need",
        "what was found by an authorization looks as if it were found without",
        Edit(f"{CLASSES}.borne", "if access.need", "if False"),
        _access("test_what_was_found_bears_that_by_which_it_was_found"),
    ),
    (
        "acts-with-all",
        "whoever says nothing acts with all that he has",
        Edit(
            "casemate.identity.session:Session.usual", "ceiling.without_needs | self.floor if ceiling.needs else ", ""
        ),
        _access("test_a_request_that_says_nothing_acts_with_nothing"),
    ),
    (
        "lays-down-its-floor",
        "what was made with an authorization is sent back without it",
        Edit("casemate.identity.session:Session.usual", "ceiling.without_needs | self.floor", "ceiling.without_needs"),
        Tested("tests/accounts/test_needs.py::test_a_key_has_those_that_it_names"),
    ),
    (
        "need-stated-by-anybody",
        "somebody fills a class that he cannot see",
        Edit(f"{SETTLE}:need_of", "not need.allows(flow.acting.needs)", "False"),
        _access("test_nobody_says_it_who_would_not_know_it_himself"),
    ),
    (
        "nothing-said-is-everybody",
        "what is brought with an authorization rests among all who are cleared",
        Edit(f"{SETTLE}:need_of", "Need.all_of(flow.acting.needs)", "Need()"),
        RESTS,
    ),
    (
        "as-another-with-his-needs",
        "an auditor learns what he need not know by asking as another",
        Edit("casemate.access.another:as_seen_by", "not seen.floor <= label <= flow.acting", "False"),
        _access("test_an_auditor_without_the_need_sees_another_as_far_as_he_may_himself"),
    ),
    (
        "key-with-more",
        "whoever acts without an authorization makes himself a key with it",
        Edit(
            "casemate.accounts.keys:_range", "own = most = flow.gives & owner", "own, most = flow.gives & owner, owner"
        ),
        _accounts("test_nobody_makes_himself_a_key_with_more_than_he_acts_with"),
    ),
    (
        "anothers-key-with-more",
        "an officer gives by a key what nobody has granted",
        Edit(
            "casemate.accounts.keys:_range",
            "flow.gives.with_needs(owner.needs) & owner",
            "flow.gives.with_needs(request.needs)",
        ),
        _accounts("test_an_officer_makes_anothers_key_with_what_that_one_has"),
    ),
    (
        "authority-says-any-need",
        "an authority gives what its ceiling does not name",
        Edit(
            "casemate.accounts.statements:_record",
            "(clearance, authority.ceiling)",
            "(clearance.without_needs, authority.ceiling)",
        ),
        _accounts("test_an_authority_says_it_where_its_own_ceiling_names_it"),
    ),
    (
        "bytes-known-to-others",
        "whoever brings what others have learns that they have it",
        Edit("casemate.knowledge.documents.bring:add", 'f"{marks}\\x00{need}" if need else marks', "marks"),
        _doors("test_the_same_bytes_for_others_are_another_document"),
    ),
    (
        "shards-of-one-label",
        "a passage bears the authorizations of whoever asked first",
        Edit("casemate.knowledge.library:Library.placed", "item.label.text", '""'),
        Tested("tests/knowledge/test_library.py::test_a_shard_is_kept_for_each_label_that_bears_it"),
    ),
    (
        "rungs-out-of-order",
        "a rung of few stands before one of all",
        Edit("casemate.assistants.rungs:_height", " + len(label.needs)", ""),
        Tested("tests/assistants/test_rungs.py::test_an_order_puts_those_who_need_to_know_after_the_others"),
    ),
    (
        "engine-outside-by-height-alone",
        "a model elsewhere is offered what few may know",
        Edit(
            "casemate.models.card:Card.accredited",
            "label if self.outside else label.without_needs",
            "label.without_needs",
        ),
        _doors("test_an_engine_outside_is_lent_it_only_where_it_is_named_for_it"),
    ),
)

TRUST = (
    (
        "trusted-where-it-said-otherwise",
        "whoever says that he acts on distrusted grounds is taken for trusted",
        Edit("casemate.access.gate:Gate.open", "acting is None and isinstance", "isinstance"),
        _trust("test_whoever_says_that_he_acts_on_distrusted_grounds_is_refused"),
    ),
    (
        "gives-more-than-distrust",
        "an officer who acts at UNCLASSIFIED clears for SECRET",
        Edit(
            "casemate.access.state:State.gives",
            "distrusting(self.acting, self.session.ceiling)",
            "self.session.ceiling",
        ),
        _trust("test_what_he_gives_lies_no_higher_than_he_acts"),
    ),
    (
        "distrust-brings-more",
        "the distrust of a label brings its compartments with it",
        Edit("casemate.policy.trust:distrusting", "if policy == INTEGRITY", ""),
        Tested("tests/policy/test_trust.py::test_distrust_is_joined_and_nothing_else"),
    ),
)

BY_LAW = (
    (
        "expression-ignored-by-a-flow",
        "whoever is cleared sees what one of two authorizations opens",
        Edit(f"{CLASSES}._seen", "not access.need or self._need(access).allows(acting.needs)", "True"),
        gates,
    ),
    (
        "expression-ignored-by-a-door",
        "whoever is cleared is told what one of two authorizations opens",
        Edit(f"{CLASSES}._seen", "not access.need or self._need(access).allows(acting.needs)", "True"),
        doors,
    ),
    (
        "activity-for-everybody",
        "whoever is cleared notices those who need to know at work",
        Edit(f"{CLASSES}.of", "access_class(label)", "access_class(label.without_needs)"),
        doors,
    ),
)

TABLE = (*EXPRESSIONS, *GATE, *ORIGINATORS, *TRUST, *BY_LAW)
