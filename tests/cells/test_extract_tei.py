"""TEI: a volume is many documents; what stands between them is handed over beside them."""

from __future__ import annotations

import pytest

from casemate.cells.extract import Request, extract
from casemate.cells.serve import CannotRead
from tests.cells import made

VOLUME = """<?xml version="1.0" encoding="UTF-8"?>
<TEI xmlns="http://www.tei-c.org/ns/1.0" xmlns:f="urn:f"><teiHeader><fileDesc><titleStmt><title>The
 volume</title></titleStmt></fileDesc></teiHeader><text>
<front><titlePage><docTitle>SECRET</docTitle></titlePage></front>
<body><div type="chapter"><head>CHAPTER</head>
<div type="document" xml:id="d1"><note rend="inline">710.1/69: Telegram</note>
<head>The Minister (<hi>Weddell</hi>)<note>A note
 on him.</note> to the Secretary</head>
<dateline>Buenos Aires, <date>March 23</date>.<lb/>[Received.]</dateline>
<p>(S) With <pb n="2"/>reference<note n="4"><p>Not</p><p>printed.</p></note> to <del>x</del> it.</p>
<list><label>1.</label><item>one<list><item>inner</item></list></item></list>
<table><row><cell>a</cell><cell>(C) b</cell></row></table>
<f:attachment><head>Enclosure</head><p>more</p></f:attachment><pb n="3"/>
<closer><signed>Hull</signed></closer></div>
<div type="document"><p>two</p></div><div type="document"><p> </p></div>
</div></body><back><div><list><item>Index</item></list></div></back></text></TEI>"""


def read(data, name="v.xml"):
    return extract(Request(name, data.encode() if isinstance(data, str) else data))


def told(part):
    return [[(paragraph.kind, paragraph.text) for paragraph in page] for page in part.pages]


def test_a_volume():
    found = read(VOLUME)
    first, second = found.parts
    assert (first.key, first.title) == ("d1", "The Minister (Weddell) to the Secretary")
    assert told(first) == [
        [
            ("paragraph", "710.1/69: Telegram"),
            ("heading", "The Minister (Weddell) to the Secretary"),
            ("paragraph", "A note on him."),
            ("paragraph", "Buenos Aires, March 23.\n[Received.]"),
            ("paragraph", "(S) With reference to it."),
        ],
        [
            ("paragraph", "Not printed."),
            ("list", "1."),
            ("list", "one"),
            ("list", "inner"),
            ("table", "a\n(C) b"),
            ("heading", "Enclosure"),
            ("paragraph", "more"),
        ],
        [("paragraph", "Hull")],
    ]
    assert (second.key, second.title, told(second)) == ("n2", "", [[("paragraph", "two")]])
    assert [paragraph.text for paragraph in found.outside] == ["SECRET", "CHAPTER", "Index"]


def test_a_file_that_is_one_document():
    found = read('<TEI xmlns="http://www.tei-c.org/ns/1.0"><text><body><p>SECRET</p><p>(S) one</p></body></text></TEI>')
    assert [told(part) for part in found.parts] == [[[("paragraph", "SECRET"), ("paragraph", "(S) one")]]]
    assert found.outside == ()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "iso-8859-1"])
def test_encodings_that_xml_declares(encoding):
    text = f"<?xml version='1.0' encoding='{encoding.removesuffix('-sig')}'?><TEI><text><p>défense</p></text></TEI>"
    assert told(read(text.encode(encoding)).parts[0]) == [[("paragraph", "défense")]]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("<?xml version='1.0'?><feed><p>x</p></feed>", "It is XML of a vocabulary that is not read; TEI is."),
        ("<TEI><text/></TEI>", "It holds no text."),
        ("<TEI><text>", "Its XML is not well formed (line 1)."),
        (VOLUME[:1000], "Its XML is not well formed (line 16)."),
        (made.LAUGHS + "<TEI><text><p>&a9;</p></text></TEI>", "Its XML declares a document type or entities"),
        ("<TEI>" * 300 + "</TEI>" * 300, "It holds more than 256 elements inside each other."),
    ],
)
def test_what_is_not_read(data, reason):
    with pytest.raises(CannotRead) as failed:
        read(data)
    assert str(failed.value).startswith(reason)
