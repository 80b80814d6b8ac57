"""Small files of every kind, broken at random: each is read or refused with a reason, and never anything else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.cells.extract import Awaiting, Extracted, Request, extract
from casemate.cells.serve import CannotRead
from tests.cells import made

TEI = b'<?xml version="1.0"?><TEI><text><div type="document"><head>One</head><p>(S) two</p></div></text></TEI>'
FILES = {
    "a.txt": b"SECRET//NOFORN\n\n(S) \xc3\xa9t\xc3\xa9\n",
    "a.md": b"# (S) Un\n\n**bold** text\n\n- item\n\n| a | b |\n",
    "a.html": b"<!doctype html><title>t</title><h1>One</h1><table><tr><td>(S) a<td>b</table><!-- c --><p>x &amp; y",
    "a.csv": b'name,fuel\n"(S) a",1\nb,"2\n3"\n',
    "a.tsv": b"name\tfuel\na\t1\n",
    "a.json": b'[{"title": "a", "list": [1, 2.5, null, true, {"x": "(S) y"}]}, "z"]',
    "a.jsonl": b'{"id": 1, "text": "(S) one"}\n{"id": 2, "text": "two"}\n',
    "a.xml": TEI,
    "a.pdf": made.pdf([[(72, 700, 12, "SECRET"), (72, 600, 10, "(S) text", True)], []], title="t"),
    "a.docx": made.docx(made.p("(S) text"), header1=made.p("SECRET"), core="title"),
    "a.xlsx": made.xlsx(
        made.sheet(made.row("a", "b") + made.row("(S) c", '<c t="s"><v>0</v></c>')), strings="<si><t>d</t></si>"
    ),
    "a.pptx": made.pptx(made.shape("t", place="title") + made.shape("(S) text"), layout=made.shape("SECRET")),
    "a.eml": made.message("SECRET\n\ntext", ("a.csv", b"a,b\n1,2\n"), html="<p>SECRET</p>"),
    "a.png": made.PNG + b"rest",
}

places = st.integers(0, 1 << 16)
changes = st.lists(
    st.one_of(
        st.tuples(st.just("flip"), places, st.integers(1, 255)),
        st.tuples(st.just("cut"), places, st.integers(1, 200)),
        st.tuples(st.just("end"), places, st.just(0)),
        st.tuples(st.just("twice"), places, st.integers(1, 200)),
        st.tuples(st.just("other"), places, st.integers(0, 255)),
    ),
    min_size=1,
    max_size=6,
)


def broken(data: bytes, how) -> bytes:
    for deed, place, much in how:
        at = place % max(1, len(data))
        if deed == "flip":
            data = data[:at] + bytes(byte ^ much for byte in data[at : at + 1]) + data[at + 1 :]
        elif deed == "cut":
            data = data[:at] + data[at + much :]
        elif deed == "end":
            data = data[:at]
        elif deed == "twice":
            data = data[: at + much] + data[at : at + much] + data[at + much :]
        else:
            data = data[:at] + bytes([much]) * 3 + data[at:]
    return data


def looked_at(name: str, data: bytes) -> None:
    for recognised in (None, (), ("SECRET\n\nwords",)):
        try:
            found = extract(Request(name, data, recognised))
        except CannotRead as refused:
            assert str(refused).endswith((".", ".'"))  # noqa: PT017 - either outcome is right
            continue
        assert isinstance(found, Extracted)
        assert found.pictures if isinstance(found, Awaiting) else found.parts


@pytest.mark.parametrize("name", FILES)
def test_each_as_it_is(name):
    looked_at(name, FILES[name])


@pytest.mark.parametrize("name", FILES)
@settings(max_examples=40)
@given(how=changes)
def test_each_when_broken(name, how):
    looked_at(name, broken(FILES[name], how))


@pytest.mark.parametrize("name", ["a.docx", "a.xlsx", "a.pptx"])
@settings(max_examples=40)
@given(which=st.integers(0, 50), how=changes)
def test_each_member_when_broken(name, which, how):
    """Inside an archive that is sound: what the checksum would hide is reached."""
    members = made.members(FILES[name])
    member = sorted(members)[which % len(members)]
    looked_at(name, made.archive(members | {member: broken(members[member], how)}))


@pytest.mark.parametrize("name", FILES)
@settings(max_examples=25)
@given(data=st.binary(max_size=300))
def test_anything_under_any_name(name, data):
    looked_at(name, data)
    looked_at("no extension", data)


@pytest.mark.long
@pytest.mark.parametrize("name", FILES)
@settings(max_examples=3_000)
@given(how=changes)
def test_each_when_broken_at_length(name, how):
    looked_at(name, broken(FILES[name], how))
