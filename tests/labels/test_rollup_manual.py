"""The manual as its own referee: its notional pages, and the manual itself, which is portion-marked throughout.

Every page of section H shows a banner and the portions under it. Where the roll-up differs, the page is listed here
with the reason: nothing is left out by not being found.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from casemate.labels import Mark, Policies, roll_up
from casemate.labels.vocabulary import Form
from tests.labels.rollup_model import us

HERE = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("CASEMATE_TEST_DATA", HERE.parent / "shared" / "data")) / "labels"
MANUAL = DATA / "capco-2016" / "CAPCO-2016.txt"
pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not MANUAL.is_file(), reason="CASEMATE_TEST_DATA holds no manual: no referee to ask"),
]
POLICIES = Policies.load(["us"])
_PAGE = re.compile(r"\s*\(U\) Notional Example Page")
_BANNER = re.compile(r"(?://)?(?:JOINT |TOP |SECRET|CONFIDENTIAL|UNCLASSIFIED)[A-Z0-9 /,-]*")
_PORTION = re.compile(r"\((/?/?[A-Z][^()a-z]*)\)\s+(This .*)")
_FOOT = re.compile(r"\s+(\d{1,3})")


def mark(text: str, form: Form) -> Mark:
    if text in BY_HAND:
        return BY_HAND[text]
    (parsed, *_) = POLICIES.parse_mark(text, form)
    return parsed.mark


def pages() -> Iterator[tuple[str, str, list[str]]]:
    """(page number and order on it, banner, portion marks) of every notional page."""
    banner, portions, found, order = "", list[str](), list[tuple[str, list[str]]](), 0
    inside = False
    for line in MANUAL.read_text("utf-8").splitlines():
        text = line.strip()
        if _PAGE.match(line):
            inside, banner, portions = True, "", []
        elif inside and (opened := _PORTION.match(text)):
            portions.append(opened[1])
        elif inside and _BANNER.fullmatch(text) and text != "UNCLASSIFIED//FOUO":
            if banner and portions:
                found.append((banner, portions))
                inside = False
            banner = banner or text
        elif (foot := _FOOT.fullmatch(line)) is not None:
            for order, (above, under) in enumerate(found, 1):
                yield f"p{foot[1]}-{order}", above, under
            found = []


PAGES = list(pages()) if MANUAL.is_file() else []

# Where the manual's page is not what its own rules give, and a mark whose vocabulary (appendix B) is not at hand. H.3,
# p. 57 asks for FGI of all co-owners: page 59 leaves GBR out. It expands ISAF by leave of the originator, which no mark
# says.
DIFFERENT = {"p59-2": "SECRET//FGI GBR ISAF NATO//NOFORN"}
BY_HAND = {"//NIS//REL TO USA, ISAF, NATO": us("S", "REL USA ISAF NATO", owners="ISAF NATO")}


def test_the_pages_are_all_found() -> None:
    assert len(PAGES) == MANUAL.read_text("utf-8").count("(U) Notional Example Page") == 100


@pytest.mark.parametrize(("name", "banner", "portions"), [pytest.param(*page, id=page[0]) for page in PAGES])
def test_a_notional_page_rolls_up_to_its_banner(name: str, banner: str, portions: list[str]) -> None:
    stated = mark(banner, "full")
    rolled = roll_up(POLICIES, [mark(portion, "portion") for portion in portions], stated=[stated])
    expected = DIFFERENT.get(name, banner)
    assert POLICIES.render(rolled.mark) == POLICIES.render(mark(expected, "full"))
    if name not in DIFFERENT:
        assert [reason for reason in rolled.reasons if reason.effect in ("unfounded", "missing")] == []


def test_a_group_is_expanded_where_its_originator_gives_its_members() -> None:
    """H.3, example 4: the originating agency has authorised ISAF to be expanded."""
    (_, banner, portions) = next(page for page in PAGES if page[0] == "p59-2")
    policy = POLICIES.listed["us"]
    rel = policy.by_name["REL"]
    expand = {**rel.expand, "ISAF": frozenset({"USA", "GBR"})}
    known = tuple(replace(each, expand=expand) if each is rel else each for each in policy.categories)
    site = Policies([replace(policy, categories=known)])
    rolled = roll_up(site, [mark(each, "portion") for each in portions], stated=[mark(banner, "full")])
    assert site.render(rolled.mark) == "SECRET//FGI GBR ISAF NATO//REL TO USA, GBR"
    assert [(each.effect, each.control) for each in rolled.reasons if each.rule == "stated"] == [("missing", "GBR")]


def test_the_manual_rolls_up_to_its_own_banner() -> None:
    """UNCLASSIFIED//FOUO stands at the head and foot of every page; its portions are (U) and (U//FOUO)."""
    lines = MANUAL.read_text("utf-8").splitlines()
    opened = [re.match(r"\W{0,8}\(([A-Z][A-Z/]*)\)\s+(.*)", line) for line in lines]
    marks = []
    for at, match in enumerate(opened):
        said = " ".join([match[2], *lines[at + 1 : at + 3]]) if match else ""
        if match and not re.match(r"This (is the|portion)", said):
            marks += [parsed.mark for parsed in POLICIES.parse_mark(match[1], "portion") if parsed.right]
    rolled = roll_up(POLICIES, marks)
    heads = [line.strip() for line in lines if line.strip() == "UNCLASSIFIED//FOUO"]
    assert len(marks) > 1000
    assert len(heads) > 200
    assert {POLICIES.render(rolled.mark, "en")} == set(heads)
