"""Invocation jobs: made over a file of the caller's, answered by the loop of batches, listed and stopped."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from casemate.access import Flow
from casemate.doors import bedrock
from casemate.errors import BadInput
from casemate.identity import Session
from casemate.models import Delta, Usage, batches, files
from casemate.policy import Action
from tests.doors.bedrock.described import CONTROL, parsed
from tests.doors.bedrock.sent import LARGE, scripted, send
from tests.doors.wired import OPEN, Got, Wired

RECORDS = [
    {"recordId": "r1", "modelInput": {"messages": [{"role": "user", "content": "When?"}]}},
    {"recordId": "r2", "modelInput": {"messages": 3}},
]
CONVERSE = [{"recordId": "r1", "modelInput": {"messages": [{"role": "user", "content": [{"text": "When?"}]}]}}]
ROLE = "arn:aws:iam::000000000000:role/none"


@pytest.fixture
def key(region: Wired) -> tuple[str, str]:
    return region.key(OPEN, client="boto3")


def flow_of(region: Wired, verb: str, kind: str) -> Any:
    found = region.gate.directory.named("user")
    assert found is not None
    return region.gate.open(Session("s", found, region.label(OPEN), region.label(OPEN)), Action(verb, kind))


def kept(region: Wired, lines: bytes) -> str:
    async def keep() -> str:
        id, _ = await files.keep(await flow_of(region, "add", "file"), "in.jsonl", "batch", lines)
        return id

    return asyncio.run(keep())


def content(region: Wired, id: str) -> list[Any]:
    async def read() -> list[Any]:
        flow: Flow = await flow_of(region, "read", "file")
        raw = await files.content(flow, await files.own(flow, id))
        return [json.loads(line) for line in raw.splitlines()]

    return asyncio.run(read())


def asked(region: Wired, records: list[Any] | bytes, **more: Any) -> dict[str, Any]:
    raw = records if isinstance(records, bytes) else b"\n".join(json.dumps(r).encode() for r in records)
    return {
        "jobName": "night",
        "roleArn": ROLE,
        "modelId": LARGE,
        "inputDataConfig": {"s3InputDataConfig": {"s3Uri": f"s3://casemate/{kept(region, raw)}"}},
        "outputDataConfig": {"s3OutputDataConfig": {"s3Uri": "s3://casemate/out/"}},
        **more,
    }


def create(region: Wired, key: tuple[str, str], body: dict[str, Any]) -> str:
    got = send(region, "POST", "/model-invocation-job", body, key)
    arn: str = parsed(got, "CreateModelInvocationJob", CONTROL)["jobArn"]
    return arn


def get(region: Wired, key: tuple[str, str], arn: str) -> dict[str, Any]:
    got = send(region, "GET", f"/model-invocation-job/{arn.replace(':', '%3A').replace('/', '%2F')}", key=key)
    return parsed(got, "GetModelInvocationJob", CONTROL)


def work(region: Wired) -> None:
    async def step() -> None:
        loop = batches.Batches(region.gate, bedrock.wire(region.gate, region.catalogue, region.answers), patience=None)
        while await loop.step():
            pass
        await loop.stop()

    asyncio.run(step())


def test_a_job_is_answered(region: Wired, key: tuple[str, str]) -> None:
    region.answers.script = scripted([Delta(text="At nine."), Delta(finish="stop", usage=Usage(1, 2))])
    arn = create(region, key, asked(region, RECORDS, clientRequestToken="t1"))
    assert get(region, key, arn)["status"] == "Validating"
    work(region)
    found = get(region, key, arn)
    assert (found["status"], found["jobName"], found["roleArn"]) == ("Completed", "night", ROLE)
    counts = ("totalRecordCount", "processedRecordCount", "successRecordCount", "errorRecordCount")
    assert [found[name] for name in counts] == [2, 2, 1, 1]
    target = found["outputDataConfig"]["s3OutputDataConfig"]["s3Uri"]
    (line,) = content(region, target.removeprefix("s3://casemate/"))
    assert "At nine." in json.dumps(line)
    assert "r1" in line.values()
    again = create(region, key, asked(region, RECORDS, clientRequestToken="t1"))
    assert again == arn


def test_a_job_of_converse(region: Wired, key: tuple[str, str]) -> None:
    arn = create(region, key, asked(region, CONVERSE, modelInvocationType="Converse"))
    work(region)
    found = get(region, key, arn)
    assert (found["status"], found["modelInvocationType"]) == ("Completed", "Converse")


def test_jobs_are_listed_and_stopped(region: Wired, key: tuple[str, str]) -> None:
    region.clock.forward(1)  # of two of one moment nobody can say which is the newer
    arn = create(region, key, asked(region, RECORDS, jobName="to-stop"))

    def listed(query: str) -> list[str]:
        got = send(region, "GET", f"/model-invocation-jobs?{query}", key=key)
        found = parsed(got, "ListModelInvocationJobs", CONTROL)["invocationJobSummaries"]
        return [job["jobName"] for job in found]

    assert "to-stop" in listed("")
    assert listed("nameContains=to-s") == ["to-stop"]
    assert listed("statusEquals=Failed") == []
    assert listed("submitTimeBefore=2000-01-01T00:00:00Z") == []
    assert listed("submitTimeAfter=2000-01-01T00:00:00Z&sortOrder=Ascending")[-1] == "to-stop"
    assert send(region, "GET", "/model-invocation-jobs?submitTimeAfter=x", key=key).status == 400
    path = f"/model-invocation-job/{arn.rpartition('/')[2]}/stop"
    assert parsed(send(region, "POST", path, key=key), "StopModelInvocationJob", CONTROL)
    assert get(region, key, arn)["status"] == "Stopping"
    work(region)
    assert get(region, key, arn)["status"] == "Stopped"
    late = send(region, "POST", path, key=key)
    assert (late.status, late.headers["x-amzn-errortype"]) == (400, "ConflictException")
    other = region.key(OPEN, client="boto3", name="other")
    assert get(region, other, arn)["Error"]["Code"] == "ResourceNotFoundException"


@pytest.mark.parametrize(
    ("more", "names"),
    [
        ({"inputDataConfig": {"s3InputDataConfig": {"s3Uri": "s3://other/a"}}}, "s3://casemate/"),
        ({"outputDataConfig": {"s3OutputDataConfig": {"s3Uri": "s3://other/a"}}}, "s3://casemate/"),
        ({"vpcConfig": {"subnetIds": ["a"]}}, "vpcConfig"),
        ({"tags": [{"key": "a", "value": "b"}]}, "tags"),
        ({"jobName": ""}, "name"),
        ({"timeoutDurationInHours": 48}, "24 hours"),
        ({"roleArn": None}, "roleArn"),
    ],
)
def test_what_a_job_cannot_be(region: Wired, key: tuple[str, str], more: dict[str, Any], names: str) -> None:
    got = send(region, "POST", "/model-invocation-job", asked(region, RECORDS) | more, key)
    assert (got.status, names in got.json["message"]) == (400, True)


@pytest.mark.parametrize(("lines", "names"), [(b"", "lines"), (b'{"recordId":"a"}', "Line 1"), (b"\xff", "Line 1")])
def test_lines_that_are_none(region: Wired, key: tuple[str, str], lines: bytes, names: str) -> None:
    got: Got = send(region, "POST", "/model-invocation-job", asked(region, lines), key)
    assert (got.status, names in got.json["message"]) == (400, True)


def test_a_file_or_a_model_that_is_not_there(region: Wired, key: tuple[str, str]) -> None:
    missing = {"inputDataConfig": {"s3InputDataConfig": {"s3Uri": "s3://casemate/file-none"}}}
    for more in (missing, {"modelId": "acme.none"}):
        got = send(region, "POST", "/model-invocation-job", asked(region, RECORDS) | more, key)
        assert got.headers["x-amzn-errortype"] == "ResourceNotFoundException"


def test_the_wire_of_its_lines(region: Wired) -> None:
    wire = bedrock.wire(region.gate, region.catalogue, region.answers)
    assert wire.serves("/model/acme.large/invoke")
    assert not wire.serves("/v1/chat/completions")

    async def odd() -> None:
        await wire.answer(await flow_of(region, "add", "batch"), "/model/acme.large/count-tokens", {})

    with pytest.raises(BadInput, match="malformed"):
        asyncio.run(odd())
