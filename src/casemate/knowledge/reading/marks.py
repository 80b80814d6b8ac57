"""Where the marks of a document stand: a banner alone on its line, a portion mark that opens a paragraph.

Finds and cuts; it decides nothing about labels. Only a banner at the edge of a page speaks for the whole; one amid the
text, or in a cell of a table, is an inner one. Lines that run along the edges of pages are nobody's passage, and their
marks still count.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

from casemate.labels import Policies, Reading

__all__ = ["HEADING", "PARAGRAPH", "Block", "Piece", "find", "without_running"]

PARAGRAPH, HEADING = "paragraph", "heading"
_TABLE, _RUNNING = "table", ("header", "footer")
_ENDED = re.compile(r"[.!?:;…]['\"”’»)\]]*\s*$")
_RIGHTS = re.compile(r"copyright|©|all rights reserved|tous droits", re.IGNORECASE)
_LETTER = re.compile(r"\(([A-Z])\)(?:\s|$)")
_DIGITS = re.compile(r"\d+")
_EDGE = 4  # how many lines at the top or bottom of a page may be banners of the whole, or running ones
_PAGES = 4  # from how many pages on a repetition means something
Where = tuple[int, int]  # (which block, which of its lines)


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph as an extractor gives it; lines inside are separated by newlines. `page` 0: no pages."""

    text: str
    page: int = 0
    kind: str = PARAGRAPH


@dataclass(frozen=True, slots=True)
class Piece:
    """A banner, or a paragraph with or without a mark.

    `edge`: a banner that stands where banners of the whole stand. `amid`: a mark that opened a line amid a sentence.
    """

    text: str
    page: int
    kind: str
    mark: str = ""
    readings: tuple[Reading, ...] = ()
    banner: bool = False
    edge: bool = False
    amid: bool = False


def find(blocks: Sequence[Block], policies: Policies) -> list[Piece]:
    """The document as banners and paragraphs, in order. A paragraph that goes on after a page break is one piece."""
    pieces: list[Piece] = []
    edges = _edges(blocks)
    running = _repeated(blocks, edges)
    before: int | None = None  # the last piece with text, looking through the banners and running lines of a page break
    for at, block in enumerate(blocks):
        for piece in _cut(at, block, policies, edges, running):
            if before is not None and not piece.readings and _goes_on(pieces[before], piece):
                pieces[before] = replace(pieces[before], text=f"{pieces[before].text} {piece.text}")
            else:
                before = len(pieces) if piece.text else before
                pieces.append(piece)
    return _unnumbered(pieces)


def without_running(blocks: Sequence[Block]) -> list[Block]:
    """The blocks without the lines that run along the edges of pages."""
    running = _repeated(blocks, _edges(blocks))
    kept = []
    for at, block in enumerate(blocks):
        lines = [line for number, line in enumerate(block.text.split("\n")) if (at, number) not in running]
        if lines:
            kept.append(replace(block, text="\n".join(lines)))
    return kept


def _cut(
    at: int, block: Block, policies: Policies, edges: frozenset[Where], running: frozenset[Where]
) -> Iterator[Piece]:
    """One block as pieces: banners stand alone, a line that opens with a mark begins a new piece."""
    held: Piece | None = None
    said: list[str] = []  # its lines
    rights = cache(lambda: bool(_RIGHTS.search(block.text)))
    row = False  # in a table: the mark stood alone in its cell, so it is that of the row
    for number, line in enumerate(block.text.split("\n")):
        banner = policies.read_banner(line) if line.strip() else ()
        mark, readings, rest = _opening(line, policies, rights)
        if banner:
            if held is not None:
                yield _whole(held, said)
            held = None
            edge = (at, number) in edges
            yield Piece("", block.page, block.kind, line.strip(), banner, banner=True, edge=edge)
        elif (at, number) in running:
            if readings:
                yield Piece("", block.page, block.kind, mark, readings)
        elif readings or (held is None and line.strip()):
            before = _whole(held, said) if held is not None else None
            if before is not None:
                yield before
            amid = before is not None and _amid(before)
            held = Piece("", block.page, block.kind, mark, readings, amid=amid)
            said = [rest if readings else line]
            row = bool(readings) and not rest
        elif held is not None and line.strip():
            if block.kind == _TABLE and held.readings and not row:
                yield _whole(held, said)
                held, said = Piece("", block.page, block.kind), []
            said.append(line)
    if held is not None:
        yield _whole(held, said)


def _whole(held: Piece, said: Sequence[str]) -> Piece:
    return replace(held, text="\n".join(line for line in said if line))


def _amid(held: Piece) -> bool:
    """Whether what is held breaks off, so that a mark on the next line may be one that it speaks of."""
    return bool(held.text) and held.kind not in (HEADING, _TABLE) and not _ENDED.search(held.text)


def _opening(line: str, policies: Policies, rights: Callable[[], bool]) -> tuple[str, tuple[Reading, ...], str]:
    """(mark as written, readings, the line without the mark); a list number before the mark stays with the text.

    `rights`: whether the paragraph speaks of rights, where (C) is a sign of them.
    """
    if "(" not in line and "[" not in line and line.isascii():
        return "", (), line
    readings, rest = policies.read_portion(line)
    if not readings or (readings[0].text == "C" and rights()):
        return "", (), line
    return f"({readings[0].text})", readings, rest.strip()


def _unnumbered(pieces: list[Piece]) -> list[Piece]:
    """The pieces with (C) as a number where it follows (A) and (B), and the document bears no other mark at all."""
    letters: list[tuple[int, str]] = []
    for at, piece in enumerate(pieces):
        opened = _LETTER.match(piece.mark or piece.text)
        if opened:
            letters.append((at, opened[1]))
    numbers: set[int] = set()
    run = ""
    for at, letter in letters:
        run = run + letter if run and ord(letter) == ord(run[-1]) + 1 else letter
        if run.startswith("AB") and pieces[at].readings:
            numbers.add(at)
    if any(piece.readings and at not in numbers for at, piece in enumerate(pieces)):
        return pieces
    return [
        replace(piece, text=f"{piece.mark} {piece.text}".strip(), mark="", readings=()) if at in numbers else piece
        for at, piece in enumerate(pieces)
    ]


def _goes_on(before: Piece, piece: Piece) -> bool:
    """Whether a paragraph continues one of the page before: it stops amid a sentence, this begins without a capital."""
    return (
        piece.page == before.page + 1
        and before.kind == piece.kind == PARAGRAPH
        and piece.text.lstrip()[:1].islower()
        and not _ENDED.search(before.text)
    )


def _edges(blocks: Sequence[Block]) -> frozenset[Where]:
    """The first and last lines of each page, and whatever an extractor knows to be a header or a footer."""
    pages: dict[int, list[Where]] = {}
    found: set[Where] = set()
    for at, block in enumerate(blocks):
        lines = [(at, number) for number, line in enumerate(block.text.split("\n")) if line.strip()]
        if block.kind in _RUNNING:
            found.update(lines)
        elif block.kind != _TABLE:
            pages.setdefault(block.page, []).extend(lines)
    for lines in pages.values():
        found.update(lines[:_EDGE] + lines[-_EDGE:])
    return frozenset(found)


def _repeated(blocks: Sequence[Block], edges: frozenset[Where]) -> frozenset[Where]:
    """The lines of headers and footers: named so, or the same, digits aside, at the edges of half of the pages."""
    texts = [block.text.split("\n") for block in blocks]
    pages = {block.page for block in blocks}
    shapes = {(at, number): _DIGITS.sub("#", " ".join(texts[at][number].split())) for at, number in edges}
    often = Counter(shape for _, shape in {(blocks[at].page, shape) for (at, _), shape in shapes.items()})
    many = len(pages) if len(pages) >= _PAGES else 0
    return frozenset(
        (at, number)
        for (at, number), shape in shapes.items()
        if blocks[at].kind in _RUNNING or (many and 2 * often[shape] >= many)
    )
