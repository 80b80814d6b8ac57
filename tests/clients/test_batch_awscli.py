"""`aws batch`: the command line as a process of its own, against a real socket."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.clients.conftest import Served
from tests.clients.s3 import environment

pytestmark = pytest.mark.skipif(importlib.util.find_spec("awscli") is None, reason="awscli is not installed here")


def aws(served: Served, *words: str, fails: bool = False) -> Any:
    command = [sys.executable, "-m", "awscli", "--endpoint-url", served.url, "--output", "json", *words]
    told = {**os.environ, **environment(served)}
    done = subprocess.run(command, env=told, capture_output=True, timeout=120, check=False)
    assert (done.returncode != 0) == fails, done.stderr.decode()
    return done.stderr.decode() if fails else json.loads(done.stdout or b"null")


def test_a_job_by_the_command_line(served: Served) -> None:
    """Registered, submitted, described, its lines read; what is no request is told."""
    container = json.dumps({"image": "machine", "command": ["/bin/echo", "Ref::word"], "vcpus": 1, "memory": 64})
    words = ("batch", "register-job-definition", "--job-definition-name", "cli", "--type", "container")
    made = aws(served, *words, "--container-properties", container, "--parameters", "word=usual")
    assert made["revision"] == 1
    words = ("batch", "submit-job", "--job-name", "one", "--job-queue", "default", "--job-definition", "cli")
    id = aws(served, *words, "--parameters", "word=said", "--array-properties", "size=2")["jobId"]
    served.region.work(20, files={"log:out": b"said\n"})
    told = aws(served, "batch", "describe-jobs", "--jobs", id)["jobs"][0]
    assert told["status"] == "SUCCEEDED"
    assert told["arrayProperties"]["statusSummary"]["SUCCEEDED"] == 2
    listed = aws(served, "batch", "list-jobs", "--array-job-id", id, "--job-status", "SUCCEEDED")["jobSummaryList"]
    assert [one["jobId"] for one in listed] == [f"{id}:0", f"{id}:1"]
    words = ("logs", "get-log-events", "--log-group-name", "/aws/batch/job", "--log-stream-name", f"{id}:0/out")
    assert [event["message"] for event in aws(served, *words)["events"]] == ["said"]
    assert "ClientException" in aws(served, "batch", "cancel-job", "--job-id", "never", "--reason", "r", fails=True)
