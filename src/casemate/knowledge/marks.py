"""Where the marks of a document stand: a banner alone on its line, a portion mark that opens a paragraph.

Finds and cuts; it decides nothing about labels. Lines that repeat at the edges of pages are running headers: their
marks are banners, their other words are nobody's passage.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from casemate.labels import Policies, Reading

__all__ = ["HEADING", "PARAGRAPH", "Block", "Piece", "find", "without_running"]

PARAGRAPH, HEADING = "paragraph", "heading"
_NUMBER = re.compile(r"\s*(?:[-*•·–—▪◦]|\(?(?:\d{1,3}|[A-Za-z]|[ivxlIVXL]{1,5})[.)]|\d{1,3}(?:\.\d{1,3}){1,5}\.?)\s+")
_ENDED = re.compile(r"[.!?:;…]['\"”’»)\]]*\s*$")
_RIGHTS = re.compile(r"copyright|©|all rights reserved|tous droits", re.IGNORECASE)
_DIGITS = re.compile(r"\d+")
_EDGE = 4  # how many lines at the top or bottom of a page may be running ones
_PAGES = 4  # from how many pages on a repetition means something
_LONGEST = 300  # a mark alone on its line is not longer


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph as an extractor gives it; lines inside are separated by newlines. `page` 0: no pages."""

    text: str
    page: int = 0
    kind: str = PARAGRAPH


@dataclass(frozen=True, slots=True)
class Piece:
    """A banner, or a paragraph with or without a mark. `amid`: the mark opened a line in the middle of a sentence."""

    text: str
    page: int
    kind: str
    mark: str = ""
    readings: tuple[Reading, ...] = ()
    banner: bool = False
    amid: bool = False


def find(blocks: Sequence[Block], policies: Policies) -> list[Piece]:
    """The document as banners and paragraphs, in order. A paragraph that goes on after a page break is one piece."""
    pieces: list[Piece] = []
    running = _running(blocks)
    for block in blocks:
        for piece in _cut(block, policies, running):
            before = _last_paragraph(pieces)
            if before is not None and not piece.readings and _goes_on(pieces[before], piece):
                pieces[before] = replace(pieces[before], text=f"{pieces[before].text} {piece.text}")
            else:
                pieces.append(piece)
    return pieces


def without_running(blocks: Sequence[Block]) -> list[Block]:
    """The blocks without the lines that run along the edges of pages."""
    running = _running(blocks)
    kept = []
    for block in blocks:
        lines = [line for line in block.text.split("\n") if (block.page, _shape(line)) not in running]
        if lines:
            kept.append(replace(block, text="\n".join(lines)))
    return kept


def _cut(block: Block, policies: Policies, running: frozenset[tuple[int, str]]) -> Iterator[Piece]:
    """One block as pieces: banners stand alone, a line that opens with a mark begins a new piece."""
    held: Piece | None = None
    for line in block.text.split("\n"):
        readings = _banner(line, policies)
        if readings:
            if held is not None:
                yield held
            held = None
            yield Piece("", block.page, block.kind, line.strip(), readings, banner=True)
            continue
        if not line.strip() or (block.page, _shape(line)) in running:
            continue
        mark, readings, rest = _opening(line, policies, block.text)
        if held is not None and not readings:
            held = replace(held, text=f"{held.text}\n{line}" if held.text else line)
            continue
        amid = held is not None and bool(held.text) and not _ENDED.search(held.text) and block.kind != HEADING
        if held is not None:
            yield held
        held = Piece(rest, block.page, block.kind, mark, readings, amid=amid)
    if held is not None:
        yield held


def _banner(line: str, policies: Policies) -> tuple[Reading, ...]:
    stripped = line.strip()
    return policies.read_banner(stripped) if 0 < len(stripped) <= _LONGEST else ()


def _opening(line: str, policies: Policies, whole: str) -> tuple[str, tuple[Reading, ...], str]:
    """(mark as written, readings, the line without the mark); a list number before the mark stays with the text."""
    for number in ("", _numbered(line)):
        tail = line[len(number) :].lstrip()
        if not tail.startswith(("(", "[")):
            continue
        readings, rest = policies.read_portion(tail)
        if readings and not (tail[:3].upper() == "(C)" and _RIGHTS.search(whole)):
            mark = tail[: len(tail) - len(rest)].strip() if tail.endswith(rest) else tail.split(" ", 1)[0]
            return mark, readings, f"{number.strip()} {rest.strip()}".strip()
    return "", (), line


def _numbered(line: str) -> str:
    match = _NUMBER.match(line)
    return match.group() if match else ""


def _last_paragraph(pieces: Sequence[Piece]) -> int | None:
    """The last piece, looking through the banners of a page break."""
    for at in range(len(pieces) - 1, -1, -1):
        if not pieces[at].banner:
            return at
    return None


def _goes_on(before: Piece, piece: Piece) -> bool:
    """Whether a paragraph continues one of the page before: it stops amid a sentence, this begins without a capital."""
    text = piece.text.lstrip()
    return (
        piece.page == before.page + 1
        and before.kind == piece.kind == PARAGRAPH
        and text[:1].islower()
        and not _ENDED.search(before.text)
    )


def _running(blocks: Sequence[Block]) -> frozenset[tuple[int, str]]:
    """(page, shape) of the lines at page edges that at least half of the pages repeat, digits aside."""
    edges: dict[int, list[str]] = {}
    for block in blocks:
        edges.setdefault(block.page, []).extend(_shape(line) for line in block.text.split("\n") if line.strip())
    if len(edges) < _PAGES:
        return frozenset()
    near = {page: set(lines[:_EDGE] + lines[-_EDGE:]) for page, lines in edges.items()}
    often = Counter(shape for shapes in near.values() for shape in shapes)
    return frozenset(
        (page, shape) for page, shapes in near.items() for shape in shapes if 2 * often[shape] >= len(near)
    )


def _shape(line: str) -> str:
    return _DIGITS.sub("#", " ".join(line.split()))
