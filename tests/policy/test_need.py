"""Visibility expressions: Accumulo's own cases, a model of their meaning, one form for one meaning, and linear cost."""

from __future__ import annotations

import contextlib
import json
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.errors import BadInput
from casemate.policy import Need, authorizations
from casemate.policy import need as room
from casemate.policy.need import DEPTH, LONGEST, MOST
from tests.laws.long import leave

NAMES = ("A", "B", "C", "a", "A-1", "one.two", "_", "x:/y")
STRANGE = ("two words", "五", 'qu"ote', "back\\slash", "#")
WRONGLY_QUOTED = ('"', '""', '"\\x"', '"a\nb"', '"\ud800"', '"\x7f"')
SETS = st.frozensets(st.sampled_from((*NAMES, *STRANGE)))


def quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


class Tree:
    """The readable meaning: a text, and whether a set satisfies it."""

    def __init__(self, text: str, holds: Callable[[frozenset[str]], bool], names: frozenset[str]) -> None:
        self.text, self.holds, self.names = text, holds, names


def one(name: str, quote: bool) -> Tree:
    text = quoted(name) if quote or name in STRANGE else name
    return Tree(text, lambda having: name in having, frozenset({name}))


def many(parts: list[Tree], every: bool) -> Tree:
    text = ("&" if every else "|").join(f"({part.text})" for part in parts)
    fold = all if every else any
    names = frozenset().union(*(part.names for part in parts))
    return Tree(text, lambda having: fold([part.holds(having) for part in parts]), names)


LEAVES = st.builds(one, st.sampled_from((*NAMES, *STRANGE)), st.booleans())
TREES = st.recursive(
    LEAVES,
    lambda inner: st.builds(many, st.lists(inner, min_size=1, max_size=4), st.booleans()),
    max_leaves=20,
)


def cases(folder: Path) -> list[tuple[str, list[list[str]], str]]:
    data = json.loads((folder / "labels/accumulo-access/testdata.json").read_text())
    return [
        (text, group["auths"], test["expectedResult"])
        for group in data
        for test in group["tests"]
        for text in test["expressions"]
    ]


def verdict(text: str, sets: list[list[str]]) -> str:
    """Several sets stand for as many people who must all be allowed."""
    try:
        need = Need.parse(text)
    except BadInput:
        return "ERROR"
    return "ACCESSIBLE" if all(need.allows(frozenset(each)) for each in sets) else "INACCESSIBLE"


def test_accumulos_own_cases_come_out_right(real_documents: Path) -> None:
    every = cases(real_documents)
    assert len(every) == 242
    assert [(text, verdict(text, sets)) for text, sets, _ in every] == [(text, right) for text, _, right in every]


@given(TREES, SETS)
def test_an_expression_means_what_it_says(tree: Tree, having: frozenset[str]) -> None:
    need = Need.parse(tree.text)
    assert need.allows(having) == tree.holds(having)
    assert need.names == tree.names


@given(TREES)
def test_the_canonical_form_is_read_as_itself(tree: Tree) -> None:
    need = Need.parse(tree.text)
    assert Need.parse(need.text) == need
    assert Need.parse(need.text).text == need.text


@given(st.lists(TREES, min_size=1, max_size=4), st.booleans(), st.randoms(use_true_random=False))
def test_order_and_repetition_make_no_other_class(parts: list[Tree], every: bool, rng: random.Random) -> None:
    other = [*parts, rng.choice(parts)]
    rng.shuffle(other)
    assert Need.parse(many(parts, every).text) == Need.parse(many(other, every).text)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("", ""),
        ("A", "A"),
        ('"A"', "A"),
        ("((A))", "A"),
        ("B&A&B", "A&B"),
        ("B|(A|B)", "A|B"),
        ("C&(B&A)", "A&B&C"),
        ("(C|B)&A", "A&(B|C)"),
        ("A|(C&B)", "A|(B&C)"),
        ('"x y"', '"x y"'),
        ('"a\\"b"&"c\\\\d"', '"a\\"b"&"c\\\\d"'),
    ],
)
def test_one_form_for_one_meaning(text: str, canonical: str) -> None:
    assert Need.parse(text).text == canonical


@pytest.mark.parametrize(
    "text",
    ["A&B|C", "A|", "&A", "A B", " ", "A\n", "()", "(A", "A)", "A(B)", "(A)B", "é", "A,B", "A&&B", *WRONGLY_QUOTED],
    ids=ascii,
)
def test_what_is_no_expression_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        Need.parse(text)


def test_length_and_depth_are_bounded() -> None:
    assert Need.parse("A" * LONGEST).allows(frozenset({"A" * LONGEST}))
    with pytest.raises(BadInput, match=str(LONGEST)):
        Need.parse("A" * (LONGEST + 1))
    assert Need.parse("(" * DEPTH + "A" + ")" * DEPTH) == Need.parse("A")
    with pytest.raises(BadInput, match="deeply"):
        Need.parse("(" * (DEPTH + 1) + "A" + ")" * (DEPTH + 1))


def test_everybody_needs_to_know_what_says_nothing() -> None:
    assert Need() == Need.parse("")
    assert Need().allows(frozenset())
    assert (Need().names, Need().split()) == (frozenset(), (frozenset(), Need()))


@given(SETS)
def test_all_of_some_names(names: frozenset[str]) -> None:
    need = Need.all_of(names)
    assert need.names == names
    assert need.allows(names)
    assert not any(need.allows(names - {each}) for each in names)


@given(TREES, SETS)
def test_what_a_label_can_say_is_split_off_and_nothing_is_lost(tree: Tree, having: frozenset[str]) -> None:
    need = Need.parse(tree.text)
    plain, rest = need.split()
    assert need.allows(having) == (plain <= having and rest.allows(having))
    assert not plain & frozenset(STRANGE), "a label could not be written with such a name"
    assert rest.names <= need.names


@given(TREES, SETS)
def test_some_that_suffice_are_chosen(tree: Tree, having: frozenset[str]) -> None:
    need = Need.parse(tree.text)
    if need.allows(having):
        chosen = need.chosen(having)
        assert chosen <= having & need.names
        assert need.allows(chosen)
        assert need.chosen(chosen) == chosen


@pytest.mark.parametrize(
    ("text", "having", "chosen"),
    [
        ("", "AB", ""),
        ("B|A", "AB", "A"),
        ("B|A", "B", "B"),
        ("(A&B)|C", "ABC", "AB"),
        ("(A&B)|C", "AC", "C"),
        ("(A|B)&(C|D)", "ABCD", "AC"),
    ],
)
def test_of_several_the_first_by_name(text: str, having: str, chosen: str) -> None:
    assert Need.parse(text).chosen(frozenset(having)) == frozenset(chosen)


@pytest.mark.parametrize(
    ("text", "plain", "rest"),
    [
        ("A", {"A"}, ""),
        ("A&B", {"A", "B"}, ""),
        ("A&(B|C)", {"A"}, "B|C"),
        ("A&(A|C)", {"A"}, ""),
        ("A|B", set(), "A|B"),
        ('A&"x y"', {"A"}, '"x y"'),
        (f"A&{'B' * 65}", {"A"}, "B" * 65),
    ],
)
def test_how_it_is_split(text: str, plain: set[str], rest: str) -> None:
    assert Need.parse(text).split() == (plain, Need.parse(rest))


def test_authorizations_are_named_as_a_label_can_bear() -> None:
    assert authorizations(["A", "b.c", "A"]) == {"A", "b.c"}
    assert len(authorizations(str(n) for n in range(MOST))) == MOST
    for wrong in (["two words"], [""], ["x" * 65], ["A + need=B"], [str(n) for n in range(MOST + 1)]):
        with pytest.raises(BadInput):
            authorizations(wrong)


def steps(work: Callable[[], Any]) -> int:
    """Lines of the room that are run: a count, no clock."""
    count = 0

    def trace(frame: Any, event: str, arg: Any) -> Any:
        nonlocal count
        if frame.f_code.co_filename != room.__file__:
            return None
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize(
    "make",
    [
        lambda n: "A&" * n + "A",
        lambda n: "|".join(f"n{i}" for i in range(n)),
        lambda n: "&".join(["(A|B)"] * n),
        lambda n: "(" * min(n, DEPTH) + "A" + ")" * min(n, DEPTH),
        lambda n: "&" * n,
        lambda n: "A" * n,
        lambda n: '"' * n,
        lambda n: '"\\"' * n,
        lambda n: '"' + "\\\\" * n,
    ],
    ids=["and", "or", "both", "deep", "operators", "name", "quotes", "escapes", "open"],
)
def test_cost_is_linear(make: Callable[[int], str]) -> None:
    """Four times the text costs at most four times the steps, and a few."""

    def work(n: int) -> Callable[[], Any]:
        def read() -> None:
            with contextlib.suppress(BadInput):
                Need.parse(make(n)).allows(frozenset({"A"}))

        return read

    assert steps(work(400)) <= 4 * steps(work(100)) + 50


ALPHABET = 'AB&|()"\\ 五\n.\x00' + "é"


def fuzzed(count: int, seed: int) -> tuple[int, int]:
    """Random texts and damaged right ones: how many were read, and how many refused. Nothing else comes out."""
    rng = random.Random(seed)
    read = refused = 0
    for _ in range(count):
        text = "".join(rng.choice(ALPHABET) for _ in range(rng.randrange(24)))
        if rng.random() < 0.5:
            right = "A&(B|(C&D))|E" if rng.random() < 0.5 else '(A|"x\\"y")&(B|C)'
            place = rng.randrange(len(right))
            text = right[:place] + rng.choice(ALPHABET) + right[place + rng.randrange(2) :]
        try:
            need = Need.parse(text)
        except BadInput:
            refused += 1
        else:
            assert Need.parse(need.text) == need
            read += 1
    return read, refused


def test_random_texts_are_read_or_refused() -> None:
    read, refused = fuzzed(10_000, 4)
    assert min(read, refused) > 500


@pytest.mark.long
def test_a_hundred_thousand_random_texts() -> None:
    seed = random.SystemRandom().randrange(1 << 30)
    read, refused = fuzzed(100_000, seed)
    assert min(read, refused) > 5_000
    leave("need_to_know", texts=100_000, read=read, refused=refused, seed=seed)
