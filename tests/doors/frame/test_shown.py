"""A mark behind what a tool puts in front of it: the texts as they are looked at."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.doors.frame import shown, strings
from casemate.doors.frame.shown import _PLAIN
from casemate.labels import Policies
from tests.doors.anthropic.asking import message, opened
from tests.doors.wired import UPSTREAM, Wired

POLICIES = Policies.load(("us",))
MARK = "(S//NF) The convoy leaves."
SHOWN = {
    "numbered by a tab": f"1\tfoo\n  12\t{MARK}\n",
    "numbered by an arrow": f"     1→foo\n     2→{MARK}",
    "numbered by a bar": f"1 foo\n12| {MARK}",
    "numbered by a colon": f"12:{MARK}",
    "found in a file": f"notes/convoy.md:3:{MARK}",
    "found in a file and column": f"notes/convoy.md:3:14:{MARK}",
    "found beside": f"convoy.md-4-{MARK}",
    "found without a number": f"./notes/convoy.md:{MARK}",
    "a difference": f"@@ -1,2 +1,2 @@\n-(U) Old.\n+{MARK}",
    "a difference's head": f"@@ -1,2 +1,2 @@ {MARK}",
    "quoted": f'"{MARK}"',
    "quoted by a mail": f"> {MARK}",
    "JSON": json.dumps({"file": {"content": f"foo\n{MARK}"}}),
    "JSON in JSON": json.dumps([json.dumps({"a": json.dumps(f"foo\n{MARK}")})]),
    "JSON after words": "Result of the tool: " + json.dumps(f"1\t{MARK}\n2\tfoo"),
    "a banner": "1\tSECRET//NOFORN\n2\tfoo",
    "carriage returns": f"1\tfoo\r2\t{MARK}",
}


@pytest.mark.parametrize("name", SHOWN)
def test_a_mark_that_a_tool_shows_is_a_mark(region: Wired, name: str) -> None:
    """It raises the floor: the response bears it."""
    result = {"type": "tool_result", "tool_use_id": "t", "content": SHOWN[name]}
    got = opened(region, message([result, {"type": "text", "text": "x"}], model=UPSTREAM))
    assert (got.status, got.headers["casemate-marking"]) == (200, "SECRET//NOFORN")
    assert region.answers.floors[-1] == region.label("us:SECRET//NOFORN")


@pytest.mark.parametrize(
    "text",
    [
        '{"a": "(S) x", "a": "plain"}',
        '{"SECRET//NOFORN": 1, "SECRET//NOFORN": 2}',
        '{"a": "plain", "b": ["(S) and then it was cut of',
        '{"a": "plain"}\n{"a": "(S) x"}\n',
        '  [{"a": "plain"}, {"a": "(S) x", "a": [1]}]',
        json.dumps('{"a": "(S) x", "a": 1}'),
    ],
)
def test_json_that_a_reader_takes_otherwise_hides_nothing(text: str) -> None:
    """A name that stands twice, an end that is missing, one document after the other: it may be read in full."""
    lines = [line for each in strings(text) for line in each.splitlines()]
    assert any(POLICIES.read_portion(line)[0] or POLICIES.read_banner(line) for line in lines)


@pytest.mark.parametrize(
    "text", ["plain", "two\nlines", "a: b", "x = 1\ny = 2", "", "ab", "Note:(S) is", "C:\\new\\tools"]
)
def test_plain_texts_have_nothing_in_front(region: Wired, text: str) -> None:
    result = {"type": "tool_result", "tool_use_id": "t", "content": text}
    got = opened(region, message([result, {"type": "text", "text": "x"}], model=UPSTREAM))
    assert (got.status, region.answers.floors[-1]) == (200, region.label("us:UNCLASSIFIED"))


@given(
    st.recursive(
        st.text() | st.integers() | st.none(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=12,
    )
)
def test_every_string_is_there_once(body: Any) -> None:
    found = strings(body)

    def walk(value: Any) -> None:
        if isinstance(value, str):
            assert value in found or value in _PLAIN
        elif isinstance(value, list):
            for each in value:
                walk(each)
        elif isinstance(value, dict):
            for name, each in value.items():
                walk(name)
                walk(each)

    walk(body)


def test_nothing_is_taken_away_and_depth_ends() -> None:
    deep = "x"
    for _ in range(9):
        deep = json.dumps([deep])
    assert strings(deep)[0] == deep
    assert list(shown(["plain", "", "1\ta"])) == ["a"]


def test_what_is_left_out_is_no_mark(region: Wired) -> None:
    """The protocols' own words, in any policy that the house brings."""
    for policies in (region.region.policies, Policies.load(("house",)), Policies.load(("fr",))):
        for word in _PLAIN:
            assert not policies.read_banner(word)
            assert not policies.read_portion(word)[0]
