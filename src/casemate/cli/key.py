"""`casemate key`: for programs. `issue` prints what an existing client needs, as lines that a shell runs."""

from __future__ import annotations

import shlex
from typing import Any

import click

from casemate.cli.command import Group, option, verb
from casemate.cli.table import columns
from casemate.cli.talk import Talk
from casemate.cli.tongue import t
from casemate.clock import iso

__all__ = ["key"]

key = Group("key", {"issue": "key:issue", "list": "key:listing", "revoke": "key:revoke"})

OPENAI = """python3 - <<'END'
from openai import OpenAI
asked = [{{"role": "user", "content": {question!r}}}]
print(OpenAI().chat.completions.create(model="casemate/extractive-reader", messages=asked).choices[0].message.content)
END"""
ANTHROPIC = """python3 - <<'END'
from anthropic import Anthropic
asked = [{{"role": "user", "content": {question!r}}}]
told = Anthropic().messages.create(model="casemate/extractive-reader", max_tokens=1024, messages=asked)
print("".join(block.text for block in told.content))
END"""
BOTO3 = """python3 - <<'END'
import boto3
asked = [{{"role": "user", "content": [{{"text": {question!r}}}]}}]
told = boto3.client("bedrock-runtime").converse(modelId="casemate.extractive-reader", messages=asked)
print(told["output"]["message"]["content"][0]["text"])
END"""

_PROGRAMS = {"openai": OPENAI, "anthropic": ANTHROPIC, "boto3": BOTO3}


@verb(
    "key.issue",
    option("--for", "client", type=click.Choice(["openai", "anthropic", "boto3"]), default="openai"),
    option("--floor", default="", metavar="LABEL"),
    option("--ceiling", default="", metavar="LABEL"),
    option("--days", type=click.IntRange(1, 366), default=90),
    option("--name", default=""),
    option("--principal", default="", metavar="NAME"),
    option("--project", default="", metavar="NAME"),
    option("--need", "needs", multiple=True, metavar="NAME"),
)
def issue(talk: Talk, client: str, needs: tuple[str, ...], **more: str | int) -> None:
    asked = {"client": client, "needs": needs, **more}
    url = talk.region().wires()
    asks = talk.client()
    if not more["principal"]:  # whoever makes a key for himself acts with what it may act with
        asks.needs = ",".join(needs)
    answer = asks.post("/api/keys", asked)
    made, secret = answer.data["key"], answer.data["secret"]
    settings = _settings(client, url, made["id"], secret)
    settings |= _authority(talk, url)
    program = _PROGRAMS[client].format(question=t("key.question"))
    lines = [f"export {variable}={shlex.quote(value)}" for variable, value in settings.items()]
    data = {**answer.data, "environment": settings, "lines": lines, "program": program}
    talk.data(data, answer.label, answer.marking, answer.entry)
    floor, ceiling = talk.marking(made["floor"]), talk.marking(made["ceiling"])
    talk.say("key.once", owner=made["owner_name"], until=iso(made["expires"]), floor=floor, ceiling=ceiling)
    for line in lines:
        talk.out(line)
    if not talk.plain:
        talk.out(program)


def _authority(talk: Talk, url: str) -> dict[str, str]:
    """Where the region signs its own certificate, whom the client has to believe."""
    if not url.startswith("https:"):
        return {}
    from casemate.cli.tls import environment
    from casemate.wiring.tls import show

    found = show(talk.region())
    return environment(str(found.authority_file.resolve())) if found.authority is not None else {}


def _settings(client: str, url: str, id: str, secret: str) -> dict[str, str]:
    """What that client reads in its environment."""
    if client == "openai":
        return {"OPENAI_BASE_URL": f"{url}/v1", "OPENAI_API_KEY": secret}
    if client == "anthropic":
        return {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": secret}
    return {
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": url,
        "AWS_ENDPOINT_URL_BEDROCK": url,
        "AWS_ENDPOINT_URL_BEDROCK_AGENT_RUNTIME": url,
        "AWS_ENDPOINT_URL_S3": url,
        "AWS_ACCESS_KEY_ID": id,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_SESSION_TOKEN": "",
        "AWS_DEFAULT_REGION": "casemate",
    }


@verb("key.list")
def listing(talk: Talk) -> None:
    answer = talk.client().get("/api/keys")
    talk.answer(answer)
    for line in columns([_row(talk, each) for each in answer.data]):
        talk.out(line)


def _row(talk: Talk, made: dict[str, Any]) -> tuple[str, ...]:
    floor, ceiling = talk.marking(made["floor"]), talk.marking(made["ceiling"])
    span = ceiling if floor == ceiling else f"{floor} … {ceiling}"
    return made["id"], made["owner_name"], made["client"], iso(made["expires"])[:10], made["name"], span


@verb("key.revoke", click.argument("id"))
def revoke(talk: Talk, id: str) -> None:
    answer = talk.client().call("DELETE", f"/api/keys/{id}")
    talk.answer(answer)
    talk.out(id)
