"""`casemate help`: subjects that belong to no single command."""

from __future__ import annotations

from casemate.cli.command import Group, verb
from casemate.cli.failure import INTERRUPTED
from casemate.cli.table import columns
from casemate.cli.talk import Talk
from casemate.cli.tongue import language, t
from casemate.errors import tree
from casemate.words import say

__all__ = ["topics"]

topics = Group("help", {"exit-codes": "help:exit_codes"})


@verb("help.exit-codes")
def exit_codes(talk: Talk) -> None:
    data = [{"exit": 0, "slug": "", "title": t("help_codes.good"), "remedy": ""}]
    for error in tree()[1:]:
        title, remedy = (say(f"errors.{error.slug}.{part}", language()) for part in ("title", "remedy"))
        data.append({"exit": error.exit, "slug": error.slug, "title": title, "remedy": remedy})
    data.append({"exit": INTERRUPTED, "slug": "", "title": t("interrupted"), "remedy": ""})
    data.sort(key=lambda row: (int(str(row["exit"])), str(row["slug"])))
    talk.data(data)
    for line in columns(
        [(f"{row['exit']:>3}", str(row["slug"]), str(row["title"]), str(row["remedy"])) for row in data]
    ):
        talk.out(line)
