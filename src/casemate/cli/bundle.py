"""`casemate bundle`: what crosses an air gap, made, signed, looked at and opened as a file. No region is asked.

key, channel    once        create, sign, approve    a bundle on its way        verify, explain, open, list

Private halves of keys stay in their owners' files; a passphrase is asked for, never given as an option.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any, Literal

import click

from casemate.cli.command import Group, option, verb
from casemate.cli.passphrase import passphrase
from casemate.cli.private_file import kept, private
from casemate.cli.talk import Talk
from casemate.cli.tongue import t
from casemate.clock import SystemClock, iso
from casemate.crypto import Keeper, KeySigner, generate, generate_keeper
from casemate.crypto.locked import lock
from casemate.errors import BadInput, Conflict
from casemate.transfer.bundle import Outside

__all__ = ["FILE", "bundle", "keepers", "outside", "told"]

bundle = Group(
    "bundle",
    {
        "key": "bundle:key",
        "channel": "bundle:channel",
        "rotate": "bundle:rotate",
        "trust": "bundle:trust",
        "create": "bundle:create",
        "sign": "bundle:sign",
        "approve": "bundle:approve",
        "verify": "bundle_look:verify_",
        "explain": "bundle_look:explain",
        "open": "bundle_look:open_",
        "list": "bundle_look:listing",
        "split": "bundle_volumes:split",
        "join": "bundle_volumes:join",
        "gaps": "bundle_volumes:gaps",
        "check": "bundle_volumes:check",
        "send": "bundle_region:send",
        "import": "bundle_region:import_",
    },
)

FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)
NEW = click.Path(path_type=Path)
KEY = option("--key", "keyfile", type=FILE, required=True, metavar="FILE")
PROFILE = option("--profile", type=click.Choice(["hybrid", "cnsa2"]), default="hybrid")
_MOST_KEY = 64 << 10
SIZES = (33, 64, 112)  # cnsa2 and hybrid to sign, cnsa2 and hybrid to receive


@verb(
    "bundle.key",
    option("--use", type=click.Choice(["sign", "receive"]), default="sign"),
    PROFILE,
    option("--output", type=NEW, required=True, metavar="FILE"),
    option("--bare", is_flag=True),
)
def key(talk: Talk, use: str, profile: Literal["hybrid", "cnsa2"], output: Path, bare: bool) -> None:
    raw = generate(profile) if use == "sign" else generate_keeper(profile)
    public, name = _halves(raw, use)
    beside = output.with_name(f"{output.name}.pub")
    if beside.exists():
        raise Conflict(what=str(beside))
    kept(output, lock(raw, "" if bare else passphrase(twice=True)))
    kept(beside, f"{public.hex()}\n".encode())
    talk.data({"file": str(output), "public": str(beside), "key": name})
    talk.say("bundle.kept", file=output, public=beside)
    talk.out(name)


@verb(
    "bundle.channel",
    click.argument("place", type=NEW, metavar="FOLDER"),
    option("--source", required=True, metavar="REGION"),
    option("--destination", required=True, metavar="REGION"),
    option("--label", required=True, metavar="LABEL"),
    option("--floor", default="bottom", metavar="LABEL"),
    option("--ceiling", default="", metavar="LABEL"),
    option("--policy", default="us", metavar="NAME,..."),
    PROFILE,
    option("--recipient", "recipients", type=FILE, multiple=True, required=True, metavar="FILE"),
    option("--signer", "signers", type=FILE, multiple=True, required=True, metavar="FILE"),
    option("--approver", "approvers", type=FILE, multiple=True, metavar="FILE"),
    option("--signatures", type=click.IntRange(1, 12), default=1),
    option("--approvals", type=click.IntRange(0, 12), default=0),
    option("--bare", is_flag=True),
)
def channel(talk: Talk, place: Path, **said: Any) -> None:
    from casemate.wiring.bundle_channel import Order, found

    order = Order(
        said["source"],
        said["destination"],
        said["label"],
        said["floor"],
        said["ceiling"] or said["label"],
        tuple(part.strip() for part in said["policy"].split(",") if part.strip()),
        said["profile"],
        tuple(map(_public, said["recipients"])),
        tuple(map(_public, said["signers"])),
        tuple(map(_public, said["approvers"])),
        (said["signatures"], said["approvals"]),
    )
    made = found(place, order, "" if said["bare"] else passphrase(twice=True), SystemClock().now())
    state = place / "state.json"
    talk.data({"channel": made.channel, "folder": str(place), "state": str(state)}, made.label, made.banner)
    talk.marked(made.banner)
    talk.say("bundle.founded", state=state)
    talk.out(made.channel)


@verb(
    "bundle.rotate",
    click.argument("place", type=FOLDER, metavar="FOLDER"),
    option("--signer", "signers", type=FILE, multiple=True, required=True, metavar="FILE"),
    option("--approver", "approvers", type=FILE, multiple=True, metavar="FILE"),
    option("--signatures", type=click.IntRange(1, 12), default=1),
    option("--approvals", type=click.IntRange(0, 12), default=0),
)
def rotate(
    talk: Talk,
    place: Path,
    signers: tuple[Path, ...],
    approvers: tuple[Path, ...],
    signatures: int,
    approvals: int,
) -> None:
    from casemate.wiring.bundle_channel import channel_in, rotated

    keys = tuple(map(_public, signers)), tuple(map(_public, approvers))
    own = channel_in(place)
    made = rotated(place, *keys, (signatures, approvals), _channel_keys(), SystemClock().now())
    root = place / "roots" / f"{made.version}.root.json"
    talk.data({"channel": own.channel, "version": made.version, "root": str(root)}, own.label, own.banner)
    talk.marked(own.banner)
    talk.say("bundle.rotated", root=root)
    talk.out(str(root))


@verb(
    "bundle.trust",
    option("--state", "statefile", type=FILE, required=True, metavar="FILE"),
    option("--root", "roots", type=FILE, multiple=True, metavar="FILE"),
    option("--revoke", "revoked", multiple=True, metavar="NAME"),
)
def trust(talk: Talk, statefile: Path, roots: tuple[Path, ...], revoked: tuple[str, ...]) -> None:
    from casemate.transfer.bundle import read_root
    from casemate.wiring.bundle_channel import trusted

    after = trusted(statefile, roots, revoked)
    version = read_root(after.root.encode()).trust.version
    talk.data({"version": version, "revoked": list(after.revoked)}, after.label, after.banner)
    talk.marked(after.banner)
    talk.out(t("bundle.trusts", version=version, count=len(after.revoked)))


@verb(
    "bundle.create",
    click.argument("paths", nargs=-1, required=True, metavar="FILE...", type=click.Path(exists=True, path_type=Path)),
    option("--channel", "place", type=FOLDER, required=True, metavar="FOLDER"),
    KEY,
    option("--output", type=NEW, required=True, metavar="FILE"),
    option("--label", default="", metavar="LABEL"),
    option("--mark", "marks", multiple=True, metavar="NAME=LABEL"),
    option("--days", type=click.IntRange(1, 3660), default=90),
)
def create(
    talk: Talk,
    paths: tuple[Path, ...],
    place: Path,
    keyfile: Path,
    output: Path,
    label: str,
    marks: tuple[str, ...],
    days: int,
) -> None:
    from casemate.wiring.bundle_channel import channel_in
    from casemate.wiring.bundles import Given
    from casemate.wiring.bundles import create as made

    own = channel_in(place)
    given_marks = dict(each.partition("=")[::2] for each in marks)
    names = [path.resolve().name for path in paths]
    strangers = set(given_marks) - set(names)
    if strangers:
        raise BadInput(what=t("bundle.no_such", name=min(strangers)))
    given = [
        Given(path, name, given_marks.get(name, label or own.label)) for path, name in zip(paths, names, strict=True)
    ]
    signer = KeySigner(private(keyfile, SIZES))
    found = made(place, given, output, signer, _channel_keys(), SystemClock().now(), days)
    _say(talk, output, found)


@verb("bundle.sign", click.argument("path", type=FILE, metavar="BUNDLE"), KEY)
def sign(talk: Talk, path: Path, keyfile: Path) -> None:
    from casemate.wiring.bundles import other_sign

    _say(talk, path, other_sign(path, KeySigner(private(keyfile, SIZES)), "signer"))


@verb("bundle.approve", click.argument("path", type=FILE, metavar="BUNDLE"), KEY, option("--yes", is_flag=True))
def approve(talk: Talk, path: Path, keyfile: Path, yes: bool) -> None:
    from casemate.wiring.bundles import other_sign, outside_of

    before = outside_of(path)
    talk.marked(before.face.banner)
    for line in told(outside(before)):
        talk.say("bundle.line", line=line)
    if not yes and not click.confirm(t("bundle.sure"), err=True):
        raise click.Abort
    _say(talk, path, other_sign(path, KeySigner(private(keyfile, SIZES)), "approver"))


def keepers(path: Path | None) -> list[Keeper]:
    """Whose the bundle may be: nobody's where no file is given."""
    return [] if path is None else [Keeper(private(path, SIZES))]


def outside(found: Outside) -> dict[str, Any]:
    """What stands outside, as `--json` tells it."""
    face = found.face
    return {
        "bundle": face.id.hex(),
        "channel": face.channel.hex(),
        "sequence": face.sequence,
        "expires": iso(face.expires),
        "size": face.size,
        "profile": face.profile,
        "banner": face.banner,
        "recipients": len(face.recipients),
        "signatures": [{"role": each.role, "key": each.key} for each in found.signatures],
    }


def told(data: dict[str, Any]) -> Sequence[str]:
    """The same in words."""
    lines = [
        t("bundle.is", banner=data["banner"], sequence=data["sequence"], channel=data["channel"]),
        t("bundle.until", expires=data["expires"][:10], size=_size(data["size"])),
        t("bundle.to", count=data["recipients"]),
    ]
    return [*lines, *(t(f"bundle.by.{each['role']}", key=each["key"]) for each in data["signatures"])]


def _say(talk: Talk, path: Path, found: Outside) -> None:
    data = {"file": str(path), **outside(found)}
    talk.data(data, "", found.face.banner)
    talk.marked(found.face.banner)
    for line in told(data):
        talk.say("bundle.line", line=line)
    talk.out(str(path))


def _size(size: int) -> str:
    return f"{size / (1 << 30):.1f} GiB" if size >= 1 << 30 else f"{size / (1 << 20):.1f} MiB"


def _halves(raw: bytes, use: str) -> tuple[bytes, str]:
    if use == "receive":
        recipient = Keeper(raw).recipient
        return recipient.public, recipient.name
    signer = KeySigner(raw)
    return signer.public, signer.key_id


def _public(path: Path) -> bytes:
    """The public half in a file. Raises BadInput."""
    if path.stat().st_size > _MOST_KEY:
        raise BadInput(what=str(path))
    try:
        return bytes.fromhex(path.read_bytes().decode("ascii").strip())
    except ValueError:
        raise BadInput(what=t("bundle.no_public", file=path)) from None


def _channel_keys() -> Callable[[Path], bytes]:
    """Reads the keys of a channel, and asks for their passphrase once."""
    return partial(private, sizes=SIZES, asked=cache(passphrase))
