"""`casemate job artefact`: what came out of a job, into a file. What stands there already is never written over."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from pathlib import Path
from typing import IO

import click

from casemate.cli.client import Answer, Client
from casemate.cli.command import option, verb
from casemate.cli.job_follow import at
from casemate.cli.talk import Talk
from casemate.cli.tongue import t
from casemate.errors import BadInput, Damaged

__all__ = ["artefact", "keep"]


@verb(
    "job.artefact",
    click.argument("id"),
    click.argument("name", required=False, default=""),
    option("--to", type=click.Path(path_type=Path, allow_dash=True), default=None),
    option("--replace", is_flag=True),
    option("--label", default="", metavar="LABEL"),
)
def artefact(talk: Talk, id: str, name: str, to: Path | None, replace: bool, label: str) -> None:
    client = talk.client()
    listed = client.get(f"{at(id)}/artefacts", acting=label)
    if not name:
        talk.answer(listed)
        for each in listed.data:
            talk.out(f"{each['name']}  {each['size']}  {each['digest'][:16]}")
        if not listed.data:
            talk.say("job.no_artefact")
        return
    found = next((each for each in listed.data if each["name"] == name), None)
    digest = str(found["digest"]) if found is not None else ""
    if to is not None and str(to) == "-":
        _take(client, id, name, label, digest, sys.stdout.buffer)
        return
    target = to or Path(Path(name).name)
    if target.is_dir():
        target = target / Path(name).name
    answer = keep(client, id, name, label, digest, target, replace)
    talk.data({"file": str(target), "digest": digest}, answer.label, answer.marking, answer.entry)
    talk.say("job.written", file=target, marking=talk.marking(answer.label))


def keep(client: Client, id: str, name: str, label: str, digest: str, target: Path, replace: bool) -> Answer:
    """The bytes beside where they belong, and there in one step once they are whole. Raises BadInput, Damaged."""
    if target.exists() and not replace:
        raise BadInput(what=t("job.exists", file=target))
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as part:
        try:
            answer = _take(client, id, name, label, digest, part)
            part.flush()
            os.fsync(part.fileno())
            if replace:
                Path(part.name).replace(target)
            else:
                target.hardlink_to(part.name)  # fails where a file has come to stand there meanwhile
        except FileExistsError:
            raise BadInput(what=t("job.exists", file=target)) from None
        finally:
            Path(part.name).unlink(missing_ok=True)
    return answer


def _take(client: Client, id: str, name: str, label: str, digest: str, into: IO[bytes]) -> Answer:
    """Every byte of it, told to be another's where its digest is not the one that was recorded."""
    seen = hashlib.sha384()

    def write(piece: bytes) -> None:
        seen.update(piece)
        into.write(piece)

    answer = client.into(f"{at(id)}/artefacts/{name}", write, label)
    if digest and seen.hexdigest() != digest:
        raise Damaged(what=name)
    return answer
