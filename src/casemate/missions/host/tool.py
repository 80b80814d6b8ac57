"""A mission as a tool of a model: its form as JSON Schema, what a model wrote held to it, and what a model is told.

A model's words are those of whoever asks for it: they reach what he sees at the acting label, and of a run they choose
parameters and inputs alone. What must never happen: that what a model wrote names the machine, the queue, the memory or
the model of a run, or that what leaves towards a model bears no marking.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from casemate.access import Flow
from casemate.errors import Absent, BadInput
from casemate.jobs import Job, Jobs
from casemate.missions.form import MOST_ITEMS, MOST_TEXT
from casemate.missions.host.mission import CallRequest, Described, Field, Mission, RoleTold, RunRequest
from casemate.missions.host.outcome import first_of, result_of
from casemate.objects import Found
from casemate.words import say

__all__ = ["asked_by", "content", "said_by", "seen", "tool_of"]

DESCRIPTION = 1000
"""Characters of a function's description (OpenAI: 1,024)."""
ROWS, COLUMNS, NAMED, CELL = 10, 40, 50, 400
"""Of what is told: rows of a table, its columns, figures and tables, characters of a text."""
SOURCE = r"^(dataset|object|job):.+$"


class Arguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a model writes: by name. A role has one source, or a list of them where it takes several."""

    parameters: dict[str, Any] = {}
    inputs: dict[str, str | tuple[str, ...]] = {}


def tool_of(value: Mission, language: str, banner: str) -> dict[str, Any]:
    """The mission as an element of `tools` (OpenAI chat completions): the name is the mission's.

    Its marking stands alone on the last line of the description, so that no request below it takes the definition.
    """
    told = value.described
    about = f"{told.titles.get(language, value.name)}. {told.about.get(language, '')}"
    about = f"{about[: DESCRIPTION - len(banner)]}\n{banner}"
    function = {"name": value.name, "description": about, "parameters": _schema(told, language)}
    return {"type": "function", "function": function}


def asked_by(told: Described, call: CallRequest) -> RunRequest:
    """The form that a model filled in. Raises BadInput."""
    try:
        given = call.arguments
        said = (
            msgspec.json.decode(given or "{}", type=Arguments)
            if isinstance(given, str)
            else msgspec.convert(given, Arguments)
        )
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(what=f"The arguments are not those of this tool: {str(error)[:200]}.") from None
    inputs = {name: (one,) if isinstance(one, str) else one for name, one in said.inputs.items()}
    names = {role.name for role in told.roles}
    for name in inputs:
        if name not in names:
            raise BadInput(what=f"{name[:80]} is no role of this mission.")
    return RunRequest(said.parameters, inputs, key=f"call:{call.id}" if call.id else "")


def said_by(call: CallRequest) -> Iterator[str]:
    """Every text of what a model wrote, and the whole of it where it is no JSON."""
    yield call.id
    given: Any = call.arguments
    if isinstance(given, str):
        yield given
        try:
            given = msgspec.json.decode(given)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return
    yield from _texts(given)


async def seen(jobs: Jobs, flow: Flow, found: Found[Job]) -> dict[str, Any]:
    """A run as a model is told of it: how it stands and, once it has ended, its figures and the first rows."""
    job = found.value
    told: dict[str, Any] = {"run": found.id, "state": job.state, "open": job.open == "yes"}
    if told["open"]:
        return told
    try:
        result = await result_of(jobs, flow, found)
    except (Absent, BadInput):
        return {**told, "reason": job.reason[:CELL], "exit": job.attempts[-1].exit if job.attempts else None}
    tables = {}
    for name, table in list(result["tables"].items())[:NAMED]:
        tables[name[:CELL]] = {
            "rows": table["rows"],
            "columns": [_cut(each) for each in table["columns"][:COLUMNS]],
            "first": _rows(await first_of(jobs, flow, found, name)),
        }
    figures = {_cut(name): _cut(value) for name, value in list(result["figures"].items())[:NAMED]}
    left_out = sum(max(0, len(result[part]) - NAMED) for part in ("figures", "tables"))
    return {**told, "figures": figures, "tables": tables, "left_out": left_out, "digest": result["digest"]}


def content(banner: str, told: Mapping[str, Any]) -> str:
    """The text of a tool's result: its marking alone on the first line, as whoever reads on looks for it, then JSON.

    The marking is read like any other: who sends it on at a label that does not dominate it is refused.
    """
    return f"{banner}\n{msgspec.json.encode(told).decode()}"


def _schema(told: Described, language: str) -> dict[str, Any]:
    """JSON Schema (2020-12) of the form."""
    fields = {field.name: _field(field, language) for field in told.parameters}
    properties: dict[str, Any] = {"parameters": _object(fields, [])}
    needed = [role.name for role in told.roles if role.required]
    if told.roles:
        properties["inputs"] = _object({role.name: _role(role, language) for role in told.roles}, needed)
    return _object(properties, ["inputs"] if needed else [])


def _object(properties: Mapping[str, Any], required: list[str]) -> dict[str, Any]:
    told = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**told, "required": required} if required else told


def _field(field: Field, language: str) -> dict[str, Any]:
    one: dict[str, Any] = {"type": field.type}
    if field.choices:
        one["enum"] = list(field.choices)
    elif field.type == "string":
        one["maxLength"] = MOST_TEXT
    for word, edge in (("minimum", field.low), ("maximum", field.high)):
        if edge is not None:
            one[word] = int(edge) if math.isfinite(edge) and edge == int(edge) else edge
    if field.many:
        one = {"type": "array", "items": one, "maxItems": MOST_ITEMS}
    words = field.fr if language == "fr" else field.en
    return {**one, "description": f"{words} ({field.unit})" if field.unit else words, "default": field.default}


def _role(role: RoleTold, language: str) -> dict[str, Any]:
    words = (role.fr if language == "fr" else role.en) or role.name
    about = say("missions.tool.source", language, about=words, formats=", ".join(role.formats))
    one: dict[str, Any] = {"type": "string", "pattern": SOURCE}
    if role.many:
        one = {"type": "array", "items": one, "minItems": 1 if role.required else 0}
    return {**one, "description": about}


def _rows(text: str) -> list[list[str]]:
    """The first rows below the heading; a row that was cut off is not among them."""
    try:
        read = list(csv.reader(io.StringIO(text, newline="")))[1 : ROWS + 1]
    except csv.Error:
        return []
    return [[each[:CELL] for each in row[:COLUMNS]] for row in read]


def _cut(value: Any) -> Any:
    return value[:CELL] if isinstance(value, str) else value


def _texts(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            waiting.extend((*one, *one.values()))
        elif isinstance(one, list):
            waiting.extend(one)
