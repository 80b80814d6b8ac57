"""XML from strangers: small, without document types, and nothing but MarkingError."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.errors import MarkingError
from casemate.labels.xml import markup
from casemate.labels.xml.markup import DECLARATION, Node, element, read_xml, text_of

LAUGHS = (
    '<!DOCTYPE l [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
    + "]><l>&j;</l>"
)
ATTACKS = {
    "billion laughs": LAUGHS,
    "quadratic blow-up": f'<!DOCTYPE l [<!ENTITY a "{"ha" * 5000}">]><l>{"&a;" * 5000}</l>',
    "an external entity": '<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]><l>&a;</l>',
    "an external document type": '<!DOCTYPE l SYSTEM "http://example.invalid/l.dtd"><l/>',
    "a parameter entity": '<!DOCTYPE l [<!ENTITY % a SYSTEM "file:///etc/passwd"> %a;]><l/>',
    "an empty document type": "<!DOCTYPE l><l/>",
    "an entity that nobody declared": "<l>&a;</l>",
    "too deep": "<a>" * 33 + "</a>" * 33,
    "too many elements": f"<l>{'<a/>' * 20_000}</l>",
    "too many attributes": "<l " + " ".join(f"a{n}=''" for n in range(20_000)) + "/>",
    "too long": f"<l>{'x' * (1 << 20)}</l>",
    "half a character": "<l>\ud800</l>",
    "two roots": "<a/><b/>",
    "nothing": "",
    "no end": "<a>",
    "an attribute twice": '<a b="" b=""/>',
    "a prefix without a namespace": "<x:a/>",
    "a null": "<a>\x00</a>",
}
BYTES = {
    "utf-16": "<a/>".encode("utf-16"),
    "not utf-8": b"<a>\xff</a>",
    "a declaration that lies": b'<?xml version="1.0" encoding="UTF-7"?><a>+ADw-</a>\xff',
}


@pytest.mark.parametrize("source", ATTACKS.values(), ids=ATTACKS.keys())
def test_what_is_not_a_small_plain_document_is_refused(source: str) -> None:
    with pytest.raises(MarkingError):
        read_xml(source)


@pytest.mark.parametrize("source", BYTES.values(), ids=BYTES.keys())
def test_bytes_that_are_not_utf_8_are_refused(source: bytes) -> None:
    with pytest.raises(MarkingError):
        read_xml(source)


def test_a_document_at_the_bounds_is_read() -> None:
    assert read_xml("<a>" * 31 + "<b/>" + "</a>" * 31).name == "a"
    assert len(read_xml(f"<l>{'<a/>' * (markup.MOST - 1)}</l>").children) == markup.MOST - 1
    body = "x" * (markup.LONGEST - len("<l></l>"))
    assert read_xml(f"<l>{body}</l>").text == body


def test_names_text_and_attributes() -> None:
    root = read_xml(
        '<?xml version="1.0" encoding="ISO-8859-1"?><?pi x?><a xmlns="urn:a" xmlns:b="urn:b" b:c="1" d="&lt;&#233;">'
        " one <!-- unseen --><![CDATA[<two>]]> <b:e/> three </a>"
    )
    assert root == Node("{urn:a}a", {"{urn:b}c": "1", "d": "<é"}, "one <two>  three", (Node("{urn:b}e", {}, "", ()),))
    assert read_xml(b"\xef\xbb\xbf<a>\xc3\xa9</a>").text == "é"


def test_children_by_name() -> None:
    root = read_xml("<a><b>1</b><c/><b>2</b></a>")
    assert [child.text for child in root.all("b")] == ["1", "2"]
    assert root.one("c").name == "c"
    for name in ("b", "d"):
        with pytest.raises(MarkingError):
            root.one(name)


@given(st.text(), st.text(), st.text())
def test_what_is_written_is_read_again(value: str, before: str, inside: str) -> None:
    """Only what XML 1.0 cannot hold is changed, and then into U+FFFD."""
    written = element("a", {"b": value}, [element("c", {}, before), element("d", {}, inside)])
    root = read_xml(DECLARATION + written)
    seen = {text: "".join(c if _holds(c) else "\ufffd" for c in text) for text in (value, before, inside)}
    assert root.attributes == {"b": seen[value]}
    assert [child.text for child in root.children] == [seen[before].strip(), seen[inside].strip()]


def _holds(character: str) -> bool:
    code = ord(character)
    return code in (9, 10, 13) or (0x20 <= code <= 0xFFFD and not 0xD800 <= code <= 0xDFFF) or code >= 0x10000


@given(st.text() | st.binary())
def test_anything_else_raises_nothing_but_a_marking_error(source: str | bytes) -> None:
    try:
        read_xml(source)
    except MarkingError:
        return
    assert source.strip()


def test_an_empty_element_and_a_carriage_return() -> None:
    assert element("a", {}) == "<a/>"
    assert text_of("1 < 2 & 3\r\n") == "1 &lt; 2 &amp; 3&#13;\n"
