"""Texts, tables, records and pages near and beyond every bound, through the sandbox as a region reads them."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from casemate.cells.extract import bounds
from casemate.engines import extractor as engine
from casemate.engines.sandbox import Limits
from casemate.knowledge.reading.extract import Extracted
from tests.attacks.hostile import outcomes, told, why, with_member
from tests.cells import made
from tests.engines.sandboxed import needs_kernel

pytestmark = needs_kernel

LINES = ("a.txt", "a.md", "a.csv", "a.json", "a.jsonl", "a.eml", "a.html")


def one_line(name: str) -> None:
    data = {"a.json": b'"%b"', "a.jsonl": b'"%b"', "a.eml": b"Subject: x\n\n%b", "a.html": b"<p>%b"}.get(name, b"%b")
    filled = data % (b"x" * (engine.INPUT - len(data)))
    assert why(name, filled) in {
        "It holds more than 1,000,000 characters in one paragraph.",
        "It holds more than 1,000,000 characters in one line.",
    }


class TestTexts:
    def test_more_than_is_even_sent(self):
        """A gigabyte: mapped, never written, and refused by its length before anything looks at it."""
        import mmap

        with mmap.mmap(-1, 1 << 30) as gigabyte:
            for data in (gigabyte, bytes(engine.INPUT + 1)):
                assert why("a.txt", data) == "It holds more than 67,108,864 bytes."

    @pytest.mark.parametrize("name", random.Random(2).sample(LINES, 2))
    def test_one_line_of_64_mebibytes(self, name):
        """A seeded choice; all of them in the long tests."""
        one_line(name)

    @pytest.mark.long
    @pytest.mark.parametrize("name", LINES)
    def test_one_line_of_64_mebibytes_all(self, name):
        one_line(name)

    def test_as_many_pages_as_may_be_and_one_more(self):
        most, more = outcomes(("a.txt", b"a\f" * bounds.PAGES), ("a.txt", b"a\f" * (bounds.PAGES + 1)))
        assert isinstance(most, Extracted)
        assert len(most.parts[0].pages) == bounds.PAGES + 1
        assert more == "It holds more than 10,000 pages."

    @pytest.mark.parametrize(
        "data",
        [
            "SECRET".encode("utf-16-le"),
            "SECRET".encode("utf-16-be"),
            "SECRET".encode("utf-32"),
            b"S\xc0\xaf\xc1\x93ECRET",
            b"\xed\xa0\x80SECRET",
            b"SECRET\x00",
            b"\xff\xfeS\x00\x00\xd8E\x00",
            b"\xf4\x90\x80\x80",
            "sécret".encode("latin-1"),
        ],
    )
    def test_encodings_that_are_none(self, data):
        files = [(name, data) for name in ("a.txt", "a.md", "a.html", "a.csv", "a.jsonl")]
        assert all(isinstance(found, str) for found in outcomes(*files))

    def test_a_table_of_a_million_columns(self):
        assert why("a.csv", b"1," * 400_000) == "It holds more than 16,384 columns."
        assert why("a.csv", b"1," * 1_000_000) == "It holds more than 1,000,000 characters in one line."

    def test_values_a_hundred_thousand_deep(self):
        for opened, closed in ((b"[", b"]"), (b'{"a":', b"}")):
            assert why("a.json", opened * 100_000 + b"1" + closed * 100_000) == "It is nested too deeply."
            assert why("a.jsonl", opened * 100_000 + b"1" + closed * 100_000) == "It is nested too deeply."

    def test_records_that_need_more_memory(self):
        assert why("a.json", b"[" + b"[]," * 8_000_000 + b"1]", Limits(memory=256 << 20, cpu=30)) == (
            "It needs more memory to read than a document may."
        )

    def test_markup_without_end(self):
        """The parser of the standard library looks at all that follows for each tag that never ends."""
        for tag in (b"<a ", b'<a b="', b"<!--", b"</a", b"<!DOCTYPE", b"<?", b"<![CDATA[", b"</script"):
            assert why("a.html", b"<html>" + tag * 100_000) == "It holds more than 10 tags that never end."
        assert why("a.html", b"<ul><li>" * 100_000) == "It holds more than 256 elements inside each other."
        assert told("a.html", b"<html>" + b"<" * 50_000 + b"&" * 50_000)
        assert why("a.html", b"<html>" + b"<p>" * 500_000) == "It holds no text."

    @pytest.mark.parametrize(
        "sign", [b"*a ", b"**a", b"_a ", b" #", b"  ", b"| ", b"- ", b"> ", b"`", b"=", b"| :-", b"\\*"]
    )
    def test_signs_without_end(self, sign):
        (found,) = outcomes(("a.md", b"# " + sign * (900_000 // len(sign)) + b"x"), limits=Limits(cpu=10))
        assert isinstance(found, Extracted)


@dataclass(frozen=True)
class Big:
    """A file near a bound, made when its turn comes."""

    name: str
    make: Callable[[], bytes]


def many_paragraphs() -> bytes:
    """Of different words, so that no ratio gives them away."""
    rng = random.Random(11)
    return made.wordml("document", "".join(made.p(str(rng.random())) for _ in range(500_001))).encode()


BIG = (
    Big(
        "a.docx",
        lambda: with_member("docx", "word/document.xml", made.wordml("document", made.p("w") * 700_000).encode()),
    ),
    Big("a.xlsx", lambda: made.xlsx(made.sheet(made.row("a", "b") * 400_000))),
    Big("a.xml", lambda: b"<TEI><text>" + b"<p>w</p>" * 4_000_000 + b"</text></TEI>"),
    Big("a.html", lambda: b"<p>w</p>" * 5_500_000),
    Big("a.csv", lambda: b"a,b\n" * 2_000_000),
    Big("a.eml", lambda: b"Subject: x\n\n" + b"word\n\n" * 2_000_000),
    Big("a.md", lambda: b"- w\n" * 2_000_000),
)


@pytest.mark.parametrize("big", random.Random(5).sample(BIG, 2), ids=lambda big: big.name)
def test_near_the_bounds(big):
    """A seeded choice; all of them in the long tests."""
    assert why(big.name, big.make(), Limits(memory=2 << 30, cpu=90)).endswith(".")


@pytest.mark.long
@pytest.mark.parametrize("big", BIG, ids=lambda big: big.name)
def test_near_the_bounds_all(big):
    assert why(big.name, big.make(), Limits(memory=2 << 30, cpu=90)).endswith(".")
