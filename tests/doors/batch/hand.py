"""A caller of the Batch wire: signs as botocore does, and has each answer read by botocore's own parser."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch
from urllib.parse import quote

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest, HeadersDict
from botocore.credentials import Credentials
from botocore.parsers import create_parser
from botocore.validate import ParamValidator

from tests.doors.bedrock.described import nothing_beside, service
from tests.doors.wired import OPEN, Got, Wired

__all__ = ["HOST", "IMAGE", "Hand", "signed"]

HOST = "region.test"
IMAGE = {"image": "machine", "command": ["/bin/echo", "Ref::word"], "vcpus": 2, "memory": 256}


def signed(
    region: Wired,
    key: tuple[str, str],
    method: str,
    path: str,
    body: bytes = b"",
    more: dict[str, str] | None = None,
    name: str = "batch",
) -> dict[str, str]:
    """The headers of the request, in lower case, signed as boto3 signs them."""
    moment = datetime.fromtimestamp(region.clock.now() / 1e6, UTC)
    headers = {"host": HOST, "content-type": "application/json", **(more or {})}
    request = AWSRequest(method, f"http://{HOST}{path}", headers, body)
    with patch("botocore.auth.get_current_datetime", return_value=moment.replace(tzinfo=None)):
        SigV4Auth(Credentials(*key), name, "port-sable-1").add_auth(request)
    return {name.lower(): str(value) for name, value in request.headers.items()}


class Hand:
    """Somebody with a key from floor to ceiling."""

    def __init__(self, region: Wired, floor: str = OPEN, ceiling: str = "", name: str = "user") -> None:
        self.region = region
        self.key = region.key(floor, ceiling or floor, client="boto3", name=name)

    def ask(self, operation: str, said: Any = None, at: str = "", **more: Any) -> Got:
        """The raw answer to an operation of Batch."""
        model = service("batch").operation_model(operation)
        path, body = str(model.http["requestUri"]), {} if said is None else said
        if "{resourceArn}" in path:
            body = {**body, **more}
            path = path.replace("{resourceArn}", quote(body.pop("resourceArn"), safe=""))
        raw = b"" if model.http["method"] == "GET" else json.dumps({**body, **more}).encode()
        headers = {"casemate-acting-label": at} if at else {}
        method = str(model.http["method"])
        sent = signed(self.region, self.key, method, path, raw, headers)
        return self.region.send(method, path, raw, sent.items())

    def __call__(self, operation: str, at: str = "", **said: Any) -> dict[str, Any]:
        """What boto3 would give its caller."""
        got = self.ask(operation, said, at)
        assert got.status == 200, got.body
        assert got.marked()
        return read(got, operation)

    def fails(self, operation: str, at: str = "", **said: Any) -> tuple[str, int]:
        """Name and status of the error that boto3 would raise."""
        got = self.ask(operation, said, at)
        assert got.status >= 400, got.body
        return str(read(got, operation)["Error"]["Code"]), got.status

    def log(self, stream: str, **said: Any) -> Got:
        """The raw answer of GetLogEvents."""
        body = json.dumps({"logGroupName": "/aws/batch/job", "logStreamName": stream, **said}).encode()
        target = {"x-amz-target": "Logs_20140328.GetLogEvents"}
        return self.region.send(
            "POST", "/", body, signed(self.region, self.key, "POST", "/", body, target, "logs").items()
        )

    def lines(self, stream: str, **said: Any) -> tuple[list[str], str]:
        """The lines of a log, and the token that goes on."""
        got = self.log(stream, **said)
        assert got.status == 200, got.body
        told = read(got, "GetLogEvents", "logs", "json")
        return [event["message"] for event in told["events"]], told["nextForwardToken"]

    def defined(self, name: str = "train", at: str = "", **more: Any) -> str:
        """A definition, and its ARN."""
        said = {"jobDefinitionName": name, "type": "container", "containerProperties": IMAGE, **more}
        return str(self("RegisterJobDefinition", at, **said)["jobDefinitionArn"])

    def submitted(self, at: str = "", **more: Any) -> str:
        """A job of the definition `train`, and its id."""
        said = {"jobName": "one", "jobQueue": "default", "jobDefinition": "train", **more}
        return str(self("SubmitJob", at, **said)["jobId"])

    def job(self, id: str, at: str = "") -> dict[str, Any]:
        """A job as it is told."""
        found: dict[str, Any] = self("DescribeJobs", at, jobs=[id])["jobs"][0]
        return found


def read(got: Got, operation: str, name: str = "batch", protocol: str = "rest-json") -> dict[str, Any]:
    """What botocore makes of it; nothing may break a bound of the shape, and nothing may be beside it."""
    shape = service(name).operation_model(operation).output_shape
    response = {"status_code": got.status, "headers": HeadersDict(got.headers), "body": got.body}
    found: dict[str, Any] = create_parser(protocol).parse(response, shape)
    if got.status < 300 and shape is not None:
        given = {k: v for k, v in found.items() if k != "ResponseMetadata"}
        report = ParamValidator().validate(given, shape)
        assert not report.has_errors(), report.generate_report()
        nothing_beside(got.json, shape)
    return found
