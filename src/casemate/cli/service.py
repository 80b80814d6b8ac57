"""Services: `casemate job update`, `casemate models deploy` and `undeploy`."""

from __future__ import annotations

from typing import Any

import click

from casemate.cli.command import option, verb
from casemate.cli.job_follow import at
from casemate.cli.job_spec import OPTIONS, asked, memory
from casemate.cli.models import where
from casemate.cli.table import columns
from casemate.cli.talk import Talk
from casemate.cli.tongue import t

__all__ = ["deploy", "replicas", "undeploy", "update"]

LABEL = option("--label", default="", metavar="LABEL")
ENGINES = ("vllm", "sglang", "llama-server", "openai")


@verb("job.update", click.argument("id"), *OPTIONS)
def update(talk: Talk, id: str, words: tuple[str, ...], label: str, **told: Any) -> None:
    client = talk.client()
    body = asked(words, {**told, "service": True})
    if "jobs" in body:
        raise click.UsageError(t("job.run_one"))
    acting = label or str(client.get(at(id)).data["label"])
    answer = client.post(f"{at(id)}/update", {"spec": body["spec"]}, acting=acting)
    talk.answer(answer)
    replicas(talk, answer.data)


@verb(
    "models.deploy",
    click.argument("name"),
    click.argument("command", nargs=-1, metavar="[-- ARGUMENT...]"),
    option("--engine", "program", type=click.Choice(ENGINES), required=True),
    option("--gpus", type=click.IntRange(0), default=0, metavar="N"),
    option("--cpus", type=click.IntRange(1), default=1, metavar="N"),
    option("--memory", default="4G", metavar="SIZE"),
    option("--replicas", type=click.IntRange(1, 64), default=1, metavar="N"),
    option("--port", "listens", type=click.IntRange(1024, 65535), default=8000, metavar="PORT"),
    option("--health", default="", metavar="PATH"),
    option("--environment", default="", metavar="ENVIRONMENT"),
    option("--on", "cluster", default="", metavar="ENGINE"),
    option("--embeds", is_flag=True),
    LABEL,
)
def deploy(talk: Talk, name: str, command: tuple[str, ...], program: str, label: str, **told: Any) -> None:
    resources = {"gpus": told["gpus"], "cpus": told["cpus"], "memory_mb": memory(told["memory"], "memory")}
    body = {
        "model": name,
        "engine": program,
        "command": command,
        "resources": resources,
        "replicas": told["replicas"],
        "port": told["listens"],
        "health": told["health"],
        "environment": told["environment"],
        "job_engine": told["cluster"],
        "described": {"tasks": ["embeddings"] if told["embeds"] else ["chat"]},
    }
    answer = talk.client().post("/api/models/deploy", body, acting=label)
    talk.answer(answer)
    data = answer.data
    talk.out(f"{data['name']}  {data['service']['id']}")
    if not data["accreditation"]:
        talk.say("service.accredit", name=data["name"], label=data["proposed"])


@verb("models.undeploy", click.argument("name"), LABEL)
def undeploy(talk: Talk, name: str, label: str) -> None:
    client = talk.client()
    answer = client.post("/api/models/undeploy", {"model": name}, acting=label or where(client, name))
    talk.answer(answer)
    talk.out(t("service.undeployed", name=name))


def replicas(talk: Talk, told: dict[str, Any]) -> None:
    """How a service stands, with each of its replicas."""
    serves = told["service"]
    facts = {"healthy": serves["healthy"], "wanted": serves["wanted"], "revision": serves["revision"]}
    talk.out(f"  {t('service.stands', **facts)}")
    if serves["failures"]:
        talk.out(f"  {t('service.failed', count=serves['failures'], why=serves['why'])}")
    rows = [
        (f"{told['id']}:{one['index']}", t(f"service.state.{one['state']}"), t("service.of", revision=one["revision"]))
        for one in serves["replicas"]
    ]
    for line in columns(rows):
        talk.out(f"    {line}")
