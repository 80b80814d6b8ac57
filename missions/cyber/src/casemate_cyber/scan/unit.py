"""One unit through the engine: each hit becomes a line of a file, the first few of a rule with the reason.

A line is [rule, time, host, user, file, position, record, fields, example]: `rule` is its number in the pack, `fields`
what correlations need of it, `example` {"why": [[field, pattern, value]], "source", "event"} or null.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from casemate_cyber.events import who
from casemate_cyber.events.read import Trouble, Unit, events
from casemate_cyber.match.engine import Engine

EXAMPLES = 3
TROUBLES = 50
BLOCK = 2000
LONGEST, FIELDS, REASONS = 2000, 200, 20
_encode_lines = msgspec.json.Encoder().encode_lines


@dataclass(slots=True)
class Scanned:
    """What a unit gave: events, hits, events by source, what was not read (the first TROUBLES of `missed`)."""

    unit: int
    events: int = 0
    hits: int = 0
    sources: dict[str, int] = field(default_factory=dict)
    troubles: list[Trouble] = field(default_factory=list)
    missed: int = 0

    def trouble(self, what: Trouble) -> None:
        """One more thing that was not read."""
        self.missed += 1
        if len(self.troubles) < TROUBLES:
            self.troubles.append(what)


def lowered(raw: Mapping[str, Any]) -> dict[str, str]:
    """An event as rules compare it: texts in lower case, numbers and true/false as JSON writes them."""
    low: dict[str, str] = {}
    for name, value in raw.items():
        if type(value) is str:
            low[name] = value.lower()
        elif value is True or value is False:
            low[name] = "true" if value else "false"
        else:
            low[name] = str(value)
    return low


def clipped(raw: Mapping[str, Any]) -> dict[str, Any]:
    """An event as an alert keeps it: whoever writes into a log does not choose how much an alert holds."""
    kept = list(raw.items())[:FIELDS]
    return {name[:LONGEST]: value[:LONGEST] if isinstance(value, str) else value for name, value in kept}


def scan(
    engine: Engine,
    unit: Unit,
    name: str,
    out: Path,
    fields: Mapping[int, Sequence[str]],
    keep: Callable[[str, Mapping[str, Any], int], None] | None = None,
) -> Scanned:
    """Match every event of a unit; hits go to `out`. `fields`: what correlations ask of a rule's hits, by number.

    `keep`: is given each event (source, fields, position), where somebody wants all of them.
    """
    done = Scanned(unit.number)
    shown: dict[int, int] = {}
    lines: list[Any] = []
    match, sources = engine.match, done.sources
    with out.open("wb") as file:
        for found in events(unit, name):
            if isinstance(found, Trouble):
                done.trouble(found)
                continue
            source, raw, at = found
            done.events += 1
            if keep is not None:
                keep(source, raw, at)
            sources[source] = sources.get(source, 0) + 1
            low = lowered(raw)
            hits = match(source, low, raw)
            if not hits:
                continue
            done.hits += len(hits)
            time, host, user = who.told(source, raw)
            record = raw.get("EventRecordID") or raw.get("_serial") or raw.get("uid") or ""
            for number in hits:
                example = None
                if shown.get(number, 0) < EXAMPLES:
                    shown[number] = shown.get(number, 0) + 1
                    why = [(f, p[:LONGEST], v[:LONGEST]) for f, p, v in engine.why(number, low, raw)[:REASONS]]
                    example = {"why": why, "source": source, "event": clipped(raw)}
                wanted = fields.get(number)
                held = {key: low[key] for key in wanted if key in low} if wanted else None
                lines.append((number, time, host, user, unit.file, at, record, held, example))
            if len(lines) >= BLOCK:
                file.write(_encode_lines(lines))
                lines.clear()
        file.write(_encode_lines(lines))
    return done
