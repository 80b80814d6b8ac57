"""A notebook through a real region: a program in a job's own network, and one browser's way to it."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import os
import re
import secrets
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.cli.running import CASEMATE, PATIENCE, Place, Up, running

ROOT = Path(__file__).parents[2]

# A server of the standard library: GET tells what it was asked, POST gives back, a WebSocket echoes (RFC 6455).
SERVER = r"""
import base64, hashlib, http.server, json, os, threading
class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        if self.headers.get("upgrade") == "websocket":
            key = self.headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
            self.send_response(101)
            self.send_header("Upgrade", "websocket")
            self.send_header("Connection", "Upgrade")
            self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())
            self.end_headers()
            while True:
                head = self.rfile.read(2)
                if len(head) < 2 or head[0] & 15 == 8:
                    break
                mask, said = self.rfile.read(4), self.rfile.read(head[1] & 127)
                back = bytes(one ^ mask[at % 4] for at, one in enumerate(said))
                self.wfile.write(bytes((129, len(back))) + back)
                self.wfile.flush()
            self.close_connection = True
            return
        self.tell(json.dumps([self.path, dict(self.headers)]).encode())
    def do_POST(self):
        self.tell(self.rfile.read(int(self.headers["content-length"])))
    def tell(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        if self.path == "/end":
            threading.Timer(0.5, os._exit, (7,)).start()  # the answer is on its way by then
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Answer).serve_forever()
"""


@dataclass
class Notebook:
    """What the command told, and who speaks to it."""

    process: subprocess.Popen[str]
    id: str
    url: str
    cookie: str = ""

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 0

    def ask(self, method: str, path: str, body: bytes | None = None, **fields: str) -> http.client.HTTPResponse:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        line.request(method, path, body, {"Cookie": self.cookie, **fields} if self.cookie else fields)
        return line.getresponse()

    def enter(self) -> Notebook:
        """The token for the cookie."""
        told = self.ask("GET", f"/?{urlsplit(self.url).query}")
        assert (told.status, told.getheader("Location")) == (303, "/")
        self.cookie = str(told.getheader("Set-Cookie")).partition(";")[0]
        return self


@contextmanager
def notebook(region: Up, *words: str) -> Iterator[Notebook]:
    process = subprocess.Popen(
        [*CASEMATE, "job", "notebook", *words],
        cwd=region.place.path,
        env=region.place.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        id = url = ""
        while not url:
            line = process.stderr.readline()
            assert line, region.run("job", "show", id).out + region.run("job", "logs", id).out
            id = next(iter(re.findall(r"job_\w+", line)), id)
            url = next(iter(re.findall(r"http://\S+", line)), "")
        yield Notebook(process, id, url)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)


def websocket(here: Notebook, path: str = "/ws", **fields: str) -> socket.socket:
    line = socket.create_connection(("127.0.0.1", here.port), PATIENCE)
    key = base64.b64encode(os.urandom(16)).decode()
    told = {"Host": f"127.0.0.1:{here.port}", "Upgrade": "websocket", "Connection": "Upgrade", **fields}
    told |= {"Sec-WebSocket-Key": key, "Sec-WebSocket-Version": "13", "Cookie": here.cookie}
    line.sendall((f"GET {path} HTTP/1.1\r\n" + "".join(f"{n}: {v}\r\n" for n, v in told.items()) + "\r\n").encode())
    said = b""
    while b"\r\n\r\n" not in said and (part := line.recv(4096)):
        said += part
    if b"101" in said.partition(b"\r\n")[0]:
        wanted = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
        assert base64.b64encode(wanted) in said
        return line
    line.close()
    raise PermissionError(said)


def sent(line: socket.socket, text: bytes) -> None:
    mask, size = os.urandom(4), len(text)
    long = bytes((128 | size,)) if size < 126 else bytes((254,)) + size.to_bytes(2, "big")
    line.sendall(b"\x81" + long + mask + bytes(one ^ mask[at % 4] for at, one in enumerate(text)))


def received(line: socket.socket) -> bytes:
    """One frame; empty where there are no more."""
    head = line.recv(2, socket.MSG_WAITALL)
    if len(head) < 2:
        return b""
    size = head[1]
    if size > 125:
        size = int.from_bytes(line.recv(2 if size == 126 else 8, socket.MSG_WAITALL), "big")
    return line.recv(size, socket.MSG_WAITALL)


def echoed(line: socket.socket, text: bytes) -> bytes:
    sent(line, text)
    return received(line)


def test_a_browser_reaches_what_a_job_shows_and_nobody_else_does(region: Up) -> None:
    with notebook(region, "--", "python3", "-c", SERVER) as here:
        assert here.ask("GET", "/").status == 403  # no token, no cookie
        assert here.ask("GET", "/?token=guessed").status == 403
        stranger = Notebook(here.process, here.id, here.url)
        here.enter()
        assert stranger.ask("GET", f"/?{urlsplit(here.url).query}").status == 403  # it has counted
        told = here.ask("GET", "/tree?a=1")
        assert told.status == 200
        body = told.read().decode()
        assert "/tree?a=1" in body
        assert here.cookie.partition("=")[2] not in body
        big = os.urandom(3 << 20)
        assert here.ask("POST", "/back", big).read() == big
        own = f"http://127.0.0.1:{here.port}"
        assert here.ask("POST", "/back", b"x", Origin=own).status == 200
        assert here.ask("POST", "/back", b"x", Origin="http://evil.example").status == 403
        assert here.ask("GET", "/", Host="evil.example").status == 403
        line = websocket(here, Origin=own)
        assert [echoed(line, text) for text in (b"one", b"two")] == [b"one", b"two"]
        with pytest.raises(PermissionError):
            websocket(here, Origin="http://evil.example")
        line.close()
        assert here.ask("POST", "/end", b"bye").read() == b"bye"
        assert here.process.wait(PATIENCE) == 7
    entries = region.run("ledger", "list", "--limit", "200", "--json").out
    assert "job.attach" in entries
    assert urlsplit(here.url).query.partition("=")[2] not in entries + region.run("job", "logs", here.id).out


def test_a_way_is_closed_and_another_opened(region: Up) -> None:
    with notebook(region, "--", "python3", "-c", SERVER) as here:
        assert here.enter().ask("GET", "/").status == 200
        held = websocket(here)
        assert echoed(held, b"still there") == b"still there"
    held.close()
    assert here.process.returncode == 130
    with notebook(region, "--attach", here.id) as again:
        assert again.id in ("", here.id)
        assert again.enter().ask("GET", "/").status == 200
    assert region.run("job", "cancel", here.id).code == 0


def test_an_environment_without_jupyter_is_named(region: Up) -> None:
    ran = region.run("job", "notebook")
    if "jupyter" not in ran.err:
        pytest.skip("the machine's own python3 has Jupyter")
    assert (ran.code, "the programs of the machine" in ran.err) == (2, True), ran


def test_a_notebook_has_no_network_and_is_no_shell(region: Up) -> None:
    told = region.place.path / "spec.toml"
    told.write_text('command = ["true"]\ninteractive = {kind = "notebook"}\n[resources]\nnetwork = "host"\n')
    assert region.run("job", "submit", told).code == 2
    id = region.run("job", "shell", "--detach", "--", "/bin/sleep", "60").out.strip()
    refused = region.run("job", "notebook", "--attach", id)
    assert (refused.code, "no notebook" in refused.err) == (2, True), refused
    region.run("job", "cancel", id)


def test_a_notebook_in_which_nobody_works_is_ended(region: Up) -> None:
    spec = region.place.path / "idle.toml"
    spec.write_text('command = ["/bin/sleep", "300"]\ninteractive = {kind = "notebook", idle_s = 1}\n')
    ran = region.run("job", "run", spec)
    assert "nobody worked in it" in ran.err, ran


JUPYTER = Path(os.environ.get("CASEMATE_JUPYTER") or ROOT / ".venv/jupyter/lib/python3.11/site-packages")
SITE = """
[jobs.sites.science]
path = "{tree}"
label = "INTERNAL"
env = {{ PYTHONPATH = "{tree}" }}
"""
WHY = "no Jupyter here: pip install --target FOLDER jupyter_server ipykernel, and name it in CASEMATE_JUPYTER"


@pytest.mark.skipif(not (JUPYTER / "jupyter_server").is_dir(), reason=WHY)
def test_jupyter_itself_runs_a_kernel(place: Place) -> None:
    place.init()
    settings = place.region / "casemate.toml"
    settings.write_text(settings.read_text() + SITE.format(tree=JUPYTER))
    with (
        running(place) as up,
        notebook(up, "--environment", "site:science", "--memory", "2G", "--wall", "10m") as here,
    ):
        assert here.enter().ask("GET", "/api/kernelspecs").status == 200
        own = f"http://127.0.0.1:{here.port}"
        double = secrets.token_hex(16)  # as Jupyter's own page says it twice
        here.cookie += f"; _xsrf={double}"
        fields = {"Origin": own, "X-XSRFToken": double, "Content-Type": "application/json"}
        made = here.ask("POST", "/api/kernels", b"{}", **fields)
        assert made.status == 201, made.read()
        kernel = json.loads(made.read())["id"]
        line = websocket(here, f"/api/kernels/{kernel}/channels", Origin=own)
        head = {
            "msg_id": "1",
            "msg_type": "execute_request",
            "username": "",
            "session": "s",
            "version": "5.3",
            "date": "2026-11-21T00:00:00Z",
        }
        asked = {"code": "print(6 * 7)", "silent": False, "store_history": False, "user_expressions": {}}
        said = json.dumps({"header": head, "parent_header": {}, "metadata": {}, "content": asked, "channel": "shell"})
        sent(line, said.encode())
        got = b""
        for _ in range(100):  # some of them are pings
            got = received(line)
            if b"42" in got:
                break
        assert b"42" in got, up.run("job", "logs", here.id).err[-3000:]
        logs = up.run("job", "logs", here.id)
        assert "42" not in logs.out
        assert up.run("job", "cancel", here.id).code == 0
