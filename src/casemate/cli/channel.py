"""`casemate channel`: ways to other regions, opened at both ends by people who carry what each end tells the other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from casemate.cli.bundle_region import CHANNELS, found, row
from casemate.cli.command import Group, option, verb
from casemate.cli.table import columns
from casemate.cli.talk import Talk
from casemate.cli.tongue import t
from casemate.errors import BadInput

__all__ = ["channel"]

channel = Group(
    "channel",
    {
        "receive": "channel:receive",
        "send": "channel:send",
        "trust": "channel:trust",
        "skip": "channel:skip",
        "permit": "channel:permit",
        "list": "channel:listing",
        "log": "channel:log",
        "requests": "channel:requests",
        "settle": "channel:settle",
    },
)

NAME = click.argument("name")
FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
LABEL = option("--label", default="", metavar="LABEL")
OUTPUT = option("--output", type=click.Path(path_type=Path), required=True, metavar="FILE")
LARGEST = 2 << 20


@verb("channel.receive", NAME, option("--source", required=True, metavar="REGION"), OUTPUT, LABEL)
def receive(talk: Talk, name: str, source: str, output: Path, label: str) -> None:
    opened = _opened(talk, {"name": name, "source": source}, label)
    if opened:
        _kept(talk, output, talk.client().get(_at(name), opened["label"]).data["card"])


@verb("channel.send", NAME, click.argument("card", type=FILE), OUTPUT, LABEL)
def send(talk: Talk, name: str, card: Path, output: Path, label: str) -> None:
    opened = _opened(talk, {"name": name, "card": _read(card)}, label)
    if opened:
        _kept(talk, output, talk.client().get(f"{_at(name)}/introduction", opened["label"]).data)


@verb("channel.trust", NAME, click.argument("file", type=FILE))
def trust(talk: Talk, name: str, file: Path) -> None:
    answer = talk.client().post(f"{_at(name)}/trust", _read(file), found(talk, name)["label"])
    talk.answer(answer)
    _told(talk, answer.data)


@verb("channel.skip", NAME, click.argument("sequence", type=click.IntRange(1)))
def skip(talk: Talk, name: str, sequence: int) -> None:
    answer = talk.client().post(f"{_at(name)}/skip", {"sequence": sequence}, found(talk, name)["label"])
    talk.answer(answer)
    _told(talk, answer.data)


@verb("channel.permit", NAME, click.argument("kinds", nargs=-1))
def permit(talk: Talk, name: str, kinds: tuple[str, ...]) -> None:
    answer = talk.client().post(f"{_at(name)}/permit", {"kinds": kinds}, found(talk, name)["label"])
    talk.answer(answer)
    _told(talk, answer.data)


@verb("channel.list", LABEL)
def listing(talk: Talk, label: str) -> None:
    answer = talk.client().get(CHANNELS, acting=label)
    talk.answer(answer)
    for line in columns([_row(each) for each in answer.data]):
        talk.out(line)
    if not answer.data:
        talk.out(t("transfer.none"))


@verb("channel.log", LABEL)
def log(talk: Talk, label: str) -> None:
    answer = talk.client().get("/api/transfer/bundles", acting=label)
    talk.answer(answer)
    for line in columns([row(each) for each in answer.data]):
        talk.out(line)


@verb("channel.requests", LABEL)
def requests(talk: Talk, label: str) -> None:
    answer = talk.client().get("/api/transfer/requests", acting=label)
    talk.answer(answer)
    for line in columns([_request(each) for each in answer.data]):
        talk.out(line)
    if not answer.data:
        talk.out(t("transfer.no_request"))


@verb(
    "channel.settle",
    click.argument("id"),
    option("--accept/--decline", "accepts", required=True, default=None),
    option("--job", "job", default="", metavar="ID"),
    LABEL,
)
def settle(talk: Talk, id: str, accepts: bool, job: str, label: str) -> None:
    body = {"accepts": accepts, "job": job}
    answer = talk.client().post(f"/api/transfer/requests/{quote(id, safe='')}", body, label)
    talk.answer(answer)
    talk.out("  ".join(_request(answer.data)))


def _request(told: dict[str, Any]) -> tuple[str, ...]:
    state = t(f"transfer.request.{told['state']}")
    return told["mark"], told["id"], told["by"], state, told["request"]["name"], told["request"]["program"], told["job"]


def _opened(talk: Talk, body: dict[str, Any], label: str) -> dict[str, Any] | None:
    answer = talk.client().post(CHANNELS, body, acting=label)
    talk.answer(answer)
    _told(talk, answer.data)
    return dict(answer.data) if answer.data else None


def _told(talk: Talk, data: dict[str, Any] | None) -> None:
    talk.out("  ".join(_row(data)) if data else t("transfer.second"))


def _row(told: dict[str, Any]) -> tuple[str, ...]:
    way = t(f"transfer.side.{told['side']}", source=told["source"], destination=told["destination"])
    gap = t("transfer.gap", first=told["gap"][0], last=told["gap"][1]) if told["gap"] else ""
    state = "" if told["introduced"] else t("transfer.unknown")
    more = t("transfer.carries", kinds=", ".join(told["carries"])) if told["carries"] else ""
    return told["mark"], told["name"], way, t("transfer.sequence", sequence=told["sequence"]), gap, state, more


def _kept(talk: Talk, output: Path, data: dict[str, Any]) -> None:
    with output.open("x", encoding="utf-8") as file:
        json.dump(data, file, indent=1, sort_keys=True)
    talk.say("transfer.kept", file=output)


def _read(path: Path) -> dict[str, Any]:
    """What the other end has told. Raises BadInput."""
    try:
        if path.stat().st_size > LARGEST:
            raise BadInput(what=path.name)
        told = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, UnicodeDecodeError):
        raise BadInput(what=path.name) from None
    if not isinstance(told, dict):
        raise BadInput(what=path.name)
    return told


def _at(name: str) -> str:
    return f"{CHANNELS}/{quote(name, safe='')}"
