"""Text recognition, with a program that speaks like `tesseract`: pictures alone and in messages, and what it may not.

The real program is not needed, and its recognition is not judged here.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from casemate.engines import tesseract
from casemate.engines.extractor import CellExtractor
from casemate.engines.sandbox import Limits, Sandbox, probe
from casemate.engines.tesseract import Installed, Tesseract, installed
from casemate.errors import SandboxMissing, Unreadable
from casemate.knowledge.reading.extract import Paragraph
from tests.cells import made
from tests.engines import fake_tesseract
from tests.engines.sandboxed import needs_kernel

PYTHON = Path(os.path.realpath(sys.executable))
MISREAD = ("Its text was recognised in a picture; words and marks may be misread or missing.",)


@pytest.fixture
def program(tmp_path: Path) -> Path:
    found = tmp_path / "bin" / "tesseract"
    found.parent.mkdir()
    found.write_text(f"#!{PYTHON} -IB\n" + Path(fake_tesseract.__file__).read_text())
    found.chmod(0o755)
    return found


def used(program, deed, **options):
    async def go():
        sandbox = Sandbox()
        try:
            found = Installed(program, (PYTHON.parent,))
            limits = Limits(memory=512 << 20, cpu=20)
            return await deed(Tesseract(sandbox, found, limits, **options))
        finally:
            sandbox.close()

    return asyncio.run(go())


def extracted(program, *files):
    """What an extractor makes of each file, one after the other."""

    async def go():
        sandbox = Sandbox()
        found = Installed(program, (PYTHON.parent,)) if program else None
        extractor = CellExtractor(sandbox, recogniser=lambda: found)
        try:
            return [await extractor.extract(name, data, "d") for name, data in files]
        finally:
            await extractor.close()
            sandbox.close()

    return asyncio.run(go())


def ordered(word: str) -> bytes:
    return made.PNG + word.encode()


@needs_kernel
class TestPictures:
    def test_alone_and_in_a_message(self, program):
        words = Paragraph("(S) A picture of 16 bytes.")
        message = made.message("text", ("a.png", made.PNG), ("b.jpg", made.JPEG))
        alone, sent = extracted(program, ("a.png", made.PNG), ("a.eml", message))
        assert (alone.media, alone.notes) == ("image/png", MISREAD)
        assert alone.parts[0].pages == ((Paragraph("SECRET//NOFORN"), words),)
        assert [part.key for part in sent.parts] == ["message", "1", "2"]
        assert sent.parts[1].pages == alone.parts[0].pages
        assert sent.notes == MISREAD

    def test_where_the_program_is_missing_it_says_what_to_install(self):
        for name, data in (("a.png", made.PNG), ("a.eml", made.message("text", ("a.png", made.PNG)))):
            with pytest.raises(Unreadable) as failed:
                extracted(None, (name, data))
            assert "install Tesseract (the program `tesseract`)" in failed.value.facts["why"]

    def test_a_file_without_pictures_needs_it_not(self, program):
        (found,) = extracted(program.with_name("gone"), ("a.txt", b"text"))
        assert found.parts[0].pages == ((Paragraph("text"),),)

    def test_a_cell_that_asks_forever(self, program, monkeypatch):
        async def nothing(self, found, pictures):
            return ()

        monkeypatch.setattr(CellExtractor, "_recognised", nothing)
        with pytest.raises(Unreadable) as failed:
            extracted(program, ("a.png", made.PNG))
        assert failed.value.facts["why"] == "Its pictures could not be recognised."

    def test_all_of_a_file_together_have_their_time(self, program, monkeypatch):
        async def slow(self, picture):
            await asyncio.sleep(60)

        monkeypatch.setattr(Tesseract, "read", slow)
        monkeypatch.setattr("casemate.engines.extractor._MANY", 0.0)
        with pytest.raises(Unreadable) as failed:
            extracted(program, ("a.png", made.PNG))
        assert failed.value.facts["why"] == "It takes longer to read than a document may."

    def test_a_newer_program_is_found_while_a_region_runs(self, program):
        found = Installed(program)
        extractor = CellExtractor(Sandbox(), recogniser=lambda: found)
        first = extractor._recogniser()
        assert extractor._recogniser() is first
        found = Installed(program, (program.parent,))
        assert extractor._recogniser() is not first


@needs_kernel
class TestProgram:
    def test_it_is_asked_in_the_languages_that_are_there(self, program, monkeypatch):
        assert used(program, lambda it: it.read(ordered("asked"))) == "stdin stdout -l eng+fra\n"
        program.write_text(program.read_text().replace("eng\\nfra\\n", "jpn\\n"))
        assert used(program, lambda it: it.read(ordered("asked"))) == "stdin stdout\n"

    def test_it_is_asked_for_its_languages_once(self, program):
        async def twice(it):
            await it.read(ordered("asked"))
            program.write_text(program.read_text().replace("eng\\nfra\\n", "jpn\\n"))
            return await it.read(ordered("asked"))

        assert used(program, twice) == "stdin stdout -l eng+fra\n"

    def test_its_fence_holds(self, program):
        assert used(program, lambda it: it.read(ordered("tries"))) == "nothing\n"

    @pytest.mark.parametrize(
        ("order", "reason", "options"),
        [
            ("fails", "A picture in it could not be recognised; it may be damaged or too large.", {}),
            ("floods", "Text recognition finds more text in a picture of it than a document may hold.", {}),
            ("waits", "Text recognition takes longer on a picture of it than a document may.", {"deadline": 1.5}),
        ],
    )
    def test_how_it_can_fail(self, program, order, reason, options):
        with pytest.raises(Unreadable) as failed:
            used(program, lambda it: it.read(ordered(order)), **options)
        assert failed.value.facts["why"] == reason

    def test_a_large_picture_goes_through(self, program):
        assert f"{len(made.JPEG) + (8 << 20)} bytes" in used(program, lambda it: it.read(made.JPEG + bytes(8 << 20)))

    def test_what_cannot_be_executed(self, program):
        program.chmod(0o644)
        with pytest.raises(Unreadable):
            used(program, lambda it: it.read(made.PNG))

    def test_a_child_that_does_not_come_to_be_fenced(self, program, monkeypatch):
        async def never(child, order, before):
            raise SandboxMissing(why="no fence")

        monkeypatch.setattr(tesseract, "_prove", never)
        with pytest.raises(SandboxMissing, match="no fence"):
            used(program, lambda it: it.read(made.PNG))

        async def late(child, order, before):
            raise TimeoutError

        monkeypatch.setattr(tesseract, "_prove", late)
        with pytest.raises(SandboxMissing) as missing:
            used(program, lambda it: it.read(made.PNG))
        assert "in time" in missing.value.facts["why"]


def test_nothing_is_started_without_a_fence(program, monkeypatch):
    monkeypatch.setattr(tesseract, "support", lambda: probe.Support("the kernel has no Landlock"))
    with pytest.raises(SandboxMissing):
        used(program, lambda it: it.read(made.PNG))


def test_where_it_is_looked_for(program, monkeypatch):
    monkeypatch.setenv("PATH", str(program.parent))
    assert installed() == Installed(program, tuple(Path(place) for place in tesseract._DATA if Path(place).is_dir()))
    data = program.parents[1] / "share" / "tessdata"
    data.mkdir(parents=True)
    assert data in installed().reads
    monkeypatch.setenv("PATH", "/nonexistent")
    assert installed() is None
