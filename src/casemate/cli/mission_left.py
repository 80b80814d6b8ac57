"""What a run of a mission left, into files: its report, its tables; and two runs beside each other."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import click

from casemate.cli.command import option, verb
from casemate.cli.mission import LABEL
from casemate.cli.mission_run import run_at
from casemate.cli.table import in_line
from casemate.cli.talk import Talk
from casemate.cli.tongue import t
from casemate.clock import iso
from casemate.errors import BadInput

__all__ = ["compare", "finding", "findings", "report", "table"]

TO = option("--to", type=click.Path(path_type=Path), default=None)
REPLACE = option("--replace", is_flag=True)
ID = click.argument("id")


@verb("mission.report", ID, TO, REPLACE, LABEL)
def report(talk: Talk, id: str, to: Path | None, replace: bool, label: str) -> None:
    _kept(talk, f"{run_at(id)}/report", to or Path("report.html"), replace, label)


@verb(
    "mission.table",
    ID,
    click.argument("name"),
    option("--format", "form", type=click.Choice(["csv", "parquet"]), default="csv"),
    TO,
    REPLACE,
    LABEL,
)
def table(talk: Talk, id: str, name: str, form: str, to: Path | None, replace: bool, label: str) -> None:
    place = f"{run_at(id)}/tables/{quote(name, safe='')}"
    _kept(talk, place, to or Path(f"{Path(name).name}.{form}"), replace, label, format=form)


@verb("mission.compare", ID, click.argument("other"), LABEL)
def compare(talk: Talk, id: str, other: str, label: str) -> None:
    answer = talk.client().get(f"{run_at(id)}/compare", acting=label, **{"with": other})
    talk.answer(answer)
    data = answer.data
    talk.out(t("mission.results_alike" if data["alike"] else "mission.results_unlike"))
    talk.out(t("mission.asked_alike" if data["asked_alike"] else "mission.asked_unlike"))
    for name, (one, two) in {**data["asked"], **data["figures"]}.items():
        talk.out(f"{in_line(name)}  {in_line(one)}  {in_line(two)}")
    for name in (*data["tables"], *data["files"]):
        talk.out(in_line(name))


@verb("mission.finding", ID, click.argument("line"), LABEL)
def finding(talk: Talk, id: str, line: str, label: str) -> None:
    client = talk.client()
    at = label or str(client.get(run_at(id)).data["job"]["label"])
    answer = client.post(f"{run_at(id)}/findings", {"key": line}, at)
    talk.answer(answer)
    talk.out(answer.data["id"])
    talk.out(answer.data["finding"]["text"])


@verb("mission.findings", LABEL)
def findings(talk: Talk, label: str) -> None:
    answer = talk.client().get("/api/mission-findings", acting=label)
    talk.answer(answer)
    for one in answer.data:
        lines = in_line("; ".join(one["finding"]["text"].splitlines()))
        talk.out(f"{one['id']}  {one['mark']}  {iso(one['finding']['at'])}  {lines}")
    if not answer.data:
        talk.out(t("mission.no_finding"))


def _kept(talk: Talk, place: str, target: Path, replace: bool, label: str, **query: str) -> None:
    """Into a file that was not there, unless it may be written over. The marking is in it, and is told."""
    if target.exists() and not replace:
        raise BadInput(what=t("job.exists", file=target))
    answer = talk.client().get(place, acting=label, **query)
    with target.open("wb" if replace else "xb") as file:
        file.write(answer.raw)
    talk.data({"file": str(target)}, answer.label, answer.marking, answer.entry)
    talk.say("job.written", file=target, marking=answer.marking)
