"""ODNI's ISM vectors as text: every banner and portion mark is read as a mark and written back identically."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from casemate.labels import Policies
from casemate.labels.vocabulary import Form

HERE = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("CASEMATE_TEST_DATA", HERE.parent / "shared" / "data")) / "labels" / "ism-v10"
pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not DATA.is_dir(), reason="CASEMATE_TEST_DATA holds no labels: no referee to ask"),
]
US = Policies.load(["us"])
# The manual of 2016 has it that UCNI is not applied to what is classified (H.6, p. 116); it is written all the same.
AGAINST_THE_MANUAL = {"SECRET//RD/DOD UCNI": ["level"]}


def _vectors(tag: str) -> list[str]:
    root = ET.parse(DATA / "testConfig.xml").getroot()
    return [each.text.strip() for test in root.findall("test") if (each := test.find(tag)) is not None and each.text]


@pytest.mark.parametrize(("tag", "form", "count"), [("banner", "full", 57), ("portion", "portion", 56)])
def test_every_vector_is_read_and_written_back(tag: str, form: Form, count: int) -> None:
    vectors = _vectors(tag)
    assert len(vectors) == count
    for vector in vectors:
        text = vector[1:-1] if form == "portion" else vector
        read = US.parse_mark(text, form)
        assert [parsed.mark.policy for parsed in read] == ["us"], vector
        wrong = [each.rule for each in read[0].findings if each.severity == "error"]
        assert wrong == AGAINST_THE_MANUAL.get(vector, []), vector
        written = US.render(read[0].mark, "portion" if form == "portion" else "en")
        assert written == text


def test_what_the_vectors_say_beside_errors_is_known() -> None:
    """Names that no site here declares; RD without a word on release; FRD beside RD, which yields to it."""
    kinds = {
        (finding.rule, finding.severity)
        for banner in _vectors("banner")
        if banner not in AGAINST_THE_MANUAL
        for parsed in US.parse_mark(banner, "full")
        for finding in parsed.findings
    }
    assert kinds == {("undeclared", "warning"), ("requires", "note"), ("legacy", "note"), ("excludes", "warning")}
