"""`casemate knowledge evaluate`: how well a region's search finds the answers that a file of questions names."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from casemate.cli.bar import progress
from casemate.cli.client import Answer, Client
from casemate.cli.command import option, verb
from casemate.cli.table import columns
from casemate.cli.talk import Talk
from casemate.cli.tongue import language, t
from casemate.errors import BadInput

if TYPE_CHECKING:
    from casemate.wiring.evaluation import Evaluated, Figure, Found, Outcome, Question

__all__ = ["evaluate"]

FILE_LIMIT = 16 << 20
METHODS = ("hybrid", "text", "dense")
FIGURES = ("hit", "mrr", "ndcg", "abstained", "wrongly")


@verb(
    "knowledge.evaluate",
    click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path)),
    option("--base", default="all", metavar="NAME,..."),
    option("-k", "depth", type=click.IntRange(1, 100), default=5),
    option("--method", type=click.Choice(METHODS), default="hybrid"),
    option("--ask", "asks", is_flag=True),
    option("--for", "acting", default="", metavar="LABEL"),
)
def evaluate(talk: Talk, file: Path, base: str, depth: int, method: str, asks: bool, acting: str) -> None:
    from casemate.wiring import evaluation

    asked = evaluation.questions(_text(file))
    searcher = _Searcher(talk.client(), base, depth, method, asks, acting)
    asked, unknown = searcher.placed(asked)
    run = list(evaluation.outcomes(progress(talk, asked, "evaluate.asking"), searcher.search))
    figures = evaluation.evaluated(run, depth)
    talk.data(_document(figures, run, base, method, unknown), searcher.last.label, searcher.last.marking)
    for line in columns(_rows(figures)):
        talk.out(line)
    answered = sum(bool(question.answers) for question in asked)
    talk.say("evaluate.told", questions=len(asked), answered=answered, base=base, method=method)
    if unknown:
        talk.say("evaluate.unknown", count=unknown)


@dataclass(slots=True)
class _Searcher:
    """One region, asked question by question. `last` is its latest answer; `names` are those of each document."""

    client: Client
    base: str
    depth: int
    method: str
    asks: bool
    acting: str
    last: Answer = field(init=False)
    names: dict[str, frozenset[str]] = field(default_factory=dict)

    def placed(self, asked: Sequence[Question]) -> tuple[tuple[Question, ...], int]:
        """The questions without the names of documents that nothing visible bears, and how many names those were.

        A document of which only parts are visible shows no file name: then the phrase alone must do.
        """
        self.last = self.client.get("/api/documents", acting=self.acting)
        for each in self.last.data["documents"] + self.last.data["parts"]:
            self.names[each["id"]] = frozenset((each["id"], each.get("name", ""), each["title"])) - {""}
        known = frozenset[str]().union(*self.names.values())
        unknown = {a.document for question in asked for a in question.answers} - known - {""}
        changed = tuple(
            dataclasses.replace(
                question,
                answers=tuple(
                    dataclasses.replace(answer, document="") if answer.document in unknown else answer
                    for answer in question.answers
                ),
            )
            for question in asked
        )
        return changed, len(unknown)

    def search(self, question: Question) -> tuple[list[Found], bool | None]:
        """What the region finds for it, and, where that is wanted, whether its reader says nothing."""
        from casemate.wiring import evaluation

        names = [name for name in self.base.split(",") if name] or ["all"]
        asked = {"question": question.text, "bases": names, "k": self.depth, "method": self.method}
        self.last = self.client.post("/api/search", asked, self.acting)
        hits: list[dict[str, Any]] = self.last.data["hits"]
        found = [
            evaluation.Found(hit["text"], self.names.get(hit["document"], frozenset()) | {hit["document"]})
            for hit in hits
        ]
        return found, self._silent(question) if self.asks else None

    def _silent(self, question: Question) -> bool:
        asked = {"question": question.text, "knowledge": self.base, "language": question.language or language()}
        self.last = self.client.post("/api/ask", asked, self.acting)
        return str(self.last.data["finish"]) == "abstain"


def _text(file: Path) -> str:
    with file.open("rb") as opened:
        raw = opened.read(FILE_LIMIT + 1)
    if len(raw) > FILE_LIMIT:
        raise BadInput(what=t("evaluate.large", limit=FILE_LIMIT >> 20))
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise BadInput(what=t("evaluate.encoding")) from None


def _document(figures: Evaluated, run: Sequence[Outcome], base: str, method: str, unknown: int) -> dict[str, Any]:
    """For `--json`: the figures, and for each question at which rank its first answer stood (0: nowhere)."""
    ranks = [
        {
            "id": each.question.id,
            "rank": next((rank for rank, gain in enumerate(each.gains, start=1) if gain), 0),
            "abstained": each.silent,
        }
        for each in run
    ]
    return {"base": base, "method": method, "unknown": unknown, **dataclasses.asdict(figures), "questions": ranks}


def _rows(figures: Evaluated) -> list[tuple[str, str, str, str]]:
    """A line for each figure that there is, with its interval."""
    shown: list[tuple[str, Figure | None]] = [(name, getattr(figures, name)) for name in FIGURES]
    return [
        (t(f"evaluate.{name}", k=figures.k), f"{it.value:.3f}", f"[{it.low:.3f}, {it.high:.3f}]", f"n = {it.count}")
        for name, it in shown
        if it is not None
    ]
