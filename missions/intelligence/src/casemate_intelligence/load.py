"""Inputs become records: FollowTheMoney JSON, tables by a mapping, STIX, documents, judgements.

Each record says its file and place in it, and its label: what stands beside it, or the file's. What must never happen:
a record above the job's label, or one that nobody labelled and that is taken for a low one.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path
from typing import Any

from casemate.errors import BadInput
from casemate_intelligence.label import Label, Scheme
from casemate_intelligence.mention import Mention, gazetteer, mentions
from casemate_intelligence.merge import folded
from casemate_intelligence.record import Judgement, Record, Source, Statement, Withdrawal
from casemate_intelligence.schema import LINK, always, statements
from casemate_intelligence.stix import entities_of
from casemate_intelligence.table import Mapped

__all__ = ["Desk"]

MOST_LINE = 4 << 20
LABELS = "labels"
"""Beside an entity of JSON: a map from a property ('' for the entity itself) to its label, or one label for all."""


def _nobody(_: Label, __: str) -> Iterable[Mention]:
    return ()


@dataclass(frozen=True, slots=True)
class Desk:
    """`job`: the label of the run, above which nothing may stand. `files`: label of a file, by name; else the job's.

    `names`: what else a paragraph of a label names; nothing, unless a model has read it.
    """

    scheme: Scheme
    job: Label
    files: Mapping[str, Label]
    names: Callable[[Label, str], Iterable[Mention]] = _nobody

    def label(self, text: object, default: Label) -> Label:
        """Of a mark, or the default where there is none. Raises BadInput above the job's label."""
        label = default if text is None or text == "" else self.scheme.read(str(text))
        if not label.flows_to(self.job):
            raise BadInput(what="A record bears a label above that of the run. Run it at a label that dominates it.")
        return label

    def of_file(self, path: Path) -> Label:
        """What was said of the file, and else the job's own label: nothing is low because nobody marked it."""
        return self.label("", self.files.get(path.name, self.job))

    def entities(self, path: Path) -> Iterator[Record]:
        """FollowTheMoney JSON, an entity a line, with `labels` beside `properties` where it has any."""
        default, places = self.of_file(path), _Places(path.name)
        for number, row in _lines(path):
            if not isinstance(row.get("id"), str) or not isinstance(row.get("properties", {}), dict):
                raise BadInput(what=f"Line {number} of {path.name} is no entity.")
            values = {name: _list(value) for name, value in row.get("properties", {}).items()}
            label, given = self._labels(row.get(LABELS), default), str(row.get("source") or "")
            told = statements(row["id"], str(row.get("schema")), values, Source(given), label)
            yield from places.put(told, label("") if given else None)

    def bundle(self, path: Path) -> Iterator[Record]:
        """A STIX 2.1 bundle; an object's label is that of its marking definitions whose name is a label of the run."""
        default = self.of_file(path)
        for each in entities_of(_json(path)):
            marks = [self.label(mark or "?", default) for mark in each.marks]
            label = reduce(Label.join, marks) if marks else default
            source = Source(f"{path.name}#{each.stix}")
            yield from statements(each.id, each.schema, each.values, source, always(label))

    def table(self, path: Path, mapping: Mapping[str, Any]) -> Iterator[Record]:
        """A CSV and FollowTheMoney's mapping of it (`entities`: keys, schema, properties by column).

        A column `label` is the row's; a column `label:NAME` is that of the cells of the column NAME.
        """
        mapped, default, places = Mapped.of(mapping, path), self.of_file(path), _Places(path.name, 1)
        with path.open(encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file):
                own = self.label(row.get("label"), default)
                cells = {name: self.label(row.get(f"label:{name}"), own) for name in row if name is not None}
                yield from places.put(mapped.statements(row, own, cells, Source("")))

    def document(self, path: Path) -> Iterator[Record]:
        """A text; a paragraph that opens with a portion mark bears that label. It is there for each label that has a
        paragraph in it, and has a title where the first of these is a heading: a line that ends no sentence.
        """
        text, default = path.read_text(encoding="utf-8"), self.of_file(path)
        portions = list(self._portions(text, default))
        paper, heads = _id("document", path.name), dict[Label, str]()
        for _, portion, label in portions:
            heads.setdefault(label, portion.strip())
        for label, head in (heads or {default: ""}).items():
            title = [] if "\n" in head or head.endswith((".", "!", "?", ":", ";")) else [head[:200]]
            values = {"title": title, "fileName": [path.name]}
            yield from statements(paper, "Document", values, Source(path.name), always(label))
        for start, portion, label in portions:
            yield from self._named(paper, path.name, start, portion, label)

    def paragraphs(self, path: Path) -> Iterator[tuple[Label, str]]:
        """Each with its label, as `names` is asked for it."""
        for _, portion, label in self._portions(path.read_text(encoding="utf-8"), self.of_file(path)):
            yield label, portion

    def judgements(self, path: Path) -> Iterator[Record]:
        """JSON, one a line: `left`, `right`, `same`, `by`, `at`, `why`, `label`; or `withdraw` with the id of one."""
        default = self.of_file(path)
        for number, row in _lines(path):
            label, by, at = self.label(row.get("label"), default), str(row.get("by", "")), str(row.get("at", ""))
            if isinstance(row.get("withdraw"), str):
                yield Withdrawal(row["withdraw"], label, by, at)
            elif (
                isinstance(row.get("left"), str)
                and isinstance(row.get("right"), str)
                and isinstance(row.get("same"), bool)
            ):
                made = str(row.get("id") or _id("judgement", row["left"], row["right"], by, at))
                yield Judgement(made, row["left"], row["right"], row["same"], label, by, at, str(row.get("why", "")))
            else:
                raise BadInput(what=f"Line {number} of {path.name} is no judgement.")

    def _labels(self, given: object, default: Label) -> Callable[[str], Label]:
        """One text for the entity, or a map; a property that the map does not name has that of '' or the default."""
        if isinstance(given, dict):
            own = self.label(given.get(""), default)
            each = {str(name): self.label(text, own) for name, text in given.items()}
            return lambda name: each.get(name, own)
        return always(self.label(given, default))

    def _portions(self, text: str, default: Label) -> Iterator[tuple[int, str, Label]]:
        """(start, paragraph without its mark, label), in the order of the text.

        `start` counts in the paragraphs of that very label, each without its mark and an empty line between two: how
        much stands between them under another label is nobody's to tell.
        """
        at = dict[Label, int]()
        for paragraph in text.split("\n\n"):
            mark = self._mark(paragraph.lstrip())
            shown = paragraph.lstrip()[len(mark) :].strip()
            if shown:
                label = self.label(mark[1:-1], default)
                yield at.get(label, 0), shown, label
                at[label] = at.get(label, 0) + len(shown) + 2

    def _mark(self, paragraph: str) -> str:
        """A portion mark at its head: in capitals, in brackets. One that is no label of the run is refused as such."""
        inside, closed, _ = paragraph[1:].partition(")")
        is_mark = paragraph.startswith("(") and closed and inside == inside.upper() and inside[:1].isalpha()
        return f"({inside})" if is_mark else ""

    def _named(self, paper: str, name: str, start: int, portion: str, label: Label) -> Iterator[Statement]:
        for one in [*mentions(portion), *self.names(label, portion)]:
            told = f"{name} (named by a model)" if one.kind == "name" else name
            source = Source(told, start + one.start, start + one.end, _around(portion, one.start, one.end))
            made = _id("mention", name, self.scheme.write(label), str(source.start), str(source.end), one.kind)
            if one.kind == "place":
                place = gazetteer().places[one.value]
                thing, values = (
                    _id("place", place.name),
                    {
                        "full": [place.name],
                        "latitude": [f"{place.latitude:g}"],
                        "longitude": [f"{place.longitude:g}"],
                    },
                )
                yield from statements(thing, "Address", values, source, always(label))
                values = {"document": [paper], "resolved": [thing], "name": [one.text], "detectedSchema": ["Address"]}
                yield from statements(made, LINK, values, source, always(label))
            elif one.kind == "name":
                thing = _id("name", one.value, folded(one.text))
                yield from statements(thing, one.value, {"name": [one.text]}, source, always(label))
                values = {"document": [paper], "resolved": [thing], "name": [one.text], "detectedSchema": [one.value]}
                yield from statements(made, LINK, values, source, always(label))
            elif one.kind == "date":
                yield Statement(paper, "Document", "date", one.value, label, source, "date")
            else:
                yield Statement(paper, "Document", "keywords", one.value, label, source, "string")


class _Places:
    """Where in a file a statement stands: its line among those that say something at its very label.

    The number of a line in the whole file would tell, below, how many lines of other labels stand before it.
    """

    def __init__(self, name: str, before: int = 0) -> None:
        self._name, self._before = name, before
        self._lines = dict[Label, int]()

    def put(self, told: Iterable[Statement], own: Label | None = None) -> Iterator[Statement]:
        """The statements of one line. `own`: the label of a source that the line itself names, told from there up."""
        line = list(told)
        for label in {one.label for one in line}:
            self._lines[label] = self._lines.get(label, self._before) + 1
        for one in line:
            named = own is not None and own.flows_to(one.label)
            yield one if named else replace(one, source=Source(f"{self._name}:{self._lines[one.label]}"))


def _around(text: str, start: int, end: int, most: int = 90) -> str:
    """The words about a mention, for a quotation."""
    first, last = max(0, start - most), min(len(text), end + most)
    return ("… " if first else "") + " ".join(text[first:last].split()) + (" …" if last < len(text) else "")


def _id(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:40]


def _list(value: object) -> list[str]:
    values: Iterable[object] = value if isinstance(value, list) else [value]
    return [str(one) for one in values]


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as wrong:
        raise BadInput(what=f"{path.name} is no JSON.") from wrong


def _lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Objects of JSON, one a line; empty lines are passed over."""
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                try:
                    row = json.loads(line) if len(line) <= MOST_LINE else None
                except ValueError:
                    row = None
                if not isinstance(row, dict):
                    raise BadInput(what=f"Line {number} of {path.name} is no object of JSON.")
                yield number, row
