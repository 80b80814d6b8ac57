"""`casemate attributes`: what an attribute authority signs of people outside, and its installation in a region.

`key` and `sign` are the authority's own, on any machine and without a region; `install` and `list` ask a region.
"""

from __future__ import annotations

import os
from pathlib import Path

import click

from casemate.cli.command import Group, option, verb
from casemate.cli.table import columns
from casemate.cli.talk import Talk
from casemate.clock import iso
from casemate.crypto import KEY_SIZE, KeySigner, generate
from casemate.errors import BadInput, Conflict

__all__ = ["attributes"]

attributes = Group(
    "attributes",
    {
        "key": "attributes:key",
        "sign": "attributes:sign",
        "install": "attributes:install",
        "list": "attributes:listing",
        "keep": "attributes:keep",
    },
)

FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
NEW = click.Path(path_type=Path, dir_okay=False)


@verb("attributes.key", option("--output", type=NEW, required=True, metavar="FILE"))
def key(talk: Talk, output: Path) -> None:
    from casemate.identity.attributes import public_text

    private = generate()
    try:
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise Conflict(what=str(output)) from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(private)
    line = f'key = "{public_text(KeySigner(private))}"'
    talk.data({"file": str(output), "public": public_text(KeySigner(private)), "line": line})
    talk.say("attributes.kept", file=output)
    talk.out(line)


@verb(
    "attributes.sign",
    click.argument("statement", type=FILE),
    option("--key", "keyfile", type=FILE, required=True, metavar="FILE"),
    option("--output", type=NEW, required=True, metavar="FILE"),
)
def sign(talk: Talk, statement: Path, keyfile: Path, output: Path) -> None:
    from casemate.identity import attributes as made

    if keyfile.stat().st_mode & 0o077:
        raise BadInput(what=f"Others than its owner may open {keyfile}; chmod 600.")
    private = keyfile.read_bytes()
    if len(private) != KEY_SIZE:
        raise BadInput(what=f"{keyfile} is no key of `casemate attributes key`.")
    found = made.statement(statement.read_bytes())
    output.write_bytes(made.sign(found, KeySigner(private)))
    talk.data({"file": str(output), "authority": found.authority, "number": found.number, "region": found.region})
    talk.out(str(output))


@verb("attributes.install", click.argument("authority"), click.argument("file", type=FILE))
def install(talk: Talk, authority: str, file: Path) -> None:
    answer = talk.client().call("PUT", f"/api/attributes/{authority}", {"file": file.read_bytes().decode("latin-1")})
    talk.answer(answer)
    if answer.data is None:
        talk.say("attributes.waits", authority=authority)
    else:
        talk.out(f"{answer.data['authority']}  {answer.data['number']}  {answer.data['subjects']}")


@verb("attributes.keep", click.argument("file", type=FILE), option("--label", default="", metavar="LABEL"))
def keep(talk: Talk, file: Path, label: str) -> None:
    body = {"file": file.read_bytes().decode("latin-1")}
    answer = talk.client().post("/api/statements", body, label)
    talk.answer(answer)
    talk.out(f"{answer.data['id']}  {answer.data['authority']}  {answer.data['number']}  {answer.data['region']}")


@verb("attributes.list")
def listing(talk: Talk) -> None:
    answer = talk.client().get("/api/attributes")
    talk.answer(answer)
    for line in columns([(e["authority"], str(e["number"]), str(e["subjects"]), iso(e["ends"])) for e in answer.data]):
        talk.out(line)
