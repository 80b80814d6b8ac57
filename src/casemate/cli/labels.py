"""`casemate labels`: what is wrong with the marks of files, and what they say. No region is needed, and none is asked.

lint      findings                         fix       the same, with every fix that needs no person
rollup    banner, label, and the reasons   explain   what one marking means
"""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
import msgspec

from casemate.cli.bar import progress
from casemate.cli.command import Group, option, verb
from casemate.cli.failure import failed
from casemate.cli.files import Skipped
from casemate.cli.labels_comments import commented
from casemate.cli.labels_sarif import sarif
from casemate.cli.labels_texts import DOCX, STDIN, Text, sources, texts
from casemate.cli.labels_told import data, lines, shown
from casemate.cli.talk import Talk
from casemate.cli.tongue import language, t
from casemate.errors import BadInput, Mismarked, Unreadable
from casemate.labels import PACKAGED, Fixed, Linted, Policies, fix, lint

__all__ = ["FILES", "POLICY", "labels", "listed", "look"]

labels = Group(
    "labels",
    {
        "lint": "labels:lint_",
        "fix": "labels:fix_",
        "rollup": "labels_rollup:rollup",
        "explain": "labels_explain:explain",
    },
)

FIRST = ("us", "nato", "fr")  # between policies that read a text equally well
ORDINARY = ("house", "uk", "integrity")  # their words are those of any text: they are read where they are named
FILES = click.argument(
    "paths", nargs=-1, required=True, metavar="FILE...", type=click.Path(exists=True, allow_dash=True, path_type=Path)
)
POLICY: tuple[Callable[[Any], Any], ...] = (
    option("--policy", default="", metavar="NAME,..."),
    option("--extra", multiple=True, metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path)),
)
Seen = tuple[Text, Linted]


@verb("labels.lint", FILES, *POLICY, option("--sarif", "as_sarif", is_flag=True), option("--strict", is_flag=True))
def lint_(
    talk: Talk, paths: tuple[Path, ...], policy: str, extra: tuple[Path, ...], as_sarif: bool, strict: bool
) -> None:
    policies = listed(policy, extra)
    seen, unread = look(talk, paths, policies)
    if as_sarif:
        print(msgspec.json.format(msgspec.json.encode(sarif(seen, unread)), indent=2).decode(), flush=True)
    else:
        _say(talk, policies, seen, unread)
    _end(talk, seen, unread, strict, quiet=as_sarif)


@verb(
    "labels.fix",
    FILES,
    *POLICY,
    option("--in-place", is_flag=True),
    option("--output", type=click.Path(path_type=Path), default=None, metavar="FILE"),
)
def fix_(
    talk: Talk, paths: tuple[Path, ...], policy: str, extra: tuple[Path, ...], in_place: bool, output: Path | None
) -> None:
    """Text is written; a DOCX is copied with comments; what is left of either is told like `lint` does."""
    policies = listed(policy, extra)
    chosen = sources(paths)
    if output is not None and (in_place or len(chosen) != 1):
        raise BadInput(what=t("labels.one_output"))
    if not in_place and output is None and len(chosen) != 1:
        raise BadInput(what=t("labels.in_place"))
    seen: list[Seen] = []
    unread: list[Skipped] = []
    for text in texts(progress(talk, chosen, "labels.fixing")):
        if isinstance(text, Skipped):
            unread.append(text)
        elif text.paragraphs:
            seen.append((text, lint(policies, text.text)))
        else:
            fixed = fix(policies, text.text)
            _write(talk, text, fixed, in_place, output)
            seen.append((Text(text.path, fixed.text), fixed.linted))
    _comments(talk, seen, output)
    talk.marked(_marking(policies, seen))
    talk.data(*_document(policies, seen, unread))
    for text, linted in seen:
        for line in lines(talk, text, linted):
            print(line, file=sys.stderr) if not talk.json else None
    _end(talk, seen, unread, strict=False)


def look(talk: Talk, paths: tuple[Path, ...], policies: Policies) -> tuple[list[Seen], list[Skipped]]:
    """Every text in these files with its findings, and the files that cannot be read."""
    seen: list[Seen] = []
    unread: list[Skipped] = []
    for text in texts(progress(talk, sources(paths), "labels.reading")):
        if isinstance(text, Skipped):
            unread.append(text)
        else:
            seen.append((text, lint(policies, text.text)))
    return seen, unread


def listed(policy: str, extra: tuple[Path, ...]) -> Policies:
    """The policies that are named, else all that can be told from ordinary words; with a site's files."""
    names = tuple(part.strip() for part in policy.split(",") if part.strip())
    default = (*FIRST, *(name for name in PACKAGED if name not in (*FIRST, *ORDINARY)))
    return Policies.load(names or default, extra)


def _say(talk: Talk, policies: Policies, seen: Sequence[Seen], unread: Sequence[Skipped]) -> None:
    talk.marked(_marking(policies, seen))
    talk.data(*_document(policies, seen, unread))
    for text, linted in seen:
        for line in lines(talk, text, linted):
            talk.out(line)


def _document(policies: Policies, seen: Sequence[Seen], unread: Sequence[Skipped]) -> tuple[dict[str, Any], str, str]:
    """What `--json` tells, and the label and marking of all that it quotes."""
    told = {
        "files": [data(text, linted, policies) for text, linted in seen],
        "unread": [{"path": each.path, "reason": each.reason} for each in unread],
    }
    label = policies.bottom()
    for _, linted in seen:
        label = label | linted.rolled.label if linted.rolled else label
    return told, label.text, policies.banner(label, language())


def _marking(policies: Policies, seen: Sequence[Seen]) -> str:
    """The marking of what is quoted; nothing where no text bears a mark."""
    return _document(policies, seen, ())[2] if any(linted.rolled for _, linted in seen) else ""


def _end(talk: Talk, seen: Sequence[Seen], unread: Sequence[Skipped], strict: bool, quiet: bool = False) -> None:
    """The exit code: a file that cannot be read before a mark that is not right."""
    counted = [sum(strict or each.severity != "note" for each in linted.findings) for _, linted in seen]
    wrong = sum(1 for count in counted if count)
    if talk.json or quiet:
        if unread or wrong:
            raise SystemExit(Unreadable.exit if unread else Mismarked.exit)
        return
    for skipped in unread:
        talk.say("labels.unread", path=shown(skipped.path), why=skipped.reason)
    if unread:
        raise failed(Unreadable(why=t("labels.unread_count", count=len(unread))))
    if wrong:
        raise failed(Mismarked(findings=sum(counted), files=f"{wrong}/{len(seen)}"))
    talk.say("labels.clean", count=len(seen))


def _write(talk: Talk, text: Text, fixed: Fixed, in_place: bool, output: Path | None) -> None:
    """Whole or not at all: the old file stays until the new one is on the disk."""
    if not in_place and output is None:
        talk.piece(fixed.text)
        return
    if in_place and (text.path == STDIN or not fixed.edits):
        return
    written = text.mark + fixed.text.encode()
    _whole(output or Path(text.path), written)
    talk.say("labels.fixed", path=shown(str(output or text.path)), count=len(fixed.edits))


def _whole(path: Path, data: bytes) -> None:
    real = path.resolve()
    mode = stat.S_IMODE(real.stat().st_mode) if real.exists() else 0o666 & ~_mask()
    handle, name = tempfile.mkstemp(prefix=f".{real.name}.", dir=real.parent)
    try:
        with os.fdopen(handle, "wb") as opened:
            opened.write(data)
            opened.flush()
            os.fsync(opened.fileno())
        Path(name).chmod(mode)
        Path(name).replace(real)
    except BaseException:
        Path(name).unlink()
        raise


def _mask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _comments(talk: Talk, seen: Sequence[Seen], output: Path | None) -> None:
    """A copy of each DOCX beside it, with what is found as comments; HTML and PDF are only reported on."""
    found = [(text, linted) for text, linted in seen if text.kind == DOCX and text.paragraphs and linted.findings]
    if not found:
        return
    from casemate.wiring import Documents

    with ExitStack() as opened:
        documents = opened.enter_context(Documents())
        for text, linted in found:
            path = Path(text.path)
            target = output or path.with_name(f"{path.stem}.marked{path.suffix}")
            copy, placed = documents.comment(text.data, commented(text, linted))
            _whole(target, copy)
            talk.say("labels.commented", path=shown(str(target)), count=len(linted.findings), placed=placed)
