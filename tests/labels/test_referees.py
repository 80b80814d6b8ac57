"""Referees that we did not write: ODNI's ISM vectors, table 17 of ADatP-4774, and the manual itself.

What of them lies outside our policies is counted and named, so that coverage is a figure and not a feeling.
"""

from __future__ import annotations

import os
import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from casemate.labels import Label, Policies, make_label, rollup
from casemate.labels.grammar import Grammar
from tests.labels.worlds import ALL, US

HERE = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("CASEMATE_TEST_DATA", HERE.parent / "shared" / "data")) / "labels"
pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not DATA.is_dir(), reason="CASEMATE_TEST_DATA holds no labels: no referee to ask"),
]
ISM = "{urn:us:gov:ic:ism}"
NATO = "{urn:nato:stanag:4774:confidentialitymetadatalabel:1:0}"
RANKS = {"U": "UNCLASSIFIED", "R": "RESTRICTED", "C": "CONFIDENTIAL", "S": "SECRET", "TS": "TOP SECRET"}
DISSEM = {"FOUO": "FOUO", "OC": "ORCON", "PR": "PROPIN"}
READ = {"classification", "ownerProducer", "SCIcontrols", "disseminationControls", "releasableTo", "nonUSControls"}
BLOCK = {"classifiedBy", "classificationReason", "declassException", "derivativelyClassifiedBy", "derivedFrom"}
BLOCK |= {"declassDate"}  # the authority block is no part of a label
SITE = 'extends="us"\ntokens.SCI=["SI-G-ABCD", "SI-G-ACDE"]'


def _vectors() -> Iterator[tuple[dict[str, str], str, str]]:
    for test in ET.parse(DATA / "ism-v10" / "testConfig.xml").getroot().findall("test"):
        sample = test.find("sampleAttributes")
        assert sample is not None
        attributes = {name.removeprefix(ISM): value for name, value in sample.attrib.items()}
        yield attributes, test.findtext("banner", ""), test.findtext("portion", "").strip()


def _label(attributes: dict[str, str]) -> Label | None:
    """The label of ISM attributes; None where they say what our policies do not cover."""
    owner, level = attributes["ownerProducer"], RANKS[attributes["classification"]]
    dissem = set(attributes.get("disseminationControls", "").split())
    categories: dict[str, frozenset[str]] = {}
    if attributes.keys() - READ - BLOCK or owner not in {"USA", "NATO"}:
        return None
    if owner == "NATO":
        level = f"NATO {level}" if level != "TOP SECRET" else "COSMIC TOP SECRET"
        categories["SAP"] = frozenset(attributes.get("nonUSControls", "").split())
    else:
        categories["SCI"] = frozenset(attributes.get("SCIcontrols", "").split())
        categories["DISSEM"] = frozenset(DISSEM.get(each, each) for each in dissem - {"NF", "REL"})
        released = {"USA"} if "NF" in dissem else set(attributes.get("releasableTo", "").split())
        categories["REL"] = frozenset(released)
    if owner == "NATO" and dissem:
        return None
    name = "us" if owner == "USA" else "nato"
    grammar = Grammar((US if name == "us" else ALL).listed[name])
    element = grammar.canonical(level, {category: tokens for category, tokens in categories.items() if tokens})
    return None if element is None else make_label({name: element})


def _projected(banner: str, attributes: dict[str, str], mark: str) -> str:
    """What we write instead, in the two ways that docs/markings.md states.

    A classified portion that says nothing of release is released to nobody, and says so; and NATO's own marks do not
    open with the slashes that a document of the United States puts before them.
    """
    silent = not {"NF", "REL"} & set(attributes.get("disseminationControls", "").split())
    if attributes["ownerProducer"] == "NATO":
        return banner.removeprefix("//")
    if silent and attributes["classification"] != "U":
        return f"{banner}/{mark}" if attributes.get("disseminationControls") else f"{banner}//{mark}"
    return banner


def test_the_vectors_of_ism(record_property: pytest.RecordProperty) -> None:
    counts: Counter[str] = Counter()
    for attributes, banner, portion in _vectors():
        label = _label(attributes)
        if label is None:
            counts["not covered"] += 1
            continue
        written = [ALL.banner(label) if label.elements else "UNCLASSIFIED", US.portion(label)[1:-1]]
        if attributes["ownerProducer"] == "NATO":
            written[1] = ALL.portion(label)[1:-1] if label.elements else "NU"
            written[0] = ALL.banner(label) if label.elements else "NATO UNCLASSIFIED"
        elif label.elements:
            written[0] = US.banner(label)
        assert written[0] == _projected(banner, attributes, "NOFORN"), attributes
        assert written[1] == _projected(portion[1:-1], attributes, "NF"), attributes
        counts["identical" if written == [banner, portion[1:-1]] else "identical but for a stated projection"] += 1
        readings = Policies.load(["us", "nato"], [SITE]).read_banner(banner)
        assert [each.problem for each in readings] == [None]
        assert label in [each.label for each in readings]
    for kind, count in counts.items():
        record_property(kind, count)
    assert counts == {"identical": 3, "identical but for a stated projection": 27, "not covered": 27}


def test_table_17_of_adatp_4774() -> None:
    nato = Policies.load(["nato"])
    grammar = Grammar(nato.listed["nato"])
    expected = {
        "17-1": (
            "NATO UNCLASSIFIED Releasable to ISAF, KFOR, RESOLUTE SUPPORT",
            "NATO SANS CLASSIFICATION Communicable a ISAF, KFOR, RESOLUTE SUPPORT",
        ),
        "17-2": ("NATO UNCLASSIFIED", "NATO SANS CLASSIFICATION"),
        "17-4": (
            "NATO RESTRICTED Releasable to Japan, Switzerland, Ukraine",
            "NATO DIFFUSION RESTREINTE Communicable a Japon, Suisse, Ukraine",
        ),
    }
    for example, (english, french) in expected.items():
        root = ET.parse(DATA / "spiffing" / f"nato-4774-{example}.nato").getroot()
        level = f"NATO {root.findtext(f'.//{NATO}Classification')}"
        released = frozenset(
            str(value.text).replace(" ", "-")
            for category in root.iter(f"{NATO}Category")
            if category.get("TagName") == "Releasable To"
            for value in category.iter(f"{NATO}GenericValue")
        )
        element = grammar.canonical(level, {"REL": released} if released else {})
        assert element is not None
        label = make_label({"nato": element})
        assert (nato.banner(label), nato.banner(label, "fr")) == (english, french)
        for text in (english, french):
            assert [each.label for each in nato.read_banner(text) if not each.problem] == [label]


def test_what_of_table_17_is_not_covered_is_not_misread() -> None:
    for line in ("NATO UNCLASSIFIED - STAFF", "NATO/KFOR CONFIDENTIAL Ireland, Sweden, Ukraine, NATO ONLY"):
        assert [each for each in ALL.read_banner(line) if not each.problem] == []


def test_every_code_of_rel_to_is_the_vocabulary_of_ism() -> None:
    values = ET.parse(DATA / "ism-v10" / "CVEnumISMRelTo.xml").getroot().iter("{urn:us:gov:ic:cve}Value")
    assert {value.text for value in values} == set(US.listed["us"].by_name["REL"].tokens)


def _manual() -> str:
    return (DATA / "capco-2016" / "CAPCO-2016.txt").read_text("utf-8", "replace")


def test_portion_marks_of_the_manual_are_read_and_written_back() -> None:
    """Every portion mark of the manual, examples for training included."""
    counts: Counter[str] = Counter()
    for line in _manual().splitlines():
        readings, _ = US.read_portion(line)
        for each in readings:
            counts["right" if each.problem is None else "problem"] += 1
            if each.problem is None and each.label.elements:
                counts["right with controls"] += 1
                text = each.text.replace("AUS, CAN, GBR, NZL", "FVEY")
                silent = not re.search(r"\b(NF|REL TO)\b", text) and not text.startswith("U")
                again = US.portion(each.label)[1:-1]
                assert again == (text + ("/NF" if "//OC" in text else "//NF") if silent else text), each
    assert counts["right"] > 1300
    assert counts["right with controls"] > 60
    assert counts["problem"] < 130


def test_banners_of_the_manual_are_read() -> None:
    readings = [US.read_banner(line) for line in _manual().splitlines()]
    right = [each for found in readings for each in found if each.problem is None]
    assert sum(each.text == "UNCLASSIFIED//FOUO" for each in right) > 350
    texts = {each.text for each in right}
    assert {"SECRET//NOFORN", "TOP SECRET//SI-G//ORCON/NOFORN", "SECRET//REL TO USA, NZL"} <= texts
    assert "TOP SECRET//TK-BLFH//NOFORN" in texts


@pytest.mark.parametrize(
    ("row", "portions", "banner"),
    [
        (1, ["S//NF", "C"], "SECRET//NOFORN"),
        (2, ["TS//NF", "S//REL TO USA, JPN"], "TOP SECRET//NOFORN"),
        (9, ["S//REL TO USA, FVEY", "C//REL TO USA, ISAF"], "SECRET//NOFORN"),
        (16, ["S//REL TO USA, FVEY", "C"], "SECRET//NOFORN"),
        (21, ["S//REL TO USA, JPN, NZL", "S//REL TO USA, NZL"], "SECRET//REL TO USA, NZL"),
        (23, ["S//REL TO USA, ACGU", "S//REL TO USA, GBR, JPN"], "SECRET//REL TO USA, GBR"),
        (23, ["S//REL TO USA, FVEY", "S//REL TO USA, ACGU"], "SECRET//REL TO USA, ACGU"),
        (0, ["U", "U//REL TO USA, FVEY"], "UNCLASSIFIED//REL TO USA, FVEY"),
        (0, ["U//FOUO/REL TO USA, JPN", "S//REL TO USA, JPN"], "SECRET//REL TO USA, JPN"),
        (0, ["U//FOUO", "S//NF"], "SECRET//NOFORN"),
        (0, ["U//FOUO", "U//PR"], "UNCLASSIFIED//PROPIN"),
        (0, ["U//FOUO", "U"], "UNCLASSIFIED//FOUO"),
        (0, ["TS//SI//NF", "S//TK//NF", "U"], "TOP SECRET//SI/TK//NOFORN"),
    ],
)
def test_roll_up_of_table_3(row: int, portions: list[str], banner: str) -> None:
    """The rows of D.2 table 3 that our controls reach (row 0: the manual's examples and marking templates)."""
    whole = rollup((US.parse(f"us:{portion}") for portion in portions), US.bottom())
    assert US.banner(whole) == banner, f"row {row}"
