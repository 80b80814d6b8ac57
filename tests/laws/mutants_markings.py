"""Mutants of the markings: what is read lower than it says, written as more than it is, or rolled up to less."""

from __future__ import annotations

from tests.laws.breaks_source import Edit
from tests.laws.killers_tests import Tested

PROJECTION, READING, LISTED = "casemate.labels.projection", "casemate.labels.reading", "casemate.labels.listed"
ROLL_UP = "casemate.labels.rollup.roll:roll_up"
US, RELEASE, SCENARIO = (f"casemate.labels.rollup.{name}" for name in ("us", "release", "scenario"))


def _policies(name: str) -> Tested:
    return Tested(f"tests/labels/test_policies.py::{name}")


def _reading(name: str) -> Tested:
    return Tested(f"tests/labels/test_reading.py::{name}")


def _rolled(name: str) -> Tested:
    return Tested(f"tests/labels/test_rollup_laws.py::{name}")


PARSED, WHY = _policies("test_parse"), _policies("test_what_cannot_be_read_says_why")
DOUBTFUL = _reading("test_a_problem_hides_no_level_and_releases_to_nobody_else")
BANNER_PROBLEMS = _reading("test_what_looks_like_a_banner_has_its_problem")
MODEL, JOIN = _rolled("test_roll_up_is_the_models"), _rolled("test_the_label_is_the_join_of_all_portions")

# name, leak, the line, what stands in its place, the killer
READ = (
    (
        "undeclared-programme-passed-over",
        "a programme that nobody declared is read as if it were not there",
        Edit(f"{PROJECTION}:_unheld", "token not in category.tokens and", "False and"),
        WHY,
    ),
    (
        "rel-to-nobody-said",
        "REL without a list is a release",
        Edit(f"{PROJECTION}:_unheld", "if tokens == (SAME,):", "if False:"),
        _reading("test_what_looks_like_a_portion_mark_has_its_problem"),
    ),
    (
        "doubtful-mark-releases",
        "a mark that contradicts itself is released to its list",
        Edit(f"{PROJECTION}:_element", "alone = closed or ", "alone = "),
        DOUBTFUL,
    ),
    (
        "unmarked-is-for-everybody",
        "SECRET that says nothing of release goes to all",
        Edit(f"{PROJECTION}:_element", " or category.owned(rank):", ":"),
        PARSED,
    ),
    (
        "group-not-expanded",
        "what goes to FVEY and what goes to AUS have nobody in common",
        Edit(f"{PROJECTION}:_allowed", "category.expand.get(token, {token})", "{token}"),
        PARSED,
    ),
    (
        "evicted-control-lost",
        "FOUO is gone from the label because it is not written",
        Edit(f"{PROJECTION}:_element", "if token in kept)", "if token in kept and not category.tokens[token].evicted)"),
        PARSED,
    ),
    (
        "canonical-lets-the-owner-out",
        "a label that its own nation may not read",
        Edit(f"{PROJECTION}:canonical", "elif tokens and category.owner not in tokens:", "elif False:"),
        WHY,
    ),
    (
        "canonical-opens-what-is-closed",
        "a canonical text without REL is for everybody",
        Edit(f"{PROJECTION}:canonical", "category.owned(rank):", "False:"),
        PARSED,
    ),
    (
        "compartment-without-its-system",
        "SI-G is read by whoever has SI-G and not SI",
        Edit(f"{PROJECTION}:canonical", "in category.closure(token)", "in (token,)"),
        PARSED,
    ),
    (
        "undeclared-name-is-a-label",
        "anybody's text makes a compartment",
        Edit(f"{PROJECTION}:canonical", "not tokens <= named or", "False or"),
        WHY,
    ),
    (
        "clearance-covers-the-unwritten-for-all",
        "what is released to others covers what nobody released",
        Edit(f"{LISTED}:Policies.clearance", "if not any(", "if True or any("),
        _policies("test_a_clearance_covers_what_its_marking_leaves_unwritten"),
    ),
    (
        "two-marks-of-one-policy",
        "of two marks of one policy the last counts",
        Edit(f"{LISTED}:Policies.parse", "if name in elements:", "if False:"),
        WHY,
    ),
    (
        "ambiguous-mark-taken",
        "SECRET of one nation is taken for another's",
        Edit(f"{LISTED}:Policies._part", "if len(found) > 1:", "if False:"),
        WHY,
    ),
    (
        "unlisted-policy-passed-over",
        "a mark of a policy that is not listed is no mark",
        Edit(f"{READING}:Reader._one", "for each in unlisted] or found", "for each in unlisted if False] or found"),
        _reading("test_an_unlisted_policy_is_named"),
    ),
    (
        "disguised-mark-passed-over",
        "a mark with a look-alike letter is no mark",
        Edit(f"{READING}:Reader._disguised", "if shown != text:", "if False:"),
        BANNER_PROBLEMS,
    ),
    (
        "long-mark-passed-over",
        "a mark of 1,001 characters is no mark",
        Edit(f"{READING}:Reader.banner", "if slashes else ()", "if False else ()"),
        BANNER_PROBLEMS,
    ),
    (
        "lower-case-mark-passed-over",
        "secret//noforn is no mark",
        Edit(f"{READING}:Reader._disguised", "text.upper() != text", "False"),
        BANNER_PROBLEMS,
    ),
)  # fmt: skip

WRITTEN = (
    (
        "noforn-not-written",
        "what is for its own nation alone is written without NOFORN",
        Edit(f"{PROJECTION}:_shut", "values.setdefault(only[0], []).append(only[1])", "pass"),
        _policies("test_banner_and_portion"),
    ),
    (
        "nobody-written-as-somebody",
        "what is released to nobody is written with a list",
        Edit(f"{PROJECTION}:_open", "{category.owner} < allowed:", "allowed is not None:"),
        _policies("test_banner_and_portion"),
    ),
    (
        "unknown-element-not-written",
        "what no listed policy can write is shown without its label",
        Edit(f"{LISTED}:Policies._marks", "for name, element in held.items()]", "for name, element in ()]"),
        _policies("test_a_label_of_a_policy_that_is_not_listed_is_still_written"),
    ),
)

ROLLED = (
    (
        "roll-up-releases-to-all-lists",
        "a document goes to whoever may have one portion",
        Edit(f"{SCENARIO}:common", "frozenset.intersection(*every)", "frozenset().union(*every)"),
        MODEL,
    ),
    (
        "roll-up-drops-noforn",
        "an unclassified NOFORN portion goes where the others go",
        Edit(f"{SCENARIO}:scenario", 'if folded or "NOFORN" in dissem:', "if folded:"),
        MODEL,
    ),
    (
        "roll-up-forgets-who-has-no-list",
        "what may only be shown is released to the others' list",
        Edit(f"{SCENARIO}:common", "if None in said:", "if said == {None}:"),
        MODEL,
    ),
    (
        "roll-up-forgets-sbu-noforn",
        "SBU NOFORN in a classified document is released",
        Edit(f"{RELEASE}:release", "if folded or shut else base", "if shut else base"),
        Tested("tests/labels/test_rollup_rows.py::test_a_row_gives_its_banner_and_its_reason"),
    ),
    (
        "roll-up-takes-the-lowest-level",
        "a document is marked as its lowest portion",
        Edit(f"{US}:_level", "max({mark.level", "min({mark.level"),
        MODEL,
    ),
    (
        "roll-up-drops-a-compartment",
        "a compartment of one portion is missing in the banner",
        Edit(f"{US}:_controls", "set(borne[category]) for category", "set([*borne[category]][:1]) for category"),
        MODEL,
    ),
    (
        "roll-up-names-a-concealed-source",
        "a source that conceals itself is named by another's portion",
        Edit(f"{US}:_sources", "CONCEALED in sources and len(sources) > 1", "False"),
        MODEL,
    ),
    (
        "roll-up-label-from-its-banner",
        "what a banner leaves unwritten is gone from the label",
        Edit(ROLL_UP, "_label(known.values())", "_label([project.understood(mark)[0] for mark in banners])"),
        JOIN,
    ),
    (
        "roll-up-label-without-its-banner",
        "a banner above its portions does not count",
        Edit(ROLL_UP, "[0] for mark in stated}", "[0] for mark in ()}"),
        Tested(
            "tests/labels/test_rollup.py::test_a_banner_above_its_portions_is_unfounded_and_the_label_holds_it"
        ),
    ),
    (
        "equivalence-lowers",
        "an agreement takes a label down",
        Edit("casemate.labels.equivalence:equated", "whole |= each.target", "whole = each.target"),
        Tested("tests/labels/test_equivalence.py::test_an_equivalence_adds_and_never_takes"),
    ),
    (
        "equivalence-composes",
        "two agreements make a third that nobody signed",
        Edit("casemate.labels.equivalence:equated", "held.get(each.policy)", "dict(whole.elements).get(each.policy)"),
        Tested("tests/labels/test_equivalence.py::test_it_does_not_compose_nor_run_backwards"),
    ),
)  # fmt: skip

TABLE = (*READ, *WRITTEN, *ROLLED)
