"""The collector's parser never fails but in its own way, and what it takes can be read again."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.doors.hec.events import EVENTS, NotWhole, concatenated, lined, placed

LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(LEAVES, lambda one: st.lists(one) | st.dictionaries(st.text(), one), max_leaves=8)
FILLED = VALUES.filter(lambda one: one is not None and not (isinstance(one, str) and not one.strip()))
TIMES = st.none() | st.integers(0, 10**10) | st.sampled_from(["12.5", "1426279439"])


@given(st.binary(max_size=400))
def test_any_bytes_are_events_or_refused(body: bytes) -> None:
    try:
        found = concatenated(body)
    except NotWhole:
        return
    assert all(json.loads(placed(one, {}, 1.0)[1]) for one in found)


@given(st.lists(st.tuples(FILLED, TIMES), max_size=5), st.sampled_from(["", "\n", " \r\n"]), st.booleans())
def test_what_was_sent_is_what_is_kept(sent: list[tuple[Any, Any]], between: str, plain: bool) -> None:
    envelopes = [{"event": event, **({} if at is None else {"time": at})} for event, at in sent]
    body = between.join(json.dumps(one, ensure_ascii=plain) for one in envelopes).encode()
    found = concatenated(body)
    for one, envelope in zip(found, envelopes, strict=True):
        index, line = placed(one, {"host": "h", "index": "i"}, 7.0)
        assert index == ""
        assert line.count(b"\n") == 1
        again = json.loads(line)
        assert again["event"] == envelope["event"]
        assert again["time"] == float(envelope.get("time", 7.0))
        assert (again["host"], "index" in again) == ("h", False)


@given(st.binary(max_size=300))
def test_raw_lines_hold_every_byte_that_is_no_end(body: bytes) -> None:
    lines = lined(body)
    assert all(line.endswith(b"\n") and line.count(b"\n") == 1 for line in lines)
    ends = bytes.maketrans(b"", b"")
    plain = body.translate(ends, b" \t\v\f\r\n\x00")
    assert b"".join(lines).translate(ends, b" \t\v\f\r\n\x00") == plain


def test_there_are_not_more_than_so_many() -> None:
    with pytest.raises(NotWhole) as caught:
        concatenated(b'{"event":1}' * (EVENTS + 1))
    assert (caught.value.code, caught.value.number) == (6, EVENTS)
    half = concatenated(b'{"event":"\\ud800"}')
    assert json.loads(placed(half[0], {}, 1.0)[1])["event"] == "\ud800"
