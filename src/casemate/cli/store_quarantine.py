"""`casemate store quarantine`: the damaged rows that were met, by number."""

from __future__ import annotations

from casemate.cli.command import verb
from casemate.cli.table import columns
from casemate.cli.talk import Talk
from casemate.cli.tongue import t
from casemate.clock import iso

__all__ = ["quarantine"]


@verb("store.quarantine")
def quarantine(talk: Talk) -> None:
    answer = talk.client().get("/api/store/quarantine")
    talk.answer(answer)
    for line in columns(
        [
            (
                str(row["number"]),
                iso(row["found"])[:19] + "Z",
                f"{row['kind']}/{row['place']}@{row['class']}",
                row["name"],
                t("store.whole_again") if row["whole"] else t("store.damaged"),
                talk.mark(row["mark"], row["label"]) if row["label"] else "",
            )
            for row in answer.data
        ]
    ):
        talk.out(line)
    if not answer.data:
        talk.say("store.no_quarantine")
