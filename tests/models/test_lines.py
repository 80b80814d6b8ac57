"""Lines of a batch: bounds, and the rows of an output."""

from __future__ import annotations

import json

import pytest

from casemate.models import lines
from casemate.models.lines import Line, lines_of, outcome

URL = "/v1/chat/completions"


def row(name: str = "a", **more: object) -> bytes:
    return json.dumps({"custom_id": name, "method": "POST", "url": URL, "body": {}} | more).encode()


def test_lines_and_blank_ones() -> None:
    faults, found = lines_of(row("a") + b"\n\n  \n" + row("b"), URL)
    assert faults == ()
    assert [outcome(line).custom_id for line in found] == ["a", "b"]


def test_there_is_an_end_to_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LINES", 1)
    (fault,), found = lines_of(row("a") + b"\n" + row("b"), URL)
    assert (fault.code, fault.line, found) == ("lines", 0, [])
    monkeypatch.setattr(lines, "LINE", 10)
    (fault,), _ = lines_of(row("a"), URL)
    assert fault.message == "The line is too long."


@pytest.mark.parametrize(
    "line", [b"\xff", b"[" * 5000, row("x" * 600), row(body=[]), row(method="PUT"), row(url="/v1/x")]
)
def test_a_line_that_is_none(line: bytes) -> None:
    faults, _ = lines_of(line, URL)
    assert [fault.line for fault in faults] == [1]


def test_rows() -> None:
    good, bad = Line.of("b", "a", 200, "ent_1", b'{"x":1}'), Line.of("b", "a", 429, "ent_1", b"{}")
    assert (good.good, bad.good) == (True, False)
    found = json.loads(good.row)
    assert found["response"] == {"status_code": 200, "request_id": "ent_1", "body": {"x": 1}}
    assert found["error"] is None
    assert good.row.endswith(b"\n")
