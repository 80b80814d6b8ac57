"""How well searches find written answers: three corpora, three methods, with the product's own model.

Volume, manual and exercise corpus are read, cut, embedded and searched as the product does it, whole and in memory;
each question is searched in its own corpus. A text that is surely French gets no vector, since the model is English.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from casemate import exercise
from casemate.assistants import reaches
from casemate.cells.embed import Encoder
from casemate.engines.minilm_model import NAME, default_folder
from casemate.knowledge import Asked, Hit, Shard, build, terms
from casemate.knowledge.evaluate import (
    RESAMPLES,
    SEED,
    Evaluated,
    Figure,
    Found,
    Outcome,
    Question,
    Wanted,
    difference,
    evaluated,
    outcome,
)
from casemate.knowledge.reading.language import FRENCH, detect
from casemate.labels import Label
from tests.quality.corpora import CORPORA, asked, clearance, corpus

__all__ = ["METHODS", "Run", "Vectors", "World", "expected", "figures", "vectors", "world", "worlds"]

Method = Literal["hybrid", "text", "dense"]
METHODS: tuple[Method, ...] = ("hybrid", "text", "dense")
DEPTH = 10
SHALLOW = 5
READ = 24  # hits that an assistant is given
Tell = Callable[[str], None]


@dataclass(slots=True)
class Vectors:
    """The model, and what it has already made; b"" for French, unless it is asked to serve all."""

    encoder: Encoder
    all_languages: bool = False
    made: dict[str, bytes] = field(default_factory=dict)

    def of(self, text: str) -> bytes:
        if not self.all_languages and detect(text) == FRENCH:
            return b""
        if text not in self.made:
            self.made[text] = self.encoder.vector(text)
        return self.made[text]

    def asked(self, text: str) -> dict[str, bytes]:
        """A question's vectors, as a search takes them."""
        vector = self.of(text)
        return {NAME: vector} if vector else {}


@dataclass(frozen=True, slots=True)
class World:
    """A corpus as shards by label, and the questions on it."""

    name: str
    shards: Mapping[Label, Shard]
    questions: tuple[Question, ...]

    @property
    def passages(self) -> int:
        return sum(shard.count for shard in self.shards.values())


Run = Mapping[Method, Sequence[Outcome]]


def vectors(folder: Path | None = None) -> Vectors:
    return Vectors(Encoder(folder or default_folder()))


def worlds(data: Path, made: Vectors, tell: Tell) -> list[World]:
    """The corpora, embedded. `tell` hears how far it is."""
    found = []
    for name in CORPORA:
        tell(f"{name}: {sum(map(len, corpus(name, data).values()))} passages")
        found.append(world(name, data, made))
    return found


def world(name: str, data: Path, made: Vectors) -> World:
    """One corpus, embedded."""
    shards = {
        label: build(label, chosen, [made.of(each.indexed) for each in chosen], embedder=NAME)
        for label, chosen in corpus(name, data).items()
    }
    return World(name, shards, asked(name))


def figures(data: Path, tell: Tell = lambda _: None) -> dict[str, Any]:
    """Everything that is measured, ready to be written as JSON."""
    made = vectors()
    known = worlds(data, made, tell)
    by_name = {each.name: each for each in known}
    runs = {each.name: run(each, made) for each in known}
    together: Run = {method: [each for one in runs.values() for each in one[method]] for method in METHODS}
    told: dict[str, Any] = {"passages": {each.name: each.passages for each in known}}
    told["questions"] = {each.name: len(each.questions) for each in known}
    told |= _pooled(together)
    told["corpora"] = {name: {method: _figures(one[method]) for method in METHODS} for name, one in runs.items()}
    told["kinds"] = {
        kind: {method: _kind(together[method], kind) for method in METHODS}
        for kind in ("words", "sense", "names", "cross")
    }
    told["hit5_exercise"] = {method: _told(readers(by_name["exercise"], made, method)) for method in METHODS}
    everyone = Vectors(made.encoder, all_languages=True, made=made.made)
    told["cross_hit5"] = {
        "as_declared": _cross(by_name["exercise"], made),
        "asked_in_french_too": _cross(world("exercise", data, everyone), everyone),
    }
    return told


def run(known: World, made: Vectors) -> Run:
    """All questions of a corpus by each method, everything visible; whether the reader abstains, in the hybrid run."""
    shards = list(known.shards.values())
    found: dict[Method, list[Outcome]] = {method: [] for method in METHODS}
    for question in known.questions:
        said = Asked(terms(question.text), made.asked(question.text))
        for method in METHODS:
            results = said.search(shards, READ, method=method)
            silent = not reaches(results.hits, results.statistics) if method == "hybrid" else None
            found[method].append(outcome(question, _found(results.hits[:DEPTH]), silent))
    return found


def expected(known: World) -> Iterator[tuple[Question, list[Shard]]]:
    """The exercise's own questions as each principal sees them: with the answers that he expects, in what he sees."""
    for principal in exercise.principals():
        seen = [shard for label, shard in known.shards.items() if label <= clearance(principal)]
        for question in exercise.questions():
            wanted = tuple(Wanted(each.phrase, each.document) for each in question.expected[principal.name])
            if wanted:
                yield Question(f"{question.id} {principal.name}", question.text, wanted, question.language), seen


def readers(known: World, made: Vectors, method: Method) -> Figure:
    """The share of them that have an expected answer among the first five.

    Principals who ask the same are no independent witnesses: the interval draws questions, each with all who ask it.
    """
    by_question: dict[str, list[bool]] = {}
    for question, seen in expected(known):
        hits = Asked(terms(question.text), made.asked(question.text)).search(seen, SHALLOW, method=method).hits
        by_question.setdefault(question.text, []).append(outcome(question, _found(hits)).hit(SHALLOW) > 0)
    good = np.array([sum(each) for each in by_question.values()], dtype=np.float64)
    of = np.array([len(each) for each in by_question.values()], dtype=np.float64)
    drawn = np.random.default_rng(SEED).integers(0, len(of), (RESAMPLES, len(of)))
    low, high = np.percentile(good[drawn].sum(axis=1) / of[drawn].sum(axis=1), (2.5, 97.5))
    return Figure(float(good.sum() / of.sum()), float(low), float(high), int(of.sum()))


def _cross(known: World, made: Vectors) -> dict[str, Any]:
    """hit@5 of the questions whose answer stands in the other language, by method."""
    chosen = World(known.name, known.shards, tuple(each for each in known.questions if each.kind == "cross"))
    return {method: _told(evaluated(one, SHALLOW).hit) for method, one in run(chosen, made).items()}


def _pooled(together: Run) -> dict[str, Any]:
    names: dict[Method, str] = {"hybrid": "hybrid", "text": "bm25", "dense": "dense"}
    told: dict[str, Any] = {}
    for method, name in names.items():
        told[f"ndcg10_{name}"] = _told(evaluated(together[method], DEPTH).ndcg)
        told[f"hit5_{name}"] = _told(evaluated(together[method], SHALLOW).hit)
    for other in METHODS[1:]:
        gained = difference(together["hybrid"], together[other], lambda each: each.ndcg(DEPTH))
        told[f"ndcg10_hybrid_minus_{names[other]}"] = _told(gained)
    whole = evaluated(together["hybrid"], DEPTH)
    return told | {"abstained": _told(whole.abstained), "abstained_wrongly": _told(whole.wrongly)}


def _figures(one: Sequence[Outcome]) -> dict[str, Any]:
    deep, shallow = evaluated(one, DEPTH), evaluated(one, SHALLOW)
    return {"hit5": _told(shallow.hit), "mrr10": _told(deep.mrr), "ndcg10": _told(deep.ndcg)}


def _kind(one: Iterable[Outcome], kind: str) -> dict[str, Any]:
    chosen: Evaluated = evaluated([each for each in one if each.question.kind == kind], DEPTH)
    return {"ndcg10": _told(chosen.ndcg)}


def _found(hits: Sequence[Hit]) -> list[Found]:
    return [Found(hit.passage.text, frozenset((hit.passage.document,))) for hit in hits]


def _told(figure: Figure | None) -> list[float]:
    """[value, low, high, questions]"""
    return [round(figure.value, 4), round(figure.low, 4), round(figure.high, 4), figure.count] if figure else []
