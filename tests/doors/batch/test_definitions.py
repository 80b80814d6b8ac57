"""Job definitions, queues and tags through the Batch wire."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from casemate.jobs import Resources, Spec
from casemate.jobs.queues import Definition, Queues
from casemate.policy import Action
from tests.doors.batch.hand import IMAGE, Hand
from tests.doors.wired import Wired

REGISTER: dict[str, Any] = {"jobDefinitionName": "d", "type": "container", "containerProperties": IMAGE}


def test_revisions(low: Hand) -> None:
    """Each registration is the next one; one that was retired keeps its number."""
    assert low.defined().endswith(":job-definition/train:1")
    arn = low.defined(retryStrategy={"attempts": 3}, tags={"a": "b"}, propagateTags=True, schedulingPriority=5)
    assert arn.endswith("train:2")
    told = low("DescribeJobDefinitions", jobDefinitionName="train")["jobDefinitions"]
    assert [(one["revision"], one["status"]) for one in told] == [(2, "ACTIVE"), (1, "ACTIVE")]
    assert told[0]["containerProperties"]["command"] == IMAGE["command"]
    assert told[0]["containerProperties"]["image"] == "machine"
    assert told[0]["retryStrategy"]["attempts"] == 3
    assert told[0]["tags"] == {"a": "b"}
    low("DeregisterJobDefinition", jobDefinition=arn)
    low("DeregisterJobDefinition", jobDefinition=arn)
    assert low.defined().endswith("train:3")
    states = low("DescribeJobDefinitions", jobDefinitionName="train", status="INACTIVE")["jobDefinitions"]
    assert [one["revision"] for one in states] == [2]
    by_name = low("DescribeJobDefinitions", jobDefinitions=["train", arn, "never", "never:1"])["jobDefinitions"]
    assert [one["revision"] for one in by_name] == [3, 2, 1, 2]


def test_pages(low: Hand) -> None:
    for _ in range(3):
        low.defined()
    first = low("DescribeJobDefinitions", maxResults=2)
    second = low("DescribeJobDefinitions", maxResults=2, nextToken=first["nextToken"])
    shown = [one["revision"] for one in [*first["jobDefinitions"], *second["jobDefinitions"]]]
    assert shown == [3, 2, 1]
    assert "nextToken" not in second
    assert low.fails("DescribeJobDefinitions", nextToken="YS9i") == ("ClientException", 400)


def test_queues(low: Hand) -> None:
    """Made, told, changed, shut, dropped; `default` is always there."""
    made = low("CreateJobQueue", jobQueueName="night", priority=7, computeEnvironmentOrder=[], tags={"t": "u"})
    assert made["jobQueueArn"].endswith(":job-queue/night")
    told = low("DescribeJobQueues")["jobQueues"]
    assert [(one["jobQueueName"], one["state"], one["priority"]) for one in told] == [
        ("default", "ENABLED", 0),
        ("night", "ENABLED", 7),
    ]
    assert low.fails("CreateJobQueue", jobQueueName="night") == ("ClientException", 400)
    assert low.fails("CreateJobQueue", jobQueueName="default") == ("ClientException", 400)
    low.defined()
    id = low.submitted(jobQueue=made["jobQueueArn"], schedulingPriorityOverride=3)
    assert low.job(id)["schedulingPriority"] == 10
    assert low.fails("DeleteJobQueue", jobQueue="night") == ("ClientException", 400)
    low("UpdateJobQueue", jobQueue="night", state="DISABLED", priority=1)
    said = {"jobName": "j", "jobQueue": "night", "jobDefinition": "train"}
    assert low.fails("SubmitJob", **said) == ("ClientException", 400)
    assert low.fails("DeleteJobQueue", jobQueue="night") == ("ClientException", 400)
    low("CancelJob", jobId=id, reason="r")
    low.region.work(2)
    low("DeleteJobQueue", jobQueue="night")
    assert low("DescribeJobQueues", jobQueues=["night", "default"])["jobQueues"][0]["jobQueueName"] == "default"
    assert low.fails("UpdateJobQueue", jobQueue="night") == ("ClientException", 400)


def test_a_queue_with_a_floor(low: Hand) -> None:
    """What it takes is isolated at least so."""
    low("CreateJobQueue", jobQueueName="safe", priority=1, tags={"casemate:floor": "L2"})
    low.defined()
    id = low.submitted(jobQueue="safe")

    async def floor() -> str:
        flow = await low.region.gate.open(low.region.owner(), Action("read", "job"))
        spec = (await low.region.jobs.named(flow, id)).value.spec
        return spec.floor if spec is not None else ""

    assert asyncio.run(floor()) == "L2"
    assert low.fails("CreateJobQueue", jobQueueName="odd", tags={"casemate:floor": "L9"}) == ("ClientException", 400)


def test_the_compute_environment(low: Hand) -> None:
    """There is one, and a queue may name it."""
    told = low("DescribeComputeEnvironments")["computeEnvironments"]
    assert [one["computeEnvironmentName"] for one in told] == ["casemate"]
    order = [{"order": 1, "computeEnvironment": told[0]["computeEnvironmentArn"]}]
    low("CreateJobQueue", jobQueueName="q", priority=1, computeEnvironmentOrder=order)
    assert low("DescribeComputeEnvironments", computeEnvironments=["never"])["computeEnvironments"] == []
    order = [{"order": 1, "computeEnvironment": "spot"}]
    assert low.fails("CreateJobQueue", jobQueueName="r", computeEnvironmentOrder=order) == ("ClientException", 400)


def test_tags(low: Hand) -> None:
    arn = low.defined(tags={"a": "b"})
    low("TagResource", resourceArn=arn, tags={"c": "d"})
    assert low("ListTagsForResource", resourceArn=arn)["tags"] == {"a": "b", "c": "d"}
    id = low.submitted(tags={"e": "f"})
    job = low.job(id)["jobArn"]
    assert low("ListTagsForResource", resourceArn=job)["tags"] == {"e": "f"}
    queue = low("CreateJobQueue", jobQueueName="q", priority=1, tags={"g": "h"})["jobQueueArn"]
    assert low("ListTagsForResource", resourceArn=queue)["tags"] == {"g": "h"}
    for tags in ({"casemate:label": "us:SECRET"}, {"a": 1}, {"k" * 129: ""}):
        assert low.fails("TagResource", resourceArn=arn, tags=tags) == ("ClientException", 400)
    assert low.fails("TagResource", resourceArn=f"{arn}9", tags={}) == ("ClientException", 400)
    assert low.fails("ListTagsForResource", resourceArn="arn:aws:s3:::b") == ("ClientException", 400)


def test_images(low: Hand) -> None:
    """By digest, or of the machine; what a registry's tag means may change."""
    digest = "0" * 64
    for image in (f"image:{digest}", f"wheels:{digest}", f"ubuntu@sha256:{digest}", "site:gcc/12", "machine"):
        low("RegisterJobDefinition", **{**REGISTER, "containerProperties": {**IMAGE, "image": image}})
    assert low.fails("RegisterJobDefinition", **{**REGISTER, "containerProperties": {**IMAGE, "image": "ubuntu:22.04"}})


@pytest.mark.parametrize(
    "said",
    [
        {"type": "multinode"},
        {"containerProperties": None},
        {"jobDefinitionName": "a b"},
        {"nodeProperties": {"numNodes": 2}},
        {"containerProperties": {**IMAGE, "privileged": True}},
        {"containerProperties": {**IMAGE, "volumes": [{"name": "v"}]}},
        {"containerProperties": {**IMAGE, "memory": 1}},
        {"containerProperties": {**IMAGE, "command": ["x" * 70_000]}},
        {"containerProperties": {**IMAGE, "misspelt": 1}},
        {"parameters": {str(at): "" for at in range(201)}},
    ],
)
def test_what_is_no_definition(low: Hand, said: dict[str, Any]) -> None:
    assert low.fails("RegisterJobDefinition", **{**REGISTER, **said}) == ("ClientException", 400)


def test_an_array_of_gpus_and_disk(low: Hand) -> None:
    """What is asked for is told as it was asked for."""
    asked = {**IMAGE, "resourceRequirements": [{"type": "GPU", "value": "2"}], "ephemeralStorage": {"sizeInGiB": 3}}
    low.defined(containerProperties=asked)
    told = low.job(low.submitted())["container"]["resourceRequirements"]
    assert {"type": "GPU", "value": "2"} in told
    assert low.fails("DeregisterJobDefinition", jobDefinition="train") == ("ClientException", 400)
    assert low.fails("DeregisterJobDefinition", jobDefinition="train:7") == ("ClientException", 400)


def test_a_definition_of_another_door_is_told_in_the_words_of_this_one(region: Wired, low: Hand) -> None:
    """What the native door has registered has no words of this wire; it is described, and makes jobs."""

    async def registered() -> None:
        flow = await region.gate.open(region.owner(), Action("add", "job-definition"), region.region.floor)
        spec = Spec(("/bin/echo", "Ref::word"), env={"A": "1"}, resources=Resources(cpus=2, gpus=1), priority=3)
        await Queues(region.gate).register(flow, Definition("theirs", 0, spec, b"", {"word": "here"}))

    asyncio.run(registered())
    [told] = low("DescribeJobDefinitions", jobDefinitionName="theirs")["jobDefinitions"]
    assert (told["schedulingPriority"], told["parameters"], told["type"]) == (3, {"word": "here"}, "container")
    container = told["containerProperties"]
    assert (container["command"], container["image"]) == (["/bin/echo", "Ref::word"], "machine")
    needs = {one["type"]: one["value"] for one in container["resourceRequirements"]}
    assert needs == {"VCPU": "2", "MEMORY": "512", "GPU": "1"}
    id = low.submitted(jobDefinition="theirs")
    assert low.job(id)["container"]["command"] == ["/bin/echo", "here"]
