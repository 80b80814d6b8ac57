"""`casemate init`: a region of one's own. No question is asked; whoever runs it owns it."""

from __future__ import annotations

import asyncio
import getpass
import os
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from casemate.cli.command import option, verb
from casemate.cli.passphrase import passphrase
from casemate.cli.talk import Talk
from casemate.cli.tongue import language, t
from casemate.errors import BadInput

if TYPE_CHECKING:
    from casemate.crypto import WrapProfile

__all__ = ["init"]


@verb(
    "init",
    option("--policy", "policies", default="house", metavar="NAME,..."),
    option("--agency", default="LOCAL", metavar="NAME"),
    option("--name", default="casemate", metavar="NAME"),
    option("--port", type=click.IntRange(0, 65534), default=8480),
    option("--passphrase", "locked", is_flag=True),
    option("--suite", type=click.Choice(["hybrid", "cnsa2"]), default="hybrid"),
)
def init(talk: Talk, policies: str, agency: str, name: str, port: int, locked: bool, suite: WrapProfile) -> None:
    from casemate.wiring import Folder, found

    listed = tuple(part.strip() for part in policies.split(",") if part.strip())
    for text in (name, agency, *listed):
        if not text.isprintable() or '"' in text or "\\" in text:
            raise BadInput(what=t("init.text", what=repr(text)[:100]))
    folder = Folder(talk.folder or Folder.default())
    said = passphrase(twice=True) if locked else ""
    told = asyncio.run(found(folder, name, agency, listed, port, owner(), str(os.getuid()), language(), said, suite))
    talk.marked(told.floor_marking)
    talk.data({"folder": str(folder.path), **asdict(told)}, told.floor, told.floor_marking)
    talk.out(str(folder.path))
    talk.say(
        "init.made", folder=folder.path, owner=told.owner, policies=", ".join(listed), ceiling=told.ceiling_marking
    )
    talk.say("init.solo")
    talk.say("init.keys_locked" if locked else "init.keys")
    flag = "" if str(folder.path) == "casemate" else f" --folder {folder.path}"
    talk.say("init.next", flag=flag)


def owner() -> str:
    """The name of the user who runs this; his number where the machine knows no name."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return f"uid{os.getuid()}"
