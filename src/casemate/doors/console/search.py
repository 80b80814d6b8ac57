"""Search: passages with their marks, the question's words in them, and what they have in common as links.

Everything that narrows a search stands in its question, so that a link, a bookmark and what is typed say the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from casemate.doors.console.face import Face, Shown, page
from casemate.doors.frame import Call, Route
from casemate.doors.native.search import ALL, MOST, SEARCH, SearchRequest
from casemate.words import say
from casemate.words.say import sentences

__all__ = ["FACETS", "narrowed", "pieces", "routes"]

FACETS = ("base", "mark", "media", "language", "month", "document", "attr")
FIRST = 20  # hits that are shown before somebody asks for more
_METHODS = ("hybrid", "text", "dense")
_BARE = re.compile(r"[\w./+-]+")


def routes(face: Face) -> list[Route]:
    """The one page; its question stands in the address."""
    return page("GET", "/search", SEARCH, _Search(face).show, texts=_words, asks=True)


def _words(query: Any) -> Iterable[str]:
    return (query.get("q", ""),)


class _Search:
    def __init__(self, face: Face) -> None:
        self._face = face

    async def show(self, call: Call) -> Shown:
        """What was found; without a question the box alone."""
        query, language = call.query, call.flow.session.language
        text, base = query.get("q", ""), query.get("base", "") or ALL
        method = query.get("method", "")
        request = SearchRequest(
            question=text,
            bases=(base,),
            k=MOST if "all" in query else FIRST,
            facets=FACETS,
            method="text" if method == "text" else "dense" if method == "dense" else "hybrid",
        )
        more: dict[str, Any] = {
            "region": await self._face.data("GET /api/region", call),
            "asked": request,
            "methods": _METHODS,
            "first": FIRST,
            "pieces": pieces,
        }
        if not text.strip():
            return Shown("search.html", None, more={**more, "facets": [], "instead": ""})
        data, facts = await self._face.ask("POST /api/search", call, request)
        more["facets"] = [_facet(each, text, language) for each in data["facets"] if len(each["values"]) > 0]
        more["instead"] = _instead(text, data["suggestions"])
        return Shown("search.html", data, facts=facts, more=more)


def pieces(snippet: dict[str, Any]) -> list[tuple[str, bool]]:
    """A snippet in pieces, each with whether it is a word that was asked for."""
    text, at = snippet["text"], 0
    found: list[tuple[str, bool]] = []
    for start, end in snippet["spans"]:
        found += [(text[at:start], False), (text[start:end], True)]
        at = end
    return [piece for piece in (*found, (text[at:], False)) if piece[0]]


def _instead(text: str, suggestions: list[dict[str, str]]) -> str:
    """The question with the words that may have been meant."""
    for each in suggestions:
        text = re.sub(rf"(?<!\w){re.escape(each['word'])}(?!\w)", each["instead"], text)
    return text if suggestions else ""


def _facet(facet: dict[str, Any], text: str, language: str) -> dict[str, Any]:
    """A facet with the question that each of its values leads to."""
    name = facet["name"]
    slug = f"console.search.facet.{name}"
    values = [
        {"told": _told(name, each, language), "count": each["count"], "question": narrowed(text, name, each["value"])}
        for each in facet["values"]
    ]
    told = say(slug, language) if slug in sentences(language) else name.removeprefix("attr.")
    return {"name": name, "told": told, "values": values, "others": facet["others"]}


def _told(name: str, value: dict[str, Any], language: str) -> str:
    said = _written(value["value"])
    if name == "media":
        return said.rsplit("/", 1)[-1].rsplit(".", 1)[-1]
    slug = f"search.language.{said}"
    if name == "language" and slug in sentences(language):
        return say(slug, language)
    return value["told"] or said


def narrowed(text: str, name: str, value: Any) -> str:
    """The question with one more filter."""
    said = _written(value)
    if name == "month":
        year, month = int(said[:4]), int(said[5:7])
        after = f"{year + month // 12:04d}-{month % 12 + 1:02d}"
        return f"{text.strip()} after:{said} before:{after}"
    if name != "mark":
        said = said if _BARE.fullmatch(said) else '"{}"'.format(said.replace('"', " "))
    return f"{text.strip()} {'lang' if name == 'language' else name}:{said}"


def _written(value: Any) -> str:
    """A value as it is typed in a filter."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
