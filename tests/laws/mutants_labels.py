"""Mutants of the labels: one line of their source broken, named after the leak, with the test that sees it."""

from __future__ import annotations

from tests.laws.breaks_source import Edit
from tests.laws.killers_tests import Tested

LABEL, BITS, LABELLED = "casemate.labels.label", "casemate.labels.bits", "casemate.labels.labelled"
CLASS = "casemate.labels.partition:access_class"


def _lattice(name: str) -> Tested:
    return Tested(f"tests/labels/test_lattice.py::{name}")


def _bits(name: str) -> Tested:
    return Tested(f"tests/labels/test_bits.py::{name}")


def _label(name: str) -> Tested:
    return Tested(f"tests/labels/test_label.py::{name}")


def _labelled(name: str) -> Tested:
    return Tested(f"tests/labels/test_labelled.py::{name}")


DEFINED = _bits("test_the_integer_says_what_the_definition_says")
LIVES = _bits("TestLives::runTest")

# name, leak, the line, what stands in its place, the killer
ORDER = (
    (
        "order-upside-down",
        "SECRET flows to UNCLASSIFIED",
        Edit(f"{LABEL}:Label.__le__", "self._bears & other._lacks", "other._bears & self._lacks"),
        DEFINED,
    ),
    (
        "order-by-number",
        "whoever has the later bit reads all",
        Edit(f"{LABEL}:Label.__le__", "not self._bears & other._lacks", "self._bears <= other._bears"),
        DEFINED,
    ),
    (
        "agencies-do-not-count",
        "another agency's objects are read",
        Edit(f"{LABEL}:_compiled", "in agencies]", "in ()]"),
        _lattice("test_agencies_are_all_needed"),
    ),
    (
        "needs-do-not-count",
        "who needs not know reads",
        Edit(f"{LABEL}:_compiled", "in needs]", "in ()]"),
        DEFINED,
    ),
    (
        "levels-one-too-low",
        "CONFIDENTIAL flows to UNCLASSIFIED",
        Edit(f"{LABEL}:_compiled", "range(element.level)", "range(element.level - 1)"),
        DEFINED,
    ),
    (
        "compartments-do-not-count",
        "SI is read without SI",
        Edit(f"{LABEL}:_compiled", "in element.restrictive", "in ()"),
        _lattice("test_who_may_read_what"),
    ),
    (
        "releasability-does-not-count",
        "NOFORN is read by everybody",
        Edit(f"{LABEL}:_compiled", "in element.permissive", "in ()"),
        _lattice("test_who_may_read_what"),
    ),
    (
        "compartments-of-all-policies-are-one",
        "another policy's token opens ours",
        Edit(f"{LABEL}:_compiled", "(policy, category, token)", '("", category, token)'),
        LIVES,
    ),
    (
        "levels-of-all-policies-are-one",
        "COSMIC TOP SECRET opens TOP SECRET",
        Edit(f"{LABEL}:_compiled", '(policy, "", str(step))', '("", "", str(step))'),
        DEFINED,
    ),
    (
        "recipients-of-all-policies-are-one",
        "another policy's list opens ours",
        Edit(f"{LABEL}:_compiled", "_bits.none_but(policy, ", '_bits.none_but("", '),
        LIVES,
    ),
    (
        "recipients-of-all-categories-are-one",
        "who may be shown may be given",
        Edit(f"{LABEL}:_compiled", "_bits.none_but(policy, category, tokens)", '_bits.none_but(policy, "", tokens)'),
        LIVES,
    ),
    (
        "new-recipient-unknown-to-old-labels",
        "a nation that is named for the first time reads what was there before",
        Edit(f"{LABEL}:_spread", "label._bears | bits", "label._bears"),
        _bits("test_a_token_seen_later_is_refused_by_what_was_there_before"),
    ),
    (
        "growth-torn",
        "an interrupted growth opens what was there before",
        Edit(
            f"{BITS}:Bits._grow",
            "self._spread(room, bits)\n    room.slots += fresh\n    room.closed |= bits\n",
            "room.slots += fresh\n    room.closed |= bits\n    room.tokens._free += range(99)\n"
            "    self._spread(room, bits)\n",
        ),
        _bits("test_an_interrupted_growth_refuses_and_never_allows"),
    ),
    (
        "nobody-is-everybody",
        "what is released to nobody is released to all",
        Edit(f"{BITS}:Room.__init__", "1 << restricted.index", "0"),
        _label("test_nobody_and_everybody_are_different"),
    ),
    (
        "slot-freed-while-used",
        "two nations share a bit",
        Edit(f"{BITS}:Bits.none_but", "(room, *allowed)", "(room,)"),
        _bits("test_a_token_seen_later_is_refused_by_what_was_there_before"),
    ),
    (
        "bit-freed-while-used",
        "two agencies share a bit",
        Edit(f"{BITS}:Bits.all_of", "tuple(bits)", "()"),
        _bits("test_invented_agencies_grow_neither_memory_nor_integers"),
    ),
    (
        "bits-never-freed",
        "strangers fill the memory with agencies that they invent",
        Edit(f"{BITS}:_Pool._tidy", "while self._lapsed:", "while False:"),
        _bits("test_invented_agencies_grow_neither_memory_nor_integers"),
    ),
    (
        "filter-upside-down",
        "rows above the reader are taken",
        Edit("casemate.labels.dominated:dominated", "bears & lacks", "reader._bears & ~bears"),
        Tested("tests/labels/test_dominated.py::test_a_byte_for_each_label_in_its_order"),
    ),
)

BOUNDS = (
    (
        "join-keeps-the-lower-level",
        "a whole is as low as its lowest part",
        Edit(f"{LABEL}:Element.join", "self.level >= other.level", "self.level <= other.level"),
        DEFINED,
    ),
    (
        "join-keeps-common-compartments",
        "a whole loses the compartments of its parts",
        Edit(f"{LABEL}:Element.join", "self.restrictive | other.restrictive", "self.restrictive & other.restrictive"),
        DEFINED,
    ),
    (
        "join-releases-to-all-recipients",
        "a whole goes to whoever may have any part",
        Edit(f"{LABEL}:Element.join", "opened[category] & tokens", "opened[category] | tokens"),
        DEFINED,
    ),
    (
        "join-forgets-the-others-list",
        "a whole is released as if one part had no list",
        Edit(f"{LABEL}:Element.join", "in other.permissive", "in ()"),
        DEFINED,
    ),
    (
        "join-forgets-agencies",
        "a whole of two agencies is read by one",
        Edit(f"{LABEL}:Label.__or__", "self.agencies | other.agencies", "self.agencies & other.agencies"),
        _lattice("test_agencies_are_all_needed"),
    ),
    (
        "join-forgets-needs",
        "a whole is known to who needs one part",
        Edit(f"{LABEL}:Label.__or__", "self.needs | other.needs", "self.needs & other.needs"),
        DEFINED,
    ),
    (
        "join-takes-the-last-policy",
        "of two marks of one policy the last counts",
        Edit(f"{LABEL}:Label.__or__", "elements[policy].join(element) if policy in elements else element", "element"),
        DEFINED,
    ),
    (
        "meet-keeps-the-higher-level",
        "what is common to two labels lies above one",
        Edit(f"{LABEL}:Element.meet", "self.level <= other.level", "self.level >= other.level"),
        DEFINED,
    ),
    (
        "meet-keeps-common-recipients",
        "what is common to two labels flows to neither",
        Edit(f"{LABEL}:Element.meet", "tokens | theirs[name]", "tokens & theirs[name]"),
        DEFINED,
    ),
    (
        "lists-at-the-bottom-are-dropped",
        "what is unclassified and released to some is public",
        Edit(f"{LABEL}:Element.is_bottom", " and not self.permissive", ""),
        _label("test_what_is_released_to_some_or_kept_apart_is_no_bottom"),
    ),
    (
        "roll-up-without-its-floor",
        "a document lies below what its author may not go below",
        Edit("casemate.labels.rollup.roll:rollup", "reduce(or_, labels, floor)", "reduce(or_, [*labels] or [floor])"),
        _lattice("test_rollup_is_the_join_with_its_floor"),
    ),
)

TEXTS = (
    (
        "agencies-not-in-the-text",
        "two agencies' labels are one",
        Edit(f"{LABEL}:_text", "for name in agencies]", "for name in ()]"),
        _label("test_text_and_id_are_canonical"),
    ),
    (
        "needs-not-in-the-text",
        "a label forgets who needs to know",
        Edit(f"{LABEL}:_text", "for name in needs]", "for name in ()]"),
        DEFINED,
    ),
    (
        "names-unchecked",
        "an agency called A + B passes for two",
        Edit(f"{LABEL}:_checked", "shape.fullmatch(name)", "shape.match(name)"),
        _label("test_a_name_that_would_make_two_labels_look_alike_is_refused"),
    ),
    (
        "one-text-two-meanings",
        "an old policy's SECRET is the new one's CONFIDENTIAL",
        Edit(f"{LABEL}:make_label", "_meaning(found.elements) != _meaning(kept)", "False"),
        _bits("test_one_text_never_stands_for_two_labels"),
    ),
    (
        "category-said-twice",
        "of two lists of recipients the wider one counts",
        Edit(f"{LABEL}:_text", "len(listed) < len(element.permissive)", "False"),
        _bits("test_categories_may_come_in_any_order_but_each_once"),
    ),
    (
        "label-changes",
        "a label is lowered where it lies",
        Edit(f"{LABEL}:Label.__setattr__", 'raise AttributeError(f"a Label never changes: {name}")', "return"),
        _label("test_a_label_never_changes_and_is_not_made_by_hand"),
    ),
    (
        "class-without-its-need",
        "those who need not know share a shard with those who do",
        Edit(CLASS, "label.text, need, originator", 'label.text, "", originator'),
        Tested("tests/labels/test_partition.py::test_classes_are_interned_and_distinct"),
    ),
    (
        "class-without-its-originator",
        "what its originator controls shares a shard",
        Edit(CLASS, "label.text, need, originator", 'label.text, need, ""'),
        Tested("tests/labels/test_partition.py::test_classes_are_interned_and_distinct"),
    ),
    (
        "class-spelled-like-another",
        "a need with a NUL passes for an originator",
        Edit(CLASS, '"\\0" in need or "\\0" in originator', "False"),
        Tested("tests/labels/test_partition.py::test_two_classes_cannot_be_spelled_alike"),
    ),
)

ENVELOPES = (
    (
        "combine-takes-one-label",
        "two values together bear the label of one",
        Edit(f"{LABELLED}:combine", "label = a.label | b.label", "label = a.label"),
        _labelled("test_combine_and_gather_join_labels"),
    ),
    (
        "gather-takes-the-floor",
        "many values together bear the floor",
        Edit(f"{LABELLED}:gather", "label |= each.label", "label |= floor"),
        _labelled("test_combine_and_gather_join_labels"),
    ),
    (
        "raised-forgets-its-own",
        "raising a value lowers it",
        Edit(f"{LABELLED}:Labelled.raised", "self.label | floor", "floor"),
        _labelled("test_raised_joins_a_floor_and_never_lowers"),
    ),
    (
        "failure-with-its-words",
        "an exception inside tells the value outside",
        Edit(f"{LABELLED}:_within", "Failure(type(error).__name__, None)", "Failure(str(error), None)"),
        _labelled("test_a_failure_is_a_value_that_only_unseal_raises"),
    ),
    (
        "failure-with-its-traceback",
        "an error inside carries the frames that hold the value",
        Edit(f"{LABELLED}:_within", "type(error)(**error.facts)", "error"),
        _labelled("test_our_own_error_is_kept_as_a_fresh_copy"),
    ),
    (
        "envelope-shows-its-value",
        "a log line shows what is inside",
        Edit(f"{LABELLED}:Labelled.__repr__", "{self.label.text}", "{self._value}"),
        _labelled("test_it_shows_compares_and_serialises_nothing"),
    ),
    (
        "closures-taken",
        "a function inside carries something out",
        Edit(f"{LABELLED}:named", 'getattr(f, "__closure__", None)', "False"),
        _labelled("test_only_named_functions_without_closure_are_taken"),
    ),
)

TABLE = (*ORDER, *BOUNDS, *TEXTS, *ENVELOPES)
