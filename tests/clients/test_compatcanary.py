"""compatcanary (npm): seven probes of an OpenAI-shaped service, all of them passed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from casemate.access import Flow
from casemate.models import Chat, Delta, ToolPiece, Usage
from tests.clients.conftest import Served
from tests.doors.wired import OPEN, UPSTREAM

VERSION = "0.2.2"
PROBES = 7


async def obeys(flow: Flow, chat: Chat) -> AsyncIterator[Delta]:
    """A model that does as it is told: a forced tool is called, a schema is met."""
    if chat.choice is not None and chat.choice.kind == "tool":
        yield Delta(call=ToolPiece(0, '{"value":"CANARY_OK"}', id="call_a", name=chat.choice.name))
        yield Delta(finish="tool", usage=Usage(9, 4))
        return
    yield Delta(text='{"status":"ok"}' if chat.shape is not None else "CANARY_OK")
    yield Delta(finish="stop", usage=Usage(9, 4))


@pytest.fixture(scope="module")
def compatcanary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its program, from a folder of its own."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        pytest.skip("npm is not there")
    folder = tmp_path_factory.mktemp("compatcanary")
    asked = [npm, "install", "--prefix", str(folder), "--ignore-scripts", "--no-audit", "--no-fund"]
    asked += ["--cache", str(folder / "cache")]  # nothing is left in the home of whoever runs the tests
    try:
        done = subprocess.run([*asked, f"compatcanary@{VERSION}"], capture_output=True, check=False, timeout=120)
    except subprocess.TimeoutExpired:
        pytest.skip("npm gave nothing in time")
    if done.returncode:
        pytest.skip("npm does not give compatcanary here")
    return folder / "node_modules" / "compatcanary" / "src" / "cli.js"


@pytest.mark.parametrize("prefix", ["/v1", "/openai/v1"])
def test_all_probes_pass(served: Served, compatcanary: Path, prefix: str) -> None:
    served.region.answers.script = obeys
    _, key = served.region.key(OPEN)
    node = shutil.which("node")
    assert node is not None
    asked = [node, str(compatcanary), "scan", "--base-url", served.url + prefix, "--model", UPSTREAM]
    environment = {"PATH": os.environ["PATH"], "OPENAI_API_KEY": key}
    done = subprocess.run([*asked, "--format", "json"], capture_output=True, check=False, timeout=120, env=environment)
    report = json.loads(done.stdout)
    told = {probe["id"]: (probe["status"], probe.get("summary")) for probe in report["results"]}
    assert {status for status, _ in told.values()} == {"pass"}, told
    assert len(told) == PROBES
    assert report["score"] == 100
