"""Which rungs an answer has, and in which order."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.assistants.rungs import CAP, candidates, keep, order, select, visiting
from casemate.knowledge import Hit, Passage
from casemate.labels import Element, Label, make_label

LEVELS = ("OPEN", "LOW", "MID", "HIGH")
elements = st.builds(
    lambda level, tokens, opened: Element(
        level, LEVELS[level], frozenset(("GROUP", t) for t in tokens), () if opened is None else (("REL", opened),)
    ),
    st.integers(0, 3),
    st.frozensets(st.sampled_from("ABC")),
    st.none() | st.frozensets(st.sampled_from(["FRA", "GBR", "USA"])),
)
labels = st.builds(
    make_label,
    st.dictionaries(st.sampled_from(["one", "two"]), elements, max_size=2),
    st.frozensets(st.sampled_from(["EXERCISE", "OTHER"])),
    st.frozensets(st.sampled_from(["ALPHA", "BRAVO"])),
)


def hit(label: Label, name: str = "psg_a") -> Hit:
    return Hit(Passage(name, "doc", 0, "", "", "", 0, "text"), label, 1.0, 0.0, 1.0)


@settings(max_examples=500)
@given(labels, labels)
def test_order_is_a_linear_extension(one: Label, two: Label) -> None:
    if one < two:
        assert order([two, one]) == (one, two)
    assert order([one, two]) == order([two, one])


def test_an_order_puts_those_who_need_to_know_after_the_others() -> None:
    everybody = make_label({"one": Element(1, "LOW")}, ("EXERCISE",))
    few = everybody.with_needs(["0"])
    fewer = few.with_needs(["A"])
    assert order([fewer, few, everybody]) == (everybody, few, fewer)
    assert order([few, make_label({"one": Element(2, "MID")}, ("EXERCISE",)), everybody])[0] is everybody


@settings(max_examples=200)
@given(st.lists(labels, max_size=8), labels, labels)
def test_the_order_of_two_does_not_depend_on_others(many: list[Label], one: Label, two: Label) -> None:
    laid = order([*many, one, two])
    pair = tuple(label for label in laid if label in (one, two))
    assert pair == order([one, two])


@settings(max_examples=300)
@given(labels, labels, st.lists(labels, max_size=8))
def test_candidates_lie_between_floor_and_acting(floor: Label, more: Label, classes: list[Label]) -> None:
    acting = floor | more
    found = candidates(floor, acting, classes)
    assert all(floor <= label <= acting for label in found)
    assert set(found) == {label | floor for label in classes if label <= acting}
    hidden = [label for label in classes if label <= acting]
    assert found == candidates(floor, acting, hidden)


@settings(max_examples=300)
@given(labels, labels, labels, st.lists(labels, max_size=8))
def test_a_lower_answer_has_exactly_the_rungs_that_flow_to_it(
    floor: Label, more: Label, most: Label, classes: list[Label]
) -> None:
    low, high = floor | more, floor | more | most
    above = candidates(floor, high, classes)
    assert candidates(floor, low, classes) == tuple(label for label in above if label <= low)


@settings(max_examples=200)
@given(labels, st.lists(labels, max_size=10))
def test_each_hit_stands_in_one_rung(floor: Label, found: list[Label]) -> None:
    hits = [hit(label, f"psg_{at}") for at, label in enumerate(found)]
    rungs = order(label | floor for label in found)
    taken = [chosen for rung in rungs for chosen in select(hits, floor, rung)]
    assert sorted(chosen.passage.id for chosen in taken) == sorted(one.passage.id for one in hits)
    for rung in rungs:
        chosen = select(hits, floor, rung)
        assert list(chosen) == [one for one in hits if one in chosen]


def _level(number: int) -> Label:
    return make_label({"test": Element(1, "LOW", frozenset({("GROUP", f"G{number:02d}")}))})


def test_more_than_the_cap_are_chosen_by_rank_and_the_own_is_never_cut() -> None:
    floor = make_label({})
    many = [_level(number) for number in range(20)]
    acting = make_label({"test": Element(2, "HIGH", frozenset(("GROUP", f"G{n:02d}") for n in range(20)))})
    hits = [hit(many[number]) for number in (19, 3, 17, 3)]
    preferred = visiting([*many, acting], acting, hits, floor)
    assert preferred[:4] == (acting, many[19], many[3], many[17])
    assert preferred[4:] == tuple(label for label in many if label not in preferred[:4])
    kept = keep([*many, acting], preferred)
    assert len(kept) == CAP
    assert kept == order([acting, many[19], many[3], many[17], *preferred[4:12]])
    assert keep(many[:5], preferred) == tuple(many[:5])
    assert keep([], preferred) == ()


def test_the_floor_lifts_the_rung_of_a_hit() -> None:
    floor, low = _level(1), make_label({})
    assert candidates(floor, floor, [low]) == (floor,)
    assert select([hit(low)], floor, floor) == (hit(low),)
    assert select([hit(low)], floor, low) == ()
