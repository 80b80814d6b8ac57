"""`casemate models`: what there is to ask, how it came, and how high a label may enter it."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from casemate.cli.client import Client
from casemate.cli.command import Group, option, verb
from casemate.cli.failure import failed
from casemate.cli.table import columns
from casemate.cli.talk import Talk
from casemate.cli.tongue import t
from casemate.errors import BadInput

__all__ = ["floor_of", "models", "where"]

models = Group(
    "models",
    {
        "list": "models:listing",
        "show": "models:show",
        "import": "models:import_",
        "accredit": "models:accredit",
        "verify": "models:verify",
        "retire": "models:retire",
        "deploy": "service:deploy",
        "undeploy": "service:undeploy",
        "why": "models:why",
    },
    bare="list",
)

LABEL = option("--label", default="", metavar="LABEL")
FILES = 2000


@verb("models.list", LABEL)
def listing(talk: Talk, label: str | None) -> None:
    answer = talk.client().get("/api/models", acting=label or "")
    talk.answer(answer)
    for line in columns([_row(talk, each) for each in answer.data]):
        talk.out(line)


@verb("models.show", click.argument("name"), option("--bom", is_flag=True), LABEL)
def show(talk: Talk, name: str, bom: bool, label: str) -> None:
    answer = talk.client().get(f"/api/models/{name}", acting=label)
    if bom:
        import json

        if answer.data["bom"] is None:
            raise failed(BadInput(what=t("models.no_bom", name=name)))
        print(json.dumps(answer.data["bom"], indent=2), flush=True)
        return
    talk.answer(answer)
    for line in columns([(key, _plain(value)) for key, value in answer.data.items() if key != "bom" and value]):
        talk.out(line)


@verb(
    "models.import",
    click.argument("path", type=click.Path(exists=True, path_type=Path)),
    option("--name", default="", metavar="NAME"),
    option("--signer", type=click.Path(exists=True, dir_okay=False, path_type=Path), default=None),
    option("--vendor", default="unknown", metavar="NAME"),
    option("--licence", default="", metavar="NAME"),
    LABEL,
)
def import_(talk: Talk, path: Path, name: str, signer: Path | None, vendor: str, licence: str, label: str) -> None:
    client, home = talk.client(), talk.region().path
    asked = {
        "name": name or path.resolve().stem,
        "signer": signer.read_text(encoding="ascii", errors="replace") if signer else "",
        "described": {"vendor": vendor, "licence": licence},
    }
    with _laid_down(home, path) as token:
        answer = client.post("/api/models/import", {**asked, "token": token}, acting=label or floor_of(client))
    talk.answer(answer)
    talk.out("  ".join(_row(talk, answer.data)))
    talk.say("models.imported", files=len(answer.data["files"]), name=answer.data["name"])


@verb("models.accredit", click.argument("name"), click.argument("accreditation"), LABEL)
def accredit(talk: Talk, name: str, accreditation: str, label: str) -> None:
    client = talk.client()
    at = label or where(client, name)
    answer = client.post("/api/models/accredit", {"model": name, "accreditation": accreditation}, acting=at)
    talk.answer(answer)
    if answer.data is None:
        talk.say("models.waits", name=name)
    else:
        talk.out("  ".join(_row(talk, answer.data)))


@verb("models.verify", click.argument("name"), LABEL)
def verify(talk: Talk, name: str, label: str) -> None:
    client = talk.client()
    answer = client.post("/api/models/verify", {"model": name}, acting=label or where(client, name))
    talk.answer(answer)
    found = answer.data["evidence"]
    talk.out(f"{name}  {t('models.outcome.' + found['outcome'])}  {found['detail']}".rstrip())
    if found["outcome"] in ("failed", "changed"):
        raise SystemExit(7)


@verb("models.retire", click.argument("name"), LABEL)
def retire(talk: Talk, name: str, label: str) -> None:
    client = talk.client()
    answer = client.post("/api/models/retire", {"model": name}, acting=label or where(client, name))
    talk.answer(answer)
    talk.out("  ".join(_row(talk, answer.data)))


@verb("models.why", click.argument("name"), click.argument("text", required=False, default=""), LABEL)
def why(talk: Talk, name: str, text: str, label: str) -> None:
    answer = talk.client().post("/api/models/why", {"model": name, "text": text}, acting=label)
    talk.answer(answer)
    rows = [(str(v["place"] or "-"), v["model"], t("models.why." + (v["rule"] or "asked"))) for v in answer.data]
    for line in columns(rows):
        talk.out(line)


def floor_of(client: Client) -> str:
    """The lowest label of this session: where a model is registered unless somebody says otherwise."""
    return str(client.get("/api/session").data["floor"]["label"])


def where(client: Client, name: str) -> str:
    """The label at which a model's record lies: there alone it is changed."""
    return str(client.get(f"/api/models/{name}").data["label"])


def _row(talk: Talk, model: dict[str, Any]) -> tuple[str, ...]:
    state = "retired" if model["retired"] else "usable" if model["usable"] else "waiting"
    up_to = model["accreditation"] or model.get("proposed", "")
    place = t("models.outside" if model["outside"] else "models.inside")
    return model["name"], model["vendor"], place, t(f"models.state.{state}"), talk.marking(up_to)


def _plain(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(_plain(each) for each in value)
    if isinstance(value, dict):
        return " ".join(f"{name}={_plain(each)}" for name, each in value.items() if each)
    return str(value)


@contextmanager
def _laid_down(home: Path, path: Path) -> Iterator[str]:
    """A copy where the region looks for it; what it did not move away is gone afterwards."""
    token = secrets.token_hex(16)
    folder = home / "models" / "incoming" / token
    for each in (home / "models", home / "models" / "incoming", folder):
        each.mkdir(mode=0o700, exist_ok=True)
    try:
        _copied(path, folder)
        yield token
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _copied(path: Path, folder: Path) -> None:
    if path.is_file():
        _copy(path, folder / path.name)
        return
    count = 0
    for inside, folders, names in os.walk(path):
        for name in (*folders, *names):
            found, to = Path(inside, name), folder / Path(inside, name).relative_to(path)
            count += 1
            if count > FILES:
                raise failed(BadInput(what=t("models.many", most=FILES)))
            if name in folders and not found.is_symlink():
                to.mkdir(mode=0o700)
            else:
                _copy(found, to)


def _copy(path: Path, to: Path) -> None:
    """A plain file, never through a link in its last part."""
    if path.is_symlink() or not path.is_file():
        raise failed(BadInput(what=t("models.link", path=path)))
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as source, to.open("xb") as target:
        shutil.copyfileobj(source, target, 1 << 20)
