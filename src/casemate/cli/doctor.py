"""`casemate doctor`: is everything in order that the region stands on? Also where it does not run."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from casemate.cli.command import verb
from casemate.cli.failure import Failed
from casemate.cli.table import columns
from casemate.cli.talk import Talk
from casemate.cli.tongue import t
from casemate.errors import NotRunning, Unavailable

__all__ = ["doctor"]


@verb("doctor")
def doctor(talk: Talk) -> None:
    checks, label, marking, entry = _looked(talk)
    talk.data(checks, label, marking, entry)
    for line in columns([(t("doctor.good") if c["good"] else talk.bold(t("doctor.bad")), c["name"], c["said"]) for c in checks]):
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

    found = examine(home)
    talk.say("doctor.offline")
    return [asdict(check) if hasattr(check, "__dataclass_fields__") else _plain(check) for check in found], "", "", ""


def _plain(check: Any) -> dict[str, Any]:
    return {name: getattr(check, name) for name in ("name", "good", "said")}
