"""What somebody typed into a search box, taken apart: words, "phrases", -exclusions, field:word and filters.

    convoy "dry dock" -storm title:harbour heading:"fuel state" base:port media:pdf lang:fr mark:(S//NF)
    after:2026-01-31 before:2027 document:doc_x attr.author:ann -attr.draft:true

Values of one filter are alternatives, different filters hold together. For a person nothing is an error: what cannot
be read as an operator is a word. For a program `parse_strict` says what is wrong. Pure: it sees the text alone.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from casemate.errors import BadInput
from casemate.knowledge.index.analyse import terms
from casemate.knowledge.index.filed import Attribute
from casemate.knowledge.index.filter import Compare, Every, Filter, Some

__all__ = ["LONGEST", "PARTS", "Need", "Query", "parse", "parse_strict"]

LONGEST = 8192  # characters
PARTS = 64  # operators; words are not counted
Field = Literal["", "title", "heading", "text"]
_FIELDS: dict[str, Field] = {
    "title": "title",
    "titre": "title",
    "heading": "heading",
    "intertitre": "heading",
    "text": "text",
    "texte": "text",
}
_FILTERS = {
    "base": "base",
    "document": "document",
    "media": "media",
    "lang": "language",
    "language": "language",
    "langue": "language",
    "mark": "mark",
    "marque": "mark",
    "after": "after",
    "apres": "after",
    "before": "before",
    "avant": "before",
}
_OFFICE = "application/vnd.openxmlformats-officedocument."
_MEDIA: dict[str, tuple[str, ...]] = {
    "pdf": ("application/pdf",),
    "docx": (f"{_OFFICE}wordprocessingml.document",),
    "pptx": (f"{_OFFICE}presentationml.presentation",),
    "xlsx": (f"{_OFFICE}spreadsheetml.sheet",),
    "html": ("text/html", "application/xhtml+xml"),
    "text": ("text/plain", "text/markdown"),
    "txt": ("text/plain",),
    "md": ("text/markdown",),
    "csv": ("text/csv",),
    "json": ("application/json", "application/jsonl", "application/x-ndjson"),
    "xml": ("application/xml", "text/xml"),
    "eml": ("message/rfc822",),
    "image": ("image/png", "image/jpeg", "image/tiff", "image/gif", "image/webp", "image/bmp"),
}
_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»〝〞＂", '"'))
_PART = re.compile(
    r"(?P<minus>-(?=[^\W\d_]|\"))?"
    r"(?:(?P<name>[^\W\d_][\w.\-]{0,79}):(?=\S))?"
    r"(?:\"(?P<quoted>[^\"]*)\"|(?P<held>(?<=:)\([^()]*\))|(?P<bare>\S+))"
)
_DATE = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")
_NUMBER = re.compile(r"[+-]?\d{1,15}(?:\.\d{1,9})?")
_TRUTH = {"true": True, "vrai": True, "false": False, "faux": False}
_ENDS = ".,;?!"
_OPPOSITE: dict[str, Literal["ne", "nin", "lt", "gte"]] = {"eq": "ne", "in": "nin", "gte": "lt", "lt": "gte"}


@dataclass(frozen=True, slots=True)
class Need:
    """Terms that must stand one after the other, in a field or anywhere that is indexed; or must not (`absent`)."""

    terms: tuple[str, ...]
    field: Field = ""
    absent: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """`text` is what is ranked and embedded: the words and phrases without what only narrows."""

    text: str
    needs: tuple[Need, ...] = ()
    filter: Filter | None = None

    @property
    def narrows(self) -> bool:
        """Whether anything else than words was said."""
        return bool(self.needs) or self.filter is not None


def parse(text: str) -> Query:
    """A person's question. What is longer than 8192 characters is not read."""
    return _Reader().read(text[:LONGEST])


def parse_strict(text: str) -> Query:
    """A program's question. Raises BadInput with the first thing that is wrong with it."""
    reader = _Reader()
    if len(text) > LONGEST:
        reader.wrong(f"A query has at most {LONGEST} characters.")
    query = reader.read(text[:LONGEST])
    if reader.said:
        raise BadInput(what=reader.said[0])
    return query


@dataclass(slots=True)
class _Reader:
    """Reads one text. `chosen`: alternatives by key; `others` hold each; `said`: what is wrong with the text."""

    words: list[str] = field(default_factory=list)
    needs: list[Need] = field(default_factory=list)
    chosen: dict[str, list[Filter]] = field(default_factory=dict)
    others: list[Filter] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    parts: int = 0

    def wrong(self, what: str) -> None:
        self.said.append(what)

    def read(self, text: str) -> Query:
        plain = text.translate(_QUOTES)
        for part in _PART.finditer(plain):
            if not self._operator(part):
                self.words.append(part[0])
        if not self.parts:
            return Query(text)
        filters = [each[0] if len(each) == 1 else Some(tuple(each)) for each in self.chosen.values()] + self.others
        rule = None if not filters else filters[0] if len(filters) == 1 else Every(tuple(filters))
        return Query(" ".join(self.words), tuple(self.needs), rule)

    def _operator(self, part: re.Match[str]) -> bool:
        """Whether the part is an operator, which is then noted."""
        name, absent = part["name"] or "", part["minus"] is not None
        if not name and not absent and part["quoted"] is None:
            if part["bare"].startswith('"'):
                self.wrong("A quotation mark is not closed.")
            elif part["bare"].endswith(":") and _known(part["bare"][:-1]):
                self.wrong(f"{part['bare']} has no value.")
            return False
        if self.parts == PARTS:
            self.wrong(f"A query has at most {PARTS} operators.")
            return False
        value = part["quoted"] if part["quoted"] is not None else part["held"] or part["bare"]
        noted = self._filter(name, value, absent) if name and _folded(name) not in _FIELDS else None
        if noted is None:
            noted = self._need(name, value, absent, part["quoted"] is not None)
        self.parts += noted
        return noted

    def _need(self, name: str, value: str, absent: bool, quoted: bool) -> bool:
        """A phrase, an exclusion or a field. Words that are too frequent to be indexed ask for nothing."""
        place = _FIELDS.get(_folded(name), "") if name else ""
        if name and not place:
            return False
        if value.startswith('"') and not quoted:
            self.wrong("A quotation mark is not closed.")
            return False
        found = tuple(terms(value))
        if found:
            self.needs.append(Need(found, place, absent))
        if not absent and place != "title":  # titles are not among what is ranked
            self.words.append(value)
        return True

    def _filter(self, name: str, value: str, absent: bool) -> bool | None:
        """A filter. None: the name is none of ours; False: it is, and its value cannot be read."""
        key = _known(name)
        if not key:
            if not value.startswith("//"):
                self.wrong(
                    f"{name[:40]}: is neither a field nor a filter; put what it stands in between quotation marks."
                )
            return None
        made = _made(key, value)
        if made is None:
            self.wrong(f"{name[:40]}:{value[:40]} cannot be read.")
            return False
        if absent:
            self.others.extend(_not(each) for each in made)
        elif key in ("after", "before"):
            self.others.extend(made)
        else:
            self.chosen.setdefault(key, []).extend(made)
        return True


def _known(name: str) -> str:
    """The filter or field of that name, or ""."""
    head, _, key = name.partition(".")
    if _folded(head) in ("attr", "attribut") and key:
        return f"attr.{key}"
    folded = _folded(name)
    return _FILTERS.get(folded, "") or _FIELDS.get(folded, "")


def _made(key: str, value: str) -> tuple[Compare, ...] | None:
    """Comparisons of which one must hold, or None where the value says nothing."""
    value = value.strip()
    if key != "mark":
        value = value.rstrip(_ENDS)
    if not value:
        return None
    if key.startswith("attr."):
        return tuple(Compare(key, "eq", each) for each in _readings(value))
    special: dict[str, Callable[[str], Compare | None]] = {
        "after": _after,
        "before": _before,
        "media": _media,
        "language": lambda said: Compare("language", "eq", said.casefold()),
        "mark": lambda said: Compare("mark", "eq", _mark(said)),
    }
    made = special[key](value) if key in special else Compare(key, "eq", value)
    return None if made is None else (made,)


def _readings(value: str) -> tuple[Attribute, ...]:
    """What somebody may mean by a value: a text, and a number or a truth that is written so."""
    more: tuple[Attribute, ...] = ()
    if _NUMBER.fullmatch(value):
        more = (float(value),)
    elif value.casefold() in _TRUTH:
        more = (_TRUTH[value.casefold()],)
    return (value, *more)


def _media(value: str) -> Compare:
    known = _MEDIA.get(value.casefold().lstrip("."))
    return Compare("media", "in", known) if known else Compare("media", "eq", value.casefold())


def _mark(value: str) -> str:
    """A portion mark as it is written in the region: in parentheses, without spaces at its ends."""
    return f"({value.strip('() ')})"


def _after(value: str) -> Compare | None:
    at = _instant(value)
    return None if at is None else Compare("at", "gte", at)


def _before(value: str) -> Compare | None:
    at = _instant(value)
    return None if at is None else Compare("at", "lt", at)


def _instant(value: str) -> float | None:
    """The first microsecond of a year, month or day (UTC)."""
    found = _DATE.fullmatch(value)
    if found is None:
        return None
    try:
        moment = datetime(int(found[1]), int(found[2] or 1), int(found[3] or 1), tzinfo=UTC)
    except ValueError:
        return None
    return float((moment - datetime(1970, 1, 1, tzinfo=UTC)).days * 86_400 * 1_000_000)


def _not(rule: Compare) -> Compare:
    return Compare(rule.key, _OPPOSITE[rule.operator], rule.value)


def _folded(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))
