"""What the hostile files share: sound ones to be broken, and an extractor that must read on after each."""

from __future__ import annotations

import asyncio

from casemate.engines.extractor import CellExtractor
from casemate.engines.sandbox import Limits, Sandbox
from casemate.errors import Unreadable
from casemate.knowledge.reading.extract import Extracted, Paragraph
from tests.cells import made

LIMITS = Limits(memory=768 << 20, cpu=30)
"""Less than a region gives: what stays within them stays within those."""
DECLARES = "Its XML declares a document type or entities; such XML is not read."
DAMAGED = "Its archive is damaged; it may be cut off."
PARTS = {
    "docx": ("word/document.xml", "word/styles.xml", "word/header1.xml", "docProps/core.xml", "_rels/.rels"),
    "xlsx": ("xl/workbook.xml", "xl/sharedStrings.xml", "xl/styles.xml", "xl/worksheets/sheet0.xml"),
    "pptx": ("ppt/presentation.xml", "ppt/slides/slide0.xml", "ppt/slideLayouts/layout1.xml"),
}
GOOD = {
    "docx": made.docx(made.p("text"), header1=made.p("head"), styles="", core="title"),
    "xlsx": made.xlsx(made.sheet(made.row("text"))),
    "pptx": made.pptx(made.shape("text")),
}
ENTITIES = {
    "laughs": made.LAUGHS + "<x>&a9;</x>",
    "a file": '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
    "an address": '<?xml version="1.0"?><!DOCTYPE x SYSTEM "http://198.51.100.7/x.dtd"><x/>',
    "a parameter": '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY % e SYSTEM "http://198.51.100.7/x"> %e;]><x/>',
    "quadratic": '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "' + "a" * 50_000 + '">]><x>' + "&a;" * 50_000 + "</x>",
}


def outcomes(*files: tuple[str, bytes], limits: Limits = LIMITS) -> list[Extracted | str]:
    """What became of each: what was read, or the reason. After each a good file of the same domain is read."""

    async def go() -> list[Extracted | str]:
        sandbox = Sandbox()
        extractor = CellExtractor(sandbox, limits, recogniser=lambda: None)
        found: list[Extracted | str] = []
        try:
            for name, data in files:
                try:
                    found.append(await extractor.extract(name, data, "d"))
                except Unreadable as refused:
                    found.append(str(refused.facts["why"]))
                next_one = await extractor.extract("next.txt", b"next", "d")
                assert next_one.parts[0].pages == ((Paragraph("next"),),)
        finally:
            await extractor.close()
            sandbox.close()
        return found

    return asyncio.run(go())


def why(name: str, data: bytes, limits: Limits = LIMITS) -> str:
    (reason,) = outcomes((name, data), limits=limits)
    assert isinstance(reason, str), reason
    return reason


def told(name: str, data: bytes) -> list[str]:
    (found,) = outcomes((name, data))
    assert isinstance(found, Extracted), found
    return [paragraph.text for part in found.parts for page in part.pages for paragraph in page]


def with_member(kind: str, member: str, data: bytes) -> bytes:
    return made.archive(made.members(GOOD[kind]) | {member: data})
