"""Plain text: paragraphs are what blank lines part, pages are what form feeds part.

Decoding: UTF-8, with or without its mark; UTF-16 where it bears its mark; nothing else, because a guess could turn the
letters of a mark into others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from casemate.cells.extract.draft import Draft, NoText
from casemate.cells.extract.shape import Extracted
from casemate.cells.serve import CannotRead

__all__ = ["decode", "paragraphs", "read"]

_LONG = 20_000  # a block that is longer is parted where a sentence ends with its line
_ENDS = (".", "!", "?", ":", ";", "…")


def decode(data: bytes) -> str:
    """The text of a file's bytes. Raises CannotRead."""
    if data.startswith((b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")):
        raise CannotRead("Its text is encoded as UTF-32; save it as UTF-8.")
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        called = "UTF-16" if encoding == "utf-16" else "UTF-8"
        raise CannotRead(f"Its bytes are not {called} (at byte {error.start}).") from None
    if "\x00" in text:
        raise CannotRead("It holds binary data.")
    return text


def paragraphs(lines: Iterable[str]) -> Iterator[str]:
    """Lines between blank lines, joined by newlines."""
    block: list[str] = []
    size = 0
    for line in lines:
        ended = size > _LONG and block[-1].rstrip().endswith(_ENDS)
        if block and (ended or not line.strip()):
            yield "\n".join(block)
            block, size = [], 0
        if line.strip():
            block.append(line)
            size += len(line)
    if block:
        yield "\n".join(block)


def read(data: bytes) -> Extracted:
    """One document."""
    draft = Draft()
    for number, page in enumerate(decode(data).split("\f")):
        if number:
            draft.turn()
        for paragraph in paragraphs(page.splitlines()):
            draft.add(paragraph)
    if draft.empty:
        raise NoText
    return Extracted("text/plain", (draft.part(),))
