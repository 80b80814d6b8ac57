"""`casemate keys`: the key of the region and those of its labels; what a principal signs in with is `casemate key`."""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict
from typing import Any

import click

from casemate.cli.command import Group, option, verb
from casemate.cli.failure import Failed
from casemate.cli.passphrase import passphrase
from casemate.cli.table import columns
from casemate.cli.talk import Talk
from casemate.cli.tongue import t
from casemate.errors import Destroyed

__all__ = ["keys"]

VERBS = ("list", "show", "rotate", "lock", "destroy")
keys = Group("keys", {name: f"keys:{name}_" for name in VERBS})

FOR = option("--for", "acting", default="", metavar="LABEL")
HERE = option("--for", "acting", required=True, metavar="LABEL")
PATIENCE = 15.0


@verb("keys.list", FOR)
def list_(talk: Talk, acting: str) -> None:
    answer = talk.client().get("/api/class-keys", acting)
    talk.answer(answer)
    rows = [
        (each["id"], t("keys.destroyed" if each["destroyed"] else "keys.held"), str(each["entries"]), each["marking"])
        for each in answer.data
    ]
    for line in columns(rows):
        talk.out(line)


@verb("keys.show", HERE)
def show_(talk: Talk, acting: str) -> None:
    answer = talk.client().get("/api/class-keys/here", acting)
    talk.answer(answer)
    _lost(talk, answer.data, answer.marking)


@verb("keys.destroy", HERE, option("--yes", is_flag=True))
def destroy_(talk: Talk, acting: str, yes: bool) -> None:
    client = talk.client()
    shown = client.get("/api/class-keys/here", acting)
    _lost(talk, shown.data, shown.marking)
    if not yes and not click.confirm(t("keys.sure", marking=shown.marking), err=True):
        raise click.Abort
    answer = client.post("/api/class-keys/destroy", None, acting)
    talk.answer(answer)
    if answer.data["state"] == "waiting":
        talk.say("keys.waiting")
        return
    if answer.data["solo"]:
        talk.say("keys.solo")
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        try:
            client.get("/api/class-keys/here", acting)
        except Failed as failure:
            if failure.problem.slug != Destroyed.slug:
                raise
            talk.out(t("keys.done", marking=shown.marking))
            return
        time.sleep(0.2)
    talk.say("keys.soon")


@verb("keys.rotate")
def rotate_(talk: Talk) -> None:
    from casemate.wiring import rotated

    _changed(talk, asyncio.run(rotated(talk.region(), passphrase)))


@verb("keys.lock", option("--bare", is_flag=True))
def lock_(talk: Talk, bare: bool) -> None:
    from casemate.wiring import locked

    home = talk.region()
    said: list[str] = []

    def before() -> str:
        if not said:
            said.append(passphrase())
        return said[0]

    after = "" if bare else passphrase(twice=True)
    _changed(talk, asyncio.run(locked(home, before, after)))
    talk.say("keys.bare" if bare else "keys.locked")


def _changed(talk: Talk, done: Any) -> None:
    talk.data(asdict(done))
    talk.out(f"{done.before}  {done.after}")
    talk.say("keys.wrapped", count=done.keys)


def _lost(talk: Talk, lost: dict[str, Any], marking: str) -> None:
    """What nobody could read any more."""
    talk.say("keys.lost", marking=marking, id=lost["id"])
    rows = [(kind, str(count)) for kind, count in lost["rows"].items()]
    rows += [(t("keys.entries"), str(lost["entries"])), (t("keys.blobs"), str(lost["blobs"]))]
    for line in columns(rows):
        talk.out(line)
