"""`casemate bundle send` and `import`: what a region gives into a bundle, and what it makes of one that came."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from casemate.cli.bundle import FILE
from casemate.cli.command import option, verb
from casemate.cli.talk import Talk
from casemate.cli.tongue import t
from casemate.clock import iso
from casemate.errors import Absent, Refused
from casemate.transfer.bundle import AREA, read_area

__all__ = ["import_", "row", "send"]

CHANNELS = "/api/transfer/channels"


@verb(
    "bundle.send",
    click.argument("channel"),
    option("--document", "document", multiple=True, metavar="ID"),
    option("--object", "object", multiple=True, metavar="BUCKET/KEY"),
    option("--model", "model", multiple=True, metavar="NAME"),
    option("--clearances", "clearances", multiple=True, metavar="ID"),
    option("--request", "request", multiple=True, metavar="ID"),
    option("--heads", is_flag=True),
    option("--package", "package", multiple=True, metavar="FILE"),
    option("--policy", "policy", multiple=True, metavar="NAME"),
    option("--days", type=click.IntRange(1, 3660), default=365),
    option("--output", type=click.Path(path_type=Path), default=None, metavar="FILE"),
)
def send(talk: Talk, channel: str, days: int, output: Path | None, heads: bool, **wanted: tuple[str, ...]) -> None:
    client = talk.client()
    acting = found(talk, channel)["label"]
    members = [{"kind": kind, "id": id} for kind, ids in wanted.items() for id in ids]
    members += [{"kind": "heads", "id": "ledger"}] if heads else []
    answer = client.post(f"{CHANNELS}/{quote(channel, safe='')}/bundles", {"members": members, "days": days}, acting)
    talk.answer(answer)
    if answer.data["verdict"] == "waiting":
        talk.say("bundle.waiting", bundle=answer.data["bundle"])
        talk.out("  ".join(row(answer.data)))
        return
    place = output or Path(f"{answer.data['bundle']}.cmb")
    with place.open("xb") as file:

        def keep(piece: bytes) -> None:
            file.write(piece)

        client.into(f"/api/transfer/bundles/{answer.data['id']}/file", keep, acting)
    talk.say("bundle.sent", sequence=answer.data["sequence"], file=place)
    talk.out("  ".join(row(answer.data)))


@verb("bundle.import", click.argument("file", type=FILE))
def import_(talk: Talk, file: Path) -> None:
    with file.open("rb") as opened:
        id = read_area(opened.read(AREA)).face.channel.hex()
        opened.seek(0)
        several = talk.client().get(CHANNELS).data
        known = [each for each in several if (each["channel"], each["side"]) == (id, "received")]
        if not known:
            raise Absent(kind="transfer.channel", id=id)
        at = f"{CHANNELS}/{quote(known[0]['name'], safe='')}/bundles"
        answer = talk.client().call("PUT", at, opened, known[0]["label"])
    talk.answer(answer)
    talk.out("  ".join(row(answer.data)))
    if answer.data["verdict"] != "accept":
        raise SystemExit(Refused.exit)


def found(talk: Talk, name: str) -> dict[str, Any]:
    """The visible channel of that name: what is done with it acts where it lies."""
    for each in talk.client().get(CHANNELS).data:
        if each["name"] == name:
            return dict(each)
    raise Absent(kind="transfer.channel", id=name)


def row(told: dict[str, Any]) -> tuple[str, ...]:
    """A bundle in a line."""
    verdict = t(f"transfer.verdict.{told['verdict']}")
    why = told["why"] or told["rule"] if told["verdict"] not in ("sent", "accept") else ""
    gap = t("transfer.gap", first=told["gap"][0], last=told["gap"][1]) if told["gap"] else ""
    until = t("transfer.until", day=iso(told["until"])[:10]) if told["until"] else ""
    return told["mark"], told["channel"], str(told["sequence"]), verdict, why, gap, until, told["bundle"]
