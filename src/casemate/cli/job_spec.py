"""What a job is to be, as its words on the command line or its file say: the JSON that the region takes.

    casemate job submit train.toml --env SEED=7
    casemate job submit --cpus 4 --memory 8G --wall 2h -- python3 train.py

A file holds the fields of a spec, or `[[jobs]]` with one of them each; what stands on the command line beside it wins.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from casemate.cli.command import option
from casemate.cli.tongue import t
from casemate.errors import BadInput

__all__ = ["OPTIONS", "WORKED", "asked", "asked_to_work", "duration", "memory", "table_of"]

FILES = (".toml", ".json")
ALL = "out"
_SIZE = re.compile(r"(\d{1,9})\s*([KMGT]?)(?:i?B)?", re.IGNORECASE)
_TIME = re.compile(r"(\d{1,9})([smhd]?)")
_WHEN = ("afterok", "afternotok", "afterany", "aftercorr")
OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.argument("words", nargs=-1, required=True, metavar="FILE | -- COMMAND..."),
    option("--label", default="", metavar="LABEL"),
    option("--name", default="", metavar="NAME"),
    option("--queue", default="", metavar="QUEUE"),
    option("--input", "inputs", multiple=True, metavar="NAME=SOURCE"),
    option("--output", "outputs", multiple=True, metavar="NAME=PATH"),
    option("--place", "places", multiple=True, metavar="NAME=PATH"),
    option("--env", "env", multiple=True, metavar="NAME=VALUE"),
    option("--nodes", type=click.IntRange(1), default=None, metavar="N"),
    option("--tasks", "tasks", type=click.IntRange(1), default=None, metavar="N"),
    option("--cpus", type=click.IntRange(1), default=None, metavar="N"),
    option("--memory", default="", metavar="SIZE"),
    option("--disk", default="", metavar="SIZE"),
    option("--gpus", type=click.IntRange(0), default=None, metavar="N"),
    option("--wall", default="", metavar="TIME"),
    option("--deadline", default="", metavar="TIME"),
    option("--network", is_flag=True),
    option("--after", "after", multiple=True, metavar="[WHEN:]ID"),
    option("--array", "array", default="", metavar="N[%M]"),
    option("--retry", type=click.IntRange(0, 9), default=None, metavar="N"),
    option("--priority", type=int, default=None, metavar="N"),
    option("--isolation", type=click.Choice(["L1", "L2", "L3"]), default=None),
    option("--environment", default="", metavar="ENVIRONMENT"),
    option("--key", "again", default="", metavar="KEY"),
    option("--service", is_flag=True),
    option("--replicas", type=click.IntRange(1, 64), default=None, metavar="N"),
    option("--port", "listens", type=click.IntRange(1024, 65535), default=None, metavar="PORT"),
    option("--health", default="", metavar="PATH"),
)
"""The options of `run` and `submit`, in the order of the help."""
WORKED: tuple[Callable[[Any], Any], ...] = (
    option("--label", default="", metavar="LABEL"),
    option("--name", default="", metavar="NAME"),
    option("--queue", default="", metavar="QUEUE"),
    option("--input", "inputs", multiple=True, metavar="NAME=SOURCE"),
    option("--env", "env", multiple=True, metavar="NAME=VALUE"),
    option("--cpus", type=click.IntRange(1), default=None, metavar="N"),
    option("--memory", default="", metavar="SIZE"),
    option("--disk", default="", metavar="SIZE"),
    option("--gpus", type=click.IntRange(0), default=None, metavar="N"),
    option("--wall", default="", metavar="TIME"),
    option("--isolation", type=click.Choice(["L1", "L2", "L3"]), default=None),
    option("--environment", default="", metavar="ENVIRONMENT"),
    option("--idle", default="", metavar="TIME"),
)
"""The options of `shell` and `notebook`."""
DAY = 8 * 3600


def asked(words: Sequence[str], told: dict[str, Any]) -> dict[str, Any]:
    """The body of the request. Raises BadInput for what cannot be read; what it means is the region's business."""
    key, over = str(told["again"]), _over(told)
    if not words[0].endswith(FILES) or not Path(words[0]).is_file():
        if words[0].endswith(FILES) and len(words) == 1:
            raise BadInput(what=t("job.no_file", file=words[0]))
        # what a command leaves in /out is kept, unless it is said what
        if "kind" not in over:
            over.setdefault("outputs", [{"name": ALL, "path": ""}])
        return {"spec": {**over, "command": list(words)}, "key": key}
    if len(words) > 1:
        raise BadInput(what=t("job.file_and_command"))
    found = table_of(Path(words[0]))
    if "jobs" in found:
        if key or len(found) > 1 or not isinstance(found["jobs"], list):
            raise BadInput(what=t("job.many"))
        return {"jobs": [_one(each, over, "") for each in found["jobs"]]}
    return _one(found, over, key)


class _Unsaid(dict[str, Any]):
    """What was said; of the options that the command has not, nothing was."""

    def __missing__(self, name: str) -> None:
        del name


def asked_to_work(words: Sequence[str], told: dict[str, Any], kind: str) -> dict[str, Any]:
    """The body of the request for a job that somebody works in."""
    spec = _over(_Unsaid({"outputs": (), "places": (), **told}))
    spec.setdefault("outputs", [{"name": ALL, "path": ""}])
    spec["resources"] = {"wall_s": DAY, **spec.get("resources", {})}
    spec["interactive"] = {"kind": kind}
    if told["idle"]:
        spec["interactive"]["idle_s"] = duration(told["idle"], "idle")
    return {"spec": {**spec, "command": list(words)}}


def _one(found: Any, over: dict[str, Any], key: str) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise BadInput(what=t("job.no_spec"))
    spec = {name: value for name, value in found.items() if name != "key"}
    for name, value in over.items():
        merged = isinstance(value, dict) and isinstance(spec.get(name), dict)
        spec[name] = {**spec[name], **value} if merged else value
    return {"spec": spec, "key": key or found.get("key", "")}


def table_of(path: Path) -> dict[str, Any]:
    """The table that stands in it."""
    try:
        raw = path.read_text(encoding="utf-8")
        found = tomllib.loads(raw) if path.suffix == ".toml" else json.loads(raw)
    except ValueError as error:  # of TOML, of JSON, and of what is no UTF-8
        raise BadInput(what=t("job.unreadable", file=path, why=error)) from None
    if not isinstance(found, dict):
        raise BadInput(what=t("job.no_spec"))
    return found


def _over(told: dict[str, Any]) -> dict[str, Any]:
    """The fields of a spec that were said in words."""
    spec: dict[str, Any] = {name: told[name] for name in ("name", "queue", "environment") if told[name]}
    spec |= {"priority": told["priority"]} if told["priority"] is not None else {}
    resources = {name: told[name] for name in ("nodes", "tasks", "cpus", "gpus") if told[name] is not None}
    resources |= {f"{name}_mb": memory(told[name], name) for name in ("memory", "disk") if told[name]}
    resources |= {"wall_s": duration(told["wall"], "wall")} if told["wall"] else {}
    resources |= {"network": "host"} if told["network"] else {}
    spec |= {"resources": resources} if resources else {}
    spec |= {"deadline_s": duration(told["deadline"], "deadline")} if told["deadline"] else {}
    if told["env"]:
        spec["env"] = dict(_pair(each, "env") for each in told["env"])
    if told["inputs"]:
        pairs = [_pair(each, "input") for each in told["inputs"]]
        spec["inputs"] = [{"name": name, "source": source} for name, source in pairs]
    outputs = [(*_pair(each, "output"), "seal") for each in told["outputs"]]
    outputs += [(*_pair(each, "place"), "place") for each in told["places"]]
    if outputs:
        spec["outputs"] = [{"name": name, "path": path, "keep": keep} for name, path, keep in outputs]
    if told["after"]:
        spec["after"] = [_after(each) for each in told["after"]]
    if told["array"]:
        size, _, parallel = told["array"].partition("%")
        spec["array"] = {"size": _whole(size, "array"), "parallel": _whole(parallel or "0", "array")}
    spec |= {"retry": {"attempts": told["retry"] + 1}} if told["retry"] is not None else {}
    spec |= {"floor": told["isolation"]} if told["isolation"] else {}
    serves = {"replicas": told["replicas"]} if told.get("replicas") is not None else {}
    serves |= {"port": told["listens"]} if told.get("listens") is not None else {}
    serves |= {"path": told["health"]} if told.get("health") else {}
    if told.get("service") or serves:
        spec |= {"kind": "service", "service": serves}
    return spec


def _pair(text: str, name: str) -> tuple[str, str]:
    first, equals, second = text.partition("=")
    if not first or not equals:
        raise BadInput(what=t("job.pair", option=f"--{name}", text=text))
    return first, second


def _after(text: str) -> dict[str, str]:
    """`ID`, or `WHEN:ID` as Slurm writes it."""
    when, colon, id = text.rpartition(":")
    if colon and when not in _WHEN:
        raise BadInput(what=t("job.when", text=text, choices=", ".join(_WHEN)))
    return {"job": id, "when": when or "afterok"}


def _whole(text: str, name: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise BadInput(what=t("job.number", option=f"--{name}", text=text))
    return int(text)


def memory(text: str, name: str) -> int:
    """MiB of `512`, `512M`, `2G`. Raises BadInput."""
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise BadInput(what=t("job.size", option=f"--{name}", text=text))
    unit = {"K": 1, "": 1 << 10, "M": 1 << 10, "G": 1 << 20, "T": 1 << 30}[found[2].upper()]
    return max(int(found[1]) * unit >> 10, 1)


def duration(text: str, name: str) -> int:
    """Seconds of `90`, `90s`, `15m`, `2h`, `1d`. Raises BadInput."""
    found = _TIME.fullmatch(text.strip())
    if found is None:
        raise BadInput(what=t("job.time", option=f"--{name}", text=text))
    return int(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}[found[2]]
