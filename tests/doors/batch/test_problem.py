"""Each problem by the name that clients of AWS know, and bodies that are none."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from casemate.doors.batch import problem
from casemate.doors.frame import Request
from casemate.words.problem import Problem
from tests.doors.batch.hand import Hand, signed

ASKED = Request("POST", "/v1/submitjob", "", {}, None)
PLAIN = Problem(slug="malformed", status=400, exit=2, title="t", detail="d", remedy="r")


@pytest.mark.parametrize(
    ("status", "name", "logs"),
    [
        (400, ("ClientException", 400), "InvalidParameterException"),
        (401, ("AccessDeniedException", 403), "AccessDeniedException"),
        (403, ("AccessDeniedException", 403), "AccessDeniedException"),
        (409, ("ClientException", 400), "InvalidParameterException"),
        (429, ("TooManyRequestsException", 429), "ThrottlingException"),
        (502, ("ServerException", 500), "ServiceUnavailableException"),
        (507, ("ServerException", 500), "ServiceUnavailableException"),
    ],
)
def test_names(status: int, name: tuple[str, int], logs: str) -> None:
    """The same status in both services, and a name of each."""
    told = replace(PLAIN, status=status)
    assert problem.named(told) == name
    assert problem.tell(told, ASKED).status == name[1]
    assert dict(problem.tell(told, ASKED).headers)["x-amzn-ErrorType"] == name[0]
    assert json.loads(problem.tell_logs(told, ASKED).body)["__type"] == logs
    assert problem.event(told) == b""


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"tags": 1}', b"\xff", b"[" * 5000])
def test_a_body_that_is_none(low: Hand, body: bytes) -> None:
    path = "/v1/submitjob"
    got = low.region.send("POST", path, body, signed(low.region, low.key, "POST", path, body).items())
    assert (got.status, got.headers["x-amzn-errortype"]) == (400, "ClientException")


def test_a_token_that_is_none(low: Hand) -> None:
    assert low.fails("ListJobs", jobQueue="default", nextToken="é") == ("ClientException", 400)
    assert low.fails("ListJobs", jobQueue="default", nextToken="a") == ("ClientException", 400)


def test_another_target_of_logs(low: Hand) -> None:
    """Of CloudWatch Logs there is one operation."""
    body = b"{}"
    more = {"x-amz-target": "Logs_20140328.DescribeLogGroups"}
    got = low.region.send("POST", "/", body, signed(low.region, low.key, "POST", "/", body, more, "logs").items())
    assert got.json["__type"] == "InvalidParameterException"
