"""`casemate connect`: finds model servers here and vendors' keys in the environment, and asks before it uses any.

Nothing is registered, sent or copied without a yes to that one thing. Of a key only its name is read until then; its
value goes to the region in the body of one request, and is shown by nobody.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import click

from casemate.cli.client import Client
from casemate.cli.command import option, verb
from casemate.cli.failure import Failed
from casemate.cli.models import floor_of
from casemate.cli.table import columns
from casemate.cli.talk import Talk
from casemate.cli.tongue import t

__all__ = ["connect"]

PORTS = {11434: "ollama", 8080: "llama-server", 8000: "vllm", 1234: "lmstudio"}
SALTED = ("vllm",)  # servers that keep what bears another salt apart
MOST = 50  # models of one server that are registered at once


@dataclass(frozen=True, slots=True)
class Place:
    """Where models may be: a server here, or a vendor for whom the environment has a key under `names`."""

    name: str
    kind: str
    url: str
    names: tuple[str, ...] = ()
    region: str = ""


@verb(
    "connect",
    option("--yes", "consented", multiple=True, metavar="NAME"),
    option("--at", "urls", multiple=True, metavar="URL"),
    option("--model", "chosen", multiple=True, metavar="NAME"),
    option("--label", default="", metavar="LABEL"),
)
def connect(talk: Talk, consented: tuple[str, ...], urls: tuple[str, ...], chosen: tuple[str, ...], label: str) -> None:
    client = talk.client()
    at = label or floor_of(client)
    told: list[dict[str, Any]] = []
    for place in (*_servers(urls), *_vendors(os.environ)):
        found = _looked(client, place, at) if not place.names else []
        if found is None:
            continue
        about: dict[str, Any] = {"name": place.name, "url": place.url, "keys": list(place.names), "models": found}
        about["registered"] = []
        told.append(about)
        talk.say("connect.key" if place.names else "connect.server", **{**about, "keys": ", ".join(place.names)})
        if _agreed(talk, place.name, consented):
            about["registered"] = _connected(client, place, found, chosen, at)
    talk.data({"found": told})
    rows = [
        (one["name"], t(f"connect.outcome.{one['outcome']}"), one["detail"]) for p in told for one in p["registered"]
    ]
    for line in columns(rows):
        talk.out(line)
    if not told:
        talk.say("connect.nothing")
    elif not rows:
        talk.say("connect.without")


def _servers(urls: tuple[str, ...]) -> list[Place]:
    asked = urls or tuple(f"http://127.0.0.1:{port}/v1" for port in PORTS)
    found = []
    for url in asked:
        port = urlsplit(url).port or 0
        found.append(Place(PORTS.get(port, f"local-{port}"), "openai", url.rstrip("/")))
    return found


def _vendors(environ: Mapping[str, str]) -> list[Place]:
    """Vendors whose credentials are there, by the names of the variables alone."""
    found = []
    if environ.get("ANTHROPIC_API_KEY"):
        url = environ.get("ANTHROPIC_BASE_URL") or "https://api.anthropic.com"
        found.append(Place("anthropic", "anthropic", url.rstrip("/"), ("ANTHROPIC_API_KEY",)))
    if environ.get("OPENAI_API_KEY"):
        url = environ.get("OPENAI_BASE_URL") or "https://api.openai.com/v1"
        found.append(Place("openai", "openai", url.rstrip("/"), ("OPENAI_API_KEY",)))
    names = [name for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN") if environ.get(name)]
    if environ.get("AWS_BEARER_TOKEN_BEDROCK"):
        names = ["AWS_BEARER_TOKEN_BEDROCK"]
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    if names[:1] == ["AWS_BEARER_TOKEN_BEDROCK"] or len(names) >= 2:
        url = environ.get("AWS_ENDPOINT_URL_BEDROCK_RUNTIME") or f"https://bedrock-runtime.{region}.amazonaws.com"
        found.append(Place("bedrock", "bedrock", url.rstrip("/"), tuple(names), region))
    return found


def _looked(client: Client, place: Place, at: str, key: str = "") -> list[str] | None:
    """The models that the region finds there; None where nothing answers."""
    engine = {"kind": place.kind, "url": place.url, "key": key}
    try:
        return list(client.post("/api/models/look", {"engine": engine}, acting=at).data)
    except Failed as error:
        if error.problem.slug == "engine-failed":
            return None
        raise


def _agreed(talk: Talk, name: str, consented: tuple[str, ...]) -> bool:
    """Whether somebody said yes to this one."""
    if name in consented:
        return True
    asks = not talk.json and sys.stdin.isatty() and sys.stderr.isatty()
    return asks and click.confirm(t("connect.ask", name=name), default=False, err=True)


def _connected(
    client: Client, place: Place, models: list[str], chosen: tuple[str, ...], at: str
) -> list[dict[str, str]]:
    key = ""
    if place.names:
        key = place.name
        client.post("/api/models/keys", {"name": key, "secret": _secret(place.names)}, acting=at)
        if place.kind != "bedrock":
            models = _looked(client, place, at, key) or []
    wanted = [name for name in models if name in chosen] if chosen and models else list(chosen or models)
    return [_registered(client, place, key, name, at, first=not number) for number, name in enumerate(wanted[:MOST])]


def _secret(names: tuple[str, ...]) -> str:
    """The key as its file has it: the value alone, or the pairs of an AWS credential."""
    if len(names) == 1:
        return os.environ[names[0]]
    return "\n".join(f"{name.lower()} = {os.environ[name]}" for name in names)


def _registered(client: Client, place: Place, key: str, model: str, at: str, first: bool) -> dict[str, str]:
    """Register one; the first of each place is asked one small question. An officer's yes is another command."""
    name = f"{place.name}/{model}"
    told = {"vendor": place.name if place.names else "local", "state": "salted" if place.name in SALTED else "none"}
    engine = {"kind": place.kind, "url": place.url, "model": model, "key": key, "region": place.region}
    try:
        made = client.post("/api/models", {"name": name, "engine": engine, "described": told}, acting=at)
        proposed = str(made.data["proposed"])
        if first:
            found = client.post("/api/models/verify", {"model": name}, acting=at).data["evidence"]
            if found["outcome"] == "failed":
                return {"name": name, "outcome": "failed", "detail": str(found["detail"])}
        said = client.post("/api/models/accredit", {"model": name, "accreditation": proposed}, acting=at)
    except Failed as error:
        outcome = {"conflict": "known", "refused": "proposed"}.get(error.problem.slug, "failed")
        return {"name": name, "outcome": outcome, "detail": "" if outcome != "failed" else error.problem.detail}
    if said.data is None:  # where two officers must, the second one is missing
        return {"name": name, "outcome": "proposed", "detail": ""}
    return {"name": name, "outcome": "accredited", "detail": proposed}
