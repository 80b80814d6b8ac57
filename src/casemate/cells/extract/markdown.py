"""Markdown: headings, lists, tables and paragraphs as CommonMark parts them, without its signs.

It is read for its words, not rendered: links, images and HTML inside stay as they are written. Emphasis and quotation
signs go, because a mark behind them (`**SECRET**`, `> (S) ...`) is still a mark.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from casemate.cells.extract.draft import Draft
from casemate.cells.extract.shape import HEADING, LIST, PARAGRAPH, TABLE, Extracted
from casemate.cells.extract.text import decode
from casemate.cells.serve import CannotRead

__all__ = ["read"]

_QUOTED = re.compile(r"\s*(?:>\s?)+")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_HEADING = re.compile(r" {0,3}#{1,6}(?:\s+(.*?))??(?:\s+#+)?\s*$")
_UNDERLINE = re.compile(r" {0,3}(?:=+|-{2,})\s*$")
_RULE = re.compile(r" {0,3}(?:(?:\*\s*){3,}|(?:-\s*){3,}|(?:_\s*){3,})$")
_BULLET = re.compile(r"\s*[-*+]\s+(?:\[[ xX]\]\s+)?")
_NUMBER = re.compile(r"\s*\d{1,9}[.)]\s+")
_ROW = re.compile(r"\s*\|.*\|\s*$")
_BETWEEN = re.compile(r"[\s|:-]+$")
_STRONG = re.compile(r"(\*{1,3}|(?<!\w)_{1,3})(?=\S)(.+?)(?<=\S)(?:\1)(?!\w)")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")


def read(data: bytes) -> Extracted:
    """One document; its title is its first heading."""
    draft = Draft()
    title = ""
    for text, kind in _blocks(decode(data).splitlines()):
        title = title or (text if kind == HEADING else "")
        draft.add(text, kind)
    if draft.empty:
        raise CannotRead("It holds no text.")
    return Extracted("text/markdown", (draft.part(title),))


def _blocks(lines: list[str]) -> Iterator[tuple[str, str]]:
    """(text, kind) of each block. `held` is the one that is being read."""
    held: list[str] = []
    kind = PARAGRAPH
    fence = ""
    for raw in lines:
        line = _QUOTED.sub("", raw) if not fence else raw
        mark = _FENCE.match(line)
        if fence or mark:
            if mark and (not fence or line.strip().startswith(fence)):
                fence = "" if fence else mark.group(1)
            elif line.strip():
                held.append(line)
                continue
            yield from _done(held, kind)
            held, kind = [], PARAGRAPH
            continue
        begins = _begins(line, bool(held))
        if begins is None:
            held.append(_plain(line))
            continue
        if begins == HEADING and held and kind == PARAGRAPH and _UNDERLINE.match(line):
            kind = HEADING
        yield from _done(held, kind)
        text, kind = _first(line, begins)
        held = [text] if text else []
        if begins in (HEADING, TABLE):
            yield from _done(held, kind)
            held, kind = [], PARAGRAPH
    yield from _done(held, kind)


def _begins(line: str, within: bool) -> str | None:
    """The kind of the block that this line begins; "" where it only ends one, None where it goes on."""
    if not line.strip():
        return ""
    if (within and _UNDERLINE.match(line)) or _HEADING.match(line):
        return HEADING
    if _RULE.match(line):
        return ""
    if _ROW.match(line):
        return TABLE
    if _BULLET.match(line) or _NUMBER.match(line):
        return LIST
    return None if within else PARAGRAPH


def _first(line: str, kind: str) -> tuple[str, str]:
    """The text of a block's first line, without its sign."""
    if kind == HEADING:
        match = _HEADING.match(line)
        return (_plain(match.group(1) or "") if match else ""), HEADING
    if kind == TABLE:
        cells = [] if _BETWEEN.match(line) else line.strip().strip("|").split("|")
        return "\n".join(_plain(cell) for cell in cells), TABLE
    if kind == LIST:
        return _plain(_BULLET.sub("", line, count=1)), LIST
    return (_plain(line) if kind else ""), PARAGRAPH


def _done(held: list[str], kind: str) -> Iterator[tuple[str, str]]:
    if any(line.strip() for line in held):
        yield "\n".join(held), kind


def _plain(line: str) -> str:
    """Without emphasis, code signs and escapes."""
    for _ in range(2):  # **bold _and slanted_**
        line = _STRONG.sub(r"\2", line)
    return _ESCAPED.sub(r"\1", line.replace("`", ""))
