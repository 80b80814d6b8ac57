"""Reports: what is read back is what was written, a page runs and fetches nothing, the same bytes each time."""

from __future__ import annotations

import json
import math
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.errors import BadInput
from casemate.reports import Chart, Report, Series, Shown, Table, Text, cell, csv_of, page, plain, read, svg_of
from casemate.reports.report import MOST_PARTS

X = (1.0, 2.0)


def test_a_table_says_what_is_wrong_with_it() -> None:
    for columns, rows in (((), []), (("a", "a"), []), (("a",), [(1, 2)])):
        with pytest.raises(BadInput):
            Table(columns, rows)


def test_csv_has_its_marking_first_and_plain_cells() -> None:
    class Number:
        def item(self) -> Any:
            return 4.5

    class Odd:
        def __str__(self) -> str:
            return "odd"

    table = Table(("a", "b"), [(True, None), (False, math.inf), (Number(), Odd()), (1, 'say "x", y')])
    assert csv_of(table, "SECRET").splitlines() == [
        "# SECRET",
        "a,b",
        "true,",
        "false,",
        "4.5,odd",
        '1,"say ""x"", y"',
    ]
    assert cell(2.5) == 2.5


@given(
    st.text(), st.text(), st.lists(st.floats(), min_size=1, max_size=5), st.sampled_from(["lines", "bars", "scatter"])
)
def test_whatever_stands_in_a_report_the_page_is_whole_and_a_chart_is_xml(
    title: str, text: str, values: list[float], kind: Any
) -> None:
    x = tuple(float(n) for n in range(len(values)))
    chart = Chart(
        kind, (Series(title, x, tuple(values), tuple(values), tuple(values)),), title, log=len(values) % 2 == 0
    )
    ET.fromstring(svg_of(chart))
    report = Report(title, [Text(text), Shown(Table(("a",), [(text,)]), title), chart])
    told = page(report, marking="MARKED <&>")
    assert told == page(report, marking="MARKED <&>")
    assert told.count("MARKED &lt;&amp;&gt;") >= 3
    assert "<script" not in told
    assert "<iframe" not in told


def test_a_page_forbids_everything_but_its_own_style_and_pictures() -> None:
    told = page(Report("T", []), marking="M", language="fr", facts={"a<": "b<"}, ink="red;}", ground="#123456")
    assert "default-src 'none'" in told
    assert "red;}" not in told
    assert "background:#123456" in told
    assert "a&lt;</th><td>b&lt;" in told
    assert 'lang="fr"' in told


def test_what_was_cut_is_told_with_how_many_rows_there_are() -> None:
    table = Table(("a",), [(n,) for n in range(9)])
    report = read(json.loads(json.dumps(plain(Report("T", [Shown(table, most=3)])))))
    assert "3 of 9 rows" in page(report, marking="M")
    assert "3 lignes sur 9" in page(report, marking="M", language="fr")


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        {"title": "T"},
        {"title": 3, "parts": []},
        {"title": "T", "parts": [{}] * (MOST_PARTS + 1)},
        {"title": "T", "parts": [3]},
        {"title": "T", "parts": [{"part": "never"}]},
        {"title": "T", "parts": [{"part": "text", "text": "x" * 200_001}]},
        {"title": "T", "parts": [{"part": "figures", "figures": []}]},
        {"title": "T", "parts": [{"part": "shown", "columns": ["a"], "rows": [[1, 2]]}]},
        {"title": "T", "parts": [{"part": "shown", "columns": ["a"], "rows": [3]}]},
        {"title": "T", "parts": [{"part": "checks", "checks": [3]}]},
        {"title": "T", "parts": [{"part": "checks", "checks": {}}]},
        {"title": "T", "parts": [{"part": "chart", "kind": "pie"}]},
        {"title": "T", "parts": [{"part": "chart", "kind": "lines", "series": [{"x": [1], "y": ["a"]}]}]},
        {"title": "T", "parts": [{"part": "chart", "kind": "lines", "series": [{"x": [1], "y": [1, 2]}]}]},
        {"title": "T", "parts": [{"part": "chart", "kind": "lines", "series": [{"x": [1], "y": [1e301]}]}]},
        {"title": "T", "parts": [{"part": "chart", "kind": "heat", "rows": ["a"], "columns": ["b"], "values": []}]},
    ],
)
def test_what_is_no_report_is_refused(wrong: Any) -> None:
    with pytest.raises(BadInput):
        read(wrong)


def test_charts_of_nothing_of_words_and_of_one_value_are_drawn() -> None:
    for chart in (
        Chart("lines"),
        Chart("lines", (Series("", X, (5.0, 5.0)),)),
        Chart("bars", (Series("a", ("p", "q"), (0.0, 0.0)),)),
        Chart("bars", (Series("a", X, (-1.0, 1e9)),)),
        Chart("scatter", (Series("a", X, (1e-9, 1e12)),), log=True),
        Chart("heat", rows=("r",), columns=("c",), values=((math.nan,),)),
        Chart("bands", tuple(Series(f"s{n}", X, (1.0, n), (0.0, n), (2.0, n)) for n in range(10))),
    ):
        ET.fromstring(svg_of(chart))
    with pytest.raises(BadInput):
        Chart("heat", rows=("r",), columns=("c",), values=())


def test_a_title_of_a_chart_is_text() -> None:
    root = ET.fromstring(svg_of(Chart("lines", (Series("<b>", X, X),), "<script>\ud800\x00")))
    assert root[0].text == "<script>"
    assert not [one for one in root.iter() if one.tag.endswith("script")]
