"""`casemate job node`: which label the nodes of the clusters hold, and what was done to one."""

from __future__ import annotations

from urllib.parse import quote

import click

from casemate.cli.command import Group, option, verb
from casemate.cli.table import columns
from casemate.cli.talk import Talk
from casemate.cli.tongue import t
from casemate.clock import iso

__all__ = ["node"]

node = Group("job.node", {"list": "job_node:listing", "sanitise": "job_node:sanitise"})

STEPS = ("gpu-memory", "scratch", "reboot")
LABEL = option("--label", default="", metavar="LABEL")


@verb("job.node.list", LABEL)
def listing(talk: Talk, label: str) -> None:
    answer = talk.client().get("/api/job-nodes", acting=label)
    talk.answer(answer)
    rows = []
    for one in answer.data:
        since = iso(one["since"])[:19].replace("T", " ") + "Z" if one["since"] else ""
        state = t(f"job.node.{one['state']}" if one["given"] or one["state"] == "clean" else "job.node.kept")
        rows.append((one["engine"], one["name"], talk.mark(one["mark"], one["label"]), state, since))
    for line in columns(rows):
        talk.out(line)
    if not rows:
        talk.out(t("job.node.none"))


@verb(
    "job.node.sanitise",
    click.argument("name"),
    option("--engine", required=True, metavar="ENGINE"),
    option("--step", "steps", type=click.Choice(STEPS), multiple=True, required=True),
    option("--evidence", required=True, metavar="TEXT"),
    option("--label", required=True, metavar="LABEL"),
)
def sanitise(talk: Talk, name: str, engine: str, steps: tuple[str, ...], evidence: str, label: str) -> None:
    path = f"/api/job-nodes/{quote(engine, safe='')}/{quote(name, safe='')}/sanitise"
    answer = talk.client().post(path, {"steps": list(steps), "evidence": evidence}, acting=label)
    talk.answer(answer)
    told = answer.data
    talk.say(f"job.node.now_{told['state']}", name=told["name"], label=told["label"])
