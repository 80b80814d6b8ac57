"""`casemate document`: what becomes of a document once it is there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from casemate.cli.client import Client
from casemate.cli.command import Group, option, verb
from casemate.cli.table import columns
from casemate.cli.talk import Talk
from casemate.cli.tongue import t

__all__ = ["document"]

document = Group(
    "document",
    {
        "remove": "documents:remove",
        "replace": "documents:replace",
        "relabel": "documents:relabel",
        "near": "documents:near",
        "lineage": "documents:lineage",
        "review": "documents:review",
    },
)

ACTING = option("--for", "acting", default="", metavar="LABEL")
ID = click.argument("id")


@verb("document.remove", ID, ACTING)
def remove(talk: Talk, id: str, acting: str) -> None:
    client = talk.client()
    answer = client.call("DELETE", f"/api/documents/{id}", acting=acting or _only(client, id))
    talk.answer(answer)
    talk.out(t("document.removed", id=id))
    _left(talk, answer.data["left"])


@verb(
    "document.replace",
    ID,
    click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path)),
    option("--base", default="default"),
    option("--label", default="", metavar="LABEL"),
    ACTING,
)
def replace(talk: Talk, id: str, file: Path, base: str, label: str, acting: str) -> None:
    query = {"name": file.name, "base": base, "label": label, "replaces": id}
    answer = talk.client().call("POST", "/api/documents", file.read_bytes(), acting, query)
    talk.answer(answer)
    talk.out(t(f"document.{answer.data['state']}", id=answer.data["id"]))


@verb("document.relabel", ID, click.argument("label"), ACTING)
def relabel(talk: Talk, id: str, label: str, acting: str) -> None:
    client = talk.client()
    answer = client.call("PUT", f"/api/documents/{id}/label", {"label": label}, acting or _only(client, id))
    talk.answer(answer)
    talk.out(t("document.relabelled", id=answer.data["id"], gone=id))
    _left(talk, answer.data["left"])


@verb("document.near", ID, ACTING)
def near(talk: Talk, id: str, acting: str) -> None:
    answer = talk.client().get(f"/api/documents/{id}", acting=acting)
    talk.data(answer.data["near"], answer.label, answer.marking, answer.entry)
    for each in answer.data["near"]:
        talk.out(each)


@verb("document.lineage", ID, ACTING)
def lineage(talk: Talk, id: str, acting: str) -> None:
    answer = talk.client().get(f"/api/documents/{id}/lineage", acting=acting)
    talk.answer(answer)
    told = answer.data
    rows = [(name, str(told[name])) for name in ("name", "base", "by", "origin", "media", "replaces") if told[name]]
    rows += [("replaced_by", each) for each in told["replaced_by"]]
    rows += [(piece["label"], t("document.piece", passages=piece["passages"])) for piece in told["pieces"]]
    rows += [(made["kind"], made["id"]) for made in told["made"]]
    for line in columns(rows):
        talk.out(line)


@verb(
    "document.review",
    click.argument("id", required=False, default=""),
    option("--decide", type=click.Choice(["restate", "text", "remove"]), default=None),
    option("--label", default="", metavar="LABEL"),
    ACTING,
)
def review(talk: Talk, id: str, decide: str | None, label: str, acting: str) -> None:
    if not id or decide is None:
        answer = talk.client().get("/api/review", acting=acting)
        talk.answer(answer)
        for each in [*answer.data["quarantined"], *answer.data["unmarked"]]:
            if id in ("", each["id"]):
                talk.out("  ".join((each["id"], each["mark"], each["name"], each["added_by"])))
                _why(talk, each)
        return
    answer = talk.client().post(f"/api/documents/{id}/review", {"decision": decide, "label": label}, acting)
    talk.answer(answer)
    talk.out(t(f"document.decided.{decide}", id=answer.data["id"]))


def _only(client: Client, id: str) -> str:
    """Where all that may be seen of a document lies, if that is one label; "" where nobody but the caller can say."""
    labels = {piece["label"] for piece in client.get(f"/api/documents/{id}/lineage").data["pieces"]}
    return labels.pop() if len(labels) == 1 else ""


def _why(talk: Talk, each: dict[str, Any]) -> None:
    talk.out(f"  {each['reason']} {each['remedy']}" if "reason" in each else f"  {t('document.unmarked')}")


def _left(talk: Talk, labels: list[str]) -> None:
    for label in labels:
        talk.out(t("document.left", label=label))
