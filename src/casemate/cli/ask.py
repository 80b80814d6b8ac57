"""`casemate ask`: a question, answered in rungs as they are written, each with its mark and its citations."""

from __future__ import annotations

from typing import Any

import click

from casemate.cli.command import option, verb
from casemate.cli.talk import Talk
from casemate.cli.tongue import language, t

__all__ = ["ask", "cited", "coloured"]


@verb(
    "ask",
    click.argument("question"),
    option("--for", "acting", default="", metavar="LABEL"),
    option("--base", default="all", metavar="NAME,..."),
    option("--mode", type=click.Choice(["rungs", "single"]), default="rungs"),
    option("--model", default="", metavar="NAME"),
    option("--need", "needs", multiple=True, metavar="NAME"),
)
def ask(talk: Talk, question: str, acting: str, base: str, mode: str, model: str, needs: tuple[str, ...]) -> None:
    request = {"question": question, "knowledge": base, "mode": mode, "language": language()}
    if model:
        request["model"] = model
    client = talk.client()
    client.needs = ",".join(needs)
    if talk.json:
        talk.answer(client.post("/api/ask", request, acting))
        return
    deltas = client.stream("/api/ask/stream", request, acting)
    head = next(deltas)
    citations: list[dict[str, Any]] = []
    for delta in deltas:
        talk.piece(coloured(talk, delta.get("text", ""), delta.get("mark", ""), delta.get("label", "")))
        citations += delta.get("citations", ())
    talk.out()
    for citation in citations:
        talk.out(cited(talk, citation))
    talk.say("ask.entry", entry=head["entry"])


def coloured(talk: Talk, text: str, mark: str, label: str) -> str:
    """A paragraph whose opening mark bears its colours."""
    gap = text[: len(text) - len(text.lstrip("\n"))]
    body = text[len(gap) :]
    if mark and body.startswith(mark):
        return gap + talk.mark(mark, label) + body[len(mark) :]
    return text


def cited(talk: Talk, citation: dict[str, Any]) -> str:
    """A citation on its line: mark, number, title, and the document that holds it."""
    mark = talk.mark(citation["mark"], citation["label"])
    return t("ask.citation", mark=mark, number=citation["number"], title=citation["title"], link=citation["link"])
