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

__all__ = ["FILE", "NAME", "at", "channel", "kept", "read", "told"]

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
        "fetching": "channel_keys:fetching",
        "show": "channel_keys:show",
        "rotate": "channel_keys:rotate",
        "renew": "channel_keys:renew",
        "revoke": "channel_keys:revoke",
        "sign": "channel_keys:sign",
        "approve": "channel_keys:approve",
        "withdraw": "channel_keys:withdraw",
        "fetch": "channel_keys:fetch",
    },
)

NAME = click.argument("name")
FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
LABEL = option("--label", default="", metavar="LABEL")
OUTPUT = option("--output", type=click.Path(path_type=Path), required=True, metavar="FILE")
LARGEST = 2 << 20


@verb(
    "channel.receive",
    NAME,
    option("--source", required=True, metavar="REGION"),
    OUTPUT,
    LABEL,
    option("--guard", type=click.Choice(["none", "known", "each"]), default="known"),
)
def receive(talk: Talk, name: str, source: str, output: Path, label: str, guard: str) -> None:
    opened = _opened(talk, {"name": name, "source": source, "guard": guard}, label)
    if opened:
        kept(talk, output, talk.client().get(at(name), opened["label"]).data["card"])


@verb(
    "channel.send",
    NAME,
    click.argument("card", type=FILE),
    OUTPUT,
    LABEL,
    option("--signatures", type=click.IntRange(1, 6), default=1),
    option("--approvals", type=click.IntRange(0, 5), default=0),
)
def send(talk: Talk, name: str, card: Path, output: Path, label: str, signatures: int, approvals: int) -> None:
    people = {"signatures": signatures, "approvals": approvals}
    opened = _opened(talk, {"name": name, "card": read(card), **people}, label)
    if opened:
        kept(talk, output, talk.client().get(f"{at(name)}/introduction", opened["label"]).data)


@verb("channel.trust", NAME, click.argument("file", type=FILE))
def trust(talk: Talk, name: str, file: Path) -> None:
    answer = talk.client().post(f"{at(name)}/trust", read(file), found(talk, name)["label"])
    talk.answer(answer)
    told(talk, answer.data)


@verb("channel.skip", NAME, click.argument("sequence", type=click.IntRange(1)))
def skip(talk: Talk, name: str, sequence: int) -> None:
    answer = talk.client().post(f"{at(name)}/skip", {"sequence": sequence}, found(talk, name)["label"])
    talk.answer(answer)
    told(talk, answer.data)


@verb("channel.permit", NAME, click.argument("kinds", nargs=-1))
def permit(talk: Talk, name: str, kinds: tuple[str, ...]) -> None:
    answer = talk.client().post(f"{at(name)}/permit", {"kinds": kinds}, found(talk, name)["label"])
    talk.answer(answer)
    told(talk, answer.data)


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
    told(talk, answer.data)
    return dict(answer.data) if answer.data else None


def told(talk: Talk, data: dict[str, Any] | None) -> None:
    """A channel in a line, or that another officer has to say the same."""
    talk.out("  ".join(_row(data)) if data else t("transfer.second"))


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    way = t(f"transfer.side.{one['side']}", source=one["source"], destination=one["destination"])
    gap = t("transfer.gap", first=one["gap"][0], last=one["gap"][1]) if one["gap"] else ""
    state = "" if one["introduced"] else t("transfer.unknown")
    more = t("transfer.carries", kinds=", ".join(one["carries"])) if one["carries"] else ""
    return one["mark"], one["name"], way, t("transfer.sequence", sequence=one["sequence"]), gap, state, more


def kept(talk: Talk, output: Path, data: dict[str, Any]) -> None:
    """A new file with what the other end has to know."""
    with output.open("x", encoding="utf-8") as file:
        json.dump(data, file, indent=1, sort_keys=True)
    talk.say("transfer.kept", file=output)


def read(path: Path) -> dict[str, Any]:
    """What the other end has told. Raises BadInput."""
    try:
        if path.stat().st_size > LARGEST:
            raise BadInput(what=path.name)
        said = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, UnicodeDecodeError):
        raise BadInput(what=path.name) from None
    if not isinstance(said, dict):
        raise BadInput(what=path.name)
    return said


def at(name: str) -> str:
    """Where a channel answers."""
    return f"{CHANNELS}/{quote(name, safe='')}"
