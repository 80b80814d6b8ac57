"""What a run has left, read from the artefacts of its job: how far it is, its result, its report, its tables.

A program of strangers wrote these bytes: they are read as data, within bounds, and what is no result is told as such.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Literal, cast

import msgspec

from casemate.access import Flow
from casemate.errors import Absent, BadInput, TooLarge
from casemate.jobs import JOB, Job, Jobs
from casemate.objects import Found
from casemate.reports import Cell, page, read
from casemate.reports.parquet import Column, parquet

__all__ = ["compared", "first_of", "progress_of", "report_of", "result_of", "table_of"]

LARGEST = 16 << 20


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


TABLE = 64 << 20
FIRST = 64 << 10
"""Bytes of a table that its first rows are looked for in."""
_PROGRESS = re.compile(r"@progress (\d{1,15}) (\d{1,15}) (.*)")
_READERS: dict[str, Any] = {"int": int, "float": float, "bool": lambda text: text == "true", "text": str}


async def result_of(jobs: Jobs, flow: Flow, found: Found[Job]) -> dict[str, Any]:
    """What `result.json` says. Raises Absent where there is none, BadInput where it is none."""
    raw = await _bytes(jobs, flow, found, "out/result.json", LARGEST)
    try:
        told: dict[str, Any] = msgspec.to_builtins(msgspec.json.decode(raw, type=Outcome))
    except (msgspec.DecodeError, RecursionError):
        raise BadInput(what="What this run left is no result.") from None
    return told


async def report_of(jobs: Jobs, flow: Flow, found: Found[Job]) -> str:
    """Its report as one file of HTML, with the marking of the job's label. Raises Absent, BadInput."""
    report = read(_json(await _bytes(jobs, flow, found, "out/report.json", LARGEST)))
    result = await result_of(jobs, flow, found)
    facts = {name: str(result[name])[:200] for name in ("mission", "version", "seed", "asked", "digest")}
    banner = flow.gate.vault.region.policies.banner(found.label, flow.session.language)
    return page(report, marking=banner, language=flow.session.language, facts={**facts, "job": found.id})


async def table_of(jobs: Jobs, flow: Flow, found: Found[Job], name: str, form: str) -> bytes:
    """A table as CSV or Parquet, with the marking of the job's label. Raises Absent, BadInput, TooLarge."""
    text = (await _bytes(jobs, flow, found, f"out/tables/{name}.csv", TABLE)).decode("utf-8", "replace")
    banner = " ".join(flow.gate.vault.region.policies.banner(found.label, flow.session.language).split())
    if form == "csv":
        return f"# {banner}\n{text}".encode()
    types = (await result_of(jobs, flow, found))["tables"].get(name, {}).get("types", ())
    rows = list(csv.reader(io.StringIO(text, newline="")))
    if not rows or len(types) != len(rows[0]):
        raise BadInput(what="What this run left is no table.")
    columns = [_column(rows[0][at], str(kind), [row[at : at + 1] for row in rows[1:]]) for at, kind in enumerate(types)]
    return parquet(
        columns, [("casemate.label", found.label.text), ("casemate.marking", banner), ("casemate.job", found.id)]
    )


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
    names = ("mission", "version", "parameters", "seed", "language", "versions", "inputs")
    return [name for name in names if one[name] != other[name]]


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


def _column(name: str, kind: str, rows: list[list[str]]) -> Column:
    reader, cells = _READERS.get(kind, str), list[Cell]()
    for row in rows:
        try:
            cells.append(reader(row[0]) if row and (row[0] or kind == "text") else None)
        except ValueError:
            raise BadInput(what=f"The column {name[:80]} is not what this run says that it is.") from None
    if kind == "int" and any(isinstance(each, int) and not -(1 << 63) <= each < 1 << 63 for each in cells):
        return name, "text", [None if each is None else str(each) for each in cells]
    return name, kind if kind in _READERS else "text", cells
