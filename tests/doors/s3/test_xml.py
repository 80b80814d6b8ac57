"""XML from strangers: a tree within bounds, or one clear error; and what is written is read again."""

from __future__ import annotations

import contextlib
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.doors.s3.xml import DEPTH, ELEMENTS, NAMESPACE, read, written
from casemate.errors import BadInput


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"<Delete>",
        b"<Other/>",
        b"<Delete></Other>",
        b"<!DOCTYPE Delete [<!ENTITY a 'b'>]><Delete>&a;</Delete>",
        b"<!DOCTYPE Delete SYSTEM 'file:///etc/passwd'><Delete/>",
        b"<Delete>&undefined;</Delete>",
        b"<Delete>" + b"<a>" * DEPTH + b"</a>" * DEPTH + b"</Delete>",
        b"<Delete>" + b"<a/>" * ELEMENTS + b"</Delete>",
        b"<?xml version='1.0' encoding='utf-7'?><Delete/>",
        b"<?xml version='1.0' encoding='nothing'?><Delete/>",
        b"\xff\xfe<\x00",
        b"<Delete/><Delete/>",
    ],
)
def test_what_cannot_be_read_is_malformed(body: bytes) -> None:
    with pytest.raises(BadInput) as told:
        read(body, "Delete", "fr")
    assert told.value.facts["code"] == "MalformedXML"
    assert "Delete" in str(told.value.facts["what"])


@given(st.binary(max_size=100))
def test_any_bytes_are_a_document_or_malformed(body: bytes) -> None:
    for sent in (body, b"<Delete>" + body + b"</Delete>"):
        with contextlib.suppress(BadInput):
            assert read(sent, "Delete", "en").name == "Delete"


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=30))
def test_what_is_written_is_read(text: str) -> None:
    body = written("Delete", [("Object", [("Key", text)]), ("Quiet", 1)])
    ET.fromstring(body)
    root = read(body, "Delete", "en")
    (found,) = root.all("Object")
    expected = "".join(c if c in "\t\n\r" or (c >= " " and c not in "\ufffe\uffff") else "\ufffd" for c in text)
    assert found.all("Key")[0].text == expected
    assert root.one("Quiet") == "1"


def test_a_namespace_is_passed_over_and_a_name_that_stands_twice_is_none() -> None:
    root = read(f'<Delete xmlns="{NAMESPACE}"><Quiet> true </Quiet></Delete>'.encode(), "Delete", "en")
    assert root.one("Quiet") == "true"
    assert read(b"<Delete><Quiet>a</Quiet><Quiet>b</Quiet></Delete>", "Delete", "en").one("Quiet") == ""
