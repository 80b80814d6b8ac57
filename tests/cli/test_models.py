"""Models on the command line, in both process forms: found, imported, accredited, verified, explained, retired."""

from __future__ import annotations

import json
import struct
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from casemate.cli.connect import _vendors
from tests.cli.running import Up

SECRET = "sk-a-secret-that-nobody-shows"


class Server(ThreadingHTTPServer):
    """An OpenAI- and Anthropic-shaped server on a port of its own."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, dict[str, str]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self._answer("application/json", json.dumps({"data": [{"id": "tiny"}, {"id": "huge"}]}).encode())

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        piece = {"choices": [{"index": 0, "delta": {"content": "yes"}, "finish_reason": "stop"}]}
        self._answer("text/event-stream", b"data: " + json.dumps(piece).encode() + b"\n\ndata: [DONE]\n\n")

    def _answer(self, media: str, body: bytes) -> None:
        self.server.asked.append((self.path, dict(self.headers)))
        self.send_response(200)
        self.send_header("Content-Type", media)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def serving() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def listed(region: Up) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in region.run("models", "list", "--json").data}


def wires(region: Up, path: str) -> Any:
    key = region.run("key", "issue", "--json").data["secret"]
    asked = urllib.request.Request(f"{region.wires}{path}", headers={"Authorization": f"Bearer {key}"})
    with urllib.request.urlopen(asked) as answer:
        return json.load(answer)


def test_a_server_is_found_and_used_only_with_a_yes(region: Up) -> None:
    with serving() as server:
        words = ("connect", "--at", f"{server.url}/v1", "--json")
        name = f"local-{server.server_port}"
        [found] = region.run(*words).data["found"]
        assert (found["name"], found["models"], found["registered"]) == (name, ["tiny", "huge"], [])
        assert name not in str(listed(region))
        [found] = region.run(*words, "--yes", name, "--model", "tiny").data["found"]
        [made] = found["registered"]
        assert (made["name"], made["outcome"]) == (f"{name}/tiny", "accredited")
        assert listed(region)[f"{name}/tiny"]["usable"] is True
        assert f"{name}/huge" not in listed(region)
        assert f"{name}/tiny" in str(wires(region, "/v1/models"))
        assert region.run("models", "verify", f"{name}/tiny").out.split()[-1] == "answered"
        [made] = region.run(*words, "--yes", name, "--model", "tiny").data["found"][0]["registered"]
        assert made["outcome"] == "known"
        told = region.run("connect", "--at", f"{server.url}/v1")
        assert (told.code, told.out) == (0, "")
    why = region.run("models", "why", f"{name}/tiny", "hello")
    assert "is asked" in why.out
    assert region.run("models", "verify", f"{name}/tiny").code == 7
    assert region.run("models", "retire", f"{name}/tiny").code == 0
    assert f"{name}/tiny" not in str(wires(region, "/v1/models"))
    assert region.run("models", "why", f"{name}/tiny").code == 5


def test_a_vendors_key_is_told_by_name_and_kept_with_a_yes(region: Up) -> None:
    with serving() as server:
        env = {"ANTHROPIC_API_KEY": SECRET, "ANTHROPIC_BASE_URL": server.url}
        words = ("connect", "--at", "http://127.0.0.1:9/v1")
        told = region.run(*words, **env)
        assert "ANTHROPIC_API_KEY" in told.err
        assert server.asked == [], "nothing is sent without a yes"
        made = region.run(*words, "--yes", "anthropic", "--json", **env)
        assert [each["name"] for each in made.data["found"][0]["registered"]] == ["anthropic/tiny", "anthropic/huge"]
        assert server.asked[0][1]["x-api-key"] == SECRET
        shown = region.run("models", "show", "anthropic/tiny", "--json")
        for ran in (told, made, shown, region.run("ledger", "list", "--json")):
            assert SECRET not in ran.out + ran.err
        [file] = (region.place.region / "keys").glob("model-*-anthropic.key")
        assert file.stat().st_mode & 0o777 == 0o600


def test_weights_are_taken_in_shown_and_looked_at_again(region: Up, tmp_path: Path) -> None:
    header = json.dumps({"w": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}}).encode()
    folder = tmp_path / "tiny"
    (folder / "more").mkdir(parents=True)
    (folder / "model.bin").write_bytes(struct.pack("<Q", len(header)) + header + b"abcd")
    (folder / "more" / "config.json").write_text("{}")
    made = region.run("models", "import", folder, "--name", "acme/tiny", "--licence", "MIT", "--json")
    assert (made.data["formats"], len(made.data["files"])) == (["safetensors"], 2)
    assert region.run("models", "verify", "acme/tiny").out.split()[-1] == "whole"
    bill = json.loads(region.run("models", "show", "acme/tiny", "--bom").out)
    assert bill["metadata"]["component"]["components"][0]["name"] == "model.bin"
    assert "safetensors" in region.run("models", "show", "acme/tiny").out
    assert region.run("models", "show", "casemate/extractive-reader", "--bom").code == 2
    assert "acme/tiny" in region.run("models").out
    [kept] = (region.place.region / "models").glob("*/acme%2Ftiny")
    (kept / "model.bin").write_bytes((kept / "model.bin").read_bytes()[:-1] + b"e")
    told = region.run("models", "verify", "acme/tiny")
    assert (told.code, "CHANGED" in told.out) == (7, True)
    assert region.run("models", "import", folder, "--name", "acme/tiny").code == 6
    (folder / "evil.safetensors").write_bytes(b"\x80\x04K\x01.")
    told = region.run("models", "import", folder, "--name", "acme/evil")
    assert (told.code, "pickle" in told.err) == (2, True)
    (folder / "evil.safetensors").unlink()
    (folder / "link.json").symlink_to("/etc/hostname")
    assert region.run("models", "import", folder, "--name", "acme/evil").code == 2
    assert list((region.place.region / "models" / "incoming").iterdir()) == [], "what was refused does not stay"
    one = tmp_path / "one.gguf"
    one.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, 0))
    assert region.run("models", "import", one, "--json").data["name"] == "one"
    assert region.run("models", "accredit", "one", "INTERNAL").code == 0


@pytest.mark.parametrize(
    ("environ", "found"),
    [
        ({}, []),
        ({"OPENAI_API_KEY": "x"}, [("openai", ("OPENAI_API_KEY",))]),
        ({"AWS_ACCESS_KEY_ID": "x"}, []),
        (
            {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y", "AWS_REGION": "us-gov-west-1"},
            [("bedrock", ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"))],
        ),
        ({"AWS_BEARER_TOKEN_BEDROCK": "x"}, [("bedrock", ("AWS_BEARER_TOKEN_BEDROCK",))]),
    ],
)
def test_credentials_are_read_by_name(environ: dict[str, str], found: list[Any]) -> None:
    assert [(place.name, place.names) for place in _vendors(environ)] == found
    assert all("://" in place.url and "x" not in place.names for place in _vendors(environ))
