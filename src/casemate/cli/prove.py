"""`casemate prove`: the same question in a world that never held anything else, and a signature over the comparison."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from casemate.cli.ask import coloured
from casemate.cli.command import option, verb
from casemate.cli.talk import Talk
from casemate.cli.tongue import t, told
from casemate.errors import BadInput

__all__ = ["prove", "shown"]


@verb(
    "prove",
    click.argument("question", default=""),
    option("--as", "who", default="", metavar="PRINCIPAL"),
    option("--for", "acting", default="", metavar="LABEL"),
    option("--reason", default=""),
    option("--last", is_flag=True),
    option("--base", default="all", metavar="NAME,..."),
    option("--save", type=click.Path(path_type=Path, dir_okay=False), default=None),
)
def prove(
    talk: Talk, question: str, who: str, acting: str, reason: str, last: bool, base: str, save: Path | None
) -> None:
    if bool(question.strip()) == last:
        raise BadInput(what=t("prove.which"))
    asked = {"question": question, "who": who, "at": acting, "reason": reason, "last": last, "knowledge": base}
    answer = talk.client().post("/api/prove", asked)
    if save is not None:
        save.write_bytes(answer.raw)
    talk.answer(answer)
    for rung in answer.data["answer"]["rungs"]:
        talk.out(coloured(talk, rung["text"], rung["mark"], rung["label"]))
    for line in shown(talk, answer.data):
        talk.out(line)


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
