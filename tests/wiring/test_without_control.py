"""A region in the split form, in real processes, whose control process stands still or dies."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from email.message import Message
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.cli.running import Place, running, until


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    yield Place(work, home)
    assert list(home.iterdir()) == []


def lower(headers: Message) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def got(url: str, key: str, body: bytes | None = None) -> tuple[int, dict[str, str], bytes]:
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    try:
        with urlopen(Request(url, body, headers), timeout=60) as answer:
            return answer.status, lower(answer.headers), answer.read()
    except HTTPError as error:
        return error.code, lower(error.headers), error.read()


ASKED = json.dumps(
    {"model": "casemate/extractive-reader", "messages": [{"role": "user", "content": "When does the pier open?"}]}
).encode()


def test_a_key_works_when_it_is_told_and_goes_on_without_control(place: Place) -> None:
    """Control hangs, and the supervisor does not see it. A data process that starts meanwhile starts."""
    place.init(processes="split")
    with running(place) as up:
        key = up.run("key", "issue", "--json").data
        assert got(f"{up.wires}/v1/models", key["secret"])[0] == 200
        control = up.children()["control"]
        os.kill(control, signal.SIGSTOP)
        try:
            assert got(f"{up.wires}/v1/chat/completions", key["secret"], ASKED)[0] == 200
            status, headers, body = got(f"{up.wires}/api/session", key["secret"])
            assert (status, headers["retry-after"], json.loads(body)["slug"]) == (503, "10", "control-away")
            data = up.children()["data"]
            os.kill(data, signal.SIGKILL)
            until(lambda: up.children().get("data", data) != data)
            assert got(f"{up.wires}/v1/models", key["secret"])[0] == 200
        finally:
            os.kill(control, signal.SIGCONT)
        assert up.run("key", "revoke", key["key"]["id"]).code == 0
        assert got(f"{up.wires}/v1/models", key["secret"])[0] == 401, "true when it is told"


def test_control_that_is_killed_again_and_again_leaves_a_snapshot_that_stands(place: Place) -> None:
    place.init(processes="split")
    place.set("[listen]", "[snapshot]\nrate_seconds = 0.05\n\n[listen]")
    with running(place) as up:
        key = up.run("key", "issue", "--json").data
        for _ in range(3):
            control = up.children()["control"]
            os.kill(control, signal.SIGKILL)
            assert got(f"{up.wires}/v1/models", key["secret"])[0] == 200
            until(lambda last=control: up.children().get("control", last) != last)
        data = up.children()["data"]
        os.kill(data, signal.SIGKILL)
        until(lambda: up.children().get("data", data) != data)
        assert got(f"{up.wires}/v1/models", key["secret"])[0] == 200
