"""The referee of the ODNI: its Schematron of ISM.XML version 10 judges the ISM XML of our roll-ups.

CASEMATE_ISM_SCHEMATRON names the ODNI's ISM_XML.xsl, and saxonche runs it; neither is part of the project. The rules
are of 2013, the manual that we follow of 2016: where they differ, SETTLED says which sentence decides, and every such
rule has an example, so that a difference is never an excuse for another one.
"""

from __future__ import annotations

import os
import random
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from casemate.labels import Authority, Document, Mark, Portion, roll_up, write_document
from casemate.labels.marking import ordered
from casemate.labels.xml.ism import outside_v10, to_ism
from tests.labels.rollup_model import us
from tests.labels.test_rollup_laws import POLICIES, drawn, wrong

RULES = os.environ.get("CASEMATE_ISM_SCHEMATRON", "")
pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not Path(RULES).is_file(), reason="CASEMATE_ISM_SCHEMATRON names no file: no referee to ask"),
    pytest.mark.skipif(find_spec("saxonche") is None, reason="saxonche is not installed: nothing runs the referee"),
]
SVRL = "{http://purl.oclc.org/dsdl/svrl}"
# What the rules say of a banner over its portions; the others are about notices, dates, and the form of one mark.
ROLL_UP = frozenset(
    "00056 00058 00059 00060 00061 00062 00063 00064 00065 00066 00067 00068 00070 00071 00072 00073 00074 00075 00077"
    " 00078 00079 00080 00081 00084 00085 00086 00087 00088 00090 00104 00105 00108 00109 00110 00111 00112 00113 00116"
    " 00132 00145 00146 00147 00149 00154 00165 00228 00229 00230 00231 00298 00318 00320".split()
)
# And of the order and the compatibility of what one element says: the banner is an element.
FORM = frozenset("00026 00032 00033 00035 00041 00042 00095 00167 00168 00169 00178 00213 00319".split())
# The controls that version 10 wants in the banner if a portion bears them.
GUARDED = frozenset(
    "SI SI-G TK HCS ORCON IMCON PROPIN RSEN DSEN FISA RD RD-CNWDI RD-SG-14 FRD FRD-SG-20 TFNI DOD-UCNI DOE-UCNI"
    " LIMDIS EXDIS NODIS SBU SBU-NF LES LES-NF FOUO".split()
)
LEVELS = ["UNCLASSIFIED", "CONFIDENTIAL", "SECRET", "TOP SECRET"]
DOCUMENTS = 50


@cache
def _referee() -> tuple[Any, Any]:
    processor = import_module("saxonche").PySaxonProcessor(license=False)
    return processor, processor.new_xslt30_processor().compile_stylesheet(stylesheet_file=RULES)


def verdict(banner: Mark, portions: Sequence[Mark], compilation: str = "") -> set[str]:
    """The numbers of the rules that a document with this banner breaks."""
    aea = {"RD", "FRD", "TFNI"} & _aea(banner)
    end = {"exception": "AEA"} if aea else {"date": "2037-06-01"}
    authority = Authority(derivatively_classified_by="J. Doe", derived_from="A guide", **end)
    parts = tuple(Portion(mark, "Words.") for mark in portions)
    block = None if banner.level == "UNCLASSIFIED" else authority
    document = write_document(Document(banner, parts, "2012-06-01", block, compilation))
    processor, rules = _referee()
    said = rules.transform_to_string(xdm_node=processor.parse_xml(xml_text=document))
    found = set[str]()
    for failed in ET.fromstring(said).iter(f"{SVRL}failed-assert"):
        number = re.search(r"\[ISM-ID-(\d{5})\]", "".join(failed.itertext()))
        assert number is not None
        found.add(number.group(1))
    return found & (ROLL_UP | FORM)


# --- the referee itself

CASES: dict[str, tuple[Mark, list[Mark], str]] = {
    "right": (us("S", "REL USA GBR"), [us("S", "REL USA CAN GBR"), us("S", "REL USA GBR NZL")], ""),
    "a group is its members": (
        us("S", "REL USA AUS GBR"),
        [us("S", "REL USA FVEY"), us("S", "REL USA AUS GBR JPN")],
        "",
    ),
    "top secret in secret": (us("S"), [us("S"), us("TS")], "00059"),
    "SI is not in the banner": (us("S"), [us("S", "SCI SI")], "00060"),
    "NOFORN is not in the banner": (us("S"), [us("S", "DISSEM NOFORN")], "00070"),
    "unmarked under REL": (us("S", "REL USA GBR"), [us("S", "REL USA GBR"), us("S")], "00088"),
    "wider than a portion": (us("S", "REL USA CAN GBR"), [us("S", "REL USA CAN GBR"), us("S", "REL USA GBR")], "00318"),
    "narrower than all": (us("S", "REL USA GBR"), [us("S", "REL USA CAN GBR")], "00318"),
}


@pytest.mark.parametrize(("banner", "portions", "rule"), CASES.values(), ids=CASES)
def test_the_referee_referees(banner: Mark, portions: list[Mark], rule: str) -> None:
    found = verdict(banner, portions)
    assert rule in found if rule else not found


# --- where the manual of 2016 decides otherwise


def _bears(portions: Sequence[Mark], *tokens: str) -> bool:
    return any(not set(tokens).isdisjoint(held) for mark in portions for _, held in mark.values)


def _beside_fouo(banner: Mark, portions: Sequence[Mark]) -> bool:
    return bool(set(banner.of("DISSEM")) - {"NOFORN", "RELIDO", "FOUO"}) or bool(banner.of("NONIC"))


def _open_and_unmarked(mark: Mark) -> bool:
    release = mark.of("REL") + mark.of("EYES") + mark.of("DISPLAY")
    return mark.level == "UNCLASSIFIED" and not release and not {"NOFORN", "RELIDO"} & set(mark.of("DISSEM"))


def _without_relido(mark: Mark) -> bool:
    return mark.level != "UNCLASSIFIED" and "RELIDO" not in mark.of("DISSEM")


def _aea(banner: Mark) -> set[str]:
    """RD, FRD, TFNI, whatever stands under them."""
    return {token.split("-")[0] for token in banner.of("AEA")}


Settled = Callable[[Mark, Sequence[Mark]], bool]
SETTLED: dict[str, Settled] = {
    # H.8 FOUO, p. 134: not in the banner beside another dissemination control, unless that is about release.
    "00066": _beside_fouo,
    # H.6 RD, p. 104, and FRD, p. 111: RD takes the place of FRD, and its SIGMA is written under RD (pp. 109, 113).
    "00075": lambda banner, _: "RD" in _aea(banner),
    "00077": lambda banner, _: "RD" in _aea(banner),
    "00231": lambda banner, portions: any("FRD" in _aea(each) for each in portions),
    # H.6 TFNI, p. 120: RD and FRD take its place.
    "00298": lambda banner, _: bool({"RD", "FRD"} & _aea(banner)),
    # H.9 LIMDIS, p. 170: never in a classified banner.
    "00084": lambda banner, _: banner.level != "UNCLASSIFIED",
    # H.9 EXDIS, p. 172, and NODIS, p. 174: they take the place of SBU and SBU NOFORN.
    "00105": lambda banner, _: bool({"EXDIS", "NODIS"} & set(banner.of("NONIC"))),
    # Table 3, rows 3 to 8: the whole is NOFORN, and what said it in itself is written without it.
    "00104": lambda banner, _: "NOFORN" in banner.of("DISSEM"),
    "00149": lambda banner, _: "NOFORN" in banner.of("DISSEM"),
    # Table 3, row 17: RELIDO stays over unmarked portions of 28 June 2010 or later.
    "00132": lambda _, portions: any(map(_without_relido, portions)),
    # H.3, p. 56: the United States have no level RESTRICTED.
    "00110": lambda _, portions: any(each.level == "RESTRICTED" for each in portions),
    # H.1, p. 53: what is unclassified and bears no release marking never counts. The rules mean it too; their function
    # goes on to the lists of REL TO alone after such a portion, and Table 3, row 26, counts those of DISPLAY ONLY.
    "00320": lambda banner, portions: bool(banner.of("DISPLAY")) and any(map(_open_and_unmarked, portions)),
}
DIFFERENCES: dict[str, tuple[str, list[Mark], Mark]] = {
    "FOUO beside PROPIN": ("00066", [us("U", "DISSEM FOUO"), us("U", "DISSEM PROPIN")], us("U", "DISSEM PROPIN")),
    "FRD beside RD": ("00075", [us("S", "AEA RD"), us("S", "AEA FRD")], us("S", "AEA RD")),
    "the SIGMA of FRD beside RD": ("00077", [us("S", "AEA RD"), us("S", "AEA FRD-SG-20")], us("S", "AEA RD RD-SG-20")),
    "and under RD": ("00231", [us("S", "AEA RD"), us("S", "AEA FRD-SG-20")], us("S", "AEA RD RD-SG-20")),
    "TFNI beside FRD": ("00298", [us("S", "AEA FRD"), us("S", "AEA TFNI")], us("S", "AEA FRD")),
    "LIMDIS in a classified document": ("00084", [us("S"), us("U", "NONIC LIMDIS")], us("S")),
    "SBU beside EXDIS": (
        "00105",
        [us("U", "NONIC SBU"), us("U", "DISSEM NOFORN", "NONIC EXDIS")],
        us("U", "DISSEM NOFORN", "NONIC EXDIS"),
    ),
    "SBU-NF beside NOFORN": (
        "00104",
        [us("U", "NONIC SBU-NF"), us("U", "DISSEM NOFORN")],
        us("U", "DISSEM NOFORN", "NONIC SBU"),
    ),
    "LES-NF beside NOFORN": (
        "00149",
        [us("U", "NONIC LES-NF"), us("U", "DISSEM NOFORN")],
        us("U", "DISSEM NOFORN", "NONIC LES"),
    ),
    "RELIDO over unmarked portions": ("00132", [us("S", "DISSEM RELIDO"), us("S")], us("S", "DISSEM RELIDO")),
    "another's RESTRICTED": (
        "00110",
        [us("U", "DISSEM NOFORN"), us("U", "DISSEM NOFORN"), Mark("us", "RESTRICTED", (), ("DEU",))],
        us("C", "FGI DEU", "DISSEM NOFORN"),
    ),
    "DISPLAY ONLY over an unmarked open portion": (
        "00320",
        [us("S", "REL USA AUS"), us("U"), us("S", "DISPLAY AUS")],
        us("S", "DISPLAY AUS"),
    ),
}


@pytest.mark.parametrize(("rule", "portions", "banner"), DIFFERENCES.values(), ids=DIFFERENCES)
def test_where_the_manual_decides(rule: str, portions: list[Mark], banner: Mark) -> None:
    """The referee does object, and the banner is the manual's all the same."""
    rolled = roll_up(POLICIES, portions, recent=True).mark
    assert rolled == banner
    assert rule in verdict(rolled, portions)
    assert _open(rolled, portions) == set()


def test_every_difference_has_an_example() -> None:
    assert {rule for rule, _, _ in DIFFERENCES.values()} == SETTLED.keys()


def _open(banner: Mark, portions: Sequence[Mark], compilation: str = "") -> set[str]:
    """The rules that it breaks and that no sentence of the manual of 2016 settles."""
    unsettled = set[str]()
    for rule in verdict(banner, portions, compilation):
        if rule not in SETTLED or not SETTLED[rule](banner, portions):
            unsettled.add(rule)
    return unsettled


# --- generated documents


def _documents() -> Iterator[tuple[list[Mark], bool]]:
    """Portions that are right by the manual and can be said in version 10. Its rules hold that a group whose members
    they do not know may be anybody; here every list names countries, or groups that everybody knows."""
    dice = random.Random(20130222)
    for _ in range(DOCUMENTS):
        portions = list[Mark]()
        while len(portions) < dice.randint(1, 6):
            mark = ordered(POLICIES.listed["us"], drawn(dice))
            unknown = _bears([mark], "NATO") or outside_v10(to_ism(mark))
            portions += [] if wrong(mark) or unknown else [mark]
        yield portions, dice.random() < 0.5


def test_our_roll_ups_stand() -> None:
    for portions, recent in _documents():
        rolled = roll_up(POLICIES, portions, recent=recent).mark
        assert _open(rolled, portions) == set(), (portions, rolled)


def test_a_wrong_banner_falls() -> None:
    """A control less, a country more, a level down or up: each breaks a rule that the right banner did not."""
    tried = 0
    for portions, recent in _documents():
        rolled = roll_up(POLICIES, portions, recent=recent).mark
        before = verdict(rolled, portions)
        for worse in _worse(rolled, portions):
            tried += 1
            assert verdict(worse, portions) - before, (portions, rolled, worse)
    assert tried > 2 * DOCUMENTS


def test_a_reason_of_compilation_excuses_a_higher_level() -> None:
    for portions, recent in _documents():
        rolled = roll_up(POLICIES, portions, recent=recent).mark
        if rolled.level in LEVELS[1:3] and not rolled.owners:
            stated = [replace(rolled, level="TOP SECRET")]
            why = "Together they show more."
            above = roll_up(POLICIES, portions, stated=stated, compilation=why, recent=recent).mark
            assert above.level == "TOP SECRET"
            assert _open(above, portions, why) == set(), (portions, above)
            assert "00108" in verdict(above, portions)


def _worse(banner: Mark, portions: Sequence[Mark]) -> Iterator[Mark]:
    if "USA" not in (banner.owners or ("USA",)):
        return  # the rules are about the United States' own documents
    for category, tokens in banner.values:
        for token in tokens:
            under = any(other.startswith(f"{token}-") for other in tokens)
            noforn = token == "NOFORN" and any("NOFORN" in each.of("DISSEM") for each in portions)
            if noforn or (token in GUARDED and not under and _bears(portions, token)):
                yield _with(banner, category, tuple(other for other in tokens if other != token))
    if "NOFORN" in banner.of("DISSEM") and any(_shut(each) for each in portions):
        yield from (_released(banner, each.of("REL")) for each in portions if each.of("REL"))
    if rel := banner.of("REL"):
        yield ordered(POLICIES.listed["us"], _with(banner, "REL", (*rel, "FRA")))
    here = LEVELS.index(banner.level)
    yield from (replace(banner, level=LEVELS[at]) for at in (here - 1, here + 1) if 0 <= at < len(LEVELS))


def _shut(portion: Mark) -> bool:
    """Whether, by the rules too, it keeps a list of REL TO out of the banner."""
    marked = (
        portion.of("DISPLAY")
        or {"NOFORN", "RELIDO"} & set(portion.of("DISSEM"))
        or _bears([portion], "LES-NF", "SBU-NF")
    )
    return not (portion.of("REL") or portion.of("EYES")) and (portion.level != "UNCLASSIFIED" or bool(marked))


def _released(banner: Mark, listed: tuple[str, ...]) -> Mark:
    """NOFORN taken back, for the countries of one portion."""
    dissem = tuple(token for token in banner.of("DISSEM") if token != "NOFORN")
    values = (*((name, dissem if name == "DISSEM" else held) for name, held in banner.values), ("REL", listed))
    return ordered(POLICIES.listed["us"], replace(banner, values=values))


def _with(mark: Mark, category: str, tokens: tuple[str, ...]) -> Mark:
    values = ((name, tokens if name == category else held) for name, held in mark.values)
    return replace(mark, values=tuple((name, held) for name, held in values if held))
