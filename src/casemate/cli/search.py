"""`casemate search`: the passages that one may see, best first, with the question's words in them."""

from __future__ import annotations

from typing import Any

import click

from casemate.cli.command import option, verb
from casemate.cli.talk import Talk
from casemate.cli.tongue import t

__all__ = ["search", "shown"]


@verb(
    "search",
    click.argument("question"),
    option("--for", "acting", default="", metavar="LABEL"),
    option("--base", default="all", metavar="NAME,..."),
    option("--filter", "filters", multiple=True, metavar="NAME:VALUE"),
    option("--facet", "facets", multiple=True, metavar="NAME"),
    option("-k", "count", type=click.IntRange(1, 100), default=10),
    option("--method", type=click.Choice(["hybrid", "text", "dense"]), default="hybrid"),
    option("--need", "needs", multiple=True, metavar="NAME"),
)
def search(
    talk: Talk,
    question: str,
    acting: str,
    base: str,
    filters: tuple[str, ...],
    facets: tuple[str, ...],
    count: int,
    method: str,
    needs: tuple[str, ...],
) -> None:
    request = {
        "question": " ".join((question, *filters)),
        "bases": [name for name in base.split(",") if name],
        "k": count,
        "facets": facets,
        "method": method,
    }
    client = talk.client()
    client.needs = ",".join(needs)
    answer = client.post("/api/search", request, acting)
    talk.answer(answer)
    data = answer.data
    for number, hit in enumerate(data["hits"], start=1):
        talk.out(_hit(talk, number, hit))
    if not data["hits"]:
        talk.out(t("search.none"))
    for facet in data["facets"]:
        talk.out(t("search.facet", name=facet["name"]))
        for value in facet["values"]:
            talk.out(t("search.value", count=value["count"], value=value["told"] or value["value"]))
    for each in data["suggestions"]:
        talk.say("search.suggest", word=each["word"], instead=each["instead"])
    talk.say("search.total", count=data["total"])
    if data["language_note"] and not talk.json:
        click.echo(data["language_note"], err=True)


def _hit(talk: Talk, number: int, hit: dict[str, Any]) -> str:
    page = t("search.page", page=hit["page"]) if hit["page"] else ""
    lines = (
        t("search.hit", number=number, mark=talk.mark(hit["mark"], hit["label"]), title=talk.bold(hit["title"])),
        shown(talk, hit["snippet"]),
        talk.dim(t("search.place", base=hit["base"], document=hit["document"], page=page)),
    )
    return "\n".join(lines) + "\n"


def shown(talk: Talk, snippet: dict[str, Any]) -> str:
    """A snippet on lines of its own, the words that were asked for lit."""
    text, said, at = snippet["text"], "", 0
    for start, end in snippet["spans"]:
        said += text[at:start] + talk.lit(text[start:end])
        at = end
    whole = ("… " if snippet["before"] else "") + said + text[at:] + (" …" if snippet["after"] else "")
    return "\n".join(f"   {line}" for line in whole.splitlines())
