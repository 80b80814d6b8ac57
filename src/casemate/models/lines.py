"""The lines of a batch: what must hold of each before any is answered, and how an answer is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from casemate.models.batch import Fault

__all__ = ["Line", "Row", "lines_of", "outcome"]

LINES = 50_000
LINE = 4 << 20
FAULTS = 20


class Row(msgspec.Struct):
    """One request."""

    custom_id: str
    method: str
    url: str
    body: dict[str, Any]


_ROW = msgspec.json.Decoder(Row)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the output, or of the errors."""

    row: bytes
    good: bool

    @classmethod
    def of(cls, id: str, custom: str, status: int, entry: str, body: bytes) -> Line:
        """The line; `entry` is the ledger entry of the request."""
        row = {
            "id": id,
            "custom_id": custom,
            "response": {"status_code": status, "request_id": entry, "body": msgspec.Raw(body)},
            "error": None,
        }
        return cls(msgspec.json.encode(row) + b"\n", status == 200)


def lines_of(raw: bytes, endpoint: str) -> tuple[tuple[Fault, ...], list[bytes]]:
    """The lines of a file, and what is wrong with them: at most 20 faults are told."""
    lines = [line for line in raw.split(b"\n") if line.strip()]
    if not 0 < len(lines) <= LINES:
        return (Fault("lines", f"A batch has 1 to {LINES} lines."),), []
    faults: list[Fault] = []
    names: set[str] = set()
    for number, line in enumerate(lines, start=1):
        fault = _fault(line, endpoint, names)
        if fault:
            faults.append(Fault("invalid_request", fault, number))
            if len(faults) >= FAULTS:
                break
    return tuple(faults), lines


def outcome(raw: bytes) -> Row:
    """A line that has been validated."""
    return _ROW.decode(raw)


def _fault(line: bytes, endpoint: str, names: set[str]) -> str:
    if len(line) > LINE:
        return "The line is too long."
    try:
        row = _ROW.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return "The line is not a request: custom_id, method, url and body."
    if row.custom_id in names or not 0 < len(row.custom_id) <= 512:
        return "Its custom_id is missing, too long, or another line's."
    names.add(row.custom_id)
    if row.method != "POST" or row.url != endpoint:
        return "Its method is POST, and its url the batch's endpoint."
    return ""
