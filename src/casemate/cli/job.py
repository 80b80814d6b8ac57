"""`casemate job`: batch work, submitted, followed, looked into and ended."""

from __future__ import annotations

from typing import Any

import click

from casemate.cli.command import Group, option, verb
from casemate.cli.job_follow import at, exit_of, follow, how, why
from casemate.cli.job_spec import OPTIONS, asked
from casemate.cli.talk import Talk
from casemate.cli.tongue import t

__all__ = ["job"]

job = Group(
    "job",
    {
        "run": "job:run",
        "shell": "job_shell:shell",
        "notebook": "job_notebook:notebook",
        "submit": "job:submit",
        "list": "job_look:listing",
        "show": "job_look:show",
        "logs": "job_follow:logs",
        "artefact": "job_artefact:artefact",
        "cancel": "job:cancel",
        "retry": "job:retry",
        "update": "service:update",
        "array": "job_look:array",
        "top": "job_look:top",
        "node": "job_node:node",
        "queue": "job_queue:queue",
        "definition": "job_definition:definition",
    },
)

LABEL = option("--label", default="", metavar="LABEL")


@verb("job.run", *OPTIONS)
def run(talk: Talk, words: tuple[str, ...], label: str, **told: Any) -> None:
    client = talk.client()
    body = asked(words, told)
    if "jobs" in body:
        raise click.UsageError(t("job.run_one"))
    made = client.post("/api/jobs", body, acting=label)
    talk.say("job.submitted", id=made.data["id"])
    try:
        done = follow(talk, client, made.data["id"], made.label)
    except KeyboardInterrupt:
        talk.say("job.goes_on", id=made.data["id"])
        raise
    talk.data(done, made.label, made.marking, made.entry)
    if done["state"] != "SUCCEEDED":
        talk.say("job.ended", id=done["id"], how=how(done), reason=why(done["reason"]))
    raise SystemExit(exit_of(done))


@verb("job.submit", *OPTIONS, option("--follow", "follows", is_flag=True))
def submit(talk: Talk, words: tuple[str, ...], label: str, follows: bool, **told: Any) -> None:
    client = talk.client()
    body = asked(words, told)
    if follows and "jobs" in body:
        raise click.UsageError(t("job.run_one"))
    made = client.post("/api/jobs", body, acting=label)
    for each in made.data["jobs"] if "jobs" in body else [made.data]:
        talk.out(each["id"])
    if not follows:
        talk.answer(made)
        return
    done = follow(talk, client, made.data["id"], made.label)
    talk.data(done, made.label, made.marking, made.entry)
    talk.say("job.ended", id=done["id"], how=how(done), reason=why(done["reason"]))


@verb(
    "job.cancel", click.argument("ids", nargs=-1, required=True, metavar="ID..."), option("--reason", default=""), LABEL
)
def cancel(talk: Talk, ids: tuple[str, ...], reason: str, label: str) -> None:
    _each(talk, ids, "cancel", {"reason": reason}, label)


@verb("job.retry", click.argument("ids", nargs=-1, required=True, metavar="ID..."), LABEL)
def retry(talk: Talk, ids: tuple[str, ...], label: str) -> None:
    _each(talk, ids, "retry", None, label)


def _each(talk: Talk, ids: tuple[str, ...], deed: str, body: Any, label: str) -> None:
    """Where each lies: what changes it acts there, and whoever names no label means the one that he sees."""
    client = talk.client()
    for id in ids:
        acting = label or str(client.get(at(id)).data["label"])
        answer = client.post(f"{at(id)}/{deed}", body, acting=acting)
        talk.answer(answer)
        talk.out(f"{answer.data['id']}  {how(answer.data)}")
