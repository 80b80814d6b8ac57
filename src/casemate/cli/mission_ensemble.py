"""`casemate mission ensemble`: a mission at many points of its parameters, and what is missing of one once more."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from casemate.cli.client import Client
from casemate.cli.command import option, verb
from casemate.cli.job_follow import follow, how, why
from casemate.cli.job_spec import table_of
from casemate.cli.mission import LABEL, NAME, asked, mission_at
from casemate.cli.talk import Talk
from casemate.cli.tongue import t
from casemate.errors import BadInput

__all__ = ["ensemble"]


@verb(
    "mission.ensemble",
    NAME,
    option("--space", type=click.Path(path_type=Path), default=None),
    option("--again", "id", default="", metavar="ID"),
    option("--set", "values", multiple=True, metavar="NAME=VALUE"),
    option("--input", "sources", multiple=True, metavar="ROLE=SOURCE"),
    option("--seed", type=int, default=0),
    option("--model", default="", metavar="MODEL"),
    option("--at-once", type=click.IntRange(0), default=0),
    option("--memory-mb", type=click.IntRange(0), default=0),
    option("--wall-s", type=click.IntRange(0), default=0),
    option("--anew", is_flag=True),
    option("--estimate", "only", is_flag=True),
    option("--follow", "follows", is_flag=True),
    LABEL,
)
def ensemble(
    talk: Talk, name: str, space: Path | None, id: str, only: bool, follows: bool, label: str, **given: Any
) -> None:
    if bool(id) is (space is not None) or (id and only):
        raise BadInput(what=t("mission.space_or_again"))
    client = talk.client()
    if space is None:
        made = _again(client, name, id, label)
        if made.data["id"] == id:
            talk.answer(made)
            talk.out(id)
            talk.say("mission.ensemble_whole", id=id)
            return
    else:
        body = _body(client, name, space, label, given)
        if only:
            answer = client.post(f"{mission_at(name)}/ensemble-estimate", body, label)
            talk.answer(answer)
            talk.out(t("mission.ensemble_takes", **answer.data["whole"]))
            return
        made = client.post(f"{mission_at(name)}/ensembles", body, label)
    talk.out(made.data["id"])
    if not follows:
        talk.answer(made)
        talk.say("mission.ensemble_begun", id=made.data["id"], members=made.data["points"], there=made.data["taken"])
        return
    done = follow(talk, client, made.data["id"], made.label)
    talk.data(done, made.label, made.marking, made.entry)
    talk.say("job.ended", id=done["id"], how=how(done), reason=why(done["reason"]))


def _again(client: Client, name: str, id: str, label: str) -> Any:
    at = quote(id, safe=":")
    own = label or str(client.get(f"/api/sweeps/{at}").data["label"])
    return client.post(f"{mission_at(name)}/ensembles/{at}/again", {}, own)


def _body(client: Client, name: str, space: Path, label: str, given: dict[str, Any]) -> dict[str, Any]:
    if not space.is_file():
        raise BadInput(what=t("job.no_file", file=space))
    told = client.get(mission_at(name), acting=label).data
    run = asked(told["described"], given["values"], given["sources"])
    run |= {each: given[each] for each in ("seed", "model", "memory_mb", "wall_s")}
    return {"space": table_of(space), "run": run, "at_once": given["at_once"], "anew": given["anew"]}
