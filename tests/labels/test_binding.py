"""Labels bound to data: STANAG 4778, sidecar and REST header."""

from __future__ import annotations

import base64
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.errors import MarkingError
from casemate.labels import Label
from casemate.labels.xml.binding import (
    HEADER,
    Binding,
    BindingInformation,
    DataReference,
    header,
    read_binding,
    read_header,
    read_sidecar,
    sidecar,
    write_binding,
)
from casemate.labels.xml.markup import LONGEST
from casemate.labels.xml.stanag4774 import label_in_4774, said_in_4774
from tests.labels.test_stanag4774 import writable
from tests.labels.worlds import ALL

MB = "{urn:nato:stanag:4778:bindinginformation:1:0}"
CREATED, REVIEW = "2026-11-21T12:00:00Z", "2031-11-21T12:00:00Z"
LABELS = said_in_4774(ALL, ALL.parse("us:SECRET + nato:NATO SECRET"), CREATED, REVIEW)
GOOD = sidecar(LABELS, "report.pdf", "application/pdf")
SIGNATURE = '<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"/>'


def test_the_structure_of_adatp_4778() -> None:
    root = ET.fromstring(GOOD.encode())
    assert root.tag == f"{MB}BindingInformation"
    (container,) = root
    (binding,) = container
    assert [child.tag.removeprefix(MB) for child in binding] == ["Metadata", "Metadata", "DataReference"]
    assert [child[0].tag.partition("}")[2] for child in binding[:2]] == [
        "originatorConfidentialityLabel",
        "alternativeConfidentialityLabel",
    ]
    assert binding[2].attrib == {
        "URI": "report.pdf",
        "{http://www.w3.org/2005/05/xmlmime}contentType": "application/pdf",
    }


@given(writable())
def test_a_label_comes_back_from_a_sidecar_and_from_a_header(label: Label) -> None:
    said = said_in_4774(ALL, label, CREATED, REVIEW)
    beside = read_sidecar(sidecar(said, "a.txt"), "a.txt")
    name, value = header(said)
    assert name == HEADER
    assert beside == read_header(value) == said
    assert label_in_4774(ALL, beside, label.agencies) is label


def test_several_bindings_each_with_its_data() -> None:
    first, second = DataReference("a.txt"), DataReference("b.txt", "text/plain")
    bindings = (Binding(LABELS[:1], (first, second)), Binding(LABELS[1:], (second,)))
    written = write_binding(bindings)
    assert read_binding(written) == BindingInformation(bindings)
    assert read_sidecar(written, "a.txt") == LABELS[:1]
    assert read_sidecar(written, "b.txt") == LABELS


def test_a_signature_is_said_and_not_believed() -> None:
    signed = GOOD.replace("<mb:MetadataBindingContainer", f"{SIGNATURE}<mb:MetadataBindingContainer", 1)
    assert read_binding(signed).signed
    assert read_binding(signed).bindings == read_binding(GOOD).bindings
    assert not read_binding(GOOD).signed


def test_other_metadata_is_passed_over_but_data_without_a_label_is_not_bottom() -> None:
    other = GOOD.replace("<mb:Metadata>", '<mb:Metadata><title xmlns="urn:other"/></mb:Metadata><mb:Metadata>', 1)
    assert read_sidecar(other, "report.pdf") == LABELS
    with pytest.raises(MarkingError):
        read_sidecar(GOOD, "other.pdf")


def test_what_binds_nothing_is_not_written() -> None:
    for binding in (Binding((), (DataReference("a"),)), Binding(LABELS, ())):
        with pytest.raises(MarkingError):
            write_binding([binding])
    with pytest.raises(MarkingError):
        sidecar(LABELS, "")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("mb:BindingInformation", "mb:Binding"),
        ("mb:MetadataBindingContainer", "mb:Container"),
        ("mb:MetadataBinding>", "mb:Binding>"),
        ("</mb:MetadataBinding>", "<mb:Data><a/></mb:Data></mb:MetadataBinding>"),
        ("</mb:MetadataBinding>", '<mb:MetadataReference URI="a"/></mb:MetadataBinding>'),
        ("<mb:Metadata>", "<mb:Metadata/><mb:Metadata>"),
        ("<mb:Metadata>", "<mb:Metadata><a/>"),
        (' URI="report.pdf"', ""),
        ('application/pdf"/>', 'application/pdf"><part/></mb:DataReference>'),
        ("originatorConfidentialityLabel", "originatorLabel"),
    ],
    ids=str,
)
def test_another_document_is_refused(old: str, new: str) -> None:
    assert old in GOOD
    with pytest.raises(MarkingError):
        read_sidecar(GOOD.replace(old, new), "report.pdf")


def test_no_data_and_no_binding() -> None:
    spaces = 'xmlns:mb="urn:nato:stanag:4778:bindinginformation:1:0"'
    empty = f"<mb:BindingInformation {spaces}><mb:MetadataBindingContainer/></mb:BindingInformation>"
    bare = empty.replace(
        "<mb:MetadataBindingContainer/>",
        "<mb:MetadataBindingContainer><mb:MetadataBinding/></mb:MetadataBindingContainer>",
    )
    for document in (empty, bare):
        with pytest.raises(MarkingError):
            read_binding(document)


NAME = 'binding-type="urn:nato:stanag:4778:bindinginformation:1:0"'


def _object(document: str) -> str:
    return f'binding-data-object="{base64.b64encode(document.encode()).decode()}"'


def test_the_parameters_of_the_header_in_any_order_and_case() -> None:
    whole = write_binding([Binding(LABELS, (DataReference("", "message/http"),))])
    for value in (f"{_object(whole)};{NAME}", f"{NAME.replace('binding-type', 'Binding-Type')} ; {_object(whole)};"):
        assert read_header(value) == LABELS


@pytest.mark.parametrize(
    "value",
    [
        "",
        NAME,
        _object(GOOD),
        f"{NAME}; {_object(GOOD)}",  # bound to another file, not to this message
        f'binding-type="urn:other"; {_object(GOOD)}',
        f"{NAME}; {NAME}; {_object(GOOD)}",
        f'{NAME}; binding-data-object="!"',
        f'{NAME}; binding-data-object="é"',
        f'{NAME}; binding-data-object="/w=="',
        f"{NAME} {_object(GOOD)}",
        f'{NAME}; {_object(GOOD)}; more="1"',
        "x" * (2 * LONGEST + 1),
    ],
    ids=lambda value: value[:60],
)
def test_another_header_is_refused(value: str) -> None:
    with pytest.raises(MarkingError):
        read_header(value)


@given(st.text())
def test_any_text_raises_nothing_but_a_marking_error(text: str) -> None:
    for read in (read_binding, read_header):
        with pytest.raises(MarkingError):
            read(text)
