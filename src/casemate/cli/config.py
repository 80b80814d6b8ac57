"""`casemate config`: what the region is set to, and where each setting comes from."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from casemate.cli.command import Group, verb
from casemate.cli.table import columns
from casemate.cli.talk import Talk
from casemate.cli.tongue import language, t
from casemate.errors import BadInput

__all__ = ["config"]

config = Group(
    "config",
    {
        "show": "config:show",
        "explain": "config:explain",
        "policies": "config:policies",
        "two-person": "config:two_person",
    },
    bare="show",
)
policies = Group("config.policies", {"list": "config:listing", "add": "config:add"}, bare="list")


@verb("config.show")
def show(talk: Talk) -> None:
    settings = _settings(talk)
    talk.data(settings)
    for line in columns([(each["name"], _text(each["value"]), each["from"]) for each in settings]):
        talk.out(line)


@verb("config.explain", click.argument("name"))
def explain(talk: Talk, name: str) -> None:
    for each in _settings(talk):
        if each["name"] == name:
            talk.data(each)
            talk.out(f"{name} = {_text(each['value'])}")
            talk.out(t("config.from_default" if each["from"] == "default" else "config.from_file", file=each["from"]))
            return
    raise BadInput(what=t("config.unknown", name=name))


def _settings(talk: Talk) -> list[dict[str, Any]]:
    """Every setting in use, flat, with the place that gave it."""
    import tomllib

    home = talk.region()
    used = msgspec.to_builtins(home.settings())
    written = tomllib.loads(home.settings_file.read_text(encoding="utf-8"))
    return [
        {"name": name, "value": value, "from": str(home.settings_file) if name in dict(_flat(written)) else "default"}
        for name, value in _flat(used)
    ]


def _flat(table: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, value in table.items():
        found += _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else [(f"{prefix}{name}", value)]
    return found


def _text(value: Any) -> str:
    return msgspec.json.encode(value).decode()


@verb("config.policies.list")
def listing(talk: Talk) -> None:
    from casemate.labels import PACKAGED, Policies

    listed = talk.policies().names
    every = {**Policies.load(PACKAGED).listed, **talk.policies().listed}
    data: list[dict[str, Any]] = [
        {
            "name": name,
            "listed": name in listed,
            "version": policy.version,
            "title": policy.title[language()],
            "levels": [level.name for level in policy.levels],
        }
        for name, policy in every.items()
    ]
    talk.data(data)
    for line in columns([("*" if p["listed"] else " ", p["name"], p["title"], " < ".join(p["levels"])) for p in data]):
        talk.out(line)
    talk.say("config.listed")


@verb("config.policies.add", click.argument("name"))
def add(talk: Talk, name: str) -> None:
    answer = talk.client().post("/api/region/policies", {"name": name})
    talk.answer(answer)
    talk.out(name)
    talk.say("config.restart")


@verb("config.two-person", click.argument("state", type=click.Choice(["on"]), metavar="on"))
def two_person(talk: Talk, state: str) -> None:
    del state
    answer = talk.client().post("/api/region/two-person")
    talk.answer(answer)
    talk.out("on")
    talk.say("config.two")
