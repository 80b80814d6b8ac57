"""`casemate attributes`: what an attribute authority signs of people outside, and its installation in a region.

`key` and `sign` are the authority's own, on any machine and without a region; `install` and `list` ask a region.
"""

from __future__ import annotations

from pathlib import Path

import click

from casemate.cli.command import Group, option, verb
from casemate.cli.private_file import kept, private
from casemate.cli.table import columns
from casemate.cli.talk import Talk
from casemate.clock import iso
from casemate.crypto import KeySigner, generate

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

    raw = generate()
    kept(output, raw)
    public = public_text(KeySigner(raw))
    line = f'key = "{public}"'
    talk.data({"file": str(output), "public": public, "line": line})
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

    signer = KeySigner(private(keyfile))
    found = made.statement(statement.read_bytes())
    output.write_bytes(made.sign(found, signer))
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
