"""The laws of roll-up, over generated portions: the model written from the manual, and what must hold of any roll-up.

Roll-up does not depend on order or on repetition. It is no join, though: a banner is not a portion, and rolling up
banners is not rolling up portions. Where it differs is listed here, case by case.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.labels import Element, Mark, Policies, roll_up
from casemate.labels.rules import check
from tests.labels.rollup_model import Banner, model, seen, us
from tests.laws.long import leave

POLICIES = Policies.load(["us", "nato"])
DISSEM = ["FOUO", "ORCON", "ORCON-USGOV", "IMCON", "RSEN", "PROPIN", "DSEN", "FISA"]
NONIC = ["LIMDIS", "EXDIS", "NODIS", "SBU", "SBU-NF", "LES", "LES-NF", "SSI"]
AEA = ["RD", "RD RD-SG-14", "RD RD-CNWDI", "FRD", "FRD FRD-SG-20", "TFNI", "DOD-UCNI", "DOE-UCNI"]
CODES = ["AUS", "CAN", "GBR", "NZL", "JPN", "FVEY", "ACGU", "NATO"]
RELEASES = ["", "", "NOFORN", "RELIDO", "REL", "REL", "REL RELIDO", "REL DISPLAY", "DISPLAY", "EYES", "DISPLAY RELIDO"]
OTHERS = {"NONIC": NONIC, "AEA": AEA, "SCI": ["SI", "SI SI-G", "TK"], "FGI": ["DEU", "FGI"]}
LONG = 100_000
OWNERS = ["", "", "", "", "DEU", "NATO", "CAN DEU", "CAN GBR USA", "FGI"]


def _some(tokens: list[str], most: int) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(tokens), max_size=most, unique=True)


@st.composite
def portions(draw: st.DrawFn) -> Mark:
    """Any mark of the policy, contradictory ones too: higher readings must hold for these as well."""
    level = draw(st.sampled_from(["U", "U", "C", "S", "TS"]))
    release = draw(st.sampled_from(RELEASES)).split()
    dissem = draw(_some(DISSEM, 2)) + [each for each in release if each in ("NOFORN", "RELIDO")]
    said = [f"DISSEM {' '.join(dissem)}"] if dissem else []
    for name in ("REL", "EYES", "DISPLAY"):
        if name in release:
            owner = "" if name == "DISPLAY" else "USA "
            said.append(f"{name} {owner}{' '.join(draw(st.permutations(CODES))[: draw(st.integers(1, 4))])}")
    for name, tokens in OTHERS.items():
        chosen = " ".join(draw(_some(tokens, 1)))
        if chosen and draw(st.booleans()):
            said.append(f"{name} {chosen}")
    return us(level, *said, owners=draw(st.sampled_from(OWNERS)))


documents = st.lists(portions(), min_size=1, max_size=5)


def rolled(marks: Sequence[Mark], recent: bool = False) -> Mark:
    return roll_up(POLICIES, marks, recent=recent).mark


@settings(max_examples=200)
@given(documents, st.booleans())
def test_roll_up_is_the_models(marks: list[Mark], recent: bool) -> None:
    assert seen(rolled(marks, recent)) == model(marks, recent)


@settings(max_examples=150)
@given(documents, st.randoms(use_true_random=False), st.booleans())
def test_order_and_repetition_change_nothing(marks: list[Mark], dice: object, recent: bool) -> None:
    turned = marks + marks[::2]
    dice.shuffle(turned)  # type: ignore[attr-defined]
    one, other = roll_up(POLICIES, marks, recent=recent), roll_up(POLICIES, turned, recent=recent)
    assert (one.marks, one.label) == (other.marks, other.label)


@settings(max_examples=150)
@given(documents, st.booleans())
def test_a_banner_rolls_up_to_itself(marks: list[Mark], recent: bool) -> None:
    banner = rolled(marks, recent)
    assert rolled([banner], recent) == banner


@settings(max_examples=150)
@given(documents, documents)
def test_in_parts_or_at_once(some: list[Mark], more: list[Mark]) -> None:
    """Associativity, as far as the rules allow: without a date for what is unmarked, in the meaning of what is said."""
    assert seen(rolled([rolled(some), rolled(more)])) == seen(rolled([*some, *more])) or _excepted(some, more)


def _excepted(some: list[Mark], more: list[Mark]) -> bool:
    """Parts with other owners than the whole: a banner of the United States' own names foreign sources as its own."""
    return {each.owners for each in some} != {each.owners for each in more}


RELIDO, NONE = us("C", "DISSEM RELIDO"), us("C")
IN_PARTS: dict[str, tuple[list[Mark], list[Mark], str, str]] = {
    # some, more, the release marking of the whole, and of the banners of its parts
    "row-17-forgets-the-list-that-row-12-asks-about": (
        [RELIDO, us("C", "REL USA JPN", "DISSEM RELIDO")],
        [NONE],
        "NOFORN",
        "RELIDO",
    ),
    "limdis-is-not-written-and-is-withheld": ([NONE, us("U", "NONIC LIMDIS")], [RELIDO], "NOFORN", "RELIDO"),
    "ucni-is-not-written-and-is-withheld": ([NONE, us("U", "AEA DOD-UCNI")], [RELIDO], "NOFORN", "RELIDO"),
    "fisa-makes-the-whole-caveated": ([NONE, us("U", "DISSEM FISA")], [RELIDO], "RELIDO", "NOFORN"),
}


@pytest.mark.parametrize(("some", "more", "whole", "parts"), IN_PARTS.values(), ids=IN_PARTS)
def test_where_parts_are_not_the_whole(some: list[Mark], more: list[Mark], whole: str, parts: str) -> None:
    """So a document is rolled up from its portions, never from the banners of its chapters."""
    assert seen(rolled([*some, *more], recent=True)).release == whole
    assert seen(rolled([rolled(some, recent=True), rolled(more, recent=True)], recent=True)).release == parts


def test_the_banner_is_not_monotone() -> None:
    """One more portion, and the banner says less: the label never does."""
    few, many = [us("U", "DISSEM FOUO")], [us("U", "DISSEM FOUO"), us("S")]
    assert rolled(few).of("DISSEM") == ("FOUO",)
    assert rolled(many).values == ()
    assert roll_up(POLICIES, few).label <= roll_up(POLICIES, many).label
    exclusive, none = us("S", "DISSEM NOFORN", "NONIC EXDIS"), us("S", "DISSEM NOFORN", "NONIC NODIS")
    assert rolled([exclusive, none]).of("NONIC") == ("NODIS",)
    assert roll_up(POLICIES, [exclusive]).label <= roll_up(POLICIES, [exclusive, none]).label


@settings(max_examples=150)
@given(documents, st.booleans())
def test_the_label_is_the_join_of_all_portions(marks: list[Mark], recent: bool) -> None:
    label = roll_up(POLICIES, marks, recent=recent).label
    each = [roll_up(POLICIES, [mark]).label for mark in marks]
    assert all(one <= label for one in each)
    joined = each[0]
    for one in each[1:]:
        joined |= one
    assert joined is label


GOVERNS = ("SCI", "SAR", "AEA", "FGI")


@settings(max_examples=300)
@given(documents, st.booleans())
def test_the_banner_never_lies_below_the_join(marks: list[Mark], recent: bool) -> None:
    """In level, SCI, SAR, AEA, FGI and release, with what the banner leaves unwritten and says so."""
    found = roll_up(POLICIES, marks, recent=recent)
    unwritten = {reason.control for reason in found.reasons if reason.effect == "taken"}
    join = dict(found.label.elements).get("us", POLICIES.listed["us"].bottom)
    said = dict(POLICIES.label(found.mark).elements).get("us", POLICIES.listed["us"].bottom)
    assert said.level >= join.level
    assert {(c, t) for c, t in join.restrictive if c in GOVERNS and t not in unwritten} <= said.restrictive
    if _rel(join) is not None:
        assert _rel(said) is not None
        assert _rel(said) <= _rel(join)  # type: ignore[operator]


def _rel(element: Element) -> frozenset[str] | None:
    return dict(element.permissive).get("REL")


@settings(max_examples=150)
@given(documents)
def test_every_control_of_the_banner_has_its_reason(marks: list[Mark]) -> None:
    found = roll_up(POLICIES, marks)
    put = {reason.control for reason in found.reasons if reason.effect == "put"}
    written = {
        token for name, tokens in found.mark.values for token in tokens if name not in ("REL", "EYES", "DISPLAY")
    }
    plain = {token.removesuffix("-NF") for token in put}
    assert written - {"NOFORN", "RELIDO"} <= put | plain
    assert found.mark.level in put
    release = seen(found.mark).release
    assert not release or any(set(each.split("/")) == set(release.split("+")) for each in put)
    assert all(reason.paragraph for reason in found.reasons)
    assert all(set(reason.portions) <= set(range(len(marks))) for reason in found.reasons)


def test_roll_up_is_the_models_for_10_000_documents() -> None:
    _agree(LONG // 10)


@pytest.mark.long
def test_roll_up_is_the_models_for_100_000_documents() -> None:
    found = _agree(LONG)
    leave("rollup", documents=LONG, **{kind.lower().replace("+", "_"): count for kind, count in sorted(found.items())})


def _agree(documents: int) -> Counter[str]:
    """How often each release marking came out: a model that only ever says NOFORN would prove little."""
    dice, found = random.Random(20161231), Counter[str]()
    for _ in range(documents):
        marks = [drawn(dice) for _ in range(dice.randint(1, 6))]
        recent = dice.random() < 0.5
        expected = model(marks, recent)
        assert seen(rolled(marks, recent)) == expected, marks
        found[expected.release or "none"] += 1
    assert found.keys() >= {"NOFORN", "REL", "RELIDO", "REL+RELIDO", "DISPLAY", "DISPLAY+REL", "EYES", "none"}
    assert min(found.values()) > documents // 200
    return found


def drawn(dice: random.Random) -> Mark:
    """A portion as `portions` draws them, by a seed."""
    release = dice.choice(RELEASES).split()
    dissem = [each for each in DISSEM if dice.random() < 0.05]
    dissem += [each for each in release if each in ("NOFORN", "RELIDO")]
    said = [f"DISSEM {' '.join(dissem)}"] if dissem else []
    for name, owner in {"REL": "USA ", "EYES": "USA ", "DISPLAY": ""}.items():
        if name in release:
            said.append(f"{name} {owner}{' '.join(dice.sample(CODES, dice.randint(1, 6)))}")
    for name, tokens in OTHERS.items():
        if dice.random() < 0.1:
            said.append(f"{name} {dice.choice(tokens)}")
    owners = dice.choice(OWNERS) if dice.random() < 0.2 else ""
    return us(dice.choice(["U", "U", "C", "S", "TS"]), *said, owners=owners)


def test_right_portions_roll_up_to_a_right_banner() -> None:
    """What the manual says of each control (levels, requires, excludes) holds of the banner if it holds below it."""
    dice, right = random.Random(710), list[Mark]()
    while len(right) < 1000:
        mark = drawn(dice)
        right += [mark] if not wrong(mark) else []
    banners = [rolled(dice.sample(right, dice.randint(2, 4))) for _ in range(3000)]
    assert len(set(banners)) > 500
    assert [banner for banner in banners if wrong(banner)] == []


def wrong(mark: Mark) -> bool:
    return any(finding.severity == "error" for finding in check(POLICIES.listed["us"], mark))


def test_the_model_is_not_vacuous() -> None:
    assert model([us("S", "REL USA JPN"), us("S")]) == Banner("SECRET", release="NOFORN")
