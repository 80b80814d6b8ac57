"""What each comparison of Sigma means here: types, case, wildcards, what is empty and what is not there."""

from __future__ import annotations

from typing import Any

import pytest

from casemate_cyber.match import regular
from casemate_cyber.match.leaf import test_of as of_leaf
from casemate_cyber.match.literals import needed
from casemate_cyber.match.tree import compiled, fixed, reasons
from casemate_cyber.rules.pack import ONE, STAR, Node
from casemate_cyber.scan.unit import lowered

TABLE: list[tuple[Node, dict[str, Any], bool]] = [
    (("str", "a", ("Cmd.EXE",), False), {"a": "cmd.exe"}, True),
    (("str", "a", ("Cmd.EXE",), True), {"a": "cmd.exe"}, False),
    (("str", "a", (STAR, "\\cmd.exe"), False), {"a": "C:\\CMD.exe"}, True),
    (("str", "a", (STAR, "\\cmd.exe"), False), {"a": "C:\\cmd.exe.bak"}, False),
    (("str", "a", ("x", STAR, "y", STAR, "z"), False), {"a": "x1y2z"}, True),
    (("str", "a", ("x", STAR, "y", STAR, "z"), False), {"a": "xz"}, False),
    (("str", "a", ("ab", STAR, "bc"), False), {"a": "abc"}, False),
    (("str", "a", ("x", ONE, "z"), False), {"a": "xyz"}, True),
    (("str", "a", ("x", ONE, "z"), False), {"a": "xz"}, False),
    (("str", "a", (STAR,), False), {"a": ""}, True),
    (("str", "a", (STAR,), False), {}, False),
    (("str", "a", (), False), {"a": ""}, True),
    (("str", "a", (), False), {}, False),
    (("str", "a", ("10%",), False), {"a": "10%"}, True),
    (("str", "a", ("a_c",), False), {"a": "abc"}, False),
    (("str", "a", ("true",), False), {"a": True}, True),
    (("bool", "a", True), {"a": True}, True),
    (("bool", "a", True), {"a": "true"}, True),
    (("bool", "a", False), {"a": "true"}, False),
    (("num", "a", 4688), {"a": "4688"}, True),
    (("num", "a", 4688), {"a": 4688}, True),
    (("null", "a"), {}, True),
    (("null", "a"), {"a": ""}, False),
    (("exists", "a", True), {"a": ""}, True),
    (("exists", "a", False), {"a": ""}, False),
    (("re", "a", "^[a-f]{3}$", ""), {"a": "abc"}, True),
    (("re", "a", "^[a-f]{3}$", ""), {"a": "ABC"}, False),
    (("re", "a", "^[a-f]{3}$", "i"), {"a": "ABC"}, True),
    (("cidr", "a", "10.0.0.0/8"), {"a": "10.9.8.7"}, True),
    (("cidr", "a", "10.0.0.0/8"), {"a": "10.9.8.7.6"}, False),
    (("cidr", "a", "fe80::/10"), {"a": "FE80::1"}, True),
    (("cidr", "a", "fe80::/10"), {"a": "10.0.0.1"}, False),
    (("cmp", "a", "gt", 9), {"a": "10"}, True),
    (("cmp", "a", "gt", 9), {"a": "many"}, False),
    (("cmp", "a", "lte", 9), {}, False),
    (("ref", "a", "b", "equal"), {"a": "X", "b": "x"}, True),
    (("ref", "a", "b", "starts"), {"a": "xy", "b": "X"}, True),
    (("ref", "a", "b", "ends"), {"a": "xy", "b": "X"}, False),
    (("part", "a", "hour", "gte", 22), {"a": "2026-03-02T23:00:00Z"}, True),
    (("part", "a", "hour", "gte", 22), {"a": "at night"}, False),
    (("word", ("Mimikatz",)), {"b": "run mimikatz now"}, True),
    (("word", ("a", STAR, "c")), {"b": "xabcx"}, True),
    (("word", ("zzz",)), {"b": "x"}, False),
    (("not", ("str", "a", ("x",), False)), {}, True),
]


@pytest.mark.parametrize(("node", "event", "holds"), TABLE)
def test_each_comparison(node: Node, event: dict[str, Any], holds: bool) -> None:
    low = lowered(event)
    assert compiled(node)(low, event) is holds
    if node[0] not in ("not", "word"):
        assert of_leaf(node)(low, event) is holds
    literals = needed(node)
    text = "\n" + "\n".join(low.values()) + "\n"
    assert not holds or literals is None or any(literal in text for literal in literals)


def test_what_a_route_knows_is_not_asked_again() -> None:
    node: Node = ("and", (("num", "EventID", 1), ("not", ("str", "Channel", ("Security",), False)), ("null", "x")))
    assert fixed(node, "sysmon", "1") == ("null", "x")
    assert fixed(node, "security", "1") == ("const", False)
    assert fixed(node, "sysmon", "2") == ("const", False)


def test_the_reason_names_field_pattern_and_value() -> None:
    node: Node = (
        "and",
        (("or", (("str", "a", ("x",), False), ("str", "a", (STAR, "y"), False))), ("not", ("null", "b"))),
    )
    event = {"a": "zzY", "b": 1}
    assert reasons(node, lowered(event), event) == [("a", "*y", "zzY")]


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [
        ("foo(bar|bazz)+qux", {"foo"}),
        ("(?:abcd|efgh)x?", {"abcd", "efgh"}),
        ("a*b?", None),
        ("(?i)MiMi", {"mimi"}),
        ("x{0,3}long", {"long"}),
    ],
)
def test_texts_that_an_expression_needs(pattern: str, wanted: set[str] | None) -> None:
    found = regular.needed(pattern, "")
    assert found == (frozenset(wanted) if wanted else None)


def test_an_expression_that_backtracks_elsewhere_takes_no_time_here() -> None:
    search = regular.searcher("^(a+)+$", "")
    assert search("a" * 200_000 + "b") is None
