"""Syslog as the standards write it, and whatever else comes: no byte is lost, no message is two."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.clock import iso, parse_iso
from casemate.missions.host.syslog import Frame, Frames, line_of, record

NOW = parse_iso("2026-01-02T03:04:05Z")
TEXTS = st.binary(min_size=1, max_size=60).filter(lambda b: not set(b) & set(b"\n\x00\r ") and not b[:1].isdigit())


def told(text: str, now: int = NOW) -> dict[str, Any]:
    found = record(Frame(text.encode()), "192.0.2.1", now)
    assert found.pop("received") == iso(now)
    assert found.pop("peer") == "192.0.2.1"
    return found


def test_the_examples_of_rfc_5424() -> None:
    """Section 6.5."""
    assert told("<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - \ufeff'su root' failed") == {
        "form": "5424",
        "facility": 4,
        "severity": 2,
        "time": "2003-10-11T22:14:15.003Z",
        "host": "mymachine.example.com",
        "app": "su",
        "kind": "ID47",
        "message": "'su root' failed",
    }
    two = told('<165>1 2003-10-11T22:14:15.003Z h evntslog - ID47 [a@1 iut="3" x="a\\"]\\\\b"][b@2 p="high"] text [c]')
    assert two["data"] == {"a@1": {"iut": "3", "x": 'a"]\\b'}, "b@2": {"p": "high"}}
    assert two["message"] == "text [c]"
    zone = told("<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - %% It's time.")
    assert (zone["time"], zone["process"]) == ("2003-08-24T12:14:15.000Z", "8710")


def test_the_examples_of_rfc_3164() -> None:
    """Section 5.4; the year is the nearest."""
    assert told("<34>Oct 11 22:14:15 mymachine su[7]: 'su root' failed") == {
        "form": "3164",
        "facility": 4,
        "severity": 2,
        "time": "2025-10-11T22:14:15.000Z",
        "host": "mymachine",
        "app": "su",
        "process": "7",
        "message": "'su root' failed",
    }
    assert told("<13>Feb  5 17:32:18 10.0.0.99 Use the BFG!")["message"] == "Use the BFG!"
    assert told("<13>Jan  1 00:00:00 h t: x")["time"] == "2026-01-01T00:00:00.000Z"
    assert told("<13>Dec 31 23:59:59 h t: x")["time"] == "2025-12-31T23:59:59.000Z"
    assert told("<13>Feb 29 10:00:00 h t: x")["said_time"] == "Feb 29 10:00:00"
    assert told("<13>app: x") == {"form": "3164", "facility": 1, "severity": 5, "app": "app", "message": "x"}


@pytest.mark.parametrize(
    "text",
    ["", "plain", "<>x", "<192>1 - - - - - - x", "<01>x", "<1", "(S) <13>1", "<999>Oct 11 22:14:15 h x"],
)
def test_what_is_neither_is_a_text(text: str) -> None:
    assert told(text) == {"form": "none", "message": text}


@pytest.mark.parametrize("data", ["[", "[a", '[a b="', '[a b="x"', '[a b="x\\"]', "[a b]", "[ x]", '[a b="x" ]'])
def test_structured_data_that_is_none_stays_in_the_message(data: str) -> None:
    found = told(f"<13>1 never h a - - {data} m")
    assert found["message"] == f"{data} m"
    assert (found["said_time"], "data" in found) == ("never", False)


@given(st.binary(max_size=200), st.integers(0, 4 * 10**15))
def test_any_bytes_are_one_line(data: bytes, now: int) -> None:
    line = line_of(record(Frame(data), "x", now))
    assert line.count(b"\n") == 1
    assert json.loads(line)["form"] in ("5424", "3164", "none")


@given(st.lists(st.tuples(TEXTS, st.sampled_from(["\n", "\x00", "\r\n", "counted"]))), st.lists(st.integers(1, 30)))
def test_frames_are_the_same_however_they_are_cut(sent: list[tuple[bytes, str]], cuts: list[int]) -> None:
    stream = b"".join(b"%d %s" % (len(text), text) if end == "counted" else text + end.encode() for text, end in sent)
    frames, found, at = Frames(), list[Frame](), 0
    for cut in [*cuts, len(stream) + 1]:
        found += frames.feed(stream[at : at + cut])
        at += cut
    assert [one.data for one in found] == [text for text, _ in sent]
    assert not any(one.cut for one in found)
    assert frames.rest() == []


@given(st.binary(max_size=300), st.integers(1, 40))
def test_no_stream_holds_more_than_its_bound(data: bytes, size: int) -> None:
    frames = Frames(longest=16)
    for at in range(0, len(data), size):
        for one in frames.feed(data[at : at + size]):
            assert len(one.data) <= 16
        assert len(frames._held) <= 16 + 10
    frames.rest()


def test_what_is_longer_is_cut_and_what_follows_is_whole() -> None:
    frames = Frames(longest=4)
    assert frames.feed(b"abcdefgh") == [Frame(b"abcd", cut=True)]
    assert frames.feed(b"ijk") == []
    assert frames.feed(b"l\nnext") == []
    assert frames.feed(b"\n9 123456789") == [Frame(b"next"), Frame(b"1234", cut=True)]
    assert frames.feed(b"2 xy12") == [Frame(b"xy")]
    assert frames.feed(b" ") == []
    assert frames.rest() == []
    assert Frames().rest() == []
    last = Frames()
    assert last.feed(b"no end") == []
    assert last.rest() == [Frame(b"no end")]
    half = Frames()
    half.feed(b"10 half")
    assert half.rest() == [Frame(b"half", cut=True)]
    assert record(Frame(b"x", cut=True), "p", NOW)["cut"] is True


@pytest.mark.parametrize("data", [b"0 x", b"12x", b"9999999999 x", b"1<13>x"])
def test_a_length_that_is_none_ends_the_connection(data: bytes) -> None:
    frames = Frames()
    assert frames.feed(b"before\n" + data) == [Frame(b"before")]
    assert frames.broken
    assert frames.feed(b"more\n") == []
    assert frames.rest() == []
