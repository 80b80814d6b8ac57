"""Bringing files by dropping or by a form, what became of each, and the one question about unmarked ones."""

from __future__ import annotations

import asyncio
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.doors.frame import read_form
from casemate.errors import BadInput
from tests.console.visitor import HOST, LOW, Page, Visitor, a_region

OWN = (("origin", f"http://{HOST}"), ("sec-fetch-site", "same-origin"))
BOUNDARY = "----EdgeOfParts"


def parts(*named: tuple[str, str, bytes]) -> bytes:
    """A multipart body as a browser writes it: field, file name, bytes."""
    body = b""
    for field, name, data in named:
        file = f'; filename="{name}"\r\nContent-Type: application/octet-stream' if name else ""
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"{file}\r\n\r\n'
        body += head.encode() + data + b"\r\n"
    return body + f"--{BOUNDARY}--\r\n".encode()


MULTIPART = ("content-type", f"multipart/form-data; boundary={BOUNDARY}")


def test_a_dropped_file_is_a_row_and_then_a_document() -> None:
    async def drop() -> None:
        async with a_region() as world:
            analyst = await Visitor(world).sign_in("analyst")
            target = "/documents/file?name=note.txt&base=&label="
            row = await analyst.send("POST", target, b"UNCLASSIFIED\n\n(U) A new note.\n\nUNCLASSIFIED\n", *OWN)
            assert row.status == 202
            assert "Received" in row.body.decode()
            waiting = await analyst.get("/documents?look=1", ("hx-request", "true"))
            assert "<html" not in waiting.body.decode()
            assert "look=2" in waiting.body.decode()
            assert "Reading its marks" in waiting.body.decode()
            await world.step("knowledge.ingest")
            ready = await analyst.get("/documents?look=2", ("hx-request", "true"))
            assert "look=3" not in ready.body.decode()
            assert "note.txt" in (await analyst.get("/documents.json")).body.decode()
            again = await analyst.send("POST", target, b"UNCLASSIFIED\n\n(U) A new note.\n\nUNCLASSIFIED\n", *OWN)
            assert "Known already" in again.body.decode()

    asyncio.run(drop())


def test_a_file_that_cannot_be_taken_says_why_in_its_row() -> None:
    async def drop() -> None:
        async with a_region() as world:
            analyst = await Visitor(world).sign_in("analyst")
            empty = await analyst.send("POST", "/documents/file?name=empty.txt", b"", *OWN)
            assert (empty.status, "Refused" in empty.body.decode()) == (400, True)
            named = await analyst.send("POST", f"/documents/file?name={'x' * 300}", b"text", *OWN)
            assert named.status == 400

    asyncio.run(drop())


def test_a_document_whose_marks_contradict_each_other_is_quarantined_with_the_reason() -> None:
    async def drop() -> None:
        async with a_region() as world:
            analyst = await Visitor(world).sign_in("analyst")
            text = b"UNCLASSIFIED\n\n(S//NF) Above its banner.\n\nUNCLASSIFIED\n"
            await analyst.send("POST", "/documents/file?name=odd.txt", text, *OWN)
            await world.step("knowledge.ingest")
            page = Page.of(await analyst.get("/documents"))
            assert "Quarantined" in page.text
            assert "above the document's banner" in page.text
            assert "Raise the banner" in page.text
            french = await Visitor(world, "fr").sign_in("analyst")
            assert "dépasse le bandeau" in Page.of(await french.get("/documents")).text

    asyncio.run(drop())


def test_unmarked_files_are_one_question() -> None:
    async def drop() -> None:
        async with a_region() as world:
            analyst = await Visitor(world).sign_in("analyst")
            body = parts(
                ("base", "", b"folder"),
                ("files", "one.txt", b"The first has no mark."),
                ("files", "two.txt", "Le deuxième non plus.".encode()),
                ("files", "", b""),
            )
            sent = await analyst.send("POST", "/documents", body, MULTIPART, *OWN)
            assert (sent.status, sent.header("location")) == (303, "/documents")
            await world.step("knowledge.ingest")
            page = Page.of(await analyst.get("/documents"))
            assert "2 documents bear no marking." in page.text
            ids = next(field["value"] for field in page.all("input") if field.get("name") == "ids")
            assert len(ids.split(",")) == 2
            options = re.findall(r'<option value="([^"]+)">UNCLASSIFIED</option>', page.source)
            told = await analyst.post("/documents/label", {"label": options[-1], "ids": ids})
            assert told.status == 303
            await world.step("knowledge.ingest")
            data = (await analyst.get("/documents.json")).json["data"]
            found = {row["name"]: row for row in data["documents"]}
            assert (found["one.txt"]["marking"], found["two.txt"]["base"]) == ("UNCLASSIFIED", "folder")
            assert data["waiting"] == []

    asyncio.run(drop())


def test_nobody_is_asked_about_the_files_of_others() -> None:
    async def drop() -> None:
        async with a_region(("bulletin.txt", LOW), ("bare.txt", "No mark at all.")) as world:
            auditor = await Visitor(world).sign_in("auditor")
            page = Page.of(await auditor.get("/documents"))
            assert "bare.txt" in page.text
            assert "bears no marking" not in page.text

    asyncio.run(drop())


@settings(max_examples=200)
@given(
    st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.text("abc é\n", max_size=20), max_size=4),
    st.lists(st.tuples(st.from_regex(r"[\w. -]{1,12}", fullmatch=True), st.binary(max_size=200)), max_size=4),
)
def test_a_form_is_read_as_it_was_written(fields: dict[str, str], files: list[tuple[str, bytes]]) -> None:
    named = [(name, "", value.encode()) for name, value in fields.items()]
    body = parts(*named, *(("files", name, data) for name, data in files))
    assert read_form(MULTIPART[1], body) == (fields, files)


@pytest.mark.parametrize(
    ("media", "body"),
    [
        ("text/plain", b""),
        ("multipart/form-data", b""),
        (MULTIPART[1], b"no parts at all"),
        (MULTIPART[1], parts(("files", "a", b"x"))[:-8]),
        (MULTIPART[1], parts(*(("files", "a", b"") for _ in range(1001)))),
    ],
)
def test_a_form_that_is_not_whole_is_refused(media: str, body: bytes) -> None:
    with pytest.raises(BadInput):
        read_form(media, body)
