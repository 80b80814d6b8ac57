"""The program that every mission shares: it finds the mission, gives it what stands in the folder, keeps what it made.

It runs alone in a sandbox: files in, files out. `IN/mission.json` (or CASEMATE_MISSION) says parameters, roles, seed
and language; `IN/ROLE`, `IN/ROLE.2` and so on (also `IN/ROLE.csv`) are the inputs, files or folders. It writes
`OUT/result.json`, `OUT/tables/NAME.csv`, `OUT/files/NAME` and `OUT/report.json`; as one of an ensemble also
`OUT/figures.json`.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import json
import os
import platform
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from casemate.errors import BadInput
from casemate.missions.context import Context, NoModel
from casemate.missions.describe import described, parameters_of
from casemate.missions.mission import Mission, Role
from casemate.missions.result import Result, digest_of
from casemate.reports import Table, cell, csv_of, page, plain

__all__ = ["GROUP", "describe", "found", "need", "order_of", "run"]

GROUP = "casemate.missions"
NAMES = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
PATIENCE = 600
"""Seconds for which an answer of a model is waited for."""


def found(name: str) -> Mission[Any]:
    """The mission of an entry point, or of MODULE:NAME. Raises BadInput."""
    points = [point for point in importlib.metadata.entry_points(group=GROUP) if point.name == name]
    if points:
        made = points[0].load()
    elif ":" in name:
        module, _, attribute = name.partition(":")
        made = getattr(importlib.import_module(module), attribute, None)
    else:
        raise BadInput(what=f"No mission {name} is installed here.")
    mission = made() if isinstance(made, type) else made
    if not isinstance(mission, Mission):
        raise BadInput(what=f"{name} is no Mission.")
    return mission


def describe(name: str) -> dict[str, Any]:
    """What the mission says of itself."""
    return described(found(name))


def order_of(folder: Path) -> dict[str, Any]:
    """What is asked for: `mission.json` in the folder, or CASEMATE_MISSION; where neither is, the defaults.

    A point of a sweep (CASEMATE_POINT) stands above the parameters. Raises BadInput.
    """
    file, said = folder / "mission.json", os.environ.get("CASEMATE_MISSION", "")
    text = file.read_text(encoding="utf-8") if file.is_file() else said or "{}"
    try:
        order, point = json.loads(text), json.loads(os.environ.get("CASEMATE_POINT", "") or "{}")
    except ValueError as wrong:
        raise BadInput(what="mission.json is no JSON.") from wrong
    if not isinstance(order, dict) or not isinstance(point, dict):
        raise BadInput(what="mission.json is an object.")
    return {**order, "parameters": {**order.get("parameters", {}), **point}}


def need(name: str, folder: Path) -> dict[str, int]:
    """What a run of this order would take."""
    mission, order = found(name), order_of(folder)
    sizes = {role: sum(file.stat().st_size for file in files) for role, files in _inputs(mission, folder).items()}
    sizes.update({role: size for role, size in order.get("sizes", {}).items() if role in sizes})
    return asdict(mission.need(parameters_of(mission, order["parameters"]), sizes))


def run(name: str, folder: Path, out: Path, *, marking: str = "", scratch: Path | None = None) -> dict[str, Any]:
    """Run it, and write what came out; `marking` also writes `report.html`. Gives what `result.json` says."""
    mission, order = found(name), order_of(folder)
    parameters, inputs = parameters_of(mission, order["parameters"]), _inputs(mission, folder)
    for role in mission.roles:
        _fits(role, len(inputs[role.name]))
    _enough(mission, parameters, inputs, order.get("given", {}))
    for each in ("tables", "files"):
        (out / each).mkdir(parents=True, exist_ok=True)
    language: Literal["en", "fr"] = "fr" if order.get("language") == "fr" else "en"
    room = Path(tempfile.mkdtemp(prefix="mission-", dir=scratch))
    try:
        context = Context(
            parameters,
            inputs,
            out / "files",
            room,
            int(order.get("seed", 0)),
            language,
            _progress,
            _ask_of(folder, out, bool(order.get("model"))),
        )
        result = mission.run(context)
        told = _kept(mission, context, result, folder)
        report = mission.report(context, result)
    finally:
        shutil.rmtree(room, ignore_errors=True)
    (out / "report.json").write_text(json.dumps(plain(report), ensure_ascii=False), encoding="utf-8")
    if marking:
        facts = {"mission": f"{mission.name} {mission.version}", "seed": str(told["seed"]), "result": told["digest"]}
        (out / "report.html").write_text(
            page(report, marking=marking, language=language, facts=facts), encoding="utf-8"
        )
    if "CASEMATE_POINT" in os.environ:  # one of an ensemble: its row of the table
        row = {**told["figures"], "digest": told["digest"]}
        (out / "figures.json").write_text(json.dumps(row, ensure_ascii=False), encoding="utf-8")
    (out / "result.json").write_text(json.dumps(told, indent=1, sort_keys=True, ensure_ascii=False), encoding="utf-8")
    return told


def _fits(role: Role, many: int) -> None:
    if role.required and not many:
        raise BadInput(what=f"The role {role.name} needs an input.")


def _enough(mission: Mission[Any], parameters: Any, inputs: dict[str, list[Path]], given: dict[str, int]) -> None:
    """Whether what it was given is what it takes: told before it has begun, and not by being ended midway."""
    sizes = {role: sum(file.stat().st_size for file in files) for role, files in inputs.items()}
    for name, takes in asdict(mission.need(parameters, sizes)).items():
        if name in given and given[name] < takes:
            raise BadInput(
                what=f"With these parameters and inputs it takes {name} {takes}; it was given {given[name]}."
            )


def _inputs(mission: Mission[Any], folder: Path) -> dict[str, list[Path]]:
    """Files of each role: IN/ROLE, IN/ROLE.2 and so on, with an ending of its formats or without, folders opened."""
    every: dict[str, list[Path]] = {}
    entries = sorted(folder.iterdir()) if folder.is_dir() else []
    for role in mission.roles:
        ends = "|".join(re.escape(each) for each in role.formats)
        named = re.compile(rf"{re.escape(role.name)}(\.[0-9]+)?(\.({ends}))?")
        own = {one: match for one in entries if (match := named.fullmatch(one.name)) is not None}
        given = sorted(own, key=lambda one: (int((own[one][1] or ".1")[1:]), one.name))
        every[role.name] = [
            file
            for one in given
            for file in (sorted(each for each in one.rglob("*") if each.is_file()) if one.is_dir() else [one])
        ]
    return every


def _kept(mission: Mission[Any], context: Context[Any], result: Result, folder: Path) -> dict[str, Any]:
    """Tables written, files counted, and what the result is, with its digests."""
    out = context.out.parent
    tables, files = dict[str, Any](), dict[str, Any]()
    for name, table in sorted(result.tables.items()):
        text = csv_of(table).encode()
        (out / "tables" / f"{_name(name)}.csv").write_bytes(text)
        tables[name] = {
            "rows": len(table.rows),
            "columns": list(table.columns),
            "types": _types(table),
            "digest": _sha(text),
        }
    for name, path in sorted(result.files.items()):
        target = context.out / _name(name)
        if path.resolve() != target.resolve():
            shutil.copyfile(path, target)
        files[name] = {"size": target.stat().st_size, "digest": _file_digest(target)}
    figures = {name: cell(value) for name, value in sorted(result.figures.items())}
    asked = {
        "mission": mission.name,
        "version": mission.version,
        "parameters": asdict(context.parameters),
        "seed": context.seed,
        "language": context.language,
        "versions": _versions(mission),
        "inputs": {
            role: [{"name": _shown(file, folder), "digest": _file_digest(file)} for file in given]
            for role, given in context.inputs.items()
        },
    }
    made = {"figures": figures, "tables": tables, "files": files}
    return {"format": 1, **asked, **made, "asked": digest_of(asked), "digest": digest_of(made)}


def _types(table: Table) -> list[str]:
    """Of each column bool, int, float or text: what all of its cells are, so that a reader need not guess."""
    told = []
    for at in range(len(table.columns)):
        kinds = {type(cell(row[at])) for row in table.rows} - {type(None)}
        kinds = {float} if kinds == {int, float} else kinds
        told.append({bool: "bool", int: "int", float: "float"}.get(kinds.pop(), "text") if len(kinds) == 1 else "text")
    return told


def _versions(mission: Mission[Any]) -> dict[str, str]:
    """Of Python and of every distribution that a citation names."""
    told = {"python": platform.python_version()}
    for each in mission.stands_on:
        try:
            told[each.title] = importlib.metadata.version(each.title)
        except (importlib.metadata.PackageNotFoundError, ValueError):
            continue
    return told


def _shown(file: Path, folder: Path) -> str:
    return file.relative_to(folder).as_posix()


def _name(name: str) -> str:
    if not NAMES.fullmatch(name):
        raise BadInput(what=f"{name[:80]} is no name of a table or file: letters, digits, '.', '-' and '_'.")
    return name


def _sha(data: bytes) -> str:
    return hashlib.sha384(data).hexdigest()


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha384").hexdigest()


def _progress(done: int, total: int, what: str) -> None:
    """A line of its own, which the region finds in what the job says."""
    print(f"@progress {done} {total} {what[:200].replace(chr(10), ' ')}", file=sys.stderr, flush=True)


def _ask_of(folder: Path, out: Path, answered: bool) -> Callable[[str, int], str]:
    """Questions go to OUT/ask, answers come to IN/answers, where the order names a model; a question is taken away
    once it has been answered."""
    asked, number = out / "ask", [0]

    def ask(prompt: str, most: int) -> str:
        if not answered:
            raise NoModel("no model answers here")
        number[0] += 1
        asked.mkdir(exist_ok=True)
        answer, question = folder / "answers" / f"{number[0]}.json", asked / f"{number[0]}.json"
        part = asked / f"{number[0]}.part"
        part.write_text(json.dumps({"prompt": prompt, "most": most}, ensure_ascii=False), encoding="utf-8")
        part.rename(question)
        for _ in range(PATIENCE * 5):
            text = answer.read_text(encoding="utf-8", errors="replace") if answer.is_file() else ""
            if "\n" in text:  # it is whole
                question.unlink()
                said = json.loads(text.partition("\n")[0])
                if "text" in said:
                    return str(said["text"])
                raise NoModel(str(said.get("why", "")))
            time.sleep(0.2)
        raise NoModel("nobody answered")

    return ask
