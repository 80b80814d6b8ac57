"""Facets: exact numbers by every column, in one order."""

from __future__ import annotations

import numpy as np

from casemate.knowledge.index.facets import VALUES, Counted, Facet, Matched, count
from casemate.knowledge.index.filed import Filed
from casemate.knowledge.index.make import build
from casemate.knowledge.reading.passage import Passage
from casemate.labels import Element, make_label

LABEL = make_label({"test": Element(1, "LEVEL 1", frozenset())})
DAY = 86_400_000_000


def matched(filed: list[Filed], each: int = 1, base: str = "port", rows: list[int] | None = None) -> Matched:
    made = [
        Passage(f"psg_{filed_at:03d}_{at}", one.document, at, "", "", "", 0, "fuel")
        for filed_at, one in enumerate(filed)
        for at in range(each)
    ]
    shard = build(LABEL, made, (), filed, "", base)
    chosen = np.arange(shard.count) if rows is None else np.array(rows, dtype=np.intp)
    return Matched(shard, chosen, {"base": base, "mark": "(U)"})


FILED = [
    Filed("doc_a", "A", 40 * DAY, "text/plain", "en", {"author": "ann", "year": 1.0}),
    Filed("doc_b", "B", 2 * DAY, "application/pdf", "fr", {"author": "ben", "year": True}),
    Filed("doc_c", "C", 0, "", "", {"year": "1"}),
]


def test_every_column_is_counted_by_passages() -> None:
    found = count([matched(FILED, 2)], ("base", "mark", "media", "language", "document", "month", "none"))
    assert found == (
        Facet("base", (Counted("port", 6),)),
        Facet("mark", (Counted("(U)", 6),)),
        Facet("media", (Counted("application/pdf", 2), Counted("text/plain", 2))),
        Facet("language", (Counted("en", 2), Counted("fr", 2))),
        Facet("document", (Counted("doc_a", 2, "A"), Counted("doc_b", 2, "B"), Counted("doc_c", 2, "C"))),
        Facet("month", (Counted("1970-01", 2), Counted("1970-02", 2))),
        Facet("none", ()),
    )


def test_attributes_by_key_and_all_of_them() -> None:
    author = Facet("attr.author", (Counted("ann", 1), Counted("ben", 1)))
    year = Facet("attr.year", (Counted(1.0, 1), Counted(True, 1), Counted("1", 1)))
    assert count([matched(FILED)], ("attr",)) == (author, year)
    assert count([matched(FILED)], ("attr.author", "attr.author", "attr.x")) == (author, Facet("attr.x", ()))
    assert isinstance(count([matched(FILED)], ("attr.year",))[0].values[1].value, bool)


def test_only_found_rows_count_and_more_come_first() -> None:
    found = count([matched(FILED, 1, rows=[1]), matched(FILED, 1, "quay", [0, 1])], ("base", "language", "document"))
    assert found == (
        Facet("base", (Counted("quay", 2), Counted("port", 1))),
        Facet("language", (Counted("fr", 2), Counted("en", 1))),
        Facet("document", (Counted("doc_b", 2, "B"), Counted("doc_a", 1, "A"))),
    )
    assert count([matched(FILED, rows=[])], ("base",)) == (Facet("base", ()),)
    assert count([], ("base", "attr")) == (Facet("base", ()),)


def test_a_document_in_two_shards_has_one_title() -> None:
    other = [Filed("doc_a", "0 lower title")]
    [facet] = count([matched(FILED[:1]), matched(other, base="quay")], ("document",))
    assert facet.values == (Counted("doc_a", 2, "0 lower title"),)


def test_the_rest_is_counted_and_not_told() -> None:
    many = [Filed(f"doc_{at:03d}") for at in range(VALUES + 7)]
    [facet] = count([matched(many)], ("document",))
    assert (len(facet.values), facet.others) == (VALUES, 7)
    assert facet.values[0].value == "doc_000"
