"""What is filled in for an ensemble, read: a line for each parameter that is varied, and how its points are drawn.

    rate = 0.1, 0.2, 0.5            these values
    rate = 0.1 to 0.9 in 5          a stretch of numbers, for a grid in five steps
    rate = 1e-4 to 1e-1 log         the same by magnitude, for random points and those of Sobol

Pure. What a form cannot say here a file of the command line can.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from casemate.errors import BadInput
from casemate.jobs.space import Parameter, Space
from casemate.missions.form import typed
from casemate.missions.host import EnsembleRequest, RunRequest
from casemate.words import say

__all__ = ["FIELD", "ensemble_in"]

FIELD = "e."
_METHODS = ("grid", "random", "sobol")
_STRETCH = re.compile(r"(?P<low>\S{1,40}) to (?P<high>\S{1,40})(?: in (?P<steps>[0-9]{1,5}))?(?P<log> log)?")


def ensemble_in(
    described: Mapping[str, Any], form: Mapping[str, str], run: RunRequest, language: str
) -> EnsembleRequest:
    """The filled form; `run` is the rest of it, that every member has. Raises BadInput that names what does not fit."""
    fields = {str(each["name"]): each for each in described["parameters"]}
    varied: dict[str, Parameter] = {}
    for line in filter(None, (each.strip() for each in form.get(f"{FIELD}points", "").splitlines())):
        name, is_one, said = (each.strip() for each in line.partition("="))
        if not is_one or name in varied or (name in fields and fields[name]["many"]):
            raise BadInput(what=say("console.missions.varied_wrong", language, line=line[:80]))
        varied[name] = _parameter(fields, name, said)
    method = form.get(f"{FIELD}method", "grid")
    if method not in _METHODS:
        raise BadInput(what=say("console.missions.varied_wrong", language, line=method[:80]))
    count, seed, at_once = (_number(form, name, language) for name in ("count", "seed", "at_once"))
    return EnsembleRequest(Space(varied, method, count, seed), run, at_once)  # type: ignore[arg-type]


def _parameter(fields: Mapping[str, Any], name: str, said: str) -> Parameter:
    """One of the space. A name that is none of the mission's is told by the form."""
    known = [*fields.values()]
    kind = fields[name]["type"] if name in fields else ""
    stretch = _STRETCH.fullmatch(said) if kind in ("integer", "number") else None
    if stretch is None:
        return Parameter(tuple(typed(known, {name: each.strip()})[name] for each in said.split(",")))
    low, high = (typed(known, {name: stretch[edge]})[name] for edge in ("low", "high"))
    scale = "log" if stretch["log"] else "linear"
    return Parameter((), float(low), float(high), scale, kind == "integer", int(stretch["steps"] or 0))  # type: ignore[arg-type]


def _number(form: Mapping[str, str], name: str, language: str) -> int:
    text = form.get(FIELD + name, "").strip() or "0"
    if not text.isascii() or not text.isdecimal() or len(text) > 9:
        raise BadInput(what=say("console.missions.varied_wrong", language, line=text[:80]))
    return int(text)
