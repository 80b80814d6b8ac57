"""The one integer: held to the readable definition while its bits come, go and are used again."""

from __future__ import annotations

import gc
import itertools
import random
import sys
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch
from weakref import WeakValueDictionary

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from casemate.errors import MarkingError
from casemate.labels import Element, Label, make_label
from casemate.labels import bits as bits_file
from casemate.labels import label as label_file
from tests.labels import definition
from tests.labels.worlds import ALL, labels


@contextmanager
def afresh() -> Iterator[None]:
    """No label and no bit yet."""
    with (
        patch.object(label_file, "_labels", WeakValueDictionary()),
        patch.object(label_file, "_bits", bits_file.Bits(label_file._spread)),
    ):
        yield


def released(*tokens: str, category: str = "REL", level: int = 0) -> Label:
    return make_label({"x": Element(level, f"L{level}", frozenset(), ((category, frozenset(tokens)),))})


def bits_of(label: Label) -> int:
    return label._bears


@settings(max_examples=400, deadline=None)
@given(labels(), labels())
def test_the_integer_says_what_the_definition_says(a: Label, b: Label) -> None:
    assert (a <= b) is definition.flows(a, b)
    assert (b <= a) is definition.flows(b, a)
    assert (bits_of(a) & ~bits_of(b) == 0) is (a <= b)
    assert definition.parts(a | b) == definition.join(a, b)
    assert definition.parts(a & b) == definition.meet(a, b)


TOKENS = [f"T{n}" for n in range(60)]
LEVELS = ["LOW", "MIDDLE", "HIGH"]
sets_of = st.frozensets(st.sampled_from(TOKENS), max_size=8)
loose = st.builds(
    lambda level, restrictive, permissive: Element(
        level, LEVELS[level], frozenset(("R", token) for token in restrictive), tuple(sorted(permissive.items()))
    ),
    st.integers(0, 2),
    sets_of,
    st.dictionaries(st.sampled_from(["P", "Q"]), sets_of),
)


class Lives(RuleBasedStateMachine):
    """Labels of tokens that nobody declared are made, joined, forgotten and compared; rooms begin with one slot."""

    def __init__(self) -> None:
        super().__init__()
        self.small = patch.object(bits_file, "FIRST_SLOTS", 1)
        self.small.start()
        self.world = afresh()
        self.world.__enter__()
        self.live: list[Label] = []

    def teardown(self) -> None:
        self.live.clear()
        self.world.__exit__(None, None, None)
        self.small.stop()

    @rule(one=loose, other=loose, agencies=st.frozensets(st.sampled_from(["A", "B", "C"])))
    def make(self, one: Element, other: Element, agencies: frozenset[str]) -> None:
        self.live.append(make_label({"one": one, "other": other}, agencies))

    @rule(picks=st.lists(st.integers(0, 30), min_size=2, max_size=2))
    def join_and_meet(self, picks: list[int]) -> None:
        if self.live:
            a, b = (self.live[pick % len(self.live)] for pick in picks)
            assert definition.parts(a | b) == definition.join(a, b)
            assert definition.parts(a & b) == definition.meet(a, b)
            self.live.append(a | b)

    @rule(pick=st.integers(0, 30))
    def forget(self, pick: int) -> None:
        if self.live:
            del self.live[pick % len(self.live)]

    @invariant()
    def the_order_is_as_defined(self) -> None:
        for a, b in itertools.product(self.live[-12:], repeat=2):
            assert (a <= b) is definition.flows(a, b), (a, b)


Lives.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestLives = Lives.TestCase


def test_a_token_seen_later_is_refused_by_what_was_there_before() -> None:
    with afresh():
        before = released("USA", "FRA")
        nobody = released()
        later = [released("USA", "FRA", f"NEW{n}") for n in range(100)]
        for wide in later:
            assert wide < before < nobody
            assert not before <= wide
            assert not nobody <= wide
        for one, other in itertools.combinations(later, 2):
            assert not one <= other
            assert not other <= one


def test_a_room_grows_seldom_and_every_live_label_bears_it() -> None:
    spreads = []
    with afresh(), patch.object(label_file._bits, "_spread", lambda *said: (spreads.append(said), SPREAD(*said))):
        held = [released(f"N{n}") for n in range(1000)]
        assert len(spreads) == 7, "16 slots, then twice as many each time"
        assert len({bits_of(label).bit_count() for label in held}) == 1


SPREAD = label_file._spread


def test_an_interrupted_growth_refuses_and_never_allows() -> None:
    def torn(room: bits_file.Room, bits: int) -> None:
        del room, bits
        raise KeyboardInterrupt

    with afresh(), patch.object(bits_file, "FIRST_SLOTS", 1):
        before = released("USA")
        with patch.object(label_file._bits, "_spread", torn), pytest.raises(KeyboardInterrupt):
            released("USA", "FRA")
        after = [released("USA", f"N{n}") for n in range(9)]
        assert all(wide < before and not before <= wide for wide in after)


def test_a_slot_is_used_again_and_means_one_token_at_a_time() -> None:
    with afresh():
        keeper = released("USA")
        width = label_file._bits.width
        for n in range(1000):
            passing = released("USA", f"PASSING-{n}")
            assert passing < keeper
            assert not keeper <= passing
        assert label_file._bits.width == width


def test_what_nobody_restricts_any_more_gives_its_bits_back() -> None:
    with afresh():
        released(*(f"N{n}" for n in range(500)))
        gc.collect()
        width = label_file._bits.width
        other = released("USA", category="EYES")
        assert bits_of(other).bit_length() < 40
        assert label_file._bits.width == width


def test_invented_agencies_grow_neither_memory_nor_integers() -> None:
    with afresh():
        mine = make_label({"x": Element(2, "HIGH")}, ["EXERCISE"])
        for n in range(100_000):
            stranger = make_label({}, [f"STRANGER-{n}"])
            assert not stranger <= mine
        assert label_file._bits.width == 5, "two steps, EXERCISE, and at the turn one stranger beside the next"
        assert len(label_file._labels) == 2
        assert len(label_file._bits._pool._taken) <= 5
        many = [make_label({}, [f"CROWD-{n}"]) for n in range(1000)]
        assert not any(one <= other for one, other in itertools.pairwise(many))
        many.clear()
        del stranger
        assert bits_of(make_label({}, ["LATECOMER"])).bit_length() <= 5


def test_a_bit_that_is_taken_anew_while_it_is_collected_stays_one() -> None:
    """Collection first forgets all that is in a knot, then calls who waits for it: one of them may ask for a name."""

    class Knot:
        held: object = None

    bits = bits_file.Bits(label_file._spread)
    again: list[bits_file.Bit] = []
    knot = Knot()
    told = weakref.ref(knot, lambda _: again.append(bits._pool.bit("A", bits._wider)))
    knot.held = (knot, bits._pool.bit("A", bits._wider))
    del knot
    gc.collect()
    assert told() is None
    assert [bit.index for bit in again] == [1], "the old one's index is not free yet"
    assert bits._pool.bit("A", bits._wider) is again[0]
    assert bits._pool.bit("B", bits._wider).index == 0
    assert bits.width == 2


def test_invented_tokens_give_their_bits_back() -> None:
    with afresh():
        for n in range(2000):
            make_label({"x": Element(0, "LOW", frozenset({("TEAM", f"T{n}")}))})
        assert label_file._bits.width == 1


def test_the_order_in_which_bits_were_given_shows_nowhere() -> None:
    texts = [
        "us:SECRET//REL=FRA,GBR,USA//SCI=SI",
        "us:SECRET//REL=USA",
        "us:TOP SECRET//REL=FRA,USA",
        "agency=ALPHA + house:INTERNAL",
        "house:RESTRICTED//TEAM=PAYROLL",
        "fr:SECRET",
    ]
    seen = set()
    for seed in range(12):
        order = random.Random(seed).sample(texts, len(texts))
        with afresh():
            made = {text: ALL.parse(text) for text in order}
            said = [(label.text, label.id, hash(label), repr(label)) for _, label in sorted(made.items())]
            flow = [made[a] <= made[b] for a in texts for b in texts]
            joined = [(made[a] | made[b]).text for a in texts for b in texts]
            seen.add(repr((said, flow, joined)))
    assert len(seen) == 1


def test_no_comparison_is_wrong_while_rooms_grow() -> None:
    """Threads compare what they hold while others make the room grow; every answer is the definition's."""
    wrong: list[str] = []
    done = threading.Event()
    interval = sys.getswitchinterval()
    with afresh(), patch.object(bits_file, "FIRST_SLOTS", 1):
        held = [released(*(f"H{m}" for m in range(n))) for n in range(6)]
        truth = [(a, b, definition.flows(a, b)) for a in held for b in held]

        def compare() -> None:
            while not done.is_set():
                wrong.extend(f"{a} <= {b}" for a, b, flows in truth if (a <= b) is not flows)

        threads = [threading.Thread(target=compare) for _ in range(3)]
        sys.setswitchinterval(1e-6)
        try:
            for thread in threads:
                thread.start()
            kept = []
            for n in range(700):
                kept.append(new := released("H0", f"G{n}"))
                if new <= held[1] or not held[0] < new:
                    continue
        finally:
            done.set()
            sys.setswitchinterval(interval)
            for thread in threads:
                thread.join()
    assert wrong == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Element(1, "SECRET"), Element(2, "SECRET")),
        (Element(1, "S", frozenset({("REL", "USA")})), Element(1, "S", frozenset(), (("REL", frozenset({"USA"})),))),
    ],
    ids=["a level of another rank", "a category of another type"],
)
def test_one_text_never_stands_for_two_labels(one: Element, other: Element) -> None:
    held = make_label({"x": one})
    with pytest.raises(MarkingError, match="two meanings"):
        make_label({"x": other})
    assert make_label({"x": one}) is held


def test_categories_may_come_in_any_order_but_each_once() -> None:
    sets = (("P", frozenset({"A"})), ("Q", frozenset({"B"})))
    assert make_label({"x": Element(0, "L", frozenset(), sets)}) is make_label(
        {"x": Element(0, "L", frozenset(), sets[::-1])}
    )
    for wrong in (
        Element(0, "L", frozenset(), (sets[0], sets[0])),
        Element(0, "L", frozenset({("P", "Z")}), sets),
    ):
        with pytest.raises(MarkingError, match="said twice"):
            make_label({"x": wrong})
