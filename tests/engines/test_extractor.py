"""Real and hostile files through the sandbox, as a region reads them."""

from __future__ import annotations

import asyncio
import os
import signal

import msgspec
import pytest

from casemate.cells.extract import bounds, shape
from casemate.engines import extractor as engine
from casemate.engines.extractor import CellExtractor
from casemate.engines.sandbox import Limits, Sandbox, support
from casemate.errors import SandboxMissing, Unreadable
from casemate.knowledge.reading import extract as port
from tests.cells import made

needs_kernel = pytest.mark.skipif(bool(support().why), reason=f"no sandbox here: {support().why}")


def with_extractor(body, **options):
    async def go():
        sandbox = Sandbox()
        extractor = CellExtractor(sandbox, **options)
        try:
            return await body(extractor)
        finally:
            await extractor.close()
            sandbox.close()

    return asyncio.run(go())


def read(name, data, **options):
    return with_extractor(lambda extractor: extractor.extract(name, data), **options)


def why(name, data, **options):
    """The reason, and that the same extractor reads on."""

    async def body(extractor):
        with pytest.raises(Unreadable) as failed:
            await extractor.extract(name, data, "d")
        assert (await extractor.extract("a.txt", b"next", "d")).parts[0].pages == ((port.Paragraph("next"),),)
        return failed.value.facts["why"]

    return with_extractor(body, **options)


@needs_kernel
class TestRealFiles:
    @pytest.mark.data
    def test_the_markings_manual(self, real_documents):
        manual = real_documents / "labels/capco-2016/CAPCO-2016.pdf"
        (part,) = read(manual.name, manual.read_bytes()).parts
        assert len(part.pages) == 200
        for page in part.pages:
            assert port.Paragraph("UNCLASSIFIED//FOUO", "header") in page
        marked = [paragraph for page in part.pages for paragraph in page if paragraph.text.startswith("(U)")]
        assert len(marked) > 700
        assert [paragraph.text for paragraph in part.pages[12] if paragraph.kind == "heading"] == [
            "3. (U) Applicability",
            "4. (U) IC Markings System Structure",
        ]

    @pytest.mark.data
    def test_a_volume_of_702_documents(self, real_documents):
        volume = real_documents / "frus/frus1934v04.xml"
        found = read(volume.name, volume.read_bytes())
        assert len(found.parts) == len({part.key for part in found.parts}) == 702
        assert found.parts[2].title == "The Ambassador in Argentina (Weddell) to the Secretary of State"
        texts = [paragraph.text for page in found.parts[2].pages for paragraph in page]
        assert texts[0] == "710.1012 Anti-War/69"
        assert texts[-1] == "Alexander W. Weddell"
        assert all(part.title for part in found.parts)
        assert sum(len(p.text) for part in found.parts for page in part.pages for p in page) > 1_450_000
        assert "Index" in {paragraph.text for paragraph in found.outside}


@needs_kernel
class TestHostileFiles:
    def test_a_cut_off_docx(self):
        data = made.docx(made.p("text " * 500))
        assert why("a.docx", data[: len(data) // 2]) == "Its archive is damaged; it may be cut off."

    def test_a_pdf_whose_stream_unpacks_beyond_its_memory(self):
        page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>"
        bomb = made.packed(b" " * (400 << 20))
        tree = (b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count 1/Kids[3 0 R]>>")
        assert why("a.pdf", made.objects(*tree, page, bomb), limits=Limits(memory=256 << 20, cpu=60))

    def test_fifty_megabytes_of_text(self):
        assert (
            why("a.txt", b"one word and another.\n" * 2_300_000) == "It holds more than 10,000,000 characters of text."
        )
        assert why("a.txt", b"x" * (50 << 20)) == "It holds more than 1,000,000 characters in one paragraph."

    def test_more_than_is_even_sent(self):
        with pytest.raises(Unreadable) as failed:
            read("a.txt", bytes(engine.INPUT + 1))
        assert failed.value.facts == {"why": "It holds more than 67,108,864 bytes."}

    def test_a_file_that_needs_more_memory(self):
        text = b"one word and another.\n" * 1_000_000
        assert (
            why("a.txt", text, limits=Limits(memory=128 << 20)) == "It needs more memory to read than a document may."
        )

    def test_a_file_that_needs_more_time(self):
        text = b"<p>word</p>\n" * 400_000
        assert why("a.html", text, deadline=0.2) == "It takes longer to read than a document may."

    def test_a_child_that_is_killed_while_it_reads_is_replaced_and_the_file_is_read(self):
        async def body(extractor):
            asked = asyncio.ensure_future(extractor.extract("a.html", b"<p>word</p>\n" * 50_000, "d"))
            await kill_once(extractor, asked, set())
            return await asked

        (part,) = with_extractor(body).parts
        assert len(part.pages[0]) == 50_000

    def test_a_file_at_which_every_child_dies_is_unreadable(self):
        async def body(extractor):
            asked = asyncio.ensure_future(extractor.extract("a.html", b"<p>word</p>\n" * 50_000, "d"))
            killed = set()
            for _ in range(2):
                await kill_once(extractor, asked, killed)
            assert len(killed) == 2
            with pytest.raises(Unreadable) as failed:
                await asked
            return failed.value.facts["why"]

        assert with_extractor(body) == "Its reader crashed on it, twice."

    @pytest.mark.parametrize(
        "name", ["../../etc/passwd.txt", "a\x00b.txt", "é" * 5000 + ".txt", "no extension", ".txt"]
    )
    def test_a_name_is_only_looked_at_for_its_extension(self, name):
        assert read(name, b"text").parts[0].pages == ((port.Paragraph("text"),),)

    @pytest.mark.parametrize(
        ("name", "data"),
        [
            ("a.docx", made.archive({"word/document.xml": bytes(30 << 20)})),
            ("a.docx", made.archive({"word/document.xml": (made.LAUGHS + "<x>&a9;</x>").encode()})),
            ("a.xml", (made.LAUGHS + "<TEI><text>&a9;</text></TEI>").encode()),
            ("a.pdf", b"%PDF-1.7\n" + b"<<" * 100_000),
            ("a.pdf", made.scanned()),
            ("a.md", b"\xff\xfe"),
            ("a.bin", b"x"),
        ],
    )
    def test_each_is_refused_with_a_reason(self, name, data):
        reason = why(name, data)
        assert isinstance(reason, str)
        assert reason.endswith(".")


@needs_kernel
def test_only_files_that_python_reads_share_a_child():
    async def body(extractor):
        await extractor.extract("a.pdf", made.pdf([[(72, 600, 10, "text")]]), "d")
        await extractor.extract("a.docx", made.docx(made.p("text")), "d")
        await extractor.extract("no extension", b"text", "d")
        before = extractor.pids
        await extractor.extract("a.txt", b"text", "d")
        first = extractor.pids
        await extractor.extract("a.md", b"text", "d")
        return before, first == extractor.pids, len(first)

    assert with_extractor(body) == ({}, True, 1)


async def kill_once(extractor, asked, killed):
    """Kill the child that reads, as soon as there is one that has not been killed."""
    while not asked.done():
        for pid in set(extractor.pids.values()) - killed:
            killed.add(pid)
            os.kill(pid, signal.SIGKILL)
            return
        await asyncio.sleep(0.001)


def test_nothing_is_parsed_without_a_fence(monkeypatch):
    from casemate.engines.sandbox import probe, spawn

    monkeypatch.setattr(spawn, "support", lambda: probe.Support("the kernel has no Landlock"))
    with pytest.raises(SandboxMissing) as missing:
        read("a.txt", b"text")
    assert missing.value.facts == {"why": "the kernel has no Landlock"}


def test_the_cell_and_the_port_speak_of_the_same_shapes():
    for ours, theirs in ((shape.Extracted, port.Extracted), (shape.Part, port.Part), (shape.Paragraph, port.Paragraph)):
        assert ours.__struct_fields__ == theirs.__struct_fields__
        assert ours.__struct_config__.array_like == theirs.__struct_config__.array_like
    full = shape.Extracted(
        "text/plain",
        (shape.Part("t", "k", ((shape.Paragraph("x", "list"),), ())),),
        (shape.Paragraph("outside"),),
        ("note",),
    )
    wire = msgspec.msgpack.encode(full)
    assert msgspec.msgpack.encode(msgspec.msgpack.decode(wire, type=port.Extracted)) == wire
    assert shape.Request.__struct_fields__ == tuple(engine._Request.__dataclass_fields__)
    assert engine.INPUT == bounds.INPUT
    assert set(shape.__dict__) >= {"PARAGRAPH", "HEADING", "LIST", "TABLE", "HEADER", "FOOTER"}
