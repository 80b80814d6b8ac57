"""Where the sentences of a text end, in English and French.

A span is never rewritten: the reader quotes by it, and what it quotes must stand in the source letter for letter.
"""

from __future__ import annotations

import re

__all__ = ["sentences", "spans"]

_LINE = re.compile(r"[^\n]+")
# Begun at the start of a run of stops alone, and never tried again inside it: a page of dots takes no longer than text.
_END = re.compile(r"(?<![.!?…])[.!?…]++[\"'”’»)\]]*+(?:\s*»)?(?=\s)")
_OPENS = re.compile(r"[\"'“‘«(\[]*\s*[\dA-ZÀ-ÖØ-Þ•*–—-]")
_LAST_WORD = re.compile(r"[^\s(\[«“\"'’]+$")
_ABBREVIATIONS = frozenset(
    """
    mr mrs ms dr prof st gen col lt sgt capt cdr maj brig adm cpl hon rev sen rep gov pres amb messrs jr sr no nos vol
    vols fig figs art arts sec para paras ch pp p ed eds e.g i.e cf viz etc al approx ca est dept inc ltd co corp vs
    jan feb mar apr jun jul aug sep sept oct nov dec mm mme mlle mgr me dr n° nº bd av env réf ref tél tel janv févr
    juil déc c.-à-d u.s u.k u.n e.u a.m p.m
    """.split()
)
_ALSO_WORDS = frozenset({"etc", "no", "me", "est", "co", "al", "art", "sec", "mar", "sun"})


def spans(text: str) -> list[tuple[int, int]]:
    """The (start, end) of each sentence, in order, without the white space between them. A line end ends one."""
    found: list[tuple[int, int]] = []
    for line in _LINE.finditer(text):
        start = _skip(text, line.start())
        for match in _END.finditer(text, start, line.end()):
            if match.end() > start and _ends(text, match, start):
                found.append((start, match.end()))
                start = _skip(text, match.end())
        end = line.start() + len(line.group().rstrip())
        if end > start:
            found.append((start, end))
    return found


def sentences(text: str) -> list[str]:
    """The sentences themselves."""
    return [text[start:end] for start, end in spans(text)]


def _ends(text: str, match: re.Match[str], start: int) -> bool:
    """A full stop that belongs to an abbreviation, an initial or a list number ends nothing."""
    if not _OPENS.match(text, _skip(text, match.end())):
        return False
    if match.group()[0] != ".":
        return True
    before = _LAST_WORD.search(text, max(start, match.start() - 24), match.start())
    word = before.group() if before else ""
    if word.lower() in _ABBREVIATIONS:
        return word.lower() in _ALSO_WORDS and _capital_word(text, match.end())
    number = match.start() - len(word) == start and len(word) <= 3 and word.isalnum()
    return not number and not (len(word) == 1 and word.isupper())


def _capital_word(text: str, at: int) -> bool:
    """Whether a word with a capital follows: after `no` or `etc` it opens a sentence; `No. 7` goes on."""
    return bool(re.match(r"\s+[A-ZÀ-ÖØ-Þ]", text[at : at + 8]))


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at
