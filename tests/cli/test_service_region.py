"""A service through a real region, in both process forms: deployed, asked, killed, changed while it is asked, ended."""

from __future__ import annotations

import json
import os
import secrets
import signal
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from casemate.engines.executor_process_probe import reached_here
from tests.cli.running import Up, until

pytestmark = pytest.mark.skipif("L2" not in reached_here().levels, reason="no bubblewrap: a service needs L2")

SERVER = """
import http.server, json, os, sys, time
class Face(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *words): pass
    def tell(self, body, media="application/json"):
        self.send_response(200)
        self.send_header("Content-Type", media)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self):
        self.tell(b"{}")
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        time.sleep(0.05)
        said, head = sys.argv[1], {"id": "a", "created": 1, "model": asked["model"]}
        use = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        if not asked.get("stream"):
            one = {"index": 0, "message": {"role": "assistant", "content": said}, "finish_reason": "stop"}
            return self.tell(json.dumps({**head, "object": "chat.completion", "choices": [one], "usage": use}).encode())
        parts = [{"delta": {"role": "assistant", "content": said}}, {"delta": {}, "finish_reason": "stop"}]
        rows = [{**head, "object": "chat.completion.chunk", "choices": [{"index": 0, **one}]} for one in parts]
        rows.append({**head, "object": "chat.completion.chunk", "choices": [], "usage": use})
        body = b"".join(b"data: " + json.dumps(row).encode() + b"\\n\\n" for row in rows) + b"data: [DONE]\\n\\n"
        self.tell(body, "text/event-stream")
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Face).serve_forever()
"""
LABEL = "INTERNAL"


def _deploy(region: Up, said: str, *words: str) -> str:
    ran = region.run(
        "models", "deploy", "tiny", "--engine", "openai", "--memory", "512M", "--label", LABEL, *words, "--json",
        "--", "python3", "-c", SERVER, said,
    )  # fmt: skip
    return str(ran.data["service"]["id"])


def _service(region: Up, id: str) -> dict[str, Any]:
    found: dict[str, Any] = region.run("job", "show", id, "--json").data
    return found


def _stands(region: Up, id: str, healthy: int, revision: int) -> bool:
    told = _service(region, id)["service"]
    states = [(one["revision"], one["state"]) for one in told["replicas"]]
    return states == [(revision, "healthy")] * healthy


def _ask(region: Up, key: str, stream: bool = False) -> tuple[int, str]:
    body = {"model": "tiny", "messages": [{"role": "user", "content": "Well?"}], "stream": stream}
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    asked = urllib.request.Request(f"{region.wires}/v1/chat/completions", json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(asked, timeout=60) as answer:
            raw = answer.read().decode()
            return answer.status, raw if stream else json.loads(raw)["choices"][0]["message"]["content"]
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def _servers(said: str) -> list[int]:
    """The program's own processes: those that say so as their last word."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0") if folder.name.isdigit() else []
        except OSError:
            continue
        if words[:1] == [b"python3"] and words[-2:-1] == [said.encode()]:
            found.append(int(folder.name))
    return found


def _key(region: Up, label: str) -> str:
    made = region.run("key", "issue", "--floor", label, "--ceiling", label, "--json")
    return str(made.data["secret"])


@pytest.fixture
def ended(region: Up) -> Iterator[None]:
    """Jobs outlive their region: whatever a test leaves is ended."""
    yield
    for each in region.run("job", "list", "--json").data:
        region.run("job", "cancel", each["id"])
    until(lambda: not region.run("job", "list", "--json").data)


@pytest.mark.usefixtures("ended")
def test_a_deployed_model_answers_at_its_label_alone_and_survives_kills_and_changes(region: Up) -> None:
    first, second = (f"{word}-{secrets.token_hex(4)}" for word in ("first", "second"))
    id = _deploy(region, first, "--replicas", "2")
    key = _key(region, LABEL)
    assert _ask(region, key)[0] == 404  # nobody has accredited it
    until(lambda: _stands(region, id, 2, 1))
    assert region.run("models", "accredit", "tiny", LABEL, "--label", LABEL).code == 0
    until(lambda: _ask(region, key) == (200, first))
    assert first in _ask(region, key, stream=True)[1]
    for other in ("PUBLIC", "RESTRICTED"):  # below it is not there; above it is not asked
        assert _ask(region, _key(region, other))[0] == 404
    assert "2 of 2 replicas are healthy" in region.run("job", "show", id).out
    # kill -9: nobody who asks notices, and another is begun
    os.kill(_servers(first)[0], signal.SIGKILL)
    for _ in range(10):
        assert _ask(region, key) == (200, first)
    until(lambda: _service(region, id)["service"]["failures"] == 1 and len(_servers(first)) == 2)
    # another revision while requests run: each is answered by one of the two
    heard: list[tuple[int, str]] = []
    done = threading.Event()

    def asks() -> None:
        while not done.is_set():
            heard.append(_ask(region, key))

    clients = [threading.Thread(target=asks) for _ in range(2)]
    for client in clients:
        client.start()
    try:
        assert _deploy(region, second, "--replicas", "2") == id
        until(lambda: _stands(region, id, 2, 2))
        until(lambda: (200, second) in heard)
    finally:
        done.set()
        for client in clients:
            client.join()
    assert set(heard) == {(200, first), (200, second)}
    assert _ask(region, key) == (200, second)
    assert not _servers(first)
    # ended
    assert region.run("models", "undeploy", "tiny").code == 0
    until(lambda: _service(region, id)["state"] == "CANCELLED")
    until(lambda: _ask(region, key)[0] == 404)
    assert not _servers(second)
    assert _service(region, id)["service"]["replicas"] == []
    children = region.run("job", "list", "--all", "--json").data
    assert [each["state"] for each in children if each["id"] == id] == ["CANCELLED"]


@pytest.mark.usefixtures("ended")
def test_a_service_of_any_kind_runs_until_it_is_cancelled_and_is_begun_again(region: Up) -> None:
    words = ("job", "submit", "--service", "--port", "9000", "--health", "/", "--label", LABEL, "--json", "--")
    id = region.run(*words, "/bin/sh", "-c", "exec python3 -m http.server 9000 --bind 127.0.0.1").data["id"]
    until(lambda: _stands(region, id, 1, 1))
    assert _service(region, id)["state"] == "RUNNING"
    ran = region.run("job", "update", id, "--replicas", "2", "--port", "9000", "--health", "/", "--",
                     "/bin/sh", "-c", "exec python3 -m http.server 9000 --bind 127.0.0.1")  # fmt: skip
    assert ran.code == 0, ran
    until(lambda: _stands(region, id, 2, 1))  # more of the same: nobody is replaced
    assert region.run("job", "retry", f"{id}:0").code == 2
    assert region.run("job", "cancel", id).code == 0
    until(lambda: _service(region, id)["state"] == "CANCELLED")
    bad = region.run("job", "submit", "--service", "--label", LABEL, "--json", "--", "/bin/false").data["id"]
    until(lambda: _service(region, bad)["service"]["failures"] >= 2)
    assert "exit 1" in region.run("job", "show", bad).out
    assert region.run("job", "cancel", bad).code == 0
    assert region.run("job", "submit", "--service", "--network", "--", "/bin/true").code == 2
