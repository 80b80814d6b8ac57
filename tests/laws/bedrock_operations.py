"""What the two worlds do through the Bedrock wire: vendors' bodies, guardrails, jobs, and what is not here."""

from __future__ import annotations

import random
from typing import Any

from tests.laws.operations import WORDS, Doing, operation, question, reading, sentence
from tests.laws.world import Seen, World

RUNTIME = ("invoke", "invoke-with-response-stream", "count-tokens")
DRAFT = "/guardrails/{guardrail}"
JOB = "/model-invocation-job/{job}"
ABSENT = ("custom-models", "model-customization-jobs", "imported-models", "model-import-jobs")
MAKES = ("/model-customization-jobs", "/model-import-jobs", "/custom-models/create-custom-model")


def _name(rng: random.Random) -> str:
    return rng.choice(("casemate.extractive-reader",) * 3 + ("law.far", "nobody.nothing"))


@operation(*(("POST", f"/model/{{model}}/{verb}") for verb in RUNTIME))
def bedrock_invoke(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    asked, verb, name = question(rng), rng.choice(RUNTIME), _name(rng)
    turns = [{"role": "user", "content": asked}]
    body: dict[str, Any] = rng.choice(
        (
            {"messages": turns},
            {"anthropic_version": "x", "max_tokens": 50, "messages": turns},
            {"prompt": asked},
            {"inputText": asked},
            {"texts": [asked]},
        )
    )
    if verb == "count-tokens":
        body = {"input": {"converse": {"messages": [{"role": "user", "content": [{"text": asked}]}]}}}

    async def do(world: World) -> Seen:
        return await world.call(who, "POST", f"/model/{name}/{verb}", body, label)

    return do, asked


@operation(
    ("POST", "/guardrails"),
    ("GET", "/guardrails"),
    ("GET", DRAFT),
    ("PUT", DRAFT),
    ("POST", DRAFT),
    ("DELETE", DRAFT),
    ("POST", "/guardrail/{guardrail}/version/{version}/apply"),
    ("POST", "/tagResource"),
    ("POST", "/untagResource"),
    ("POST", "/listTagsForResource"),
)
def bedrock_guardrail(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    """Make one, or do something with one that is listed; without any, with one that never was."""
    text, deed, place = sentence(rng), rng.randrange(12), rng.random()
    words = {"wordsConfig": [{"text": rng.choice(WORDS)}]}
    body = {
        "name": "law",
        "blockedInputMessaging": "No.",
        "blockedOutputsMessaging": "No.",
        "wordPolicyConfig": words,
        "tags": [{"key": "law", "value": "x"}],
    }

    async def do(world: World) -> Seen:
        if deed < 4:
            return await world.call(who, "POST", "/guardrails", body, label)
        listed = await world.call(who, "GET", "/guardrails", acting=label)
        found = listed.json["guardrails"] if listed.status == 200 else []
        if deed == 4:
            return listed
        one = found[int(place * len(found))] if found else {"id": "none", "arn": "none"}
        id, draft = one["id"], f"/guardrails/{one['id']}"
        resource = {"resourceARN": one["arn"]}
        applied = {"source": "INPUT", "content": [{"text": {"text": text}}]}
        method, target, given = (
            ("GET", draft, None),
            ("PUT", draft, body),
            ("POST", draft, {}),
            ("DELETE", draft, None),
            ("POST", f"/guardrail/{id}/version/DRAFT/apply", applied),
            ("POST", "/tagResource", {**resource, "tags": [{"key": "a", "value": "b"}]}),
            ("POST", rng_choice(place, "/untagResource", "/listTagsForResource"), {**resource, "tagKeys": ["a"]}),
        )[deed - 5]
        return await world.call(who, method, target, given, label)

    return do, ""


def _compared(rng: random.Random) -> dict[str, Any]:
    return rng.choice(
        (
            {"startsWith": {"key": "title", "value": rng.choice(WORDS)[:2].capitalize()}},
            {"greaterThan": {"key": "at", "value": 0}},
            {"notEquals": {"key": "port", "value": "x"}},
        )
    )


@operation(("POST", "/knowledgebases/{base}/retrieve"))
def bedrock_retrieve(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    """A page of results, and the next one where there is one: hybrid, or by vectors alone, under a filter or none."""
    asked, base = question(rng), rng.choice(("law",) * 6 + ("all", "nowhere"))
    searched: dict[str, Any] = {"numberOfResults": rng.randint(1, 4)}
    if rng.random() < 0.5:
        searched["overrideSearchType"] = rng.choice(("HYBRID", "SEMANTIC"))
    if rng.random() < 0.4:
        searched["filter"] = _compared(rng)
    body: dict[str, Any] = {
        "retrievalQuery": {"text": asked},
        "retrievalConfiguration": {"vectorSearchConfiguration": searched},
    }

    async def do(world: World) -> Seen:
        seen = await world.call(who, "POST", f"/knowledgebases/{base}/retrieve", body, label)
        if seen.status == 200 and "nextToken" in seen.json:
            more = {**body, "nextToken": seen.json["nextToken"]}
            return await world.call(who, "POST", f"/knowledgebases/{base}/retrieve", more, label)
        return seen

    return do, asked


@operation(("POST", "/retrieveAndGenerate"), ("POST", "/retrieveAndGenerateStream"))
def bedrock_generate(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    asked, path = question(rng), rng.choice(("/retrieveAndGenerate", "/retrieveAndGenerateStream"))
    source = {"knowledgeBaseId": rng.choice(("law",) * 6 + ("nowhere",)), "modelArn": _name(rng)}
    told = {"type": "KNOWLEDGE_BASE", "knowledgeBaseConfiguration": source}
    body = {"input": {"text": asked}, "retrieveAndGenerateConfiguration": told}

    async def do(world: World) -> Seen:
        return await world.call(who, "POST", path, body, label)

    return do, asked


def rng_choice(place: float, *targets: str) -> str:
    return targets[int(place * len(targets))]


@operation(("POST", "/model-invocation-job"), ("GET", "/model-invocation-jobs"), ("GET", JOB), ("POST", f"{JOB}/stop"))
def bedrock_job(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    """Jobs over files that never were: what a real one does is the batch's own operation."""
    body = {
        "jobName": "law",
        "roleArn": "arn:aws:iam::000000000000:role/none",
        "modelId": _name(rng),
        "inputDataConfig": {"s3InputDataConfig": {"s3Uri": rng.choice(("s3://casemate/file-none", "s3://other/x"))}},
        "outputDataConfig": {"s3OutputDataConfig": {"s3Uri": "s3://casemate/out"}},
    }
    method, target, given = rng.choice(
        (
            ("POST", "/model-invocation-job", body),
            ("GET", "/model-invocation-jobs", None),
            ("GET", "/model-invocation-job/none", None),
            ("POST", "/model-invocation-job/none/stop", None),
        )
    )

    async def do(world: World) -> Seen:
        return await world.call(who, method, target, given, label)

    return do, ""


@operation(
    *(("GET", f"/{path}/{{id}}") for path in ABSENT),
    *(("POST", path) for path in MAKES),
    ("PUT", "/logging/modelinvocations"),
    ("DELETE", "/logging/modelinvocations"),
    ("GET", "/inference-profiles/{profile}"),
)
def bedrock_not_here(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    deeds: list[tuple[str, str, dict[str, Any] | None]] = [
        *(("GET", f"/{path}/none", None) for path in ABSENT),
        *(("POST", path, {}) for path in MAKES),
        ("PUT", "/logging/modelinvocations", {}),
        ("DELETE", "/logging/modelinvocations", None),
        ("GET", f"/inference-profiles/us.{_name(rng)}", None),
    ]
    method, target, given = rng.choice(deeds)

    async def do(world: World) -> Seen:
        return await world.call(who, method, target, given, label)

    return do, ""


reading(
    "bedrock",
    *(f"/{path}" for path in ABSENT),
    "/provisioned-model-throughputs",
    "/logging/modelinvocations",
    "/inference-profiles",
)
