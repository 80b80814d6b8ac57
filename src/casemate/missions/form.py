"""The form of a mission: its parameters as plain data, and what a person filled in, held to it.

One check for everybody: the region holds a form to the description, before a job is made, and the program holds it to
the mission, before it runs.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any, get_args, get_origin, get_type_hints

from casemate.errors import BadInput

__all__ = ["MOST_TEXT", "filled", "form_of", "typed"]

MOST_TEXT = 4000
MOST_ITEMS = 1000
_TYPES: dict[Any, str] = {bool: "boolean", int: "integer", float: "number", str: "string"}


def form_of(parameters: type[Any]) -> list[dict[str, Any]]:
    """Each field of the dataclass, in order. Raises BadInput where a field is no `parameter`."""
    hints, told = get_type_hints(parameters), list[dict[str, Any]]()
    for one in dataclasses.fields(parameters):
        hint, many = hints[one.name], False
        if get_origin(hint) is tuple:
            hint, many = get_args(hint)[0], True
        if get_origin(hint) is not None and all(isinstance(each, str) for each in get_args(hint)):
            hint = str  # a Literal of texts
        if hint not in _TYPES or "en" not in one.metadata or one.default is dataclasses.MISSING:
            raise BadInput(what=f"{one.name} is no parameter(): a default, en and fr, of bool, int, float or str.")
        default = list(one.default) if many else one.default
        meta = {**one.metadata, "choices": list(one.metadata["choices"])}
        told.append({"name": one.name, "type": _TYPES[hint], "many": many, "default": default, **meta})
    return told


def filled(form: Sequence[Mapping[str, Any]], given: Mapping[str, Any]) -> dict[str, Any]:
    """Every parameter, with what was given or its default. Raises BadInput that names the first that does not fit."""
    known = {str(field["name"]) for field in form}
    for name in given:
        if name not in known:
            raise BadInput(what=f"{str(name)[:80]} is no parameter of this mission.")
    return {field["name"]: _value(field, given.get(field["name"], field["default"])) for field in form}


def typed(form: Sequence[Mapping[str, Any]], texts: Mapping[str, str]) -> dict[str, Any]:
    """What was written, as the types of the form say; a list has commas. Raises BadInput for what does not fit."""
    fields = {str(field["name"]): field for field in form}
    found: dict[str, Any] = {}
    for name, text in texts.items():
        if name not in fields:
            raise BadInput(what=f"{name[:80]} is no parameter of this mission: {', '.join(fields)}.")
        field = fields[name]
        values = [_typed(field, one) for one in (text.split(",") if field["many"] and text.strip() else [text])]
        found[name] = (values if text.strip() else []) if field["many"] else values[0]
    return found


def _typed(field: Mapping[str, Any], text: str) -> Any:
    try:
        if field["type"] == "boolean":
            return {"yes": True, "true": True, "no": False, "false": False}[text.strip().lower()]
        return {"integer": int, "number": float}.get(field["type"], str)(text)
    except (KeyError, ValueError):
        if field["many"] and not text.strip():
            return None
        raise BadInput(what=f"{field['name']} is a {field['type']}.") from None


def _value(field: Mapping[str, Any], value: Any) -> Any:
    if not field["many"]:
        return _one(field, value)
    if not isinstance(value, list | tuple) or len(value) > MOST_ITEMS:
        raise BadInput(what=f"{field['name']} is a list of at most {MOST_ITEMS}.")
    return [_one(field, each) for each in value]


def _one(field: Mapping[str, Any], value: Any) -> Any:
    name, type = field["name"], field["type"]
    if type == "number" and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    fits = {
        "boolean": isinstance(value, bool),
        "integer": isinstance(value, int) and not isinstance(value, bool),
        "number": isinstance(value, float) and math.isfinite(value),
        "string": isinstance(value, str) and len(value) <= MOST_TEXT,
    }
    if not fits.get(type, False):
        raise BadInput(what=f"{name} is a {type}.")
    if field["choices"] and value not in field["choices"]:
        raise BadInput(what=f"{name} is one of {', '.join(str(each) for each in field['choices'])}.")
    low, high = field["low"], field["high"]
    if (low is not None and value < low) or (high is not None and value > high):
        told = (
            f"from {low:g} to {high:g}"
            if None not in (low, high)
            else f"{low:g} or more"
            if low is not None
            else f"{high:g} or less"
        )
        raise BadInput(what=f"{name} is {told}{' ' if field['unit'] else ''}{field['unit']}.")
    return value
