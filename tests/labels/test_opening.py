"""A line that is still being written: whoever may yet become a mark is withheld."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from casemate.labels import Policies

POLICIES = Policies.load(("us", "nato", "fr", "tlp", "house"))
PIECES = st.sampled_from(
    "SECRET|Secret|TOP SECRET|TRÈS SECRET|TRES SECRET|UNCLASSIFIED|COSMIC TOP SECRET|TLP:RED|NATO|//|/| |  |NOFORN"
    "|REL TO |USA, GBR|SI|HCS-P|FOUO|(|)|[|]|S|TS|U|C|NF|// | + |**|# |- |• |1. |1.2 |a) |iv. |\u200b|\u202e|Ѕ|text"
    "|agents|the|©|copyright|2024|.|,|-|BALK|Open|INTERNAL|Diffusion Restreinte|JOINT".split("|")
)
LINES = st.lists(PIECES, min_size=1, max_size=9).map("".join)


def marks(line: str) -> bool:
    bare = line.strip()
    return bool(POLICIES.read_banner(bare) or POLICIES.read_portion(bare)[0])


@settings(max_examples=1500)
@given(LINES)
@example("**SECRET**")
@example("1. (S//NF) The text that follows it goes on and on.")
@example("//DEU SECRET")
@example("(C) copyright 2024")
@example("S\u200bECRET//NOFORN")
@example("SECRET// REL TO SecretTOP SECRET")
@example("SECRET//FGI hello there")
@example("SECRET//DISPLAY ONLY hello there")
@example("SECRET//NOFORN/REL TO hello there")
def test_no_beginning_of_a_mark_is_let_go(line: str) -> None:
    """While a line is let through at its k-th character, no line that begins so bears a mark there or later."""
    if not marks(line):
        return
    opened = POLICIES.read_portion(line.strip())[0]
    for at in range(len(line) + 1):
        if not POLICIES.may_mark(line[:at]):
            assert opened, line[:at]  # a banner is its whole line
            assert marks(line[:at]), line[:at]  # whoever lets go looks first, and sees the portion mark already
            return


@settings(max_examples=1500)
@given(st.lists(st.tuples(LINES, st.sampled_from(["\n", "\r", "\r\n", "\x0b", "\u2028"])), max_size=4))
def test_the_quick_look_at_a_text_passes_over_no_mark(lines: list[tuple[str, str]]) -> None:
    text = "".join(line + end for line, end in lines)
    slow = [line for line in text.splitlines() if marks(line)]
    assert [line for line in POLICIES.lines_to_read(text) if marks(line)] == slow


@settings(max_examples=1500)
@given(st.lists(LINES, max_size=3), st.sampled_from([0, 1, 2]), st.booleans())
def test_a_document_that_may_hold_no_mark_holds_none(lines: list[str], nested: int, escaped: bool) -> None:
    """However deep the text lies in JSON within JSON, and whatever stands before the mark on its line."""
    body: object = {"messages": ["\n".join(lines), {name: "12:" + name for name in lines}]}
    for _ in range(nested):
        body = {"text": json.dumps(body, ensure_ascii=escaped)}
    if not POLICIES.may_hold(json.dumps(body, ensure_ascii=escaped).encode()):
        assert not any(map(marks, lines))


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": "\\u0053ECRET"}', b'{"a": "\\/\\/DEU SECRE"}', "{'a': 'СЕКРЕТ'}".encode(), b'{"a": "x\x7f"}',
        b'{"a": "//GBR S"}', b'{"a": "secret//noforn"}', b'{"a": "[ s//nf]"}', b'{"a": "(\\tTS)"}',
        b'{"a": "SEC\\bRET"}', b'{"a": "(\\bTS)"}', b'{"a": "[\\"(CT\\\\bS)\\"]"}',
    ],
)  # fmt: skip
def test_what_is_not_plain_may(body: bytes) -> None:
    assert POLICIES.may_hold(body)


def test_most_documents_may_not() -> None:
    assert not POLICIES.may_hold(b'{"model": "m", "messages": [{"role": "user", "content": "See http://a/b (soon)."}]}')


def test_most_texts_hold_no_line_to_read() -> None:
    assert list(POLICIES.lines_to_read("The harbour is calm.\nThe lamps are lit (at nine).\r\nTomorrow too.")) == []


@pytest.mark.parametrize(
    ("line", "at"),
    [
        ("The harbour is calm.", 2),
        ("Secret agents are everywhere", len("Secret agents a")),
        ("It is (S) secret", 2),
        ("(see the annex below) and so on it goes", len("(see the annex below)") + 12),
        ("word " * 600, 2),
    ],
)
def test_ordinary_text_goes_on_at_once(line: str, at: int) -> None:
    assert all(POLICIES.may_mark(line[:n]) for n in range(at))
    assert not POLICIES.may_mark(line[:at])


def test_nothing_is_withheld_for_ever() -> None:
    assert not POLICIES.may_mark("(" + "x" * 1100)
    assert POLICIES.may_mark("")
    assert POLICIES.may_mark("   ")


@pytest.mark.parametrize(
    ("line", "withheld"),
    [
        ("SECRET + anything", True),
        ("SECRET NOFORN ", True),
        ("secret nof", True),
        ("SECRET affairs were settled", False),
        ("SECRETARIES met ", False),
    ],
)
def test_what_follows_a_head_says_whether_it_is_withheld(line: str, withheld: bool) -> None:
    assert POLICIES.may_mark(line) is withheld
