"""Invocation jobs: many requests in a file of ours, answered in the background like any batch.

`s3://casemate/FILE` names a file of the caller's; another bucket is another machine's and is refused. The lines of the
input (`recordId`, `modelInput`) become a batch's, under the path of the operation that answers them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from casemate.access import Flow
from casemate.clock import iso, parse_iso
from casemate.doors.bedrock.arns import arn, page
from casemate.doors.bedrock.desk import Desk
from casemate.doors.bedrock.parts import malformed
from casemate.doors.frame import Call, Reply
from casemate.errors import BadInput
from casemate.models.batch import BATCH, Batch, begin, cancel, mine, read
from casemate.models.files import content, keep, own
from casemate.objects import Found
from casemate.words import say

__all__ = ["BUCKET", "create", "listing", "one", "stop"]

BUCKET = "s3://casemate/"
_PREFIX = "batch_"
_MOST_LINES = 50_000
_STATUS = {
    "validating": "Validating",
    "in_progress": "InProgress",
    "completed": "Completed",
    "failed": "Failed",
    "expired": "Expired",
    "cancelling": "Stopping",
    "cancelled": "Stopped",
}


class S3(msgspec.Struct, rename="camel"):
    """Where a file is."""

    s3_uri: str
    s3_input_format: Literal["JSONL"] = "JSONL"


class InputConfig(msgspec.Struct, rename="camel"):
    """A union of one member."""

    s3_input_data_config: S3


class OutputConfig(msgspec.Struct, rename="camel"):
    """A union of one member."""

    s3_output_data_config: S3


class Request(msgspec.Struct, rename="camel", kw_only=True):
    """CreateModelInvocationJob. A role is somebody else's notion: it is kept, and gives nothing."""

    job_name: str
    role_arn: str
    model_id: str
    input_data_config: InputConfig
    output_data_config: OutputConfig
    client_request_token: str = ""
    model_invocation_type: Literal["InvokeModel", "Converse"] = "InvokeModel"
    timeout_duration_in_hours: int = 24


class Record(msgspec.Struct, rename="camel"):
    """A line of the input."""

    record_id: str
    model_input: dict[str, Any]


async def create(desk: Desk, call: Call) -> Reply:
    """A new job over a file of the caller's. The same token gives the same job."""
    flow, language = call.flow, call.flow.session.language
    try:
        request = msgspec.convert(call.body, Request)
    except msgspec.ValidationError as error:
        raise malformed(error, language) from None
    for name in ("vpcConfig", "tags"):
        if call.body.get(name):
            raise BadInput(what=say("models.not_offered", language, name=name))
    if not 0 < len(request.job_name) <= 63 or request.timeout_duration_in_hours != 24:
        raise BadInput(what=say("bedrock.job", language))
    source = request.input_data_config.s3_input_data_config.s3_uri
    target = request.output_data_config.s3_output_data_config.s3_uri
    for uri in (source, target):
        if not uri.startswith(BUCKET):
            raise BadInput(what=say("bedrock.bucket", language, bucket=BUCKET))
    desk.catalogue.named(flow, request.model_id)
    if request.client_request_token:
        for found in await mine(flow):
            if found.value.metadata.get("token") == request.client_request_token[:200]:
                return _begun(flow, found.id)
    file = await own(flow, source.removeprefix(BUCKET).strip("/")[:200])
    verb = "invoke" if request.model_invocation_type == "InvokeModel" else "converse"
    path = f"/model/{request.model_id}/{verb}"
    lines = await flow.beside(_lines, await content(flow, file), path, language)
    id, _ = await keep(flow, f"{request.job_name}.jsonl".replace("/", "_"), "batch", lines)
    told = {
        "job": request.job_name,
        "role": request.role_arn[:200],
        "model": request.model_id[:200],
        "type": request.model_invocation_type,
        "source": source[:200],
        "target": target[:200],
        "token": request.client_request_token[:200],
    }
    begun, _ = await begin(flow, path, id, told)
    return _begun(flow, begun)


async def one(call: Call) -> Reply:
    """A job of the caller's. Raises Absent."""
    found = await read(call.flow, _id(call.path["job"]))
    if "job" not in found.value.metadata:
        await call.flow.absent(BATCH, found.id)
    return Reply(msgspec.json.encode(_told(call.flow, found, whole=True)))


async def listing(call: Call) -> Reply:
    """The caller's jobs, newest first; the protocol's own filters choose among them."""
    asked = call.query.get
    try:
        after, before = parse_iso(asked("submitTimeAfter", "1970-01-01T00:00:00Z")), asked("submitTimeBefore")
        latest = parse_iso(before) if before else None
    except ValueError:
        raise BadInput(what=say("bedrock.moment", call.flow.session.language)) from None
    found = [
        job
        for job in await mine(call.flow)
        if "job" in job.value.metadata
        and asked("statusEquals") in (None, _STATUS[job.value.state])
        and asked("nameContains", "") in job.value.metadata["job"]
        and job.value.at > after
        and (latest is None or job.value.at < latest)
    ]
    if asked("sortOrder", "Descending") == "Descending":
        found.reverse()
    shown, more = page(call, [_told(call.flow, job, whole=False) for job in found])
    return Reply(msgspec.json.encode({"invocationJobSummaries": shown, **more}))


async def stop(call: Call) -> Reply:
    """Ask that a job ends. Raises Absent, and Conflict where it has ended already."""
    await cancel(call.flow, _id(call.path["job"]))
    return Reply(b"{}")


def _id(identifier: str) -> str:
    return _PREFIX + identifier.rpartition("/")[2][:200]


def _begun(flow: Flow, id: str) -> Reply:
    told = {"jobArn": _arn(flow, id)}
    return Reply(msgspec.json.encode(told), facts={"batch": id})


def _arn(flow: Flow, id: str) -> str:
    return arn(flow, "model-invocation-job", id.removeprefix(_PREFIX))


def _lines(raw: bytes, path: str, language: str) -> bytes:
    """The lines as a batch has them. Raises BadInput, naming the line."""
    return b"".join(_each(raw, path, language))


def _each(raw: bytes, path: str, language: str) -> Iterator[bytes]:
    lines = [line for line in raw.split(b"\n") if line.strip()]
    if not 0 < len(lines) <= _MOST_LINES:
        raise BadInput(what=say("bedrock.lines", language, most=_MOST_LINES))
    for number, line in enumerate(lines, start=1):
        try:
            record = msgspec.json.decode(line, type=Record)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise BadInput(what=say("bedrock.record", language, number=number)) from None
        row = {"custom_id": record.record_id, "method": "POST", "url": path, "body": record.model_input}
        yield msgspec.json.encode(row) + b"\n"


def _told(flow: Flow, found: Found[Batch], whole: bool) -> dict[str, Any]:
    batch = found.value
    kept = batch.metadata
    told: dict[str, Any] = {
        "jobArn": _arn(flow, found.id),
        "jobName": kept["job"],
        "modelId": kept["model"],
        "roleArn": kept["role"],
        "status": _STATUS[batch.state],
        "submitTime": iso(batch.at),
        "lastModifiedTime": iso(max(batch.times.values(), default=batch.at)),
        "inputDataConfig": {"s3InputDataConfig": {"s3Uri": kept["source"], "s3InputFormat": "JSONL"}},
        "outputDataConfig": {"s3OutputDataConfig": {"s3Uri": _target(batch)}},
        "timeoutDurationInHours": 24,
        "jobExpirationTime": iso(batch.expires),
        "modelInvocationType": kept["type"],
        "totalRecordCount": batch.total,
        "processedRecordCount": batch.done,
        "successRecordCount": batch.completed,
        "errorRecordCount": batch.failed,
    }
    if batch.live != "yes":
        told["endTime"] = told["lastModifiedTime"]
    if whole and batch.faults:
        told["message"] = "; ".join(f"{fault.line}: {fault.message}" for fault in batch.faults)[:2048]
    return told


def _target(batch: Batch) -> str:
    """Where the answers are, once there are any: a file of ours again."""
    return BUCKET + batch.output if batch.output else batch.metadata["target"]
