"""A marked document as XML with attributes of ISM, both ways."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.errors import MarkingError
from casemate.labels.mark import Mark
from casemate.labels.xml.authority import Authority
from casemate.labels.xml.ism_document import OURS, Document, Portion, read_document, write_document
from tests.labels.test_ism import marks

ISM = "{urn:us:gov:ic:ism}"
SECRET = Mark("us", "SECRET", (("DISSEM", ("NOFORN",)),))
OPEN = Mark("us", "UNCLASSIFIED")


def test_what_a_third_party_sees() -> None:
    document = Document(
        SECRET,
        (Portion(OPEN, "1 < 2 & \x0c so on"), Portion(SECRET, "quoted", excluded=True)),
        "2026-11-21",
        Authority("J. Doe", reason="1.4(c)", date="2046-11-21"),
        "Together they show more.",
        ("ICDocument",),
    )
    root = ET.fromstring(write_document(document).encode())
    assert root.tag == f"{{{OURS}}}document"
    assert root.attrib == {
        f"{ISM}DESVersion": "10",
        f"{ISM}resourceElement": "true",
        f"{ISM}createDate": "2026-11-21",
        f"{ISM}compliesWith": "ICDocument",
        f"{ISM}compilationReason": "Together they show more.",
        f"{ISM}classification": "S",
        f"{ISM}ownerProducer": "USA",
        f"{ISM}disseminationControls": "NF",
        f"{ISM}classifiedBy": "J. Doe",
        f"{ISM}classificationReason": "1.4(c)",
        f"{ISM}declassDate": "2046-11-21",
    }
    assert [(child.attrib.get(f"{ISM}excludeFromRollup"), child.text) for child in root] == [
        (None, "1 < 2 & \ufffd so on"),
        ("true", "quoted"),
    ]


TEXTS = st.text(st.characters(categories=["L", "N", "P", "S"])).map(str.strip)


@given(
    marks(),
    st.lists(st.builds(Portion, marks(), TEXTS, st.booleans()), max_size=3),
    st.none() | st.just(Authority("J. Doe", reason="1.4(c)", event="the end")),
    TEXTS,
)
def test_what_is_written_is_read_again(
    resource: Mark, portions: list[Portion], authority: Authority | None, compilation: str
) -> None:
    document = Document(resource, tuple(portions), "2026-11-21", authority, compilation)
    assert read_document(write_document(document)) == document


GOOD = write_document(Document(SECRET, (Portion(OPEN, "text"),), "2026-11-21"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("document", "dokument"),
        ('ism:resourceElement="true"', 'ism:resourceElement="false"'),
        ("<portion", "<!DOCTYPE x><portion"),
        (">text<", "><b/><"),
        ("<portion", "<paragraph/><portion"),
        ('ism:classification="U"', ""),
        ('ism:classification="U"', 'ism:classification="U" ism:rating="high"'),
    ],
    ids=str,
)
def test_another_document_is_refused(old: str, new: str) -> None:
    assert old in GOOD
    with pytest.raises(MarkingError):
        read_document(GOOD.replace(old, new))


def test_attributes_that_are_not_of_ism_are_not_judged() -> None:
    assert read_document(GOOD.replace("<portion", '<portion lang="en"')) == read_document(GOOD.encode())
