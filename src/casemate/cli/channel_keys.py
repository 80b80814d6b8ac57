"""`casemate channel`: the keys of a channel that is open, and the people whom its bundles wait for.

show, rotate, renew, revoke      sign, approve, withdraw, fetch: a bundle, by its id in `casemate channel log`
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from casemate.cli.bundle_region import found, row
from casemate.cli.channel import FILE, NAME, at, kept, read, told
from casemate.cli.command import option, verb
from casemate.cli.talk import Talk
from casemate.cli.tongue import t
from casemate.clock import iso
from casemate.errors import Absent

__all__ = ["approve", "fetch", "fetching", "renew", "revoke", "rotate", "show", "sign", "withdraw"]

BUNDLES = "/api/transfer/bundles"
BUNDLE = click.argument("id", metavar="BUNDLE")
NEW = click.Path(path_type=Path)


@verb("channel.show", NAME)
def show(talk: Talk, name: str) -> None:
    answer = talk.client().get(at(name), acting=found(talk, name)["label"])
    talk.answer(answer)
    told(talk, answer.data)
    keys = answer.data["keys"]
    talk.out(t("transfer.root", version=keys["version"]))
    for use in ("signers", "approvers", "roles", "opens", "revoked"):
        if keys[use]:
            talk.out(t(f"transfer.keys.{use}", keys=" ".join(keys[use])))


@verb(
    "channel.rotate",
    NAME,
    option("--revoke", "revoked", is_flag=True),
    option("--signatures", type=click.IntRange(0, 6), default=0),
    option("--approvals", type=click.IntRange(0, 5), default=None),
    option("--output", type=NEW, default=None, metavar="FILE"),
)
def rotate(talk: Talk, name: str, revoked: bool, signatures: int, approvals: int | None, output: Path | None) -> None:
    body = {"revoke": revoked, "signatures": signatures, "approvals": approvals}
    done = _done(talk, name, "rotate", body)
    if done and output is not None:
        kept(talk, output, _carried(talk, name, done))


@verb("channel.renew", NAME, click.argument("file", type=FILE))
def renew(talk: Talk, name: str, file: Path) -> None:
    said = read(file)
    _done(talk, name, "renew", {"introduction" if "root" in said else "card": said})


@verb("channel.revoke", NAME, click.argument("keys", nargs=-1, required=True, metavar="KEY..."))
def revoke(talk: Talk, name: str, keys: tuple[str, ...]) -> None:
    _done(talk, name, "revoke", {"keys": keys})


@verb(
    "channel.fetching",
    NAME,
    option("--every", type=click.IntRange(1, 86_400), default=3600, metavar="SECONDS"),
    option("--step", type=click.IntRange(4096, 1 << 30), default=64 << 20, metavar="BYTES"),
    option("--window", type=click.IntRange(1, 60_000), default=1000, metavar="MILLISECONDS"),
    option("--resolution", type=click.IntRange(1, 1_000_000), default=1000, metavar="MICROSECONDS"),
    option("--never", is_flag=True),
)
def fetching(talk: Talk, name: str, every: int, step: int, window: int, resolution: int, never: bool) -> None:
    table = {"every": every, "step": step, "window": window, "resolution": resolution}
    done = _done(talk, name, "fetching", {"timetable": None if never else table})
    said = talk.client().get(at(name), acting=done["label"]).data["fetching"] if done else None
    if said:
        bits = f"{said['bits_per_day']:.1f}"
        talk.out(t("diode.residual", bits=bits, accreditor=said["accreditor"], at=iso(said["at"])[:10]))


@verb("channel.sign", BUNDLE)
def sign(talk: Talk, id: str) -> None:
    _counted(talk, id, "sign")


@verb("channel.approve", BUNDLE)
def approve(talk: Talk, id: str) -> None:
    _counted(talk, id, "approve")


@verb("channel.withdraw", BUNDLE)
def withdraw(talk: Talk, id: str) -> None:
    _counted(talk, id, "withdraw")


@verb("channel.fetch", BUNDLE, option("--output", type=NEW, default=None, metavar="FILE"))
def fetch(talk: Talk, id: str, output: Path | None) -> None:
    one = _bundle(talk, id)
    place = output or Path(f"{one['bundle']}.cmb")
    with place.open("xb") as file:

        def keep(piece: bytes) -> None:
            file.write(piece)

        talk.client().into(f"{BUNDLES}/{quote(one['id'], safe='')}/file", keep, one["label"])
    talk.data({"file": str(place), "sequence": one["sequence"]}, one["label"], one["mark"])
    talk.say("bundle.sent", sequence=one["sequence"], file=place)


def _done(talk: Talk, name: str, deed: str, body: dict[str, Any]) -> dict[str, Any] | None:
    answer = talk.client().post(f"{at(name)}/{deed}", body, found(talk, name)["label"])
    talk.answer(answer)
    told(talk, answer.data)
    return dict(answer.data) if answer.data else None


def _carried(talk: Talk, name: str, done: dict[str, Any]) -> dict[str, Any]:
    """What the other end has to know: an introduction by the sender, a card by the region that takes."""
    if done["side"] == "sent":
        return dict(talk.client().get(f"{at(name)}/introduction", acting=done["label"]).data)
    return dict(talk.client().get(at(name), acting=done["label"]).data["card"])


def _counted(talk: Talk, id: str, deed: str) -> None:
    one = _bundle(talk, id)
    answer = talk.client().post(f"{BUNDLES}/{quote(one['id'], safe='')}/{deed}", None, one["label"])
    talk.answer(answer)
    talk.out("  ".join(row(answer.data)))


def _bundle(talk: Talk, id: str) -> dict[str, Any]:
    """The visible bundle of that id, its own or its record's: what is done with it acts where it lies."""
    for each in talk.client().get(BUNDLES).data:
        if id in (each["id"], each["bundle"]) and each["side"] == "sent":
            return dict(each)
    raise Absent(kind="transfer.bundle", id=id)
