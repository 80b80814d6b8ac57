"""`casemate/extractive-reader`: answers a rung by quoting its best sentences, word for word, and says so.

It has no weights and invents nothing: a quotation is a stretch of one passage, letter for letter. What it writes is a
function of the question, the language and the rung's own hits and statistics. It abstains (`None`) where no passage
reaches a floor.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from casemate.assistants.cite import cite
from casemate.assistants.compose import Rung
from casemate.assistants.floor import reaches
from casemate.knowledge import Hit, Statistics, idf_share, sentences, terms
from casemate.labels import Label, Policies
from casemate.models import Citation
from casemate.words import say

__all__ = ["NAME", "Quote", "quotes", "read"]

NAME = "casemate/extractive-reader"
_PASSAGES = 16  # how many of a rung's hits are read
_QUOTES = 3
_NEAR = 0.6  # a further sentence is quoted if its weight is at least this share of the best one's
_SHORT = 60  # words: up to here the best sentence is quoted with the next one
_ANY = re.IGNORECASE
_AMOUNT = re.compile(
    r"\b(?:how (?:many|much|long|far|often)|when|what (?:time|date)|combien|quand|quelle date)\b", _ANY
)
_MEANING = re.compile(r"\bwhat (?:is|are)\b|\bwhat do(?:es)? .* (?:mean|stand for)\b|\bqu'est-ce\b|\bsignifie", _ANY)
_DEFINES = re.compile(
    r"(?<![\w-])([\w-]++)\W{0,3} (?:is an?|are|means?|indicates?|stands? for|est une?|sont des|signifie)\b", _ANY
)


@dataclass(frozen=True, slots=True)
class Quote:
    """A sentence of a hit, with its weight and the terms of the question that it holds."""

    hit: Hit
    place: int
    at: int
    text: str
    weight: float
    held: frozenset[str]


def read(
    question: str, label: Label, hits: Sequence[Hit], statistics: Statistics, policies: Policies, language: str = "en"
) -> Rung | None:
    """The rung of `label` from its hits (best first), or None."""
    chosen = quotes(question, hits, statistics)
    if not chosen:
        return None
    numbers: dict[str, int] = {}
    told: list[str] = []
    parts: dict[str, list[str]] = {}
    for quote in chosen:
        passage = quote.hit.passage.id
        number = numbers.setdefault(passage, len(numbers) + 1)
        parts.setdefault(passage, []).append(quote.text)
        told.append(say("assistants.quote", language, text=quote.text, number=number))
    by_id = {quote.hit.passage.id: quote.hit for quote in chosen}
    citations: list[Citation] = [
        cite(number, by_id[passage], policies, " … ".join(parts[passage])) for passage, number in numbers.items()
    ]
    text = say("assistants.extract", language, quotes=" ".join(told))
    return Rung(label=label, text=text, citations=tuple(citations), engine=NAME)


def quotes(question: str, hits: Sequence[Hit], statistics: Statistics) -> list[Quote]:
    """One to three sentences, in the order of their passages; none where the reader abstains."""
    if not reaches(hits, statistics):
        return []
    weighed = sorted(_weigh(question, hits, statistics), key=lambda quote: (-quote.weight, quote.place, quote.at))
    chosen = weighed[:1] + _following(weighed)
    held = frozenset[str]().union(*(quote.held for quote in chosen))
    for quote in weighed:
        if len(chosen) >= _QUOTES:
            break
        if _adds(quote, chosen, held):
            chosen.append(quote)
            held |= quote.held
    return sorted(chosen, key=lambda quote: (quote.place, quote.at))


def _following(weighed: Sequence[Quote]) -> list[Quote]:
    """The sentence after the best one, where both are short: often it goes on to say what was asked."""
    best = weighed[0]
    after = [quote for quote in weighed if quote.place == best.place and quote.at == best.at + 1]
    words = sum(len(quote.text.split()) for quote in (best, *after))
    return [quote for quote in after if words <= _SHORT and quote.text != best.text]


def _adds(quote: Quote, chosen: Sequence[Quote], held: frozenset[str]) -> bool:
    """Near the best, not said already, and with something of the question that no other quotation holds."""
    near = quote.weight >= _NEAR * chosen[0].weight
    return near and bool(quote.held - held) and all(quote.text != other.text for other in chosen)


def _weigh(question: str, hits: Sequence[Hit], statistics: Statistics) -> list[Quote]:
    """Every sentence of the first hits: its own share of the question counts most, then its passage's."""
    asked = frozenset(term for term, _ in statistics.df)
    amount, meaning = bool(_AMOUNT.search(question)), bool(_MEANING.search(question.replace("’", "'")))
    found: list[Quote] = []
    for place, hit in enumerate(hits[:_PASSAGES]):
        around = 0.25 * idf_share(terms(hit.passage.indexed), statistics) + 0.2 * max(hit.cosine, 0.0)
        for at, sentence in enumerate(sentences(hit.passage.text)):
            own = terms(sentence)
            weight = idf_share(own, statistics) + around - 0.01 * place + (0.02 if at == 0 else 0.0)
            if amount and any(letter.isdigit() for letter in sentence):
                weight += 0.05
            if meaning and any(asked.intersection(terms(match[1])) for match in _DEFINES.finditer(sentence)):
                weight += 0.2
            if len(own) < 3:
                weight *= 0.5
            elif sentence[-1] in ".!?…”»)":
                weight += 0.05
            found.append(Quote(hit, place, at, sentence, weight, asked & frozenset(own)))
    return found
