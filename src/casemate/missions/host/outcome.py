"""What a run has left, read from the artefacts of its job: how far it is, its result, its report, its tables.

A program of strangers wrote these bytes: they are read as data, within bounds, and what is no result is told as such.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any, Literal, cast

import msgspec

from casemate.access import Flow
from casemate.errors import Absent, BadInput, TooLarge
from casemate.jobs import JOB, Job, Jobs
from casemate.missions.result import digest_of
from casemate.objects import Found
from casemate.reports import Cell, page, policy, read
from casemate.reports.parquet import Column, parquet

__all__ = ["compared", "first_of", "progress_of", "report_of", "result_of", "table_of"]

LARGEST = 16 << 20
RESULT = 4 << 20
NAMED = 1000
"""Figures, tables and files of one result, each."""
CELLS, CELL = 2_000_000, 128 << 10
"""Cells of a table that is told as Parquet, and characters of one: no program chooses the memory that we take."""
STARTS = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-](?:[0-9][0-9.]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_FORMULA = re.compile(rf'(?:^|[,"])(?:[=@\t\r]|(?=[+-])(?!{_NUMBER.pattern}(?:[,"\r\n]|$)))', re.MULTILINE)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class TableLeft(msgspec.Struct, frozen=True):
    """A table in `tables/NAME.csv`: its columns and what they hold (bool, int, float or text)."""

    rows: int
    columns: tuple[str, ...]
    types: tuple[str, ...]
    digest: str


class FileLeft(msgspec.Struct, frozen=True):
    """A file in `files/NAME`."""

    size: int
    digest: str


class Given(msgspec.Struct, frozen=True):
    """An input as the run found it."""

    name: str
    digest: str


class Outcome(msgspec.Struct, frozen=True):
    """What the shared program wrote (format 1). `asked`: digest of what was asked for; `digest`: of what came out."""

    format: Literal[1]
    mission: str
    version: str
    parameters: dict[str, Any]
    seed: int
    language: str
    versions: dict[str, str]
    inputs: dict[str, tuple[Given, ...]]
    figures: dict[str, bool | int | float | str | None]
    tables: dict[str, TableLeft]
    files: dict[str, FileLeft]
    asked: str
    digest: str


ASKED = ("mission", "version", "parameters", "seed", "language", "versions", "inputs")
TABLE = 64 << 20
FIRST = 64 << 10
"""Bytes of a table that its first rows are looked for in."""
_PROGRESS = re.compile(r"@progress (\d{1,15}) (\d{1,15}) (.*)")
_READERS: dict[str, Any] = {"int": int, "float": float, "bool": lambda text: text == "true", "text": str}


async def result_of(jobs: Jobs, flow: Flow, found: Found[Job]) -> dict[str, Any]:
    """What `result.json` says, held to what it left. Raises Absent where there is none, BadInput where it is none."""
    raw = await _bytes(jobs, flow, found, "out/result.json", RESULT)
    return await flow.gate.threads.run(flow.access.id, _result, raw, found.value)


def _result(raw: bytes, job: Job) -> dict[str, Any]:
    try:
        told: dict[str, Any] = msgspec.to_builtins(msgspec.json.decode(raw, type=Outcome))
        good = _named(told) and _true(told, {one.name: one.digest for one in job.artefacts})
        if good:
            return told
    except (msgspec.DecodeError, RecursionError, ValueError):
        pass
    raise BadInput(what="What this run left is no result.")


def _named(told: dict[str, Any]) -> bool:
    """Whether its names are such as the shared program gives: they stand in pages, paths and lines of a terminal."""
    figures, places = told["figures"], [*told["tables"], *told["files"]]
    few = all(len(told[part]) <= NAMED for part in ("figures", "tables", "files"))
    plain = all(name.isprintable() and len(name) <= 200 for name in figures)
    return few and plain and all(_NAME.fullmatch(name) for name in places)


def _true(told: dict[str, Any], left: dict[str, str]) -> bool:
    """Whether its digests are those of what it says, and of what it left: two runs are called alike by them."""
    asked, made = ({name: told[name] for name in names} for names in (ASKED, ("figures", "tables", "files")))
    files = {f"out/tables/{name}.csv": one["digest"] for name, one in told["tables"].items()}
    files |= {f"out/files/{name}": one["digest"] for name, one in told["files"].items()}
    known = all(left.get(name) == digest for name, digest in files.items())
    return known and (told["asked"], told["digest"]) == (digest_of(asked), digest_of(made))


async def report_of(jobs: Jobs, flow: Flow, found: Found[Job]) -> tuple[str, str]:
    """Its report as one file of HTML, with the marking of the job's label, and its policy. Raises Absent, BadInput."""
    raw = await _bytes(jobs, flow, found, "out/report.json", LARGEST)
    result = await result_of(jobs, flow, found)
    facts = {name: str(result[name])[:200] for name in ("mission", "version", "seed", "asked", "digest")}
    banner = flow.gate.vault.region.policies.banner(found.label, flow.session.language)

    def drawn() -> tuple[str, str]:
        report, language = read(_json(raw)), flow.session.language
        told = page(report, marking=banner, language=language, facts={**facts, "job": found.id})
        return told, policy(report)

    # beside the loop that serves everybody, in threads of the label: how long a stranger's report takes is its own
    return await flow.gate.threads.run(flow.access.id, drawn)


async def table_of(jobs: Jobs, flow: Flow, found: Found[Job], name: str, form: str) -> bytes:
    """A table as CSV or Parquet, with the marking of the job's label. Raises Absent, BadInput, TooLarge.

    No cell of the CSV is a formula to a spreadsheet: what stands in it may be what an intruder wrote into a log.
    """
    raw = await _bytes(jobs, flow, found, f"out/tables/{name}.csv", TABLE)
    banner = " ".join(flow.gate.vault.region.policies.banner(found.label, flow.session.language).split())
    if form == "csv":
        text = await flow.gate.threads.run(flow.access.id, _inert, raw)
        return f"# {banner}\n{text}".encode()
    types = (await result_of(jobs, flow, found))["tables"].get(name, {}).get("types", ())
    told = [("casemate.label", found.label.text), ("casemate.marking", banner), ("casemate.job", found.id)]
    return await flow.gate.threads.run(flow.access.id, _parquet, raw, types, told)


def _inert(raw: bytes) -> str:
    """As it is where no cell could be a formula; else each that could has an apostrophe before it. Raises BadInput."""
    text = raw.decode("utf-8", "replace")
    if _FORMULA.search(text) is None:
        return text
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    try:
        for row in csv.reader(io.StringIO(text, newline="")):
            writer.writerow(
                [f"'{cell}" if cell[:1] in STARTS and not _NUMBER.fullmatch(cell) else cell for cell in row]
            )
    except csv.Error as wrong:
        raise BadInput(what=f"What this run left is no table: {str(wrong)[:80]}.") from None
    return out.getvalue()


def _parquet(raw: bytes, types: Sequence[str], told: list[tuple[str, str]]) -> bytes:
    """Raises BadInput, TooLarge."""
    lines = csv.reader(io.StringIO(raw.decode("utf-8", "replace"), newline=""))
    try:
        names = next(lines, [])
        if not names or len(types) != len(names):
            raise BadInput(what="What this run left is no table.")
        columns: list[list[str]] = [[] for _ in types]
        for number, row in enumerate(lines, 1):
            if number * len(columns) > CELLS:
                raise TooLarge(what="cells", limit=CELLS)
            if max(map(len, row), default=0) > CELL:
                raise BadInput(what=f"What this run left is no table: a cell of line {number} is too long.")
            for at, cells in enumerate(columns):
                cells.append(row[at] if at < len(row) else "")
    except csv.Error as wrong:
        raise BadInput(what=f"What this run left is no table: {str(wrong)[:80]}.") from None
    return parquet([_column(*each) for each in zip(names, types, columns, strict=True)], told)


async def first_of(jobs: Jobs, flow: Flow, found: Found[Job], name: str) -> str:
    """The first whole lines of a table, FIRST bytes at most; "" where it is not there."""
    artefact, text, whole = f"out/tables/{name}.csv", b"", True
    if all(each.name != artefact for each in found.value.artefacts):
        return ""
    async with aclosing(cast("AsyncGenerator[bytes]", jobs.artefact(flow, found.id, artefact))) as pieces:
        async for piece in pieces:
            text += piece[: FIRST + 1 - len(text)]
            if len(text) > FIRST:
                whole = False
                break
    return (text if whole else text[: text.rfind(b"\n") + 1]).decode("utf-8", "replace")


async def progress_of(jobs: Jobs, flow: Flow, found: Found[Job]) -> dict[str, Any]:
    """How far it last said that it is: `done` of `total`, at `what`; zeros where it has said nothing."""
    at, last = 0, b""
    for _ in range(8):
        data, at, whole = await jobs.log(flow, found.id, "err", at, 1 << 20)
        lines = [line for line in data.splitlines() if line.startswith(b"@progress ")]
        last = lines[-1] if lines else last
        if whole or not data:
            break
    match = _PROGRESS.fullmatch(last.decode("utf-8", "replace"))
    if match is None:
        return {"done": 0, "total": 0, "what": ""}
    what = "".join(each for each in match[3][:200] if each.isprintable())
    return {"done": int(match[1]), "total": int(match[2]), "what": what}


def compared(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Two results: whether they were asked alike and are alike, and what differs, by name."""

    def differing(part: str) -> list[str]:
        left, right = one[part], other[part]
        return sorted(name for name in {**left, **right} if left.get(name) != right.get(name))[:200]

    figures = {name: [each["figures"].get(name) for each in (one, other)] for name in differing("figures")}
    return {
        "asked_alike": one["asked"] == other["asked"],
        "alike": one["digest"] == other["digest"],
        "asked": {name: [one[name], other[name]] for name in _asked(one, other)},
        "figures": figures,
        "tables": differing("tables"),
        "files": differing("files"),
    }


def _asked(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    return [name for name in ASKED if one[name] != other[name]]


async def _bytes(jobs: Jobs, flow: Flow, found: Found[Job], name: str, most: int) -> bytes:
    one = next((each for each in found.value.artefacts if each.name == name), None)
    if one is None:
        raise Absent(kind=JOB.name, id=f"{found.id}/{name[:200]}")
    if one.size > most:
        raise TooLarge(what=name[:200], limit=most)
    return b"".join([piece async for piece in jobs.artefact(flow, found.id, name)])


def _json(raw: bytes) -> Any:
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        raise BadInput(what="What this run left is no JSON.") from None


def _column(name: str, kind: str, texts: list[str]) -> Column:
    reader, cells = _READERS.get(kind, str), list[Cell]()
    for text in texts:
        try:
            cells.append(reader(text) if text or kind == "text" else None)
        except ValueError:
            raise BadInput(what=f"The column {name[:80]} is not what this run says that it is.") from None
    if kind == "int" and any(isinstance(each, int) and not -(1 << 63) <= each < 1 << 63 for each in cells):
        return name, "text", [None if each is None else str(each) for each in cells]
    return name, kind if kind in _READERS else "text", cells
