"""A network in a report: read back within bounds, data that nothing runs, and one script, named by its hash."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.errors import BadInput
from casemate.reports import Link, Network, Node, Quote, Report, Seen, Text, page, plain, policy, read
from casemate.reports.network import MOST_NODES, MOST_QUOTES, MOST_VIEWS, WORDS

HOSTILE = "</script><script>alert(1)</script><!-- ]]> & \u2028 <img src=x onerror=alert(1)>"


def node(id: str, name: str = "", **more: Any) -> Node:
    return Node(id, name or id, "Person", "(U)", (id,), 1.0, 2.0, 3.0, 0, **more)


def network(text: str = "Ana") -> Network:
    quote = Quote("name", text, "(U)", text, "file:1")
    nodes = (node("a", text, quotes=(quote,), more=2), node("b"))
    return Network(
        [Seen("UNCLASSIFIED", nodes, (Link("l", text, "a", "b", "2023-01-01", "(U)", (quote,)),), 7)], "Walk"
    )


def changed(**more: Any) -> Any:
    """A report of one view as JSON, with something else in its view."""
    told = plain(Report("T", [network()]))
    told["parts"][0]["views"][0] |= more
    return json.loads(json.dumps(told))


def test_a_network_is_read_back_as_it_was_written() -> None:
    report = Report("T", [network(HOSTILE)])
    assert read(json.loads(json.dumps(plain(report)))) == report


@given(st.text())
def test_whatever_a_mission_writes_the_page_has_our_script_and_no_other(text: str) -> None:
    report = Report("T", [network(text + HOSTILE), Text(HOSTILE)])
    told = page(report, marking="M")
    scripts = re.findall(r"<script([^>]*)>(.*?)</script>", told, re.DOTALL)
    assert [attributes for attributes, _ in scripts] == [' type="application/json"', ""]
    held = json.loads(scripts[0][1])
    assert held["views"][0]["nodes"][0]["name"] == text + HOSTILE
    digest = base64.b64encode(hashlib.sha256(scripts[1][1].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy(report)
    assert "<img" not in told
    assert told == page(read(json.loads(json.dumps(plain(report)))), marking="M")


def test_a_page_lets_a_script_run_only_where_there_is_a_network() -> None:
    without = Report("T", [Text("x")])
    assert "script-src" not in policy(without)
    assert "<script" not in page(without, marking="M")
    told = policy(Report("T", [network()]))
    assert "default-src 'none'" in told
    assert "unsafe-inline" not in told.partition("script-src")[2]


def test_the_words_are_there_in_both_languages() -> None:
    assert WORDS["en"].keys() == WORDS["fr"].keys()
    assert "Chercher" in page(Report("T", [network()]), marking="M", language="fr")


NODES = changed()["parts"][0]["views"][0]["nodes"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"nodes": NODES * MOST_NODES},
        {"nodes": [*NODES, NODES[0]]},
        {"nodes": NODES[:1]},
        {"nodes": [{**NODES[0], "x": None}, NODES[1]]},
        {"nodes": [{**NODES[0], "y": 1e9}, NODES[1]]},
        {"nodes": [{**NODES[0], "group": -1}, NODES[1]]},
        {"nodes": [{**NODES[0], "more": True}, NODES[1]]},
        {"nodes": [{**NODES[0], "name": 3}, NODES[1]]},
        {"nodes": [{**NODES[0], "name": "x" * 3000}, NODES[1]]},
        {"nodes": [{**NODES[0], "quotes": NODES[0]["quotes"] * (MOST_QUOTES + 1)}, NODES[1]]},
        {"nodes": [[], NODES[1]]},
        {"links": "none"},
        {"of": 1.5},
    ],
)
def test_what_is_no_network_is_refused(wrong: Any) -> None:
    with pytest.raises(BadInput):
        read(changed(**wrong))


def test_too_many_views_are_refused() -> None:
    told = changed()
    told["parts"][0]["views"] *= MOST_VIEWS + 1
    with pytest.raises(BadInput):
        read(told)


@pytest.mark.parametrize("marking", ['SECRET "} *{display:none} \\', "TRÈS SECRET\n</style><script>alert(1)</script>"])
def test_a_marking_breaks_out_of_no_style(marking: str) -> None:
    told = page(Report("T", []), marking=marking)
    sheet = told.partition("@page")[2].partition("</style>")[0]
    assert "@top-center" in sheet
    assert "@bottom-center" in sheet
    words = re.findall(r'content:"([^"]*)"', sheet)
    assert words
    assert all(re.fullmatch(r"(?:[A-Za-z0-9 ]|\\[0-9a-f]+ )*", each) for each in words)
