"""`casemate store check`: all records of a stopped region read, each row held against its digest."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from casemate.cli.bar import bar
from casemate.cli.command import option, verb
from casemate.cli.table import columns
from casemate.cli.talk import Talk

if TYPE_CHECKING:
    from casemate.wiring.moving import Sum

__all__ = ["check", "told_sums"]


@verb("store.check", option("--recount", is_flag=True))
def check(talk: Talk, recount: bool) -> None:
    from casemate.wiring import moving

    home = talk.region()
    with bar(talk, "store.reading", 1) as tell:
        found = asyncio.run(moving.check(home, lambda _what, done: tell(done), recount))
    talk.data({"kind": found.kind, "server": found.told, "tables": told_sums(found.sums)})
    for line in columns([(each.table, str(each.count), each.digest[:16]) for each in found.sums]):
        talk.out(line)
    for name, value in found.told.items():
        talk.say("store.server", name=name, value=value)
    if found.told.get("data_checksums") == "off":
        talk.say("store.unsummed")
    talk.say("store.recounted" if recount else "store.whole")


def told_sums(sums: Sequence[Sum]) -> list[dict[str, str | int]]:
    """Tables as the document of --json tells them."""
    return [{"table": each.table, "rows": each.count, "sha384": each.digest} for each in sums]
