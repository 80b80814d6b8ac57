"""`casemate spill`: an object turned out to be higher than it said. For security officers, who read no content."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from casemate.cli.command import Group, option, verb
from casemate.cli.table import columns
from casemate.cli.talk import Talk
from casemate.cli.tongue import t
from casemate.clock import iso

__all__ = ["spill"]

spill = Group(
    "spill",
    {
        "report": "spill:report",
        "contain": "spill:contain",
        "list": "spill:listing",
        "show": "spill:show",
        "lift": "spill:lift",
        "drill": "spill_drill:drill",
    },
)

OBJECT = click.argument("object", metavar="OBJECT")
TRUE = option("--true-label", "true", required=True, metavar="LABEL")
SVG = option("--svg", type=click.Path(path_type=Path, dir_okay=False), default=None, metavar="FILE")
FOR = option("--for", "acting", default="", metavar="LABEL")


@verb("spill.report", OBJECT, TRUE)
def report(talk: Talk, object: str, true: str) -> None:  # noqa: A002 - as it is shown
    answer = talk.client().post("/api/spills/report", {"object": object}, true)
    talk.answer(answer)
    told(talk, answer.data)


@verb(
    "spill.contain",
    OBJECT,
    TRUE,
    option("--relabel", "how", flag_value="relabel"),
    option("--shred", "how", flag_value="shred"),
    option("--yes", is_flag=True),
)
def contain(talk: Talk, object: str, true: str, how: str | None, yes: bool) -> None:  # noqa: A002 - as it is shown
    if how and not yes and not click.confirm(t(f"spill.sure_{how}"), err=True):
        raise click.Abort
    answer = talk.client().post("/api/spills", {"object": object, "how": how or ""}, true)
    talk.answer(answer)
    case(talk, answer.data)


@verb("spill.list", FOR)
def listing(talk: Talk, acting: str) -> None:
    answer = talk.client().get("/api/spills", acting)
    talk.answer(answer)
    for line in columns([_row(talk, each) for each in answer.data]):
        talk.out(line)
    if not answer.data:
        talk.out(t("spill.none"))


@verb("spill.show", click.argument("id"), SVG, FOR)
def show(talk: Talk, id: str, svg: Path | None, acting: str) -> None:
    client = talk.client()
    answer = client.get(f"/api/spills/{id}", acting)
    talk.answer(answer)
    case(talk, answer.data)
    if svg is not None:
        svg.write_bytes(client.get(f"/api/spills/{id}/picture", acting).raw)
        talk.say("lineage.drawn", file=svg)


@verb("spill.lift", click.argument("id"))
def lift(talk: Talk, id: str) -> None:
    client = talk.client()
    known = [each["label"] for each in client.get("/api/spills").data if each["id"] == id]
    answer = client.post(f"/api/spills/{id}/lift", None, known[0] if known else "")  # the region says what is not there
    talk.answer(answer)
    case(talk, answer.data)


def case(talk: Talk, found: dict[str, Any]) -> None:
    """A case: how far it is, then its report."""
    talk.out("  ".join(_row(talk, found)))
    if found.get("waits"):
        talk.say("spill.waits")
    told(talk, found["report"])


def told(talk: Talk, found: dict[str, Any]) -> None:
    """A report: what there is by label and kind, who saw it, what left."""
    if found["solo"]:
        talk.say("spill.solo")
    for line in columns([(talk.marking(label), kind, str(count)) for label, kind, count in found["counts"]]):
        talk.out(line)
    rows = [_item(each) for each in found["items"]]
    for line in columns(rows):
        talk.out(line)
    for heading, several in (("saw", found["saw"]), ("left", found["left"]), ("alike", found["alike"])):
        if several:
            talk.out(t(f"spill.{heading}"))
            for line in columns([_line(heading, each) for each in several]):
                talk.out(line)
    if found["remains"]:
        talk.out(t("spill.remains"))
        for line in columns([(each["mark"], each["ref"], _where(each)) for each in found["remains"]]):
            talk.out(line)


def _where(each: dict[str, Any]) -> str:
    """Where something lies that is not destroyed."""
    if not each["outside"]:
        return t("spill.remains_frozen")
    return t("spill.remains_files", path=each["where"]) if each["where"] else t("spill.remains_hidden")


def _item(each: dict[str, Any]) -> tuple[str, ...]:
    how = t("spill.quotes") if each["quotes"] else t("spill.stays") if each["stays"] else ""
    return each["mark"], each["kind"], each["id"], each["title"], how, t("spill.frozen") if each["frozen"] else ""


def _line(heading: str, each: dict[str, Any]) -> tuple[str, ...]:
    if heading == "saw":
        return iso(each["at"])[:19] + "Z", each["principal"], each["session"], each["action"], each["entry"]
    if heading == "left":
        return iso(each["at"])[:19] + "Z", each["release"], each["landed"], each["target"]
    return each["mark"], each["ref"]


def _row(talk: Talk, each: dict[str, Any]) -> tuple[str, ...]:
    how = f"{each['state']} ({each['how']})" if each["how"] else each["state"]
    return (
        iso(each["at"])[:19] + "Z",
        each["id"],
        each["object"],
        how,
        each["by"],
        talk.mark(each["mark"], each["label"]),
    )
