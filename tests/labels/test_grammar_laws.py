"""Laws of the grammar: what is written is read again, any text is read or refused, and in linear work."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.errors import MarkingError
from casemate.labels import PACKAGED, Element, Mark, Policies
from casemate.labels.grammar import Grammar
from casemate.labels.marking import ordered, render
from casemate.labels.projection import Projection, mark_of
from casemate.labels.rules import breaches, higher
from casemate.labels.vocabulary import Form
from tests.labels.worlds import ALL, MARKS, elements
from tests.laws.long import leave

US = Policies.load(["us"], ['extends = "us"\ntokens.SAR = ["BP", "BP-J12"]\ntokens.SCI = ["SI-G-ABCD"]']).listed["us"]
GRAMMARS = {name: Grammar(policy) for name, policy in ALL.listed.items()}
OTHERS = {
    "SCI": ["SI-ABC", "SI-G-EFGH", "TK-IDIT-X1", "HCS-P-JJJ", "RSV-123", "XNB", "XNB-ABC-DEF1"],
    "SAR": ["BUTTER_POPCORN", "BUTTER_POPCORN-123", "CA-XYZ-YYY", "SDA"],
    "NONIC": ["ACCM-TEA_LEAF", "ACCM-FICTICIOUS_EFFORT"],
}
LISTS = {"REL": ["AUS", "CAN", "GBR", "NATO", "FVEY"], "EYES": ["AUS", "GBR"], "DISPLAY": ["AFG", "IRQ", "NATO"]}
OWNERS: list[tuple[str, ...]] = [(), ("DEU",), ("CAN", "DEU"), ("NATO",), ("FGI",), ("CAN", "GBR", "USA")]
SAID_OF_THE_WHOLE = {"level", "requires", "excludes", "undeclared", "legacy"}


@st.composite
def marks(draw: st.DrawFn) -> Mark:
    """Any mark of the United States, declared and undeclared names included, right or not."""
    owners = draw(st.sampled_from(OWNERS))
    levels = ["UNCLASSIFIED", "CONFIDENTIAL", "SECRET", "TOP SECRET", *(["RESTRICTED"] if owners else [])]
    values: dict[str, list[str]] = {}
    for category in US.categories:
        if category.name in LISTS:
            chosen = draw(st.lists(st.sampled_from(LISTS[category.name]), max_size=3, unique=True))
            if chosen:
                first = [category.first] if category.listing and category.listing.owner_first else []
                values[category.name] = [*first, *chosen]
            continue
        names = [*category.tokens, *OTHERS.get(category.name, ())]
        if category.name == "FGI":
            names = draw(st.sampled_from([["FGI"], ["DEU", "GBR", "NATO"]]))
        chosen = draw(st.lists(st.sampled_from(names), max_size=3, unique=True))
        closed = [each for token in chosen for each in category.closure(token)]
        if closed and draw(st.booleans()):
            values[category.name] = closed
    level = draw(st.sampled_from(levels))
    settled = higher(US, values, breaches(US, level, values, owners))
    said = tuple((name, tuple(tokens)) for name, tokens in settled.items())
    return ordered(US, Mark("us", level, said, owners))


@settings(max_examples=600, deadline=None)
@given(marks(), st.sampled_from(["en", "fr", "portion"]))
def test_what_is_written_of_the_united_states_is_read_again(mark: Mark, form: str) -> None:
    text = render(US, mark, form)
    parsed = Grammar(US).parse(text, "portion" if form == "portion" else "full")
    assert parsed is not None, text
    found = breaches(US, mark.level, {name: list(tokens) for name, tokens in mark.values}, mark.owners)
    again = higher(US, {name: list(tokens) for name, tokens in mark.values}, found)
    said = tuple((name, tuple(tokens)) for name, tokens in again.items())
    assert parsed.mark == ordered(US, Mark("us", mark.level, said, mark.owners)), text
    assert {each.rule for each in parsed.findings} <= SAID_OF_THE_WHOLE, text
    assert Grammar(US).parse(text, "any") is not None


@pytest.mark.parametrize("name", sorted(ALL.listed))
def test_what_is_written_of_a_policy_is_read_again(name: str) -> None:
    policy, projection = ALL.listed[name], Projection(ALL.listed)

    @settings(max_examples=150, deadline=None)
    @given(elements(policy))
    def law(element: Element) -> None:
        mark = mark_of(policy, element)
        for form in ("en", "fr", "portion"):
            try:
                text = render(policy, mark, form)
            except MarkingError:
                continue  # what no marking says: two contexts at once
            read: Form = "portion" if form == "portion" else "full"
            parsed = GRAMMARS[name].parse(text, read)
            assert parsed is not None, text
            if not parsed.right:
                continue  # a label may join what no mark may: what the source forbids is found
            values = {name: list(tokens) for name, tokens in mark.values}
            settled = higher(policy, values, breaches(policy, mark.level, values, mark.owners))
            said = tuple((name, tuple(tokens)) for name, tokens in settled.items())
            if (meant := ordered(policy, Mark(policy.name, mark.level, said, mark.owners))) != mark:
                assert parsed.mark == meant, text  # a label may lack what its mark asks for: it is read higher
                continue
            assert parsed.mark == mark, text
            again, _ = projection.understood(parsed.mark)
            own = again.get(name, policy.bottom)
            assert own.level == element.level
            grouped = any(token in c.expand for c in policy.categories for token in mark.of(c.name))
            assert grouped or mark_of(policy, own) == mark  # a group is read as its members

    law()


PIECES = [
    *(each for marks in MARKS.values() for each in marks), *PACKAGED, "//", "/", " ", ", ", "-", "(", " + ", ":",
    "=", "NF", "S", "TS", "//JOINT S ", "//DEU ", "SAR-", "EYES ONLY", "USA/GBR", "DISPLAY ONLY ", "FGI ", "SI-G",
    "RD-", "SIGMA 14",
    "\u200b", "É", "е", "\ud800", "\x00", "\n", "\u202e", "USA", "FVEY", "REL TO USA, ", "Releasable to ", "ONLY",
    "x" * 50,
]  # fmt: skip
FORMS: list[Form] = ["full", "portion", "any"]


def _random(count: int) -> int:
    """Read so many random strings in every form and policy; the most look-ups that one took, per character."""
    seed = random.SystemRandom().randrange(1 << 30)
    print(f"\nmarkings: {count} random strings from seed {seed}")
    source = random.Random(seed)
    most = 0
    for _ in range(count):
        text = "".join(source.choices(PIECES, k=source.randint(1, 7)))
        form = source.choice(FORMS)
        for parsed in ALL.parse_mark(text, form):
            assert all(0 <= each.start <= each.end <= len(text) for each in parsed.findings), (text, parsed.findings)
            ALL.render(parsed.mark, "portion" if form == "portion" else "en")
            _label(parsed.mark)
        for grammar in GRAMMARS.values():
            steps = grammar.counted(text, form, guess=True)[1]
            assert steps <= len(text) + 2, text
            most = max(most, steps)
        _parsed(text)
    return most


def _label(mark: Mark) -> None:
    with suppress(MarkingError):
        assert ALL.label(mark).text


def _parsed(text: str) -> None:
    with suppress(MarkingError):
        assert ALL.parse(text).text


def test_any_string_is_read_or_refused() -> None:
    assert _random(10_000) > 0


@pytest.mark.long
def test_a_hundred_thousand_strings_are_read_or_refused() -> None:
    most = _random(100_000)
    leave("markings_random", strings=100_000, most_lookups=most)


@pytest.mark.parametrize(
    "piece",
    ["/", "//", " ", "-", "A", "A ", "A-", "USA, ", "SI/", "SI-G ", "USA/", "//SECRET", "EYES ONLY/", "é", "\u202e"],
)
def test_the_work_is_linear_in_the_text(piece: str) -> None:
    """Ten times the text takes at most ten times the look-ups, and some, whatever it repeats."""
    for head in ("SECRET//", "//", "SECRET ", "TOP SECRET//SAR-", "SECRET//REL TO "):
        counts = [
            sum(grammar.counted(head + piece * times, "full", guess=True)[1] for grammar in GRAMMARS.values())
            for times in (100, 1000)
        ]
        assert counts[1] <= 10 * counts[0] + 20
        assert counts[1] <= (len(head) + 1000 * len(piece)) * len(GRAMMARS)
