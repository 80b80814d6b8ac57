"""The AWS command line, as a process of its own, against a real socket."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.clients.conftest import Served
from tests.doors.wired import OPEN, SECRET

ID = "casemate.extractive-reader"

pytestmark = pytest.mark.skipif(importlib.util.find_spec("awscli") is None, reason="awscli is not installed here")


def aws(served: Served, *words: str) -> Any:
    id, secret = served.region.key(OPEN, SECRET, client="boto3")
    told = {"AWS_ACCESS_KEY_ID": id, "AWS_SECRET_ACCESS_KEY": secret, "AWS_DEFAULT_REGION": "gov-secret-1"}
    command = [sys.executable, "-m", "awscli", "--endpoint-url", served.url, "--output", "json", *words]
    done = subprocess.run(command, env={**os.environ, **told}, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout or b"null")


def test_the_list_of_models(served: Served) -> None:
    found = aws(served, "bedrock", "list-foundation-models")["modelSummaries"]
    assert ID in [model["modelId"] for model in found]


def test_converse(served: Served) -> None:
    turns = json.dumps([{"role": "user", "content": [{"text": "When?"}]}])
    found = aws(served, "bedrock-runtime", "converse", "--model-id", ID, "--messages", turns)
    assert found["stopReason"] == "end_turn"
    assert found["output"]["message"]["content"][0]["text"].startswith("(U) Extract")
