"""JSON (RFC 8259) and its lines (NDJSON): a document for each line, or one document for a whole value.

Numbers stay as they are written; a name that is given twice in one object is told twice. A value stands alone on its
line, after its name, because it may be a mark; what is said under a name for markings stands where banners stand.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from casemate.cells.extract import bounds
from casemate.cells.extract.draft import Draft, NoText, Tally
from casemate.cells.extract.shape import HEADER, PARAGRAPH, TABLE, Extracted, Part
from casemate.cells.extract.sniff import LINES
from casemate.cells.extract.text import decode, paragraphs
from casemate.cells.serve import CannotRead

__all__ = ["read"]

_TITLES = ("title", "titre", "name", "nom", "subject", "id", "_id")
_MARKINGS = frozenset(("classification", "marking", "markings", "banner", "label", "security_label", "mention"))
_BODIES = frozenset(("text", "body", "content", "texte", "contenu", "page_content", "message", "abstract"))
_LONG = 200  # characters: a longer text is a paragraph of its own
_CONSTANTS = {True: "true", False: "false"}


class _Object(list[tuple[str, Any]]):
    """The pairs of an object as they stand, two of one name included."""


def read(data: bytes, kind: str) -> Extracted:
    """A part per line, or one part. Raises CannotRead."""
    text = decode(data)
    tally = Tally()
    if kind == LINES:
        parts = tuple(_lines(text, tally))
    else:
        value = _parsed(text, "Its JSON is not well formed.")
        draft = Draft(tally)
        # a list of records: each begins a row of its own
        for one in value if isinstance(value, list) and not isinstance(value, _Object) else (value,):
            _tell(one, draft)
        parts = (draft.part(_title(value)),) if not draft.empty else ()
    if not parts:
        raise NoText
    return Extracted(kind, parts)


def _lines(text: str, tally: Tally) -> Iterator[Part]:
    found = 0
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        value = _parsed(line, f"Its line {number} is not well formed JSON.")
        draft = Draft(tally)
        _tell(value, draft)
        if not draft.empty:
            found += 1
            bounds.within(found, bounds.PARTS, "records")
            yield draft.part(_title(value), f"line {number}")


def _parsed(text: str, why: str) -> Any:
    try:
        return json.loads(
            text, object_pairs_hook=_Object, parse_float=str, parse_int=str, parse_constant=lambda said: said
        )
    except RecursionError:
        raise CannotRead("It is nested too deeply.") from None
    except ValueError:
        raise CannotRead(why) from None


def _tell(value: Any, draft: Draft) -> None:
    """One value. A name is told once for all that follows under it."""
    row: list[str] = []
    size = 0
    before: tuple[str, ...] = ()
    for path, text in _leaves(value, (), 0):
        name = " / ".join(path)
        if path and path[-1].lower() in _MARKINGS and len(text) <= _LONG:
            draft.add(text, HEADER)
        long = len(text) > _LONG or "\n" in text.strip()
        if path != before and name and not (long and name.lower() in _BODIES):
            row.append(f"{name}:")
            size += len(name)
            bounds.within(size, bounds.CHARACTERS, "characters of text")
        before = path
        if long:
            draft.add("\n".join(row), TABLE)
            row = []
            for paragraph in paragraphs(text.splitlines()):
                draft.add(paragraph, PARAGRAPH)
        elif text.strip():
            row.append(text)
    draft.add("\n".join(row), TABLE)


def _leaves(value: Any, path: tuple[str, ...], depth: int) -> Iterator[tuple[tuple[str, ...], str]]:
    """(names on the way, text) of everything that is said; a name with nothing under it comes with no text."""
    bounds.within(depth, bounds.DEPTH, "values inside each other")
    if isinstance(value, _Object) and value:
        for name, inner in value:
            yield from _leaves(inner, (*path, name), depth + 1)
    elif isinstance(value, list):
        for inner in value or [None]:
            yield from _leaves(inner, path, depth + 1)
    else:
        yield path, _CONSTANTS[value] if isinstance(value, bool) else str(value or "")


def _title(value: Any) -> str:
    """What a record calls itself."""
    pairs = value if isinstance(value, _Object) else ()
    said = {name.lower(): inner for name, inner in pairs if isinstance(inner, str)}
    return next((said[name] for name in _TITLES if said.get(name, "").strip()), "")
