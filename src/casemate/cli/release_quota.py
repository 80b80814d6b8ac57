"""`casemate release quota`, `dispatch` and `dispatches`: how much may leave in a day, and what is kept to leave."""

from __future__ import annotations

from pathlib import Path

import click

from casemate.cli.command import option, verb
from casemate.cli.release import FOR
from casemate.cli.table import columns
from casemate.cli.talk import Talk
from casemate.cli.tongue import t
from casemate.clock import iso
from casemate.errors import BadInput

__all__ = ["dispatch", "dispatches", "quota"]

LONGEST = 256 << 10
FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@verb(
    "release.quota",
    option("--count", type=click.IntRange(0), default=None),
    option("--size", type=click.IntRange(0), default=None),
    FOR,
)
def quota(talk: Talk, count: int | None, size: int | None, acting: str) -> None:
    client = talk.client()
    if (count is None) != (size is None):
        raise BadInput(what="--count --size")
    if count is not None:
        answer = client.call("PUT", "/api/release-quota", {"count": count, "size": size}, acting)
        if answer.data is None:
            talk.answer(answer)
            talk.say("release.key_waits")
            return
    answer = client.get("/api/release-quota", acting)
    talk.answer(answer)
    said = answer.data
    facts = {"of_count": said["quota"]["count"], "of_size": said["quota"]["size"]}
    talk.out(t("release.quota", marking=answer.marking, count=said["count"], size=said["size"], **facts))


@verb(
    "release.dispatch",
    click.argument("purpose", type=click.Choice(["gap-code", "have-list", "job-request"])),
    click.argument("file", type=FILE),
    FOR,
)
def dispatch(talk: Talk, purpose: str, file: Path, acting: str) -> None:
    if file.stat().st_size > LONGEST:
        raise BadInput(what=f"{file}: {LONGEST:,} bytes")
    try:
        text = file.read_text("utf-8")
    except UnicodeDecodeError:
        raise BadInput(what=f"{file}: UTF-8") from None
    answer = talk.client().post("/api/dispatches", {"purpose": purpose, "text": text}, acting)
    talk.answer(answer)
    talk.say("release.kept_dispatch", id=answer.data["id"])
    talk.out(answer.data["id"])


@verb("release.dispatches", FOR)
def dispatches(talk: Talk, acting: str) -> None:
    answer = talk.client().get("/api/dispatches", acting)
    talk.answer(answer)
    rows = [
        (each["id"], each["dispatch"]["purpose"], each["marking"], iso(each["dispatch"]["at"])[:16])
        for each in answer.data
    ]
    for line in columns(rows):
        talk.out(line)
