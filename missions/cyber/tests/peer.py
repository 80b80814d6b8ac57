"""The same rules as SQL, by pySigma's own backend, on SQLite: what the engine is held against, in tests and bench.

Column types: text without case, as the backend expects; numbers where a rule compares by size. A field of an event is
a column; two fields whose names differ in case alone share one, as SQLite has it.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import yaml
from sigma.backends.sqlite import sqliteBackend
from sigma.collection import SigmaCollection
from sigma.exceptions import SigmaError
from sigma.pipelines.sysmon import sysmon_pipeline
from sigma.pipelines.windows import windows_logsource_pipeline

from casemate_cyber.rules.pack import Node, Rule


def queries(sources: Mapping[str, bytes], rules: Sequence[Rule]) -> tuple[dict[int, str], dict[int, str]]:
    """(SQL, reason why there is none) of the pack's rules by number."""
    backend = sqliteBackend(processing_pipeline=sysmon_pipeline() + windows_logsource_pipeline())
    converted: dict[int, str] = {}
    refused: dict[int, str] = {}
    for number, rule in enumerate(rules):
        documents = [d for d in yaml.safe_load_all(sources[rule.path]) if d and str(d.get("id")) == rule.id]
        try:
            told = backend.convert(SigmaCollection.from_dicts(documents[:1]))
        except (SigmaError, NotImplementedError) as fault:
            refused[number] = str(fault)
            continue
        converted[number] = " UNION ".join(str(one).replace("SELECT *", "SELECT rowid", 1) for one in told)
    return converted, refused


def leaves(node: Node) -> Iterator[Node]:
    """Every leaf of a condition."""
    if node[0] in ("and", "or"):
        for child in node[1]:
            yield from leaves(child)
    elif node[0] == "not":
        yield from leaves(node[1])
    else:
        yield node


def columns(rules: Iterable[Rule], fields: Iterable[str]) -> dict[str, str]:
    """Column by lower-case name -> its declaration."""
    found: dict[str, str] = {"message": '"message" TEXT COLLATE NOCASE'}
    for rule in rules:
        for leaf in leaves(rule.condition):
            if leaf[0] != "word":
                names = [leaf[1], *([leaf[2]] if leaf[0] == "ref" else [])]
                kind = "NUMERIC" if leaf[0] == "cmp" else "TEXT"
                for name in names:
                    if kind == "NUMERIC" or name.lower() not in found:
                        found[name.lower()] = f'"{name}" {kind} COLLATE NOCASE'
    for name in fields:
        found.setdefault(name.lower(), f'"{name}" TEXT COLLATE NOCASE')
    return found


def base(declared: Mapping[str, str]) -> sqlite3.Connection:
    """An empty table of events in memory, with REGEXP."""
    made = sqlite3.connect(":memory:", isolation_level=None)
    kept: dict[str, re.Pattern[str]] = {}

    def regexp(pattern: str, value: Any) -> bool:
        if pattern not in kept:
            kept[pattern] = re.compile(pattern)
        return value is not None and kept[pattern].search(str(value)) is not None

    made.create_function("REGEXP", 2, regexp, deterministic=True)
    made.execute(f"CREATE TABLE logs ({', '.join(declared.values())})")
    return made


def load(into: sqlite3.Connection, declared: Mapping[str, str], events: Iterable[Mapping[str, Any]]) -> None:
    """Events as rows, in order: the first is row 1."""
    place = {name: at for at, name in enumerate(declared)}
    width = len(place)

    def rows() -> Iterator[list[Any]]:
        for event in events:
            row: list[Any] = [None] * width
            for name, value in event.items():
                at = place.get(name.lower())
                if at is not None:
                    row[at] = ("true" if value else "false") if isinstance(value, bool) else value
            yield row

    into.execute("BEGIN")
    into.executemany(f"INSERT INTO logs VALUES ({','.join('?' * width)})", rows())
    into.execute("COMMIT")


def over(rule: Rule, query: str, declared: Mapping[str, str]) -> str:
    """The query where the table lacks fields that the rule names: they are null, without a column of their own."""
    names = {name for leaf in leaves(rule.condition) if leaf[0] != "word" for name in (leaf[1],)}
    names |= {leaf[2] for leaf in leaves(rule.condition) if leaf[0] == "ref"}
    lacking = sorted(name for name in names if name.lower() not in declared)
    if not lacking:
        return query
    nulls = ", ".join(f'NULL AS "{name}"' for name in lacking)
    return query.replace("FROM logs ", f"FROM (SELECT rowid AS rowid, *, {nulls} FROM logs) ")
