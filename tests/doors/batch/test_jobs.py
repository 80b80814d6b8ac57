"""Jobs through the Batch wire: submitted, described, listed, ended; every answer read by botocore's parser."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from casemate.accounts import Bounds, QuotaRequest, set_quota
from casemate.policy import Action
from tests.doors.batch.hand import IMAGE, Hand
from tests.doors.wired import Wired


def test_a_job_from_its_definition_to_its_end(region: Wired, low: Hand) -> None:
    """What the definition says, what the submission says otherwise, parameters, attempts, lines."""
    definition = low.defined(
        parameters={"word": "usual"},
        retryStrategy={"attempts": 2, "evaluateOnExit": [{"action": "exit", "onExitCode": "7"}]},
        timeout={"attemptDurationSeconds": 90},
    )
    said = {
        "command": ["/bin/echo", "Ref::word", "Ref::other"],
        "environment": [{"name": "A", "value": "1"}],
        "resourceRequirements": [{"type": "MEMORY", "value": "1024"}, {"type": "VCPU", "value": "0.5"}],
    }
    id = low.submitted(containerOverrides=said, parameters={"word": "said"}, tags={"team": "red"})
    told = low.job(id)
    assert (told["jobId"], told["jobName"], told["status"]) == (id, "one", "SUBMITTED")
    assert told["jobArn"].endswith(f":job/{id}")
    assert told["jobDefinition"] == definition
    assert told["jobQueue"].endswith(":job-queue/default")
    assert told["container"]["command"] == ["/bin/echo", "said", "Ref::other"]
    assert told["container"]["environment"] == [{"name": "A", "value": "1"}]
    assert told["container"]["resourceRequirements"] == [
        {"type": "VCPU", "value": "1"},
        {"type": "MEMORY", "value": "1024"},
    ]
    assert told["retryStrategy"] == {"attempts": 2, "evaluateOnExit": [{"action": "EXIT", "onExitCode": "7"}]}
    assert told["timeout"] == {"attemptDurationSeconds": 90}
    assert told["tags"]["team"] == "red"
    assert "casemate:definition" not in told["tags"]
    region.work(files={"log:out": b"first\nsecond \xff\nno end"})
    told = low.job(id)
    assert told["status"] == "SUCCEEDED"
    assert told["container"]["exitCode"] == 0
    assert told["container"]["logStreamName"] == told["attempts"][0]["container"]["logStreamName"] == f"{id}/out"
    lines, after = low.lines(f"{id}/out")
    assert lines == ["first", "second �", "no end"]
    assert low.lines(f"{id}/out", nextToken=after) == ([], after)
    assert low.lines(f"{id}/out", limit=1) == (["first"], "f/6")
    assert low.lines(f"{id}/err") == ([], "f/0")


def test_a_line_that_is_being_written_is_told_once_it_is_whole(region: Wired, low: Hand) -> None:
    low.defined()
    id = low.submitted()
    region.work(3, ends=False)
    assert low.job(id)["status"] == "RUNNING"
    spot = next(iter(region.scratch.spots.values()))
    spot.files["log:out"] = b"whole\nha"
    assert low.lines(f"{id}/out") == (["whole"], "f/6")
    spot.files["log:out"] = b"whole\nhalf\n"
    assert low.lines(f"{id}/out", nextToken="f/6") == (["half"], "f/11")
    spot.files["log:out"] = b"whole\nhalf\nno"
    assert low.lines(f"{id}/out", nextToken="f/11") == ([], "f/11")


def test_the_exit_of_what_was_killed(region: Wired, low: Hand) -> None:
    """128 and the signal, as shells say it."""
    low.defined()
    id = low.submitted()
    region.work(2, ends=False)
    for native in region.engine.all("running"):
        region.engine.end(native, code=None, signal=9, reason="memory")  # type: ignore[arg-type]
    region.work(2)
    told = low.job(id)
    assert told["status"] == "FAILED"
    assert told["container"]["exitCode"] == 137


def test_arrays_and_what_waits_for_them(region: Wired, low: Hand) -> None:
    """Children bear the parent's id and their index; N_TO_N is the child of the same index."""
    low.defined()
    first = low.submitted(arrayProperties={"size": 3}, dependsOn=[{"type": "SEQUENTIAL"}])
    second = low.submitted(arrayProperties={"size": 3}, dependsOn=[{"jobId": first, "type": "N_TO_N"}])
    third = low.submitted(dependsOn=[{"jobId": second}])
    assert low.job(second)["dependsOn"] == [{"jobId": first, "type": "N_TO_N"}]
    assert low.job(third)["dependsOn"] == [{"jobId": second}]
    region.work(40)
    told = low.job(first)
    assert told["arrayProperties"]["size"] == 3
    assert told["arrayProperties"]["statusSummary"]["SUCCEEDED"] == 3
    child = low.job(f"{first}:1")
    assert child["arrayProperties"] == {"index": 1}
    assert child["container"]["command"] == ["/bin/echo", "Ref::word"]
    assert [low.job(id)["status"] for id in (first, second, third)] == ["SUCCEEDED"] * 3
    listed = low("ListJobs", arrayJobId=first, jobStatus="SUCCEEDED")["jobSummaryList"]
    assert [one["arrayProperties"]["index"] for one in listed] == [0, 1, 2]


def test_lists(region: Wired, low: Hand) -> None:
    """By state, by filter, page by page."""
    low.defined()
    low.defined("other")
    ids = [low.submitted(jobName=f"job-{at}") for at in range(5)]
    beside = low.submitted(jobName="beside", jobDefinition="other")
    assert low("ListJobs", jobQueue="default")["jobSummaryList"] == []
    listed = low("ListJobs", jobQueue="default", jobStatus="SUBMITTED")["jobSummaryList"]
    assert [one["jobId"] for one in listed] == [*ids, beside]
    found, after, pages = [], None, 0
    while True:
        more = {"nextToken": after} if after else {}
        page = low("ListJobs", jobQueue="default", jobStatus="SUBMITTED", maxResults=2, **more)
        found += [one["jobId"] for one in page["jobSummaryList"]]
        after, pages = page.get("nextToken"), pages + 1
        if not after:
            break
    assert found == [*ids, beside]
    assert pages >= 3

    def filtered(name: str, *values: str) -> list[str]:
        told = low("ListJobs", jobQueue="default", filters=[{"name": name, "values": list(values)}])
        return [one["jobId"] for one in told["jobSummaryList"]]

    assert filtered("JOB_NAME", "JOB-1") == [ids[1]]
    assert filtered("JOB_NAME", "job-*", "never") == ids
    assert filtered("JOB_DEFINITION", "other") == [beside]
    assert filtered("JOB_DEFINITION", low("DescribeJobDefinitions")["jobDefinitions"][0]["jobDefinitionArn"]) == [
        beside
    ]
    now = region.clock.now() // 1000
    assert filtered("AFTER_CREATED_AT", str(now + 1)) == []
    assert filtered("BEFORE_CREATED_AT", str(now + 1)) == [*ids, beside]
    assert filtered("BEFORE_CREATED_AT", "soon") == []


def test_ending(region: Wired, low: Hand) -> None:
    """What has not begun is cancelled; what runs is only terminated."""
    low.defined()
    waits, runs = low.submitted(), low.submitted()
    low("CancelJob", jobId=waits, reason="not wanted")
    region.work(3, ends=False)
    told = low.job(waits)
    assert (told["status"], told["statusReason"], told["isCancelled"]) == ("FAILED", "not wanted", True)
    low("CancelJob", jobId=runs, reason="too late")
    region.work(2, ends=False)
    assert low.job(runs)["status"] == "RUNNING"
    low("TerminateJob", jobId=low.job(runs)["jobArn"], reason="enough")
    region.work(2, ends=False)
    assert next(iter(region.scratch.spots.values())).stopped
    for native in region.engine.all("running"):
        region.engine.end(native, signal=15)
    region.work(3)
    told = low.job(runs)
    assert (told["status"], told["isTerminated"]) == ("FAILED", True)


def test_a_key_makes_one_job(low: Hand) -> None:
    """The protocol has no token; the tag is one."""
    low.defined()
    first = low.submitted(tags={"casemate:key": "k"})
    assert low.submitted(tags={"casemate:key": "k"}) == first
    assert low.submitted() != first
    assert low.fails(
        "SubmitJob", jobName="another", jobQueue="default", jobDefinition="train", tags={"casemate:key": "k"}
    )


OVER: dict[str, Any] = {"jobName": "j", "jobQueue": "default", "jobDefinition": "train"}


@pytest.mark.parametrize(
    ("operation", "said"),
    [
        ("SubmitJob", {**OVER, "jobQueue": "never"}),
        ("SubmitJob", {**OVER, "jobDefinition": "never"}),
        ("SubmitJob", {**OVER, "jobDefinition": "train:9"}),
        ("SubmitJob", {**OVER, "jobDefinition": "arn:aws:batch:x:0:job-queue/default"}),
        ("SubmitJob", {**OVER, "shareIdentifier": "s"}),
        ("SubmitJob", {**OVER, "nodeOverrides": {"numNodes": 2}}),
        ("SubmitJob", {**OVER, "dependsOn": [{"type": "N_TO_N"}]}),
        ("SubmitJob", {**OVER, "dependsOn": [{"jobId": "job_never"}]}),
        ("SubmitJob", {**OVER, "arrayProperties": {"size": 1}}),
        ("SubmitJob", {**OVER, "containerOverrides": {"image": "machine"}}),
        ("SubmitJob", {**OVER, "containerOverrides": {"resourceRequirements": [{"type": "GPU", "value": "x"}]}}),
        ("SubmitJob", {**OVER, "containerOverrides": {"command": []}}),
        ("SubmitJob", {**OVER, "retryStrategy": {"attempts": 11}}),
        ("SubmitJob", {**OVER, "retryStrategy": {"attempts": 1, "evaluateOnExit": [{"action": "maybe"}]}}),
        ("SubmitJob", {**OVER, "misspelt": 1}),
        ("SubmitJob", {"jobName": "j"}),
        ("DescribeJobs", {"jobs": ["j"] * 101}),
        ("DescribeJobs", {}),
        ("ListJobs", {}),
        ("ListJobs", {"jobQueue": "default", "arrayJobId": "a"}),
        ("ListJobs", {"jobQueue": "never"}),
        ("ListJobs", {"arrayJobId": "job_never"}),
        ("ListJobs", {"jobQueue": "default", "jobStatus": "NEVER"}),
        ("ListJobs", {"jobQueue": "default", "filters": [{"name": "SHARE_IDENTIFIER", "values": []}]}),
        ("ListJobs", {"jobQueue": "default", "nextToken": "!"}),
        ("ListJobs", {"jobQueue": "default", "nextToken": "bm90IGEgY3Vyc29y"}),
        ("ListJobs", {"jobQueue": "default", "maxResults": 101}),
        ("CancelJob", {"jobId": "job_never", "reason": "r"}),
        ("TerminateJob", {"jobId": "job_never", "reason": "r"}),
        ("CreateComputeEnvironment", {"computeEnvironmentName": "c", "type": "MANAGED"}),
        ("SubmitServiceJob", {}),
        ("UntagResource", {"resourceArn": "arn:aws:batch:x:0:job-definition/train:1"}),
    ],
)
def test_what_is_no_request_is_told_as_such(low: Hand, operation: str, said: dict[str, Any]) -> None:
    """As a ClientException, which clients do not try again."""
    low.defined()
    assert low.fails(operation, **said) == ("ClientException", 400)


def test_a_definition_that_was_retired_makes_no_jobs(low: Hand) -> None:
    low.defined()
    low("DeregisterJobDefinition", jobDefinition="train:1")
    assert low.fails("SubmitJob", **OVER) == ("ClientException", 400)
    assert low.fails("SubmitJob", **{**OVER, "jobDefinition": "train:1"}) == ("ClientException", 400)


def test_a_definition_without_a_command(low: Hand) -> None:
    """The submission says it, or there is none."""
    low.defined(containerProperties={**IMAGE, "command": []})
    assert low.fails("SubmitJob", **OVER) == ("ClientException", 400)
    id = low.submitted(containerOverrides={"command": ["/bin/true"]})
    assert low.job(id)["container"]["command"] == ["/bin/true"]


def test_logs_of_what_is_none(low: Hand) -> None:
    """The words of CloudWatch Logs."""
    low.defined()
    id = low.submitted()
    assert low.lines(f"{id}/out") == ([], "f/0")
    codes = {
        "absent": low.log("job_never/out"),
        "stream": low.log(f"{id}/both"),
        "group": low.log(f"{id}/out", logGroupName="/other"),
    }
    assert {got.json["__type"] for got in codes.values()} == {"ResourceNotFoundException"}
    for got in (low.log(f"{id}/out", nextToken="x/1"), low.log(f"{id}/out", limit=0), low.log(f"{id}/out", a=1)):
        assert got.json["__type"] == "InvalidParameterException"


def test_a_sequential_array_runs_its_children_in_order(region: Wired, low: Hand) -> None:
    """One after the other, from 0 on, whatever else there is room for."""
    low.defined()
    id = low.submitted(arrayProperties={"size": 3}, dependsOn=[{"type": "SEQUENTIAL"}])
    region.work(4, ends=False)
    assert [low.job(f"{id}:{at}")["status"] for at in range(3)] == ["RUNNING", "PENDING", "PENDING"]
    for native in region.engine.all("running"):
        region.engine.end(native)
    region.work(40)
    assert low.job(id)["status"] == "SUCCEEDED"
    assert [low.job(f"{id}:{at}")["status"] for at in range(3)] == ["SUCCEEDED"] * 3


def test_a_quota_refuses_in_the_words_of_the_wire(region: Wired, low: Hand) -> None:
    """What could never run is denied; what is too much for now is slowed down."""
    low.defined()
    low.submitted()

    async def limited() -> None:
        flow = await region.gate.open(region.owner(), Action("set", "quota"), region.region.floor)
        await set_quota(flow, QuotaRequest(principal="user", bounds=Bounds(jobs=1, job_cpus=2)))

    asyncio.run(limited())
    body = {"jobName": "more", "jobQueue": "default", "jobDefinition": "train"}
    got = low.ask("SubmitJob", body)
    assert (got.status, got.json["__type"]) == (429, "TooManyRequestsException")
    needs = [{"type": "VCPU", "value": "3"}]
    got = low.ask("SubmitJob", {**body, "containerOverrides": {"resourceRequirements": needs}})
    assert (got.status, got.json["rule"]) == (403, "job-quota")
