"""`casemate bundle split | join | gaps | check`: any file as volumes, of which any K give it back. Needs no region.

A gap report goes to standard output as groups of signs and as words that are read over the telephone; `split --again`
takes it back.
"""

from __future__ import annotations

import re
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from casemate.cli.bar import bar
from casemate.cli.command import option, verb
from casemate.cli.private_file import private
from casemate.cli.talk import Talk
from casemate.cli.tongue import t
from casemate.crypto import KeySigner
from casemate.errors import BadInput, Damaged, VolumesMissing

if TYPE_CHECKING:
    from casemate.transfer.volumes import Carried, Gap
    from casemate.wiring.volumes import Fault, Head, Join

__all__ = ["VOLUMES"]

VOLUMES = {
    "split": "bundle_volumes:split",
    "join": "bundle_volumes:join",
    "gaps": "bundle_volumes:gaps",
    "check": "bundle_volumes:check",
}

MEDIA = {"cd650": 650 * 10**6, "cd700": 700 * 10**6, "dvd": 4_300 * 10**6, "bd25": 25_000 * 10**6}
UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}
UNITS |= {"kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40}
FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
HOME = click.Path(path_type=Path, exists=True, file_okay=False)
NEW = click.Path(path_type=Path, dir_okay=False)
PLACES = click.argument("places", nargs=-1, type=click.Path(path_type=Path, exists=True))
SIGNING = (32, 33, 64)  # bytes of a private key that signs: crypto.sign
MOST_PUBLIC = 8192


@verb(
    "bundle.split",
    click.argument("file", type=FILE),
    option("--output", type=HOME, required=True, metavar="FOLDER"),
    option("--banner", default="", metavar="TEXT"),
    option("--id", default="", metavar="HEX"),
    option("--size", default="", metavar="SIZE"),
    option("--count", type=click.IntRange(1, 255), default=None),
    option("--parity", type=click.IntRange(0, 254), default=1),
    option("--again", default="", metavar="CODE"),
    option("--sign-with", "signer", type=FILE, default=None, metavar="FILE"),
)
def split(
    talk: Talk,
    file: Path,
    output: Path,
    banner: str,
    id: str,
    size: str,
    count: int | None,
    parity: int,
    again: str,
    signer: Path | None,
) -> None:
    from casemate.transfer.volumes import read_code
    from casemate.wiring import volumes as wired

    if bool(size) + (count is not None) + bool(again) != 1:
        raise BadInput(what=t("volumes.one_of"))
    carried = _carried(file, id, banner)
    own = KeySigner(private(signer, SIGNING)) if signer is not None else None
    with ExitStack() as stack:
        step = _step(talk, stack, "volumes.writing")
        if again:
            cut = wired.again(file, output, carried, read_code(again), own, step)
        else:
            cut = wired.cut(file, output, carried, parity, count or 0, _bytes(size), own, step)
    layout = cut.head.layout
    talk.marked(carried.banner)
    told = {"set": cut.head.set_name, "need": layout.k, "of": layout.n, "files": [str(each) for each in cut.files]}
    talk.data(told, marking=carried.banner)
    talk.say("volumes.cut", set=cut.head.set_name, need=layout.k, of=layout.n)
    for each in cut.files:
        talk.out(str(each))


@verb(
    "bundle.join",
    PLACES,
    option("--output", type=NEW, required=True, metavar="FILE"),
    option("--set", "chosen", default="", metavar="SET"),
    option("--signer", type=FILE, default=None, metavar="FILE"),
)
def join(talk: Talk, places: tuple[Path, ...], output: Path, chosen: str, signer: Path | None) -> None:
    from casemate.wiring.volumes import Join

    with ExitStack() as stack:
        work = stack.enter_context(Join(output))
        believed = _public(signer) if signer is not None else b""
        taken = work.take(places, chosen, _step(talk, stack, "volumes.reading"), believed)
        if work.head is None:
            raise BadInput(what=t("volumes.none"))
        head = work.head
        talk.marked(head.carried.banner)
        for fault in taken.faults:
            talk.say(f"volumes.fault.{fault.part}", **_told(fault))
        size = work.finish(_step(talk, stack, "volumes.mending"))
        if size < 0:
            _missing(talk, work)
        told = {"set": head.set_name, "size": size, "file": str(output), "signer": _signed(head)}
        talk.data({**told, "faults": [_told(each) for each in taken.faults]}, marking=head.carried.banner)
        talk.out(t("volumes.joined", file=output, size=size))


@verb("bundle.gaps", click.argument("output", type=NEW, required=False), option("--code", default="", metavar="CODE"))
def gaps(talk: Talk, output: Path | None, code: str) -> None:
    from casemate.ids import short
    from casemate.transfer.volumes import read_code
    from casemate.wiring.volumes import Join

    if (output is None) == (not code):
        raise BadInput(what=t("volumes.one_gap"))
    if code:
        gap = read_code(code)
        told = {"set": short(gap.set), "need": gap.k, "of": gap.n, "wanted": list(gap.wanted)}
        talk.data(told)
        talk.out(t("volumes.asked", **{**told, "wanted": _numbers(gap.wanted)}))
        return
    assert output is not None
    with Join(output) as work:
        gap, head = work.gap(), work.head
        assert head is not None
        talk.marked(head.carried.banner)
        talk.data(_gap(gap, head), marking=head.carried.banner)
        _spoken(talk, gap, head)


@verb("bundle.check", click.argument("places", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True)))
def check(talk: Talk, places: tuple[Path, ...]) -> None:
    from casemate.wiring.volumes import checked

    rows: list[dict[str, Any]] = []
    for name, head, faults in checked(places):
        rows.append({"file": name, "whole": not faults, **_head(head), "faults": [_told(each) for each in faults]})
        if head is not None:
            talk.marked(head.carried.banner)
            talk.out(t("volumes.whole" if not faults else "volumes.broken", file=name, **_head(head)))
        for fault in faults:
            talk.out(t(f"volumes.fault.{fault.part}", **_told(fault)))
    if not rows:
        raise BadInput(what=t("volumes.none"))
    talk.data(rows)
    if not all(row["whole"] for row in rows):
        raise SystemExit(Damaged.exit)


# ---- what they share ---------------------------------------------------------------------------------------------


def _missing(talk: Talk, work: Join) -> None:
    """The gap report, and the problem that ends the run. Raises VolumesMissing."""
    from casemate.transfer.volumes import write_code

    assert work.head is not None
    gap = work.gap()
    _spoken(talk, gap, work.head)
    code = write_code(gap)
    name, wanted = work.head.set_name, _numbers(gap.wanted)
    raise VolumesMissing(set=name, need=len(gap.wanted), wanted=wanted, code=code)


def _gap(gap: Gap, head: Head) -> dict[str, Any]:
    from casemate.transfer.volumes import write_code

    code = write_code(gap) if gap.wanted else ""
    return {"set": head.set_name, "need": gap.k, "of": gap.n, "wanted": list(gap.wanted), "code": code}


def _spoken(talk: Talk, gap: Gap, head: Head) -> None:
    """What is missing, each group of the code on a line of its own, as it is read aloud."""
    from casemate.transfer.volumes import SIGNS, write_code

    if not gap.wanted:
        talk.out(t("volumes.nothing", set=head.set_name))
        return
    talk.out(t("volumes.gap", set=head.set_name, need=len(gap.wanted), wanted=_numbers(gap.wanted), of=gap.n))
    words = dict(zip(SIGNS, t("volumes.aloud").split(), strict=True))
    for number, group in enumerate(write_code(gap).split(), 1):
        talk.out(t("volumes.group", number=number, group=group, aloud=" ".join(words[sign] for sign in group)))


def _numbers(wanted: tuple[int, ...]) -> str:
    return ", ".join(map(str, wanted))


def _told(fault: Fault) -> dict[str, Any]:
    return {"file": fault.file, "part": fault.part, "volume": fault.volume or None, "frame": max(fault.frame, 0)}


def _head(head: Head | None) -> dict[str, Any]:
    if head is None:
        return {}
    layout = head.layout
    told = {"set": head.set_name, "number": head.number, "need": layout.k, "of": layout.n, "size": layout.total}
    return {**told, "banner": head.carried.banner, "carried": head.carried.id.hex(), "signer": _signed(head)}


def _signed(head: Head) -> str:
    from casemate.crypto import key_id

    return key_id(head.public) if head.public else ""


def _carried(file: Path, id: str, banner: str) -> Carried:
    """What each volume says of the file: a bundle says it itself, of anything else it is stated. Raises BadInput."""
    from casemate.transfer.volumes import Carried
    from casemate.wiring.bundles import named_outside

    own = named_outside(file)
    if own is None:
        if not banner:
            raise BadInput(what=t("volumes.no_banner"))
        return Carried(_id(id), banner)
    if (banner and banner != own[1]) or (id and _id(id) != own[0]):
        raise BadInput(what=t("volumes.own_banner"))
    return Carried(*own)


def _id(told: str) -> bytes:
    if not told:
        return bytes(16)
    if not re.fullmatch(r"[0-9a-fA-F]{32}", told):
        raise BadInput(what=t("volumes.no_id"))
    return bytes.fromhex(told)


def _bytes(told: str) -> int:
    """`650MB`, `4.3 GB`, `25GiB`, or a medium by its name. Raises BadInput."""
    if not told or told.lower() in MEDIA:
        return MEDIA.get(told.lower(), 0)
    found = re.fullmatch(r"(\d{1,12}(?:\.\d{1,3})?) ?([a-z]{0,3})", told.lower())
    if found is None or found[2] not in UNITS:
        raise BadInput(what=t("volumes.no_size", size=told, media=", ".join(MEDIA)))
    return int(float(found[1]) * UNITS[found[2]])


def _public(file: Path) -> bytes:
    """A public key: its bytes, or these in hexadecimal. Raises BadInput."""
    from casemate.crypto import is_public_key

    with file.open("rb") as held:
        raw = held.read(MOST_PUBLIC)
    text = raw.strip()
    if re.fullmatch(rb"(?:[0-9a-fA-F]{2})+", text):
        raw = bytes.fromhex(text.decode())
    if not is_public_key(raw):
        raise BadInput(what=t("volumes.no_signer", file=file))
    return raw


def _step(talk: Talk, stack: ExitStack, slug: str) -> Any:
    """What is told how far a run has come, and opens a bar once it knows how far it goes."""
    tell: list[Any] = []

    def told(done: int, of: int) -> None:
        if not tell:
            tell.append(stack.enter_context(bar(talk, slug, of)))
        tell[0](done)

    return told
