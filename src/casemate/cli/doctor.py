"""`casemate doctor`: is everything in order that the region stands on? Also where it does not run."""

from __future__ import annotations

from typing import Any

import msgspec

from casemate.cli.command import verb
from casemate.cli.failure import Failed
from casemate.cli.table import columns
from casemate.cli.talk import Talk
from casemate.cli.tongue import language, t
from casemate.errors import NotRunning, Unavailable

__all__ = ["doctor"]


@verb("doctor")
def doctor(talk: Talk) -> None:
    checks, label, marking, entry = _looked(talk)
    talk.data(checks, label, marking, entry)
    good, bad = t("doctor.good"), talk.bold(t("doctor.bad"))
    for line in columns([(good if check["good"] else bad, check["name"], check["said"]) for check in checks]):
        talk.out(line)
    if not all(check["good"] for check in checks):
        raise SystemExit(Unavailable.exit)


def _looked(talk: Talk) -> tuple[list[dict[str, Any]], str, str, str]:
    home = talk.region()
    try:
        answer = talk.client().get("/api/doctor")
        return answer.data, answer.label, answer.marking, answer.entry
    except Failed as failure:
        if failure.problem.slug != NotRunning.slug:
            raise
    from casemate.wiring import examine

    talk.say("doctor.offline")
    return msgspec.to_builtins(examine(home, language())), "", "", ""
