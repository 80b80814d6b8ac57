"""What a run leaves: tables, figures and files. Alerts are streamed: memory stays flat however many there are."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from casemate.errors import BadInput
from casemate.missions import Context, NoModel, Result, Table
from casemate_cyber.events.read import Trouble
from casemate_cyber.hunt import answered
from casemate_cyber.mission import LEVELS, baseline_of
from casemate_cyber.out.attack import Matrix, techniques
from casemate_cyber.out.note import MOST, note
from casemate_cyber.out.ocsf import finding
from casemate_cyber.out.releasable import Releasable
from casemate_cyber.out.stix import bundle
from casemate_cyber.rules.signed import Manifest
from casemate_cyber.scan.alerts import Alert, telling
from casemate_cyber.watch import Watched, pack_of, watched

if TYPE_CHECKING:
    from casemate_cyber.mission import Parameters

# What an analyst looks at stands left of what only a program needs.
ALERTS = (
    *("level", "title", "matched", "host", "user", "count", "first", "last"),
    *("techniques", "rule", "author", "file", "key"),
)
TIMELINE = ("host", "user", "first", "last", "level", "title", "count", "key")


def result_of(context: Context[Parameters]) -> Result:
    """The mission's run.

    Raises:
        BadInput: rules or baseline are none; nothing else ends a run, what is wrong with logs is told in `troubles`.
    """
    asked = context.parameters
    context.progress(0, 0, "compiling rules")
    try:
        baseline = baseline_of(list(context.inputs.get("baseline", ())))
        before = context.inputs.get("compiled", ())
        pack, said = pack_of(context.inputs.get("rules", ()), asked.audit_events, asked.signed_by, before)
    except (ValueError, msgspec.DecodeError) as fault:
        raise BadInput(what=str(fault)) from None
    if not pack.rules:
        raise BadInput(
            what="no rule of the pack can be applied: " + (pack.left[0].reason if pack.left else "it is empty")
        )
    (context.out / "rules.pack").write_bytes(pack.encode())
    hunts = context.inputs.get("hunts", ())
    kept = context.out / "events.parquet" if hunts else None
    seen = watched(pack, context.inputs.get("logs", ()), context.scratch, asked.processes, context.progress, kept)
    found = _hunted(hunts, kept, seen, context) if kept else {}
    matrix, listed, counts = Matrix(), list[Alert](), {"alerts": 0, "suppressed": 0, "below": 0}
    _stream(context, seen, Releasable(pack), baseline, matrix, listed, counts)
    (context.out / "navigator.json").write_text(json.dumps(matrix.layer("Casemate cyber"), indent=1), encoding="utf-8")
    (context.out / "stix.json").write_text(json.dumps(bundle(listed), indent=1), encoding="utf-8")

    def ask(prompt: str) -> str | None:
        try:
            return context.generate(prompt, 400)
        except NoModel:
            return None

    text, writer = note(listed[:MOST], context.language, ask)
    (context.out / "note.txt").write_text(text, encoding="utf-8")
    figures: dict[str, float | int | str] = {
        "events": seen.events,
        "hits": seen.hits,
        **counts,
        "hosts": len({alert.host for alert in listed}),
        "rules": len(pack.rules),
        "correlations": len(pack.correlations),
        "rules_left": len(pack.left),
        "not_read": seen.missed,
        "pack": pack.digest,
        "note_by": writer,
        **{f"rows_{name}": len(table.rows) for name, table in found.items()},
        **(_published(said, asked.signed_by) if said else {}),
        **{f"events_{source}": count for source, count in sorted(seen.sources.items())[:40]},
    }
    names = (
        "alerts.jsonl",
        "findings.jsonl",
        "releasable.jsonl",
        "navigator.json",
        "stix.json",
        "rules.pack",
        "note.txt",
    )
    left = {name: context.out / name for name in names} | ({"events.parquet": kept} if kept else {})
    return Result({**tables(seen, pack.left, listed, matrix), **found}, figures, left)


def _hunted(questions: Sequence[Path], events: Path, seen: Watched, context: Context[Parameters]) -> dict[str, Table]:
    """The answer of each question as a table; one that has none is named among the troubles."""
    found: dict[str, Table] = {}
    context.progress(0, len(questions), "hunting")
    for told in answered(questions, events, context.scratch, context.parameters.rows):
        if isinstance(told, Trouble):
            seen.missed += 1
            seen.troubles.append(told)
            continue
        found[f"hunt.{told.name}"] = Table(told.columns, told.rows)
        if told.more:
            seen.troubles.append(Trouble(told.name, 0, f"only the first {len(told.rows)} rows are kept"))
    return found


def _published(said: Manifest, key: str) -> dict[str, str]:
    """Whose rules these are, and by which key that is known; "" where nobody asked for a signature."""
    told = {"pack_name": said.name, "pack_version": said.version, "pack_publisher": said.publisher}
    return {**told, "pack_signed_by": key.lower()}


def _stream(
    context: Context[Parameters],
    seen: Watched,
    releasable: Releasable,
    baseline: frozenset[str],
    matrix: Matrix,
    listed: list[Alert],
    counts: dict[str, int],
) -> None:
    """Every alert into the files; the first `rows` into the tables."""
    least = LEVELS.index(context.parameters.least_level)
    encode = msgspec.json.encode
    with (
        (context.out / "alerts.jsonl").open("wb") as alerts,
        (context.out / "findings.jsonl").open("wb") as findings,
        (context.out / "releasable.jsonl").open("wb") as below,
    ):
        for alert in seen.alerts.each():
            if alert.key in baseline:
                counts["suppressed"] += 1
                continue
            if alert.level in LEVELS and LEVELS.index(alert.level) < least:
                counts["below"] += 1
                continue
            counts["alerts"] += 1
            alerts.write(encode(alert) + b"\n")
            findings.write(encode(finding(alert)) + b"\n")
            below.write(encode(releasable.line(alert)) + b"\n")
            matrix.add(alert)
            if len(listed) < context.parameters.rows:
                alert.event = {}
                listed.append(alert)


def _matched(alert: Alert) -> str:
    """Field, value and pattern; said where the example comes from another host's hit of the same rule."""
    words = "; ".join(f"{field} = {value[:300]} ({pattern[:120]})" for field, pattern, value in telling(alert.why)[:5])
    return words if alert.example else f"as elsewhere: {words}"


def tables(seen: Watched, left: tuple[object, ...], listed: list[Alert], matrix: Matrix) -> dict[str, Table]:
    """What the report and the CSV files show."""
    rows = [
        (
            *(a.level, a.title, _matched(a), a.host, a.user, a.count, a.first, a.last),
            *(" ".join(techniques(a.tags)), a.rule, a.author, a.file, a.key),
        )
        for a in listed
    ]
    lines = sorted((a.host, a.user, a.first, a.last, a.level, a.title, a.count, a.key) for a in listed)
    hosts = [(host, technique, count) for (host, technique), count in sorted(matrix.hosts.items())[:5000]]
    return {
        "alerts": Table(ALERTS, rows),
        "timeline": Table(TIMELINE, lines),
        "techniques": Table(("host", "technique", "hits"), hosts),
        "hours": Table(("hour", "level", "hits"), seen.alerts.hours()),
        "left": Table(("path", "title", "reason"), list(_left(left))),
        "troubles": Table(("file", "offset", "what"), [(t.file, t.at, t.what) for t in seen.troubles]),
    }


def _left(left: tuple[object, ...]) -> Iterator[tuple[str, str, str]]:
    for one in left:
        path, title, reason = msgspec.structs.astuple(one)  # type: ignore[arg-type]
        yield path, title, reason
