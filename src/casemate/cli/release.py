"""`casemate release`: the only way down, for the three people whom it takes, and the officer who registers keys.

`key` and `sign` need no region. The private half of an approval key stays in its owner's file: it is read here, signs
here what has been shown here, and never goes anywhere.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import msgspec

from casemate.cli.client import Answer, Client
from casemate.cli.command import Group, option, verb
from casemate.cli.failure import failed
from casemate.cli.passphrase import passphrase
from casemate.cli.private_file import kept, private
from casemate.cli.table import columns
from casemate.cli.talk import Talk
from casemate.cli.tongue import t
from casemate.clock import iso
from casemate.crypto import KeySigner, generate
from casemate.crypto.locked import lock
from casemate.errors import Absent, BadInput

__all__ = ["release"]

release = Group(
    "release",
    {
        "request": "release:request",
        "list": "release:listing",
        "show": "release:show",
        "approve": "release:approve",
        "refuse": "release:refuse",
        "carry": "release:carry",
        "key": "release:key",
        "offer": "release:offer",
        "keys": "release:keys",
        "register": "release:register",
        "revoke": "release:revoke",
        "sign": "release:sign",
        "quota": "release_quota:quota",
        "dispatch": "release_quota:dispatch",
        "dispatches": "release_quota:dispatches",
    },
)

KINDS = {"document": "document.part", "finding": "mission-finding", "dispatch": "transfer.dispatch"}
FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
NEW = click.Path(path_type=Path, dir_okay=False)
KEY = option("--key", "keyfile", type=FILE, required=True, metavar="FILE")
FOR = option("--for", "acting", default="", metavar="LABEL")


@verb(
    "release.request",
    click.argument("kind", type=click.Choice(["answer", "document", "finding", "dispatch"])),
    click.argument("id"),
    option("--to", required=True, metavar="LABEL"),
    option("--reason", required=True),
    option("--part", default="", metavar="PASSAGE"),
    option("--label", default="", metavar="LABEL"),
    option("--days", type=click.IntRange(1, 30), default=7),
    option("--format", type=click.Choice(["text", "csv", "json"]), default=None),
    option("--schema", "schemafile", type=FILE, default=None),
    FOR,
)
def request(talk: Talk, kind: str, acting: str, schemafile: Path | None, format: str | None, **said: Any) -> None:
    schema = schemafile.read_text() if schemafile is not None else ""
    body = {"kind": KINDS.get(kind, kind), "format": format or "", "schema": schema, **said}
    answer = talk.client().post("/api/releases", body, acting)
    talk.answer(answer)
    talk.say("release.waits")
    talk.out("  ".join(_row(answer.data)))


@verb("release.list", FOR)
def listing(talk: Talk, acting: str) -> None:
    answer = talk.client().get("/api/releases", acting)
    talk.answer(answer)
    if not answer.data["door"]:
        talk.say("release.no_door")
    for line in columns([_row(each) for each in answer.data["requests"]]):
        talk.out(line)


@verb("release.show", click.argument("id"), FOR)
def show(talk: Talk, id: str, acting: str) -> None:
    answer = talk.client().get(f"/api/releases/{id}", acting)
    talk.answer(answer)
    _shown(talk, answer)


@verb("release.approve", click.argument("id"), KEY, option("--yes", is_flag=True))
def approve(talk: Talk, id: str, keyfile: Path, yes: bool) -> None:
    from casemate.identity.approval import Statement, digest_of_text
    from casemate.identity.approval import sign as signed

    client = talk.client()
    shown = client.get(f"/api/releases/{id}")
    statement = msgspec.convert(shown.data["statement"], Statement)
    if not shown.data["text"] or digest_of_text(shown.data["text"]) != statement.leaves:
        raise BadInput(what=t("release.not_what_is_shown"))
    _shown(talk, shown)
    if not yes and not click.confirm(t("release.sure"), err=True):
        raise click.Abort
    named, signature = signed(statement, private(keyfile))
    body = {"key": named.key, "signature": signature}
    answer = client.post(f"/api/releases/{id}/approve", body, shown.data["label"])
    talk.answer(answer)
    talk.out(f"{answer.data['name']}  {answer.data['key']}")


@verb("release.refuse", click.argument("id"), option("--reason", "why", default=""))
def refuse(talk: Talk, id: str, why: str) -> None:
    client = talk.client()
    answer = client.post(f"/api/releases/{id}/refuse", {"why": why}, _label(client, id))
    talk.answer(answer)
    talk.out(f"{id}  {t('release.state.' + answer.data['state'])}")


@verb("release.carry", click.argument("id"))
def carry(talk: Talk, id: str) -> None:
    client = talk.client()
    answer = client.post(f"/api/releases/{id}/carry", None, _label(client, id))
    talk.answer(answer)
    talk.out(f"{answer.data['landed'].partition('@')[0]}  {talk.marking(answer.data['statement']['target'])}")


@verb("release.key", option("--output", type=NEW, required=True, metavar="FILE"), option("--bare", is_flag=True))
def key(talk: Talk, output: Path, bare: bool) -> None:
    raw = generate()
    signer = KeySigner(raw)
    kept(output, lock(raw, "" if bare else passphrase(twice=True)))
    talk.data({"file": str(output), "key": signer.key_id, "public": signer.public.hex()})
    talk.say("release.kept", file=output)
    talk.out(signer.key_id)


@verb("release.offer", KEY, FOR)
def offer(talk: Talk, keyfile: Path, acting: str) -> None:
    from casemate.identity.approval import sign_offer

    client = talk.client()
    region, name = client.get("/api/region").data["name"], client.get("/api/session").data["principal"]
    public, proof = sign_offer(region, name, private(keyfile))
    answer = client.post("/api/release-keys", {"public": public, "proof": proof}, acting)
    talk.answer(answer)
    talk.say("release.offered")
    talk.out(answer.data["id"])


@verb("release.keys", FOR)
def keys(talk: Talk, acting: str) -> None:
    answer = talk.client().get("/api/release-keys", acting)
    talk.answer(answer)
    for line in columns([_key_row(talk, each) for each in answer.data]):
        talk.out(line)


@verb(
    "release.register",
    click.argument("id"),
    option("--lowest", required=True, metavar="LABEL"),
    option("--days", type=click.IntRange(1, 366), default=365),
    option("--speaks", multiple=True, metavar="AGENCY"),
)
def register(talk: Talk, id: str, **said: Any) -> None:
    client = talk.client()
    answer = client.post(f"/api/release-keys/{id}/register", said, _key_label(client, id))
    talk.answer(answer)
    if answer.data is None:
        talk.say("release.key_waits")
    else:
        talk.out("  ".join((answer.data["id"], answer.data["name"], talk.marking(answer.data["lowest"]))))


@verb("release.revoke", click.argument("id"))
def revoke(talk: Talk, id: str) -> None:
    client = talk.client()
    answer = client.call("DELETE", f"/api/release-keys/{id}", acting=_key_label(client, id))
    talk.answer(answer)
    talk.out(id)


@verb("release.sign", click.argument("statement", type=FILE), KEY)
def sign(talk: Talk, statement: Path, keyfile: Path) -> None:
    from casemate.identity.approval import Statement
    from casemate.identity.approval import sign as signed

    try:
        said = msgspec.json.decode(statement.read_bytes(), type=Statement)
        named, signature = signed(said, private(keyfile))
    except (msgspec.DecodeError, ValueError):
        raise BadInput(what=t("release.no_statement", file=statement)) from None
    talk.data({"key": named.key, "signature": signature})
    talk.say("release.signs", lines=named.body().decode())
    talk.out(f"{named.key} {signature}")


# ---- what they share ---------------------------------------------------------------------------------------------


def _label(client: Client, id: str) -> str:
    """Where the request lies: what is done to it is done there."""
    return str(client.get(f"/api/releases/{id}").data["label"])


def _key_label(client: Client, id: str) -> str:
    for each in client.get("/api/release-keys").data:
        if each["key"]["id"] == id:
            return str(each["label"])
    raise failed(Absent(kind="approval-key", id=id))


def _row(each: dict[str, Any]) -> tuple[str, ...]:
    said = each["request"]
    way = f"{each['source']['marking']} → {each['target']['marking']}"
    return each["id"], t(f"release.state.{said['state']}"), said["name"], iso(said["expires"])[:10], way, said["reason"]


def _key_row(talk: Talk, each: dict[str, Any]) -> tuple[str, ...]:
    made = each["key"]
    if made["state"] == "offered":
        return made["id"], made["name"], t("release.state.offered"), "", each["marking"]
    ends, speaks = iso(made["ends"])[:10], ", ".join(made["speaks"])
    return made["id"], made["name"], talk.marking(made["lowest"]), ends, speaks


def _shown(talk: Talk, answer: Answer) -> None:
    data = answer.data
    said = data["request"]
    talk.out("  ".join(_row(data)))
    for given in data["approvals"]:
        talk.out(t("release.approved", name=given["name"], at=iso(given["at"])))
    if said["why"]:
        talk.out(said["why"])
    if data["text"]:
        talk.say("release.leaves")
        talk.out(data["text"])
    elif said["state"] == "asked":
        talk.say("release.changed")
