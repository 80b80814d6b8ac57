"""A picture of text, as the machine's text recognition has read it: the program `tesseract`, in a fence of its own.

What was recognised may be misread, marks included; the note says so, and a person states or confirms the label.
"""

from __future__ import annotations

from casemate.cells.extract import text
from casemate.cells.extract.draft import Draft, NoText
from casemate.cells.extract.nested import Nest
from casemate.cells.extract.shape import Extracted
from casemate.cells.extract.sniff import media

__all__ = ["RECOGNISED", "read"]

RECOGNISED = "Its text was recognised in a picture; words and marks may be misread or missing."


def read(data: bytes, nest: Nest) -> Extracted:
    """One document; a page for each that the picture holds."""
    said = nest.recognise(data)
    if said is None:
        return Extracted(media("", data), ())
    draft = Draft()
    for number, page in enumerate(said.removesuffix("\f").split("\f")):
        if number:
            draft.turn()
        for paragraph in text.paragraphs(page.splitlines()):
            draft.add(paragraph)
    if draft.empty:
        raise NoText
    return Extracted(media("", data), (draft.part(),), notes=(RECOGNISED,))
