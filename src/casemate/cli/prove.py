"""`casemate prove`: the same question in a world that never held anything else, and a signature over the comparison.

With --all: every question of a file for everybody whom the auditor sees, counted and signed. With --verify: whether a
saved file stands, without asking a region.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import msgspec

from casemate.cli.ask import coloured
from casemate.cli.bar import bar
from casemate.cli.command import option, verb
from casemate.cli.talk import Talk
from casemate.cli.tongue import t, told
from casemate.clock import iso
from casemate.errors import BadInput, Tampered

__all__ = ["prove", "shown"]

_FILE = click.Path(exists=True, path_type=Path, dir_okay=False)


@verb(
    "prove",
    click.argument("question", default=""),
    option("--as", "who", default="", metavar="PRINCIPAL"),
    option("--for", "acting", default="", metavar="LABEL"),
    option("--reason", default=""),
    option("--last", is_flag=True),
    option("--base", default="all", metavar="NAME,..."),
    option("--save", type=click.Path(path_type=Path, dir_okay=False), default=None),
    option("--all", "every", type=_FILE, default=None, metavar="QUESTIONS"),
    option("--verify", "saved", type=_FILE, default=None, metavar="FILE"),
    option("--public", default="", metavar="HEX"),
)
def prove(
    talk: Talk,
    question: str,
    who: str,
    acting: str,
    reason: str,
    last: bool,
    base: str,
    save: Path | None,
    every: Path | None,
    saved: Path | None,
    public: str,
) -> None:
    if saved is not None:
        _verify(talk, saved, public)
    elif every is not None and not (question.strip() or last or who or acting):
        _everybody(talk, every, reason, base, save)
    elif every is not None or bool(question.strip()) == last:
        raise BadInput(what=t("prove.which"))
    else:
        asked = {"question": question, "who": who, "at": acting, "reason": reason, "last": last, "knowledge": base}
        _one(talk, asked, save)


def _one(talk: Talk, asked: dict[str, Any], save: Path | None) -> None:
    """One question, one world."""
    answer = talk.client().post("/api/prove", asked)
    if save is not None:
        save.write_bytes(answer.raw)
    talk.answer(answer)
    for rung in answer.data["answer"]["rungs"]:
        talk.out(coloured(talk, rung["text"], rung["mark"], rung["label"]))
    for line in shown(talk, answer.data):
        talk.out(line)


def _everybody(talk: Talk, file: Path, reason: str, base: str, save: Path | None) -> None:
    """Every question of the file for every principal; what was counted, and whether anything differed."""
    from casemate.wiring import questions_of

    body = {"questions": questions_of(file), "reason": reason, "knowledge": base}
    told = talk.client().stream("/api/prove/all", body)
    head, first = next(told), next(told)
    final = first
    with bar(talk, "prove.bar", first["total"]) as tell:
        for step in told:
            final = step
            if "done" in step:
                tell(step["done"])
    tally = final["tally"]
    if save is not None:
        save.write_bytes(msgspec.json.format(msgspec.json.encode(final)) + b"\n")
    talk.data(final, head["label"], head["marking"], head["entry"])
    for line in _counted(talk, tally):
        talk.out(line)
    if not final["good"]:
        raise SystemExit(1)


def _counted(talk: Talk, tally: dict[str, Any]) -> Iterator[str]:
    """A line for each world, and the sum."""
    for world in tally["worlds"]:
        sizes = t("prove.copied", **{name: world[name] for name in ("documents", "passages", "classes")})
        slug = "prove.moved" if not world["settled"] else "prove.unequal" if world["unequal"] else "prove.all_equal"
        said = t(slug, unequal=world["unequal"], equal=world["equal"], questions=tally["questions"])
        yield f"{world['principal']}  {talk.marking(world['acting'])}  {talk.bold(said)}  ({sizes})"
    if tally["left"]:
        yield t("prove.left", names=", ".join(tally["left"]))
    unequal = sum(world["unequal"] for world in tally["worlds"])
    yield talk.bold(t("prove.sum", worlds=len(tally["worlds"]), questions=tally["questions"], unequal=unequal))
    yield t("prove.signed", key=tally["key_id"][:16], solo=t("prove.solo") if tally["solo"] else "")


def _verify(talk: Talk, file: Path, public: str) -> None:
    """Whether the region's key signed the file, and whether what it says was equal."""
    from casemate.wiring import Folder, checked

    found = checked(file, Folder(talk.folder or Path("casemate")), public)
    fields = ("kind", "region", "at", "key_id", "stands", "good")
    talk.data({name: getattr(found, name) for name in fields})
    slug = "prove.stands" if found.stands else "prove.falls"
    talk.out(talk.bold(t(slug, kind=t(f"prove.kind.{found.kind}"), region=found.region, at=iso(found.at))))
    if found.stands:
        talk.out(t("prove.equal" if found.good else "prove.differ"))
    else:
        raise SystemExit(Tampered.exit)


def shown(talk: Talk, proof: dict[str, Any]) -> list[str]:
    """A proof in a few lines."""
    equal = t("prove.equal") if proof["equal"] else t("prove.differ")
    copied = t("prove.copied", documents=proof["documents"], passages=proof["passages"], classes=proof["classes"])
    return [
        t("prove.who", principal=proof["principal"], copied=copied),
        t("prove.first", digest=proof["first"][:24]),
        t("prove.second", digest=proof["second"][:24]),
        talk.bold(equal)
        + t("prove.compared", what=told(f"prove.{proof['compared'].replace(' ', '_')}") or proof["compared"]),
        t("prove.signed", key=proof["key_id"][:16], solo=t("prove.solo") if proof["solo"] else ""),
    ]
