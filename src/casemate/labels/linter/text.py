"""Where marks stand in a text, by position: a banner alone on its line, a portion mark that opens a paragraph, and the
paragraphs that bear none. Form feeds part pages.

It looks at shapes, and at the words with which the marks of the policies begin; what a mark says is the grammar's
business, and what is wrong with it the linter's. One pass over the lines; what it does for a line is bounded by the
length that a mark can have. It must never raise, and never pass over a line that reads like a mark.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

from casemate.labels.disguise import plain, tidy
from casemate.labels.policy import Policy
from casemate.labels.reading import LONGEST
from casemate.labels.vocabulary import Vocabulary

__all__ = ["BANNER", "PORTION", "UNMARKED", "Kind", "Lines", "Scanner", "Spot", "body", "runs"]

Kind = Literal["banner", "portion", "unmarked"]
BANNER: Kind = "banner"
PORTION: Kind = "portion"
UNMARKED: Kind = "unmarked"
_HEAD = 48  # characters of a line in which a mark's first word ends, with its bullets and numbers
_EDGE = 4  # how many lines at the top or bottom of a page may be banners of the whole
_SHORT = 3  # characters of an abbreviation that ordinary text uses too
_LEAD = (
    r"\s*(?:[-*•·–—▪▫■□●○◦➢✓>#\uf000-\uf0ff]+\s+)*"
    r"(?:\(?(?:\d{1,3}|[A-Za-z]|[ivxlIVXL]{1,5})[.)]\s+|\d{1,3}(?:\.\d{1,3}){1,5}\.?\s+)?(?:[*_]{1,3}(?=[(\[]))?"
)
_OPENED = re.compile(rf"(?P<lead>{_LEAD})[(\[](?P<inside>[^()\[\]\n]{{1,{LONGEST}}})(?P<close>[)\]])")
_UNCLOSED = re.compile(rf"(?P<lead>{_LEAD})[(\[](?P<inside>[^\s()\[\]]{{1,{LONGEST}}})")
_SHAPED = re.compile(r"/{0,2}[A-Z][A-Z0-9 .,'/()+&:\[\]-]*")
_UNSEEN = re.compile("[\\s\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+")
_RIGHTS = re.compile(r"\s*(?:copyright\b|©)|.*\ball rights reserved\b", re.IGNORECASE)
_LETTER = re.compile(r"[^\W\d_]{2}")
_SEGMENT = re.compile(r"[ \t]{2,}|\s*(?:[-*+•·–—▪▫■□●○◦➢✓|>]\s*|\(?(?:\d{1,3}|[A-Za-z])[.)]\s)")
_FRONT = re.compile(r"---[ \t]*\r?\n(?:.{0,1000}\r?\n){0,200}?---[ \t]*(?:\r?\n|$)")
_BLOCK = re.compile(
    r"\W*(?:(?:classified by|derived from|declassify on|downgrade to|reason|classifi[ée]e? par)[\w ]{0,24}:"
    r"|page \d+(?: (?:of|de|sur|/) \d+)?\W*$)",
    re.IGNORECASE,
)


class Spot(NamedTuple):
    """text[start:end] is a mark with its brackets, or the first line of a paragraph that bears none.

    `inside` is what the mark says, tidy, and stands at `at`, as long as it is written there. `order`: which of the
    page's lines it is. `edge`: a banner that stands where banners of the whole stand. `odd`: what is wrong with its
    place, "" if nothing.
    """

    kind: Kind
    start: int
    end: int
    inside: str
    at: int
    length: int
    page: int = 0
    order: int = 0
    edge: bool = False
    odd: str = ""


@dataclass(frozen=True)
class Lines:
    """Lines and columns, both from 1, of places in a text. A line ends as editors see it: LF, CR LF or CR."""

    text: str

    @cached_property
    def starts(self) -> list[int]:
        return [0, *(found.end() for found in re.finditer(r"\r\n|\n|\r", self.text))]

    def at(self, place: int) -> tuple[int, int]:
        """The line and the column of a place."""
        line = bisect_right(self.starts, place)
        return line, place - self.starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The words of a line, without its end."""
        end = self.starts[number] if number < len(self.starts) else len(self.text)
        return self.text[self.starts[number - 1] : end].rstrip("\r\n")


class Scanner:
    """Finds the places in texts where marks of these policies may stand. It remembers nothing of what it has seen."""

    def __init__(self, policies: Iterable[Policy]) -> None:
        full: set[str] = set()
        portion: set[str] = set()
        for policy in policies:
            vocabulary = Vocabulary(policy)
            full |= {*vocabulary.levels["full"], *vocabulary.standing["full"]}
            portion |= {*vocabulary.levels["portion"], *vocabulary.standing["portion"]}
        heads = _either({each for head in full for each in (head, plain(head))})
        self._heads = re.compile(rf"[#*_>\s]*(?:{heads})(?![^\W_])", re.IGNORECASE)
        self._portions = re.compile(rf"(?:{_either(full | portion)})(?=//)")
        self._opened = re.compile(rf"{_LEAD}[(\[]")

    def spots(self, text: str) -> list[Spot]:
        """Every place, in order; the banners among them know whether they stand at the edge of a page."""
        found: list[Spot] = []
        page = order = start = first = 0
        fresh, covered = True, False
        front = body(text)
        for line in text.splitlines(keepends=True):
            said = line.strip()
            if not said:
                fresh = True
            else:
                spot = self._spot(line, said, start, page, order)
                if spot is not None:
                    found.append(spot)
                    covered = fresh = spot.kind == BANNER
                    covered = not covered
                elif fresh and start >= front:
                    fresh = False
                    covered = covered and _SEGMENT.match(line) is not None
                    if not covered and _LETTER.search(said, 0, LONGEST) and not _BLOCK.match(said, 0, LONGEST):
                        inside = start + line.index(said[0])
                        found.append(Spot(UNMARKED, inside, inside + len(said), "", inside, 0, page, order))
                order += start >= front
            start += len(line)
            if line[-1] == "\f":
                first = _edged(found, first, order)
                page, order, fresh = page + 1, 0, True
        _edged(found, first, order)
        return found

    def _spot(self, line: str, said: str, start: int, page: int, order: int) -> Spot | None:
        head = said[:_HEAD]
        if not (head.isascii() and head.isprintable()):
            head = plain(head)
        if head[:1] in "([" or self._opened.match(head):
            return self._portion(line, start, page, order)
        if self._heads.match(head) or ("//" in said[:LONGEST] and _shaped(said[:LONGEST])):
            return _banner(line, said, start, page, order)
        return None

    def _portion(self, line: str, start: int, page: int, order: int) -> Spot | None:
        opened = _OPENED.match(line)
        if opened is None:
            return self._strange(line, start, page, order)
        raw, inside = opened["inside"], tidy(opened["inside"])
        after, square = line[opened.end() : opened.end() + 1], line[opened.start("inside") - 1] == "["
        if "/" not in inside and (after.islower() or after.isdigit() or after == "-"):
            return None  # "(C)ompany", "(U)-turn"
        if square and len(inside) <= _SHORT:
            return None  # "[C]" is a reference
        if inside == "C" and _RIGHTS.match(line, opened.end(), opened.end() + LONGEST):
            return None
        odd = "brackets" if square else "glued" if after and not after.isspace() and after not in "*_" else ""
        first, end = opened.end("lead"), opened.end()
        at = opened.start("inside")
        return Spot(PORTION, start + first, start + end, inside, start + at, len(raw), page, order, False, odd)

    def _strange(self, line: str, start: int, page: int, order: int) -> Spot | None:
        """A mark that is never closed, or longer than one can be, or hidden among characters that no reader sees."""
        unseen = _UNSEEN.match(line)
        hidden = unseen and _OPENED.match(line, unseen.end())
        if unseen and hidden:
            first, at, raw = unseen.end(), hidden.start("inside"), hidden["inside"]
            place = (start + first, start + hidden.end(), tidy(raw), start + at, len(raw))
            return Spot(PORTION, *place, page, order, False, "hidden")
        opened = _UNCLOSED.match(line)
        if opened is None or not self._portions.match(opened["inside"]):
            return None
        first, at, raw = opened.end("lead"), opened.start("inside"), opened["inside"]
        odd = "long" if len(raw) == LONGEST else "unclosed"
        return Spot(PORTION, start + first, start + opened.end(), raw, start + at, len(raw), page, order, False, odd)


def _banner(line: str, said: str, start: int, page: int, order: int) -> Spot:
    if len(said) > LONGEST:
        at = start + line.index(said[0])
        return Spot(BANNER, at, at + LONGEST, tidy(said[:LONGEST]), at, LONGEST, page, order, False, "long")
    raw = said.lstrip("# \t")
    for wrap in ("***", "___", "**", "__", "*", "_"):
        if raw.startswith(wrap) and raw.endswith(wrap) and len(raw) > 2 * len(wrap):
            raw = raw.removeprefix(wrap).removesuffix(wrap).strip()
            break
    at = start + line.index(raw)
    return Spot(BANNER, at, at + len(raw), tidy(raw), at, len(raw), page, order)


def _shaped(said: str) -> bool:
    """Whether a line has the shape of a banner, whatever its words: capitals and slashes, and no address."""
    return said == said.upper() and _SHAPED.fullmatch(plain(said)) is not None


def _edged(found: list[Spot], first: int, lines: int) -> int:
    """Tell the banners of a page that has ended whether they stand at its edge; where the next page's begin."""
    for at in range(first, len(found)):
        spot = found[at]
        if spot.kind == BANNER and (spot.order < _EDGE or spot.order >= lines - _EDGE):
            found[at] = spot._replace(edge=True)
    return len(found)


def _either(options: Iterable[str]) -> str:
    return "|".join(re.escape(each).replace(r"\ ", r"\s+") for each in sorted(options, key=len, reverse=True))


def body(text: str) -> int:
    """Where a text's own words begin: after the front matter of a Markdown file, if it has one."""
    found = _FRONT.match(text)
    return found.end() if found else 0


def runs(spots: Iterable[Spot]) -> Iterator[list[Spot]]:
    """Banners that stand on lines which follow each other, taken together: a level and its mention."""
    held: list[Spot] = []
    for spot in spots:
        if held and (spot.page, spot.order) == (held[-1].page, held[-1].order + 1):
            held.append(spot)
            continue
        if held:
            yield held
        held = [spot]
    if held:
        yield held
