"""`casemate mission check`: the conformance suite, for a mission of ours or of a third party, without a region.

It runs the exercise of the mission's folder (`exercise/`, laid out as /in is) with sockets blocked, twice, and holds
what comes out to what the mission says of itself.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from casemate.cli.command import option, verb
from casemate.cli.mission_folder import Brought, brought, laid_out, told_by
from casemate.cli.talk import Talk
from casemate.cli.tongue import t
from casemate.errors import BadInput, CasemateError

__all__ = ["check", "examined"]

PATIENCE = 1800
# what an audit hook refuses cannot be had back by whoever runs after it
_BLOCKED = (
    "import runpy,sys\n"
    "def hook(event, args):\n"
    "    if event.startswith('socket.') and event not in ('socket.__new__', 'socket.gethostname'):\n"
    "        raise PermissionError('a mission has no network: ' + event)\n"
    "sys.addaudithook(hook)\n"
    "sys.argv[0] = 'casemate.missions'\n"
    "runpy.run_module('casemate.missions', run_name='__main__', alter_sys=True)\n"
)


@dataclass(frozen=True, slots=True)
class Point:
    """One thing that was looked at: whether it holds, and what was seen."""

    name: str
    good: bool
    told: str = ""


@verb("mission.check", click.argument("mission"), option("--python", "interpreter", default="", metavar="PROGRAM"))
def check(talk: Talk, mission: str, interpreter: str) -> None:
    points = list(examined(brought(mission), interpreter or sys.executable))
    talk.data({"points": [{"name": one.name, "good": one.good, "said": one.told} for one in points]})
    for one in points:
        words = t(f"mission.point.{one.name}")
        talk.out(f"{t('mission.good') if one.good else t('mission.bad')}  {words}{f': {one.told}' if one.told else ''}")
    if not all(one.good for one in points):
        raise BadInput(what=t("mission.fails", count=sum(not one.good for one in points)))


def examined(mission: Brought, python: str) -> Iterator[Point]:
    """Every point in order; what needs a description or a run is left out where there is none."""
    try:
        told = told_by(mission)
    except CasemateError as error:
        yield Point("describes", False, str(error.facts.get("what", "")))
        return
    yield Point("describes", True)
    yield _said(told)
    unlicensed = [one["title"] for one in told["stands_on"] if not one["licence"] or not one["source"]]
    yield Point("licences", not unlicensed, ", ".join(unlicensed))
    exercise = (mission.folder or Path()) / "exercise"
    if mission.folder is None or not exercise.is_dir():
        yield Point("runs", False, t("mission.no_exercise"))
        return
    with laid_out(mission) as room:
        first = _ran(mission, python, room, exercise, room / "one", {"PYTHONHASHSEED": "1"})
        yield Point("runs", first[0] == 0, first[1][-600:] if first[0] else "")
        if first[0]:
            return
        second = _ran(mission, python, room, exercise, room / "two", {"PYTHONHASHSEED": "2", "TZ": "Asia/Tokyo"})
        results = [
            json.loads((room / name / "result.json").read_text("utf-8")) for name in ("one", "two") if not second[0]
        ]
        alike = len(results) == 2 and results[0]["digest"] == results[1]["digest"]
        yield Point("repeats", alike, "" if alike else second[1][-300:])
        yield from _bounds(mission, python, room, exercise, told)
        yield _declared(told, results[0]) if results else Point("outputs", False)
        yield _rendered(room / "one")


def _said(told: dict[str, Any]) -> Point:
    """Everything that a person reads is said in both languages."""
    silent = [
        f"{part}.{one['name']}"
        for part in ("parameters", "roles", "outputs")
        for one in told[part]
        if not (one["en"].strip() and one["fr"].strip())
    ]
    return Point("speaks", not silent, ", ".join(silent))


def _bounds(mission: Brought, python: str, room: Path, exercise: Path, told: dict[str, Any]) -> Iterator[Point]:
    """A value beyond its bounds, a parameter that is none, and too little memory: each is refused, with exit 2."""
    beyond: list[tuple[str, dict[str, Any]]] = [("never", {"parameters": {"never-a-parameter": 1}})]
    for field in told["parameters"]:
        if field["type"] in ("integer", "number"):
            edges = [(field["low"], -1), (field["high"], 1)]
            wrong = [
                int(edge) + step if field["type"] == "integer" else edge + step
                for edge, step in edges
                if edge is not None
            ]
            values = [[value] if field["many"] else value for value in wrong]
            beyond += [(field["name"], {"parameters": {field["name"]: value}}) for value in values]
        elif field["choices"]:
            beyond.append((field["name"], {"parameters": {field["name"]: "never a choice"}}))
    taken = []
    order = _order(exercise)
    for number, (name, change) in enumerate(beyond[:12]):
        asked = {**order, "parameters": {**order.get("parameters", {}), **change["parameters"]}}
        code, _ = _ran(
            mission, python, room, exercise, room / f"beyond{number}", {"CASEMATE_MISSION": json.dumps(asked)}
        )
        taken += [name] if code != 2 else []
    yield Point("bounds", not taken, ", ".join(taken))
    small = json.dumps({**order, "given": {"memory_mb": 0}})
    code, _ = _ran(mission, python, room, exercise, room / "small", {"CASEMATE_MISSION": small})
    yield Point("needs", code == 2)


def _declared(told: dict[str, Any], result: dict[str, Any]) -> Point:
    """Every table and file that comes out is one that it says, or one of several (`frontier.north` of `frontier`).

    Figures may depend on what it was given.
    """
    said = {(one["kind"], one["name"]) for one in told["outputs"]}
    left = {(kind, name) for kind, part in (("table", "tables"), ("file", "files")) for name in result[part]}
    silent = {(kind, name) for kind, name in left - said if (kind, name.partition(".")[0]) not in said}
    return Point("outputs", not silent, ", ".join(sorted(f"{kind} {name}" for kind, name in silent)))


def _rendered(out: Path) -> Point:
    from casemate.reports import page, read

    try:
        text = page(read(json.loads((out / "report.json").read_text("utf-8"))), marking="CHECKED")
    except (CasemateError, ValueError) as error:
        return Point("report", False, str(error)[:300])
    return Point("report", text.count("CHECKED") >= 2)


def _order(exercise: Path) -> dict[str, Any]:
    file = exercise / "mission.json"
    return dict(json.loads(file.read_text("utf-8"))) if file.is_file() else {}


def _ran(mission: Brought, python: str, room: Path, exercise: Path, out: Path, env: dict[str, str]) -> tuple[int, str]:
    """The shared program on the exercise in a child without sockets: how it ended, and what it said in the end."""
    out.mkdir()
    folder = exercise
    if "CASEMATE_MISSION" in env:  # another order than the exercise's own
        folder = out / "in"
        folder.mkdir()
        for each in exercise.iterdir():
            if each.name != "mission.json":
                (folder / each.name).symlink_to(each.absolute())
    paths = os.pathsep.join(str(room / part) for part in ("face", "code"))
    plain = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": paths, "TMPDIR": str(out), "HOME": str(out), **env}
    done = subprocess.run(  # noqa: S603 - our own interpreter, or the one that was named
        [python, "-B", "-c", _BLOCKED, "run", mission.entry, "--in", str(folder), "--out", str(out / "left")],
        env=plain,
        cwd=out,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (0, 0)),
    )
    for each in (out / "left").glob("*") if (out / "left").is_dir() else ():
        each.rename(out / each.name)
    return done.returncode, done.stderr.strip()
