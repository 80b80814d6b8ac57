"""`casemate lineage`: what an object came from and what came of it, as a tree of text, as data, as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from casemate.cli.command import option, verb
from casemate.cli.talk import Talk
from casemate.cli.tongue import t

__all__ = ["lineage", "trees"]

NEW = click.Path(path_type=Path, dir_okay=False)


@verb(
    "lineage",
    click.argument("object", metavar="OBJECT"),
    option("--up", "way", flag_value="up"),
    option("--down", "way", flag_value="down"),
    option("--svg", type=NEW, default=None, metavar="FILE"),
    option("--for", "acting", default="", metavar="LABEL"),
)
def lineage(talk: Talk, object: str, way: str | None, svg: Path | None, acting: str) -> None:  # noqa: A002 - as shown
    client, asked = talk.client(), way or "both"
    answer = client.get(f"/api/lineage/{object}", acting, way=asked)
    talk.answer(answer)
    for line in trees(answer.data, asked):
        talk.out(line)
    if answer.data["cut"]:
        talk.say("lineage.cut")
    if svg is not None:
        svg.write_bytes(client.get(f"/api/lineage.svg/{object}", acting, way=asked).raw)
        talk.say("lineage.drawn", file=svg)


def trees(told: dict[str, Any], way: str) -> list[str]:
    """What came of it; and, where both ways were asked for, above it what it came from."""
    lines: list[str] = []
    if way in ("up", "both"):
        lines += [t("lineage.from"), *tree(told, up=True)]
    if way in ("down", "both"):
        lines += [t("lineage.of"), *tree(told, up=False)]
    return lines


def tree(told: dict[str, Any], up: bool) -> list[str]:
    """Each node once under what leads to it; a further way to it is pointed at with `^`."""
    nodes, roots = told["nodes"], set(told["roots"])
    after: dict[int, list[int]] = {}
    for source, made in told["arrows"]:
        after.setdefault(made if up else source, []).append(source if up else made)
    inner = {other for root in roots for other in after.get(root, ()) if other in roots}
    waiting = [(root, "", "") for root in sorted(roots - inner or roots, reverse=True)]
    lines: list[str] = []
    seen: set[int] = set()
    while waiting:
        at, before, branch = waiting.pop()
        node, again = nodes[at], at in seen
        said = (node["mark"], node["kind"], node["id"], node["title"], "^" if again else "")
        lines.append(before + branch + " ".join(" ".join(each.split()) for each in said if each))
        if not again:
            seen.add(at)
            deeper = before + ("   " if branch.startswith("└") else "│  " if branch else "")
            below = after.get(at, [])
            rows = [(other, deeper, "├─ ") for other in below[:-1]] + [(other, deeper, "└─ ") for other in below[-1:]]
            waiting += reversed(rows)
    return lines
