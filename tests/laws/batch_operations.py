"""What the two worlds do through the Batch wire: definitions, queues, jobs, tags and lines; and what is not here.

Names are few, so that hidden sessions meet the observer's all the time: the same definition at several labels, queues
of one name, and ids of jobs that were made elsewhere.
"""

from __future__ import annotations

import random
from typing import Any
from urllib.parse import quote

from casemate.doors.batch.elsewhere import NAMES
from tests.laws.job_operations import NEVER, chosen
from tests.laws.operations import Doing, operation, sentence
from tests.laws.world import Seen, World

TRAINS, QUEUES = ("train", "train", "never"), ("default", "default", "law", "dark")
DEFINITION, QUEUE = "arn:aws:batch:law:000000000000:job-definition/", "arn:aws:batch:law:000000000000:job-queue/"
STATES = ("SUBMITTED", "RUNNABLE", "SUCCEEDED", "FAILED", "")
TARGET = (("x-amz-target", "Logs_20140328.GetLogEvents"),)


def post(name: str) -> tuple[str, str]:
    return "POST", f"/v1/{name}"


def definition(rng: random.Random) -> dict[str, Any]:
    """Something small, to be registered."""
    told: dict[str, Any] = {
        "jobDefinitionName": rng.choice(TRAINS),
        "type": "container" if rng.random() < 0.95 else "multinode",
        "containerProperties": {"image": "machine", "command": ["/bin/echo", "Ref::word"], "vcpus": 1, "memory": 64},
        "parameters": {"word": sentence(rng, 2)},
    }
    told |= {"tags": {"team": "law"}} if rng.random() < 0.3 else {}
    told |= {"misspelt": 1} if rng.random() < 0.05 else {}
    return told


@operation(post("registerjobdefinition"), post("describejobdefinitions"), post("deregisterjobdefinition"))
def batch_definitions(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    told, name = definition(rng), rng.choice(TRAINS)
    one = f"{name}:{rng.randint(1, 4)}"
    way, body = rng.choice(
        (
            ("registerjobdefinition", told),
            ("registerjobdefinition", told),
            ("describejobdefinitions", {}),
            ("describejobdefinitions", {"jobDefinitionName": name, "status": rng.choice(("ACTIVE", "INACTIVE"))}),
            ("describejobdefinitions", {"jobDefinitions": [name, one], "maxResults": 1}),
            ("deregisterjobdefinition", {"jobDefinition": DEFINITION + one}),
        )
    )
    return asked(who, label, way, body), ""


@operation(
    post("createjobqueue"),
    post("describejobqueues"),
    post("updatejobqueue"),
    post("deletejobqueue"),
    post("describecomputeenvironments"),
)
def batch_queues(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    name, priority = rng.choice(QUEUES), rng.randint(-2, 9)
    way, body = rng.choice(
        (
            ("createjobqueue", {"jobQueueName": name, "priority": priority, "computeEnvironmentOrder": []}),
            ("createjobqueue", {"jobQueueName": name, "priority": priority, "tags": {"casemate:floor": "L2"}}),
            ("describejobqueues", {}),
            ("describejobqueues", {"jobQueues": [QUEUE + name, "never"]}),
            ("updatejobqueue", {"jobQueue": name, "state": rng.choice(("ENABLED", "DISABLED")), "priority": priority}),
            ("deletejobqueue", {"jobQueue": name}),
            ("describecomputeenvironments", {}),
        )
    )
    return asked(who, label, way, body), ""


def asked(who: str, label: str, way: str, body: dict[str, Any]) -> Doing:
    """One operation."""

    async def do(world: World) -> Seen:
        return await world.call(who, "POST", f"/v1/{way}", body, label)

    return do


@operation(
    post("submitjob"), post("registerjobdefinition"), post("describejobs"), post("listjobs"), post("canceljob"),
    post("terminatejob"),
)  # fmt: skip
def batch_jobs(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    """Submitted with what may be hidden, and asked for; ended by whoever may."""
    place, after, own = rng.random(), rng.random() < 0.3, rng.random() < 0.7
    told = definition(rng) | {"jobDefinitionName": "train", "type": "container"}
    told.pop("misspelt", None)
    body: dict[str, Any] = {
        "jobName": rng.choice(("a", "b")),
        "jobQueue": rng.choice(QUEUES),
        "jobDefinition": rng.choice(("train", "train", "train:1", "never")),
        "parameters": {"word": sentence(rng, 1)},
    }
    body |= {"arrayProperties": {"size": 2}} if rng.random() < 0.2 else {}
    body |= {"tags": {"casemate:key": rng.choice("kl")}} if rng.random() < 0.3 else {}
    then = rng.choice(("describejobs", "listjobs", "canceljob", "terminatejob", ""))
    state, queue, many = rng.choice(STATES), rng.choice(QUEUES), rng.choice((1, 100))
    name = rng.choice(({}, {"filters": [{"name": "JOB_NAME", "values": ["a*"]}]}))

    async def do(world: World) -> Seen:
        if own:
            await world.call(who, "POST", "/v1/registerjobdefinition", told, label)
        waits = {"dependsOn": [{"jobId": chosen(world, place)}]} if after else {}
        seen = await world.call(who, "POST", "/v1/submitjob", {**body, **waits}, label)
        id = chosen(world, place)
        if seen.status == 200:
            id = seen.json["jobId"]
            world.prints[id] = label
        if not then:
            return seen
        said: dict[str, Any] = {"jobId": id, "reason": "law"}
        if then == "describejobs":
            said = {"jobs": [id, chosen(world, place), NEVER]}
        elif then == "listjobs":
            said = {"jobQueue": queue, "jobStatus": state, "maxResults": many, **name}
        return await world.call(who, "POST", f"/v1/{then}", said, label)

    return do, ""


@operation(("POST", "/"), ("GET", "/v1/tags/{arn}"), ("POST", "/v1/tags/{arn}"), ("DELETE", "/v1/tags/{arn}"))
def batch_lines_and_tags(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    place, stream, token = rng.random(), rng.choice(("out", "err", "both")), rng.choice(({}, {"nextToken": "f/3"}))
    arn = rng.choice((DEFINITION + "train:1", DEFINITION + "train", QUEUE + "law", "job", "never"))
    way = rng.choice(("lines", "lines", "GET", "GET", "POST", "DELETE"))

    async def do(world: World) -> Seen:
        id = chosen(world, place)
        if way == "lines":
            body = {"logGroupName": "/aws/batch/job", "logStreamName": f"{id}/{stream}", **token}
            return await world.call(who, "POST", "/", body, label, TARGET)
        name = quote(id if arn == "job" else arn, safe="")
        tags = {"tags": {"team": "two"}} if way == "POST" else None
        return await world.call(who, way, f"/v1/tags/{name}", tags, label)

    return do, ""


@operation(*(post(name) for name in NAMES))
def batch_elsewhere(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    return asked(who, label, rng.choice(NAMES), {}), ""
