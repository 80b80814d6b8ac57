"""Referees that we did not write: ODNI's ISM vectors, and the manual itself. spiffing has a file of its own."""

from __future__ import annotations

import os
import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from casemate.labels import Policies, rollup
from casemate.labels.xml.authority import authority_of, block
from casemate.labels.xml.ism import AUTHORITY, from_ism, outside_v10, to_ism
from tests.labels.worlds import US

HERE = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("CASEMATE_TEST_DATA", HERE.parent / "shared" / "data")) / "labels"
pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not DATA.is_dir(), reason="CASEMATE_TEST_DATA holds no labels: no referee to ask"),
]
ISM = "{urn:us:gov:ic:ism}"
BOTH = Policies.load(["us", "nato"])  # a US document may hold NATO's portions


def _vectors() -> Iterator[tuple[dict[str, str], ET.Element]]:
    for test in ET.parse(DATA / "ism-v10" / "testConfig.xml").getroot().findall("test"):
        sample = test.find("sampleAttributes")
        assert sample is not None
        yield {name.removeprefix(ISM): value for name, value in sample.attrib.items()}, test


def test_the_vectors_of_ism(record_property: Callable[[str, object], None]) -> None:
    """Attributes -> mark -> banner, portion mark and authority block, identical to ODNI's; and the attributes again."""
    counts: Counter[str] = Counter()
    for attributes, test in _vectors():
        mark = from_ism(attributes)
        assert to_ism(mark) == {name: value for name, value in attributes.items() if name not in AUTHORITY}
        assert outside_v10(attributes) == ()
        counts["attributes"] += 1
        assert BOTH.render(mark) == test.findtext("banner")
        counts["banners"] += 1
        portion = test.findtext("portion")
        if portion is not None:
            assert f"({BOTH.render(mark, 'portion')})" == portion.strip()
            counts["portion marks"] += 1
        written = test.findtext("authority")
        if written is not None:
            lines = block(authority_of(attributes), classified=attributes["classification"] != "U")
            assert "|".join(lines) == written
            counts["authority blocks"] += 1
    for kind, count in counts.items():
        record_property(kind, count)
    assert counts == {"attributes": 57, "banners": 57, "portion marks": 56, "authority blocks": 11}


def test_the_vectors_are_read_from_their_own_text() -> None:
    """What ODNI writes is read as the mark that its attributes say, banner and portion mark alike."""
    for attributes, test in _vectors():
        mark = from_ism(attributes)
        for form, text in (
            ("full", test.findtext("banner")),
            ("portion", (test.findtext("portion") or "").strip()[1:-1]),
        ):
            if text:
                read = [each.mark for each in BOTH.parse_mark(text, "full" if form == "full" else "portion")]
                assert mark in read, text


@pytest.mark.parametrize("file", ["CVEnumISMRelTo", "CVEnumISMFGIOpen", "CVEnumISMFGIProtected"])
def test_every_country_code_is_the_vocabulary_of_ism(file: str) -> None:
    values = ET.parse(DATA / "ism-v10" / f"{file}.xml").getroot().iter("{urn:us:gov:ic:cve}Value")
    codes = {str(value.text) for value in values}
    ours = set(US.listed["us"].by_name["REL"].tokens)
    assert codes <= ours | {"FGI", "AX1"}  # concealed, and a source that is open and unknown
    assert file != "CVEnumISMRelTo" or codes == ours


SMALL = {
    "SCIcontrols": "CVEnumISMSCIControls",
    "atomicEnergyMarkings": "CVEnumISMAtomicEnergyMarkings",
    "disseminationControls": "CVEnumISMDissem",
    "nonICmarkings": "CVEnumISMNonIC",
    "nonUSControls": "CVEnumISMNonUSControls",
}


@pytest.mark.parametrize(("attribute", "file"), SMALL.items())
def test_what_version_10_holds_is_its_own_vocabulary(attribute: str, file: str) -> None:
    """Every value of the vocabulary is inside, and every pattern's sample; a value beside them is outside."""
    values = ET.parse(DATA / "ism-v10" / f"{file}.xml").getroot().iter("{urn:us:gov:ic:cve}Value")
    plain = [str(each.text) for each in values if re.fullmatch(r"[A-Z0-9-]+", str(each.text))]
    assert plain
    assert outside_v10({attribute: " ".join(plain)}) == ()
    assert outside_v10({attribute: "QQ"}) == ((attribute, "QQ"),)


def _manual() -> str:
    return (DATA / "capco-2016" / "CAPCO-2016.txt").read_text("utf-8", "replace")


def test_portion_marks_of_the_manual_are_read_and_written_back() -> None:
    """Every portion mark of the manual, examples for training included."""
    counts: Counter[str] = Counter()
    for line in _manual().splitlines():
        readings, _ = US.read_portion(line)
        for each in readings:
            counts["right" if each.problem is None else "problem"] += 1
            if each.problem is None and each.mark is not None:
                counts["with controls"] += "//" in each.text
                written = US.render(each.mark, "portion")
                assert written == each.text or each.text == "U//LES//REL TO USA, FVEY", each  # in the wrong order
    assert counts["right"] == 1662
    assert counts["with controls"] == 148
    assert counts["problem"] == 24


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
