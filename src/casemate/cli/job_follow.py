"""What a job says, shown as it says it: standard output to ours, standard error to ours, until it has ended."""

from __future__ import annotations

import re
import sys
from typing import Any
from urllib.parse import quote

import click

from casemate.cli.bar import bar
from casemate.cli.client import Client
from casemate.cli.command import option, verb
from casemate.cli.talk import Talk, harmless
from casemate.cli.tongue import t
from casemate.cli.tongue import told as sentence

__all__ = ["at", "exit_of", "follow", "logs", "settled", "watch", "why"]

WAIT = "10"
_SHADES = re.compile(r"\x1b\[[0-9;:]*m")
GOOD = "SUCCEEDED"


def at(id: str) -> str:
    """Where a job is asked for; the client quotes what is left. A child of an array has a colon."""
    return f"/api/jobs/{quote(id, safe=':')}"


@verb(
    "job.logs",
    click.argument("id"),
    option("--follow", "-f", "follows", is_flag=True),
    option("--stream", type=click.Choice(["both", "out", "err"]), default="both"),
    option("--label", default="", metavar="LABEL"),
)
def logs(talk: Talk, id: str, follows: bool, stream: str, label: str) -> None:
    told = said(talk, talk.client(), id, stream, label, follows)
    talk.data({**told, "text": told["text"] if talk.json else ""}, told["label"], told["marking"])
    if not talk.json and not told["any"] and told["whole"]:
        talk.say("job.silent")


def said(talk: Talk, client: Client, id: str, stream: str, label: str, follows: bool) -> dict[str, Any]:
    """All that it has said, shown piece by piece; with `follows` until it has ended. The last answer."""
    place, text = "", {"out": "", "err": ""}
    while True:
        asked = {"stream": stream, "at": place, "wait": WAIT if follows else "0"}
        data = client.get(f"{at(id)}/logs", acting=label, **asked).data
        for piece in data["pieces"]:
            if talk.json:
                text[piece["stream"]] += piece["text"]
            else:
                show(talk, piece["stream"], piece["text"])
        place = data["at"]
        if data["whole"] or (not follows and not data["pieces"]):
            return {**data, "text": text, "any": place.strip("0.") != ""}


def show(talk: Talk, stream: str, text: str) -> None:
    """A piece on the stream that it came from. A line that was written over becomes a line."""
    target = sys.stderr if stream == "err" else sys.stdout
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    print(harmless(text if talk.colours(target) else _SHADES.sub("", text)), end="", file=target, flush=True)


def follow(talk: Talk, client: Client, id: str, label: str) -> dict[str, Any]:
    """Until it has ended: what it says, or of an array a bar of its children that have. The whole job."""
    told = client.get(at(id), acting=label).data
    if told["size"]:
        return watch(talk, client, told, label)
    if not talk.json:
        said(talk, client, id, "both", label, True)
    return settled(client, id, label)


def watch(talk: Talk, client: Client, told: dict[str, Any], label: str) -> dict[str, Any]:
    """An array, until it has ended."""
    with bar(talk, "job.bar", told["size"]) as tell:
        while True:
            tell(ended(told))
            if not told["open"]:
                return told
            told = client.get(at(told["id"]), acting=label, wait=WAIT, version=str(told["version"])).data


def ended(told: dict[str, Any]) -> int:
    """How many of its children have ended."""
    return sum(told["counts"].get(name, 0) for name in (GOOD, "FAILED", "CANCELLED"))


def settled(client: Client, id: str, label: str) -> dict[str, Any]:
    """The job, as soon as it is no longer open: its results are in by then."""
    told = client.get(at(id), acting=label).data
    while told["open"]:
        told = client.get(at(id), acting=label, wait=WAIT, version=str(told["version"])).data
    return dict(told)


def exit_of(told: dict[str, Any]) -> int:
    """As a shell says it: the code with which it ended, 128 and the signal, 1 where neither is known."""
    if told["state"] == GOOD:
        return 0
    if told["signal"]:
        return 128 + int(told["signal"])
    return int(told["exit"] or 1) & 0xFF or 1


def how(told: dict[str, Any]) -> str:
    """How it stands, in a few words."""
    words = t(f"job.state.{told['state']}")
    if told["signal"]:
        words += f" ({t('job.by_signal', signal=told['signal'])})"
    elif told["exit"]:
        words += f" ({t('job.with_exit', exit=told['exit'])})"
    return words


def why(reason: str) -> str:
    """A reason in words, where it is one of ours; nothing where it only says the exit again."""
    if reason.startswith("exit "):
        return ""
    return (sentence(f"job.why_ended.{reason}") if reason.isidentifier() else "") or reason
