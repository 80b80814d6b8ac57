"""Markdown: headings, lists, tables and paragraphs as CommonMark parts them, without its signs.

It is read for its words, not rendered: links, images and HTML inside stay as they are written. Emphasis and quotation
signs go, because a mark behind them (`**SECRET**`, `> (S) ...`) is still a mark.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from casemate.cells.extract import bounds
from casemate.cells.extract.draft import Draft, NoText
from casemate.cells.extract.shape import HEADING, LIST, PARAGRAPH, TABLE, Extracted
from casemate.cells.extract.text import decode

__all__ = ["read"]

_QUOTED = re.compile(r"\A\s*(?:>\s?)+")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_HEADING = re.compile(r" {0,3}#{1,6}(?=\s|$)")
_UNDERLINE = re.compile(r" {0,3}(?:=+|-{2,})\s*$")
_RULE = re.compile(r" {0,3}(?:(?:\*\s*){3,}|(?:-\s*){3,}|(?:_\s*){3,})$")
_BULLET = re.compile(r"\A\s*[-*+]\s+(?:\[[ xX]\]\s+)?")
_NUMBER = re.compile(r"\s*\d{1,9}[.)]\s+")
_ROW = re.compile(r"\s*\|.*\|\s*$")
_BETWEEN = re.compile(r"[\s|:-]+$")
_SIGNS = re.compile(r"\*+|_+")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")


def read(data: bytes) -> Extracted:
    """One document; its title is its first heading."""
    draft = Draft()
    title = ""
    lines = decode(data).splitlines()
    bounds.within(max(map(len, lines), default=0), bounds.LINE, "characters in one line")
    for text, kind in _blocks(lines):
        title = title or (text if kind == HEADING else "")
        draft.add(text, kind)
    if draft.empty:
        raise NoText
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
        said = line[match.end() :].strip() if match else ""
        bare = said.rstrip("#")
        return _plain(said if bare and not bare[-1].isspace() else bare.strip()), HEADING
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
    return _ESCAPED.sub(r"\1", _unsigned(line).replace("`", ""))


def _unsigned(line: str) -> str:
    """Without the signs of emphasis that open and close. Each is looked at once, however many there are."""
    opened: dict[str, list[tuple[int, int]]] = {"*": [], "_": []}
    gone: list[tuple[int, int]] = []
    for match in _SIGNS.finditer(line):
        sign, before, after = (
            match[0][0],
            line[max(0, match.start() - 1) : match.start()],
            line[match.end() : match.end() + 1],
        )
        if opened[sign] and before.strip() and not _is_word(after):
            gone += [opened[sign].pop(), match.span()]
        elif after.strip() and (sign == "*" or not _is_word(before)):
            opened[sign].append(match.span())
    kept, at = [], 0
    for start, end in sorted(gone):
        kept.append(line[at:start])
        at = end
    return "".join([*kept, line[at:]])


def _is_word(letter: str) -> bool:
    return letter.isalnum() or letter == "_"
