"""The way in to a service as its shim holds it: who is let in, and whom others who are silent keep out."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess

import pytest

from casemate.engines.job_order import shim
from tests.attacks.escapes import needs_bubblewrap
from tests.engines.job_folders import Attempt, until

pytestmark = [
    pytest.mark.skipif(os.uname().sysname != "Linux", reason="Linux alone"),
    needs_bubblewrap,
]

KNOCK = secrets.token_hex(32)
SAID, ANSWERED = KNOCK[:32].encode(), KNOCK[32:].encode()
ECHO = """
import selectors, socket
door = socket.create_server(("127.0.0.1", 8000), backlog=1024)
poll = selectors.DefaultSelector()
poll.register(door, selectors.EVENT_READ)
while True:
    for key, _ in poll.select():
        if key.fileobj is door:
            poll.register(door.accept()[0], selectors.EVENT_READ)
        elif data := key.fileobj.recv(4096):
            key.fileobj.sendall(data)
        else:
            poll.unregister(key.fileobj)
            key.fileobj.close()
"""


class Served:
    """A service that gives back what it is told. `files`: descriptors that its shim may hold, and could."""

    def __init__(self, root, knock=KNOCK, files=(0, 0)):
        def change(order):
            order["serve"] = {"port": 8000, "path": "", "every_s": 1, "knock": knock}

        self.one = Attempt(root, ["/usr/bin/python3", "-c", ECHO], level="L2", service=True, change=change)
        self.few = f"ulimit -S -n {files[0]}; ulimit -H -n {files[1]}; " if files[0] else ""

    def __enter__(self):
        self.one.process = subprocess.Popen(
            ["/bin/sh", "-c", f'{self.few}exec "$@"', "sh", *shim(), str(self.one.path)],
            stdin=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )
        until(lambda: self.told().get("healthy"))
        return self

    def __exit__(self, *_):
        self.one.process.terminate()
        self.one.process.wait(60)

    def told(self):
        try:
            return json.loads((self.one.path / "serve").read_bytes())
        except FileNotFoundError:
            return {}

    def near(self):
        line = socket.socket(socket.AF_UNIX)
        folder = os.open(self.one.path, os.O_RDONLY)
        line.connect(f"/proc/self/fd/{folder}/serve.sock")
        os.close(folder)
        return line

    def far(self):
        return socket.create_connection(("127.0.0.1", self.told()["port"]), 30)


def answers(line, said=b"well?"):
    """What comes back, and nothing where whoever asks was hung up on."""
    line.settimeout(30)
    try:
        line.sendall(said)
        return line.recv(100)
    except OSError:
        return b""


@pytest.fixture
def root(outside):
    return outside / "jobs"


def test_who_knows_the_secret_is_let_in_over_the_network_and_nobody_else(root):
    with Served(root) as service:
        assert answers(service.near()) == b"well?"
        line = service.far()
        assert answers(line, SAID) == ANSWERED
        assert answers(line) == b"well?"
        for wrong in (b"well?" + b"x" * len(KNOCK), SAID[:-1] + b"-", ANSWERED, b"GET / HTTP/1.1\r\n\r\n" * 4):
            assert answers(service.far(), wrong) == b""


def test_strangers_who_are_silent_keep_nobody_out(root):
    """They are anybody on the cluster's network, another label's jobs among them."""
    with Served(root) as service:
        silent = [service.far() for _ in range(100)]
        assert answers(service.near()) == b"well?"
        line = service.far()
        assert answers(line, SAID) == ANSWERED
        assert answers(line) == b"well?"
        for line in silent:
            line.close()


def test_many_connections_do_not_make_it_ill(root):
    with Served(root, "", (128, 1024)) as service:
        lines = [service.near() for _ in range(200)]
        assert [answers(line) for line in lines] == [b"well?"] * 200
        until(lambda: service.told()["open"] == 200)
        assert service.told()["healthy"]
        for line in lines:
            line.close()


def test_where_the_machine_gives_few_descriptors_those_who_are_too_many_are_hung_up_on(root):
    with Served(root, "", (256, 256)) as service:
        lines = [service.near() for _ in range(150)]
        said = [answers(line) for line in lines]
        assert (said[0], said[-1]) == (b"well?", b"")
        until(lambda: service.told()["open"] == said.count(b"well?"))
        assert service.told()["healthy"]
        for line in lines:
            line.close()
