"""boto3 against the Batch wire, over a real socket: what a batch client does, from the definition to the lines."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.clients.conftest import Served
from tests.doors.batch.hand import IMAGE
from tests.doors.wired import OPEN, SECRET

REGION = "gov-secret-1"


def client(served: Served, service: str = "batch", floor: str = OPEN, ceiling: str = "") -> Any:
    """boto3 with an endpoint and a key, and nothing else that a user would not say."""
    id, secret = served.region.key(floor, ceiling or floor, client="boto3")
    return boto3.client(
        service,
        endpoint_url=served.url,
        region_name=REGION,
        aws_access_key_id=id,
        aws_secret_access_key=secret,
        config=Config(retries={"max_attempts": 0}, proxies={}, read_timeout=30),
    )


@pytest.fixture
def batch(served: Served) -> Any:
    return client(served)


def defined(batch: Any, name: str = "boto", **more: Any) -> str:
    told = batch.register_job_definition(
        jobDefinitionName=name, type="container", containerProperties={**IMAGE, "command": ["/bin/true"]}, **more
    )
    return str(told["jobDefinitionArn"])


def test_from_the_definition_to_the_lines(served: Served, batch: Any) -> None:
    arn = defined(batch, retryStrategy={"attempts": 2}, tags={"team": "red"})
    queue = batch.create_job_queue(
        jobQueueName="boto-queue",
        state="ENABLED",
        priority=1,
        computeEnvironmentOrder=[{"order": 1, "computeEnvironment": "casemate"}],
    )["jobQueueArn"]
    told = batch.submit_job(
        jobName="first",
        jobQueue=queue,
        jobDefinition=arn,
        containerOverrides={"environment": [{"name": "A", "value": "ü"}]},
        timeout={"attemptDurationSeconds": 60},
    )
    headers = told["ResponseMetadata"]["HTTPHeaders"]
    assert headers["casemate-marking"] == "UNCLASSIFIED"
    assert told["ResponseMetadata"]["RequestId"] == headers["casemate-ledger"]
    assert served.region.exists(headers["casemate-ledger"])
    after = batch.submit_job(
        jobName="then", jobQueue="boto-queue", jobDefinition="boto", dependsOn=[{"jobId": told["jobId"]}]
    )
    served.region.work(12, files={"log:out": b"one\ntwo\n"})
    jobs = batch.describe_jobs(jobs=[told["jobId"], after["jobId"], "job_never"])["jobs"]
    assert [job["status"] for job in jobs] == ["SUCCEEDED", "SUCCEEDED"]
    stream = jobs[0]["attempts"][0]["container"]["logStreamName"]
    logs = client(served, "logs")
    said = logs.get_log_events(logGroupName="/aws/batch/job", logStreamName=stream, startFromHead=True)
    assert [event["message"] for event in said["events"]] == ["one", "two"]
    again = logs.get_log_events(logGroupName="/aws/batch/job", logStreamName=stream, nextToken=said["nextForwardToken"])
    assert (again["events"], again["nextForwardToken"]) == ([], said["nextForwardToken"])
    assert batch.list_tags_for_resource(resourceArn=arn)["tags"] == {"team": "red"}
    batch.tag_resource(resourceArn=arn, tags={"more": "yes"})
    assert batch.list_tags_for_resource(resourceArn=arn)["tags"] == {"team": "red", "more": "yes"}


def test_paginators(served: Served, batch: Any) -> None:
    """boto3's own walk the pages."""
    defined(batch, "paged")
    ids = [batch.submit_job(jobName=f"p{at}", jobQueue="default", jobDefinition="paged")["jobId"] for at in range(5)]
    pages = batch.get_paginator("list_jobs").paginate(
        jobQueue="default",
        filters=[{"name": "JOB_DEFINITION", "values": ["paged"]}],
        PaginationConfig={"PageSize": 2},
    )
    assert [one["jobId"] for page in pages for one in page["jobSummaryList"]] == ids
    names = batch.get_paginator("describe_job_definitions").paginate(PaginationConfig={"PageSize": 1})
    assert "paged" in {one["jobDefinitionName"] for page in names for one in page["jobDefinitions"]}
    for id in ids:
        batch.terminate_job(jobId=id, reason="enough")


def test_errors_and_labels(served: Served, batch: Any) -> None:
    """As boto3 raises them; what lies above is not there."""
    high = client(served, floor=SECRET)
    defined(high, "above")
    id = high.submit_job(jobName="high", jobQueue="default", jobDefinition="above")["jobId"]
    assert batch.describe_jobs(jobs=[id])["jobs"] == []
    assert high.describe_jobs(jobs=[id])["jobs"][0]["jobName"] == "high"
    with pytest.raises(batch.exceptions.ClientException) as told:
        batch.submit_job(jobName="low", jobQueue="default", jobDefinition="above")
    assert told.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    with pytest.raises(ClientError) as refused:
        high.submit_job(jobName="down", jobQueue="default", jobDefinition="above", tags={"casemate:label": OPEN})
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
    logs = client(served, "logs")
    with pytest.raises(logs.exceptions.ResourceNotFoundException):
        logs.get_log_events(logGroupName="/aws/batch/job", logStreamName=f"{id}/out")
