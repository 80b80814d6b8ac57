"""`casemate packages`: the region's own mirror of packages, and how wheels of a folder come into it."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import click

from casemate.cli.command import Group, option, verb
from casemate.cli.table import columns
from casemate.cli.talk import Talk
from casemate.cli.tongue import t
from casemate.errors import BadInput

__all__ = ["packages"]

packages = Group("packages", {"import": "packages:bring", "list": "packages:listing", "get": "packages:get"})

SUMS = "SHA256SUMS"
LABEL = option("--label", default="", metavar="LABEL")


@verb(
    "packages.import",
    click.argument("source", metavar="FOLDER", type=click.Path(exists=True, file_okay=False, path_type=Path)),
    LABEL,
)
def bring(talk: Talk, source: Path, label: str) -> None:
    listed, signed = source / SUMS, source / f"{SUMS}.sig"
    wheels = sorted(path for kind in ("*.whl", "*.deb") for path in source.glob(kind))
    if not wheels or not listed.is_file():
        raise BadInput(what=t("packages.nothing", folder=source.name))
    try:
        sums = listed.read_bytes().decode()
    except UnicodeDecodeError:
        raise BadInput(what=t("environment.text", file=SUMS)) from None
    client = talk.client()
    signature = signed.read_bytes().hex() if signed.is_file() else ""
    answer = client.post("/api/packages", {"sums": sums, "signature": signature}, label)
    told = answer.data
    rows = []
    for wheel in wheels:
        with wheel.open("rb") as body:
            answer = client.call("PUT", f"/api/packages/{quote(wheel.name)}", body, label, {"list": told["list"]})
        rows.append((answer.data["name"], answer.data["mark"], answer.data["sha256"]))
    talk.data({**told, "brought": [row[0] for row in rows]}, answer.label, answer.marking, answer.entry)
    for line in columns(rows):
        talk.out(line)
    talk.say("packages.signed" if told["key"] else "packages.unsigned", key=told["key"], count=len(rows))


@verb("packages.list", LABEL)
def listing(talk: Talk, label: str) -> None:
    answer = talk.client().get("/api/packages", acting=label)
    talk.answer(answer)
    for line in columns([(one["name"], one["mark"], one["sha256"], one["key"]) for one in answer.data]):
        talk.out(line)
    if not answer.data:
        talk.out(t("packages.none"))


@verb(
    "packages.get",
    click.argument("name"),
    option("--output", type=click.Path(path_type=Path), default=None, metavar="FILE"),
    LABEL,
)
def get(talk: Talk, name: str, output: Path | None, label: str) -> None:
    place = output or Path(Path(name).name)
    with place.open("xb") as file:

        def keep(piece: bytes) -> None:
            file.write(piece)

        answer = talk.client().into(f"/api/packages/{name}/file", keep, label)
    talk.data({"name": name, "file": str(place)}, answer.label, answer.marking, answer.entry)
    talk.say("packages.kept", file=place)
