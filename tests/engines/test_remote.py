"""What the engines behind HTTP share: names, waiting times, lines of events."""

from __future__ import annotations

import pytest

from casemate.engines.http_exchange import Broken, Exchange
from casemate.engines.remote import judged, named_right
from casemate.engines.sse import LINE, Events


@pytest.mark.parametrize(
    ("asked_for", "answered", "also", "right"),
    [
        ("m", "", (), True),
        ("m", "m", (), True),
        ("m", "m-2026-11-01", (), True),
        ("m", "m:latest", (), True),
        ("m", "vendor/m", (), True),
        ("vendor/m", "m", (), True),
        ("m", "other", ("other",), True),
        ("m", "other", (), False),
        ("m", "mm", (), False),
        ("m2", "m", (), False),
    ],
)
def test_which_names_are_those_of_the_model(asked_for: str, answered: str, also: tuple[str, ...], right: bool) -> None:
    assert named_right(asked_for, answered, also) is right


DATE = b"Fri, 20 Nov 2026 10:00:00 GMT"


@pytest.mark.parametrize(
    ("after", "date", "seconds"),
    [
        (b"7", b"", 7.0),
        (b"99999999999", b"", 3600.0),
        (b"Fri, 20 Nov 2026 10:00:30 GMT", DATE, 30.0),
        (b"Fri, 20 Nov 2026 09:00:00 GMT", DATE, 0.0),
        (b"Fri, 20 Nov 2026 10:00:30 GMT", b"", 0.0),
        (b"Fri, 20 Nov 2026 10:00:30 -0000", DATE, 0.0),
        (b"-1", b"", 0.0),
        (b"soon\xff", DATE, 0.0),
    ],
)
def test_how_long_a_busy_one_asks_to_be_left_alone(after: bytes, date: bytes, seconds: float) -> None:
    exchange = object.__new__(Exchange)
    exchange.status, exchange.headers = 429, {b"retry-after": after, b"date": date}
    with pytest.raises(Broken) as told:
        judged(exchange, b"text/plain")
    assert (told.value.cause, told.value.retry_after) == ("busy", seconds)


def test_events_however_they_are_cut() -> None:
    whole = b": comment\r\nevent: x\r\ndata: {1}\r\n\r\ndata:{2}\n\nid: 7\ndata: {3}\n\n"
    for size in range(1, len(whole) + 1):
        events = Events()
        found = [data.strip() for at in range(0, len(whole), size) for data in events.fed(whole[at : at + size])]
        assert found == [b"{1}", b"{2}", b"{3}"]
        assert not events.inside
        events.fed(b"data: {")
        assert events.inside


@pytest.mark.parametrize(
    "pieces",
    [
        [b"x" * (LINE + 1)],
        [b"x" * LINE, b"x"],
        [b"x" * LINE, b"x\n"],
        [b"x" * (LINE + 1) + b"\n"],
        [b"a", b"\n" + b"x" * (LINE + 1) + b"\n"],
    ],
)
def test_lines_that_are_too_long(pieces: list[bytes]) -> None:
    events = Events()
    with pytest.raises(Broken, match="too long"):
        b"".join(data for piece in pieces for data in events.fed(piece))
