"""`casemate add`: bring files and folders, wait until their marks are read, and ask once about those that bear none.

    walk -> send each (the region says known, or waiting) -> wait -> unmarked ones: one question, or --label -> wait

Whoever stops half-way runs the same line again: what is there is known, what waits goes on waiting.
"""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from casemate.cli.bar import bar, progress
from casemate.cli.client import Client
from casemate.cli.command import option, verb
from casemate.cli.failure import Failed
from casemate.cli.files import Skipped, files
from casemate.cli.talk import Talk
from casemate.cli.tongue import t
from casemate.errors import BadInput, SandboxMissing
from casemate.policy import Need

__all__ = ["Brought", "add", "bring", "settle", "settle_quietly"]

PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.0)
ABOUT_ONE_FILE = frozenset({"malformed", "too-large"})


@dataclass(slots=True)
class Brought:
    """What became of the files of one run."""

    added: dict[str, str] = field(default_factory=dict)  # document id -> name
    known: dict[str, str] = field(default_factory=dict)
    documents: int = 0
    quarantined: list[dict[str, str]] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    unmarked: dict[str, str] = field(default_factory=dict)
    waiting: dict[str, str] = field(default_factory=dict)


@verb(
    "add",
    click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path)),
    option("--base", default="default", metavar="NAME"),
    option("--label", default="", metavar="LABEL"),
    option("--marks", type=click.Choice(["read", "text"]), default="read"),
    option("--need", default="", metavar="EXPRESSION"),
)
def add(talk: Talk, paths: tuple[Path, ...], base: str, label: str, marks: str, need: str) -> None:
    if marks == "text" and not label:
        raise BadInput(what=t("add.text_needs_label"))
    client = talk.client()
    session = client.get("/api/session")
    if need:  # whoever says who needs to know acts as one of them
        client.needs = ",".join(sorted(Need.parse(need).names.intersection(session.data["needs"])))
    _fenced(client)
    brought = Brought()
    found = list(files(paths))
    brought.skipped += [item for item in found if isinstance(item, Skipped)]
    chosen = [item for item in found if isinstance(item, Path)]
    sending = progress(talk, chosen, "add.sending")
    bring(client, brought, sending, base, label if marks == "text" else "", marks, need)
    try:
        settle(talk, client, brought)
        if brought.unmarked:
            _answer(talk, client, brought, label)
    except KeyboardInterrupt:
        talk.say("add.left", count=len(brought.waiting))
        raise
    last = _outcome(client, brought)
    talk.data(_document(brought, paths, base), last.label, last.marking or session.marking, last.entry)
    _summary(talk, brought, paths, base)


def _fenced(client: Client) -> None:
    """Where nothing can be parsed safely, nothing is sent."""
    for check in client.get("/api/doctor").data:
        if check["name"] == "sandbox" and not check["good"]:
            raise SandboxMissing(why=check["said"])


def bring(
    client: Client,
    brought: Brought,
    chosen: Iterable[Path],
    base: str,
    label: str = "",
    marks: str = "read",
    need: str = "",
) -> None:
    """Send each file. What is wrong with one file is its own reason; anything else ends the run."""
    for path in chosen:
        try:
            data = path.read_bytes()
        except OSError as error:
            brought.skipped.append(Skipped(str(path), t("add.unreadable", why=error.strerror)))
            continue
        try:
            said = {"name": path.name, "base": base, "label": label, "marks": marks, **({"need": need} if need else {})}
            told = client.post("/api/documents", data, **said).data
        except Failed as failure:
            if failure.problem.slug not in ABOUT_ONE_FILE:
                raise
            brought.skipped.append(Skipped(str(path), failure.problem.detail))
            continue
        if told["state"] == "known":
            brought.known[told["id"]] = path.name
        else:
            brought.added[told["id"]] = path.name


def settle(talk: Talk, client: Client, brought: Brought) -> None:
    """Wait, with a bar on a terminal."""
    with bar(talk, "add.reading", len(brought.added)) as tell:
        settle_quietly(client, brought, tell, lambda: False)


def settle_quietly(client: Client, brought: Brought, tell: Callable[[int], None], over: Callable[[], bool]) -> None:
    """Wait until nothing of this run waits to be read, or until it is over; the region itself needs no one to wait."""
    mine = brought.added
    tries = 0
    while mine and not over():
        waiting = {item["id"]: item for item in client.get("/api/documents", only="waiting").data["waiting"]}
        brought.waiting = {id: name for id, name in mine.items() if id in waiting}
        brought.unmarked = {id: n for id, n in brought.waiting.items() if waiting[id]["state"] == "unmarked"}
        reading = len(brought.waiting) - len(brought.unmarked)
        tell(len(mine) - reading)
        if not reading:
            return
        time.sleep(PAUSES[min(tries, len(PAUSES) - 1)])
        tries += 1


def _answer(talk: Talk, client: Client, brought: Brought, label: str) -> None:
    """The one question."""
    count = len(brought.unmarked)
    if not label and sys.stdin.isatty() and sys.stderr.isatty() and not talk.json:
        label = _asked(client, count)
    if not label:
        return
    client.post("/api/documents/label", {"label": label, "ids": list(brought.unmarked), "marks": "read"})
    settle(talk, client, brought)


def _asked(client: Client, count: int) -> str:
    """Yes, no, or another marking."""
    listed = client.get("/api/region").data
    offered = "INTERNAL" if listed["policies"][0] == "house" else listed["floor"]["marking"]
    slug = "add.question_one" if count == 1 else "add.question"
    said = click.prompt(t(slug, count=count, label=offered), default=t("add.yes"), err=True, show_default=False)
    if said.strip().lower() in (t("add.yes").lower(), "y", "yes", "o", "oui"):
        return str(offered)
    return "" if said.strip().lower() in ("n", "no", "non") else str(said).strip()


def _outcome(client: Client, brought: Brought) -> Any:
    """What the region says of the documents now."""
    answer = client.get("/api/documents")
    listed = {item["id"]: item for item in answer.data["documents"]}
    names = set(brought.added.values())
    for id, name in (brought.known | brought.added).items():
        item = listed.get(id)
        if item is not None and item["state"] == "quarantined":
            brought.quarantined.append({"id": id, "name": name, "reason": item["reason"], "remedy": item["remedy"]})
    ready = [item for item in listed.values() if item["state"] == "ready"]
    alone = [item for item in ready if item["id"] in brought.added]
    several = names - {item["name"] for item in alone}
    brought.documents = len(alone) + sum(1 for item in ready if item["name"] in several)
    return answer


def _gone(brought: Brought) -> int:
    """Files that are in."""
    stopped = {item["id"] for item in brought.quarantined}
    return len(brought.added.keys() - stopped - brought.waiting.keys())


def _command(paths: tuple[Path, ...], base: str) -> str:
    flags = [] if base == "default" else ["--base", base]
    return shlex.join(["casemate", "add", *map(str, paths), *flags, "--label", "LABEL"])


def _document(brought: Brought, paths: tuple[Path, ...], base: str) -> dict[str, Any]:
    return {
        "added": _gone(brought),
        "documents": brought.documents,
        "known": len(brought.known.keys() - {item["id"] for item in brought.quarantined}),
        "quarantined": brought.quarantined,
        "skipped": [{"path": item.path, "reason": item.reason} for item in brought.skipped],
        "unmarked": sorted(brought.unmarked.values()),
        "command": _command(paths, base) if brought.unmarked else "",
    }


def _summary(talk: Talk, brought: Brought, paths: tuple[Path, ...], base: str) -> None:
    talk.out(t("add.added", files=_gone(brought), documents=brought.documents))
    known = brought.known.keys() - {item["id"] for item in brought.quarantined}
    if known:
        talk.out(t("add.known", count=len(known)))
    if brought.quarantined:
        talk.out(t("add.quarantined", count=len(brought.quarantined)))
        for item in brought.quarantined:
            talk.out(f"  {item['name']}: {item['reason']} {item['remedy']}".rstrip())
    if brought.skipped:
        talk.out(t("add.skipped", count=len(brought.skipped)))
        for skipped in brought.skipped:
            talk.out(f"  {skipped.path}: {skipped.reason}")
    if brought.unmarked:
        talk.out(t("add.unmarked", count=len(brought.unmarked)))
        talk.out(f"  {_command(paths, base)}")
