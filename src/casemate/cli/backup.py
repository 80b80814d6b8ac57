"""`casemate backup`: increments and drills of a region, and what needs none: list, verify, restore.

What a backup is opened with is a file: the recovery key, whose passphrase is asked for, or the region's own backup key
where its folder is at hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from casemate.cli.bar import bar, waiting
from casemate.cli.command import Group, option, verb
from casemate.cli.ledger_heads import key_in
from casemate.cli.passphrase import passphrase
from casemate.cli.private_file import kept, private
from casemate.cli.table import columns
from casemate.cli.talk import Talk
from casemate.cli.tongue import t
from casemate.clock import iso, parse_iso
from casemate.errors import BadInput, Damaged, Forged, NoBackups

if TYPE_CHECKING:
    from casemate.crypto import Keeper
    from casemate.custody.backup import Head
    from casemate.custody.backup_verdict import Verdict
    from casemate.wiring.backup import Chosen

__all__ = ["backup"]

backup = Group(
    "backup",
    {
        "run": "backup:run",
        "drill": "backup:drill",
        "list": "backup:listing",
        "verify": "backup:verify",
        "restore": "backup:restore",
        "recipient": "backup:recipient",
    },
)

FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
HOME = click.Path(path_type=Path, exists=True, file_okay=False)
FROM = option("--from", "home", type=HOME, default=None, metavar="FOLDER")
HEAD = option("--head", "headfile", type=FILE, default=None, metavar="FILE")
KEY = option("--key", "keyfile", type=FILE, default=None, metavar="FILE")
SIGNER = option("--signer", "signer", type=FILE, default=None, metavar="FILE")
CHAIN = option("--chain", default="", metavar="CHAIN")
SIZES = (64, 112)  # of a private key to which others wrap: crypto.wrap
MARK, DIGEST = b"\x01", 48  # behind it in a recovery key's file: whose links are to be believed


LABEL = option("--label", default="", metavar="LABEL")


@verb("backup.run", LABEL)
def run(talk: Talk, label: str) -> None:
    with waiting(talk, "backup.running"):
        answer = talk.client().post("/api/backup", None, acting=label)
    talk.answer(answer)
    talk.say("backup.ran", commit=answer.data["commit"])
    talk.out(msgspec.json.encode(answer.data).decode())


@verb("backup.drill", LABEL)
def drill(talk: Talk, label: str) -> None:
    with waiting(talk, "backup.drilling"):
        answer = talk.client().post("/api/backup/drill", None, acting=label)
    talk.answer(answer)
    said = answer.data
    talk.out(t("backup.drilled.equal" if said["equal"] else "backup.drilled.differs", **said))
    for each in said["differs"]:
        talk.out(f"  {each}")
    if not said["equal"]:
        raise SystemExit(Damaged.exit)


@verb("backup.list", FROM, KEY, SIGNER)
def listing(talk: Talk, home: Path | None, keyfile: Path | None, signer: Path | None) -> None:
    from casemate.wiring import backup as wired

    there, (keepers, vouched) = _home(talk, home), _keepers(talk, keyfile)
    trusted = _trusted(talk, vouched, signer, None)
    found = [wired.choose(there, keepers, name, deep=False, trusted=trusted) for name in wired.names(there)]
    talk.marked(found[-1].face.marking if found else "")
    talk.data([_told(each) for each in found], *_marking(found[-1:]))
    for line in columns([_row(each) for each in found]):
        talk.out(line)


@verb("backup.verify", FROM, KEY, CHAIN, SIGNER, HEAD)
def verify(
    talk: Talk, home: Path | None, keyfile: Path | None, chain: str, signer: Path | None, headfile: Path | None
) -> None:
    keepers, vouched = _keepers(talk, keyfile)
    chosen = _chosen(talk, home, keepers, chain, headfile, vouched, signer)
    talk.marked(chosen.face.marking)
    talk.data(_told(chosen), *_marking([chosen]))
    talk.out("  ".join(_row(chosen)))
    for line in _faults(chosen.verdict):
        talk.out(line)
    if not chosen.verdict.whole:
        raise SystemExit(Forged.exit if chosen.verdict.tampered else Damaged.exit)


@verb(
    "backup.restore",
    click.argument("into", type=click.Path(path_type=Path)),
    FROM,
    KEY,
    CHAIN,
    SIGNER,
    HEAD,
    option("--at", default="", metavar="TIME"),
    option("--after", type=click.IntRange(min=0), default=None, metavar="COMMIT"),
    option("--last-good", is_flag=True),
)
def restore(
    talk: Talk,
    into: Path,
    home: Path | None,
    keyfile: Path | None,
    chain: str,
    signer: Path | None,
    headfile: Path | None,
    at: str,
    after: int | None,
    last_good: bool,
) -> None:
    from casemate.wiring import backup as wired

    keepers, vouched = _keepers(talk, keyfile)
    chosen = _chosen(talk, home, keepers, chain, headfile, vouched, signer)
    talk.marked(chosen.face.marking)
    for line in _faults(chosen.verdict):
        talk.out(line)
    way = wired.planned(chosen, after, _moment(at), last_good)
    with ExitStack() as stack:
        wired.restore(chosen, keepers, into, way, _step(talk, stack, "backup.restoring"))
    talk.data({"commit": way.commit, "at": way.at, "files": len(way.files), "folder": str(into)}, *_marking([chosen]))
    talk.out(t("backup.restored", commit=way.commit, at=iso(way.at), folder=into))


@verb(
    "backup.recipient",
    click.argument("output", type=click.Path(path_type=Path, dir_okay=False)),
    option("--install", is_flag=True),
)
def recipient(talk: Talk, output: Path, install: bool) -> None:
    from casemate.crypto import Keeper, generate_keeper
    from casemate.crypto.locked import lock
    from casemate.wiring import Folder
    from casemate.wiring.backup import whose

    private, said = generate_keeper(), passphrase(twice=True)
    made = Keeper(private).recipient
    vouched = whose((talk.region() if install else Folder(talk.folder or Folder.default())).keys)
    kept(output, lock(private + b"".join(MARK + bytes.fromhex(each) for each in vouched), said))
    public = talk.region().keys / "recovery.pub" if install else output.with_name(output.name + ".pub")
    kept(public, made.public.hex().encode() + b"\n")
    talk.data({"file": str(output), "public": str(public), "name": made.name, "signer": "".join(vouched)})
    talk.say("backup.kept", file=output, public=public)
    if not vouched:
        talk.say("backup.nobody_vouches")
    talk.out(made.name)


# ---- what they share ---------------------------------------------------------------------------------------------


def _chosen(
    talk: Talk,
    home: Path | None,
    keepers: Sequence[Keeper],
    chain: str,
    headfile: Path | None,
    vouched: tuple[str, ...],
    signer: Path | None,
) -> Chosen:
    """The chain, every byte of it read. Where the region's folder is at hand, what it noted itself counts too."""
    from casemate.wiring import Folder
    from casemate.wiring import backup as wired

    there = _home(talk, home)
    said = _head(headfile) if headfile is not None else None
    trusted = _trusted(talk, vouched, signer, said)
    head = said or wired.noted(Folder(talk.folder or Folder.default()))
    with ExitStack() as stack:
        return wired.choose(there, keepers, chain, head, told=_step(talk, stack, "backup.reading"), trusted=trusted)


def _trusted(talk: Talk, vouched: tuple[str, ...], signer: Path | None, head: Head | None) -> tuple[str, ...]:
    """What says whose links these must be; all of it has to agree. Raises BadInput where nothing says it.

    A head is believed as far as whoever gives it: it was kept elsewhere. What the region's own folder has counts where
    that is the region; one that was made anew in its place says so by not agreeing.
    """
    from casemate.crypto import digest
    from casemate.wiring import Folder
    from casemate.wiring import backup as wired

    found = [*vouched, *([digest(_public(signer)).hex()] if signer is not None else [])]
    found += [head.signer] if head is not None and head.signer else []
    if not found:
        found += wired.whose(Folder(talk.folder or Folder.default()).keys)
    if not found:
        raise BadInput(what=t("backup.no_signer"))
    return tuple(found)


def _step(talk: Talk, stack: ExitStack, slug: str) -> Any:
    """What is told how far it has come, and opens a bar once it knows how far it goes."""
    tell: list[Any] = []

    def told(done: int, of: int) -> None:
        if not tell:
            tell.append(stack.enter_context(bar(talk, slug, of)))
        tell[0](done)

    return told


def _home(talk: Talk, home: Path | None) -> Path:
    """The destination: named, or as the region's settings name it."""
    from casemate.wiring import backup as wired

    if home is not None:
        return home
    region = talk.region()
    settings = region.settings()
    if not settings.backup.folder:
        raise NoBackups
    return wired.home_of(region, settings)


def _public(file: Path) -> bytes:
    """A copy of keys/ledger.pub, or what `ledger witness key` printed. Raises BadInput."""
    from casemate.crypto import is_public_key

    raw = file.read_bytes()
    found = raw if is_public_key(raw) else key_in(file)
    if not is_public_key(found):
        raise BadInput(what=t("ledger.no_key", file=file))
    return found


def _keepers(talk: Talk, keyfile: Path | None) -> tuple[tuple[Keeper, ...], tuple[str, ...]]:
    """What opens it: the file named, else the region's own backup key; and whose links that file believes."""
    from casemate.wiring import backup as wired

    if keyfile is None:
        return (wired.own_keeper(talk.region().keys),), ()
    keeper, vouched = _opened(keyfile)
    return (keeper,), vouched


def _opened(keyfile: Path) -> tuple[Keeper, tuple[str, ...]]:
    from casemate.crypto import Keeper

    more = len(MARK) + DIGEST
    key = private(keyfile, (*SIZES, *(size + more for size in SIZES)))
    if len(key) in SIZES:
        return Keeper(key), ()
    return Keeper(key[:-more]), (key[-DIGEST:].hex(),)


def _head(file: Path) -> Head:
    """A head as `backup run` printed it, or the document of --json."""
    from casemate.custody.backup import Head

    try:
        raw = msgspec.json.decode(file.read_bytes())
        return msgspec.convert(raw.get("data", raw), Head)
    except (AttributeError, msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError):
        raise BadInput(what=t("backup.no_head", file=file)) from None


def _moment(at: str) -> int | None:
    try:
        return parse_iso(at) if at else None
    except ValueError:
        raise BadInput(what=t("backup.no_time", at=at)) from None


def _faults(verdict: Verdict) -> list[str]:
    """What is wrong with which link, a line each."""
    return [
        t(f"backup.fault.{fault.what}", number="?" if fault.number is None else fault.number, name=fault.name)
        for fault in verdict.faults
    ]


def _told(chosen: Chosen) -> dict[str, Any]:
    verdict = chosen.verdict
    points = [title for title in verdict.titles if title.point is not None]
    last = points[-1].point if points else None
    return {
        "chain": chosen.face.chain,
        "label": chosen.face.label,
        "marking": chosen.face.marking,
        "whole": verdict.whole,
        "links": len(verdict.links),
        "unfinished": verdict.unfinished,
        "faults": [{"what": each.what, "link": each.number, "file": each.name} for each in verdict.faults],
        "points": [{"commit": each.point.commit, "at": each.at} for each in points if each.point is not None],
        "commit": max((each.wal.upto for each in verdict.titles if each.wal is not None), default=0),
        "note": last.note if last is not None else "",
    }


def _row(chosen: Chosen) -> tuple[str, ...]:
    told = _told(chosen)
    last = iso(told["points"][-1]["at"])[:19] + "Z" if told["points"] else "-"
    state = t("backup.whole" if told["whole"] else "backup.broken")
    return told["chain"], state, t("backup.reaches", commit=told["commit"], points=len(told["points"]), at=last)


def _marking(found: Sequence[Chosen]) -> tuple[str, str]:
    return (found[0].face.label, found[0].face.marking) if found else ("", "")
