"""A client that waits for 100 and is refused does not send its body; its next request is read as one."""

from __future__ import annotations

import http.client
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.cli.running import Place, running


def answers(host: str, port: int, heads: tuple[str, ...]) -> list[tuple[int, str | None]]:
    """The status of each request on one connection for as long as it is kept, and what is said of keeping it."""
    found: list[tuple[int, str | None]] = []
    with socket.create_connection((host, port), timeout=10) as link:
        for head in heads:
            link.sendall(head.encode())
            got = http.client.HTTPResponse(link, method="PUT")
            got.begin()
            found.append((got.status, got.getheader("connection")))
            got.read()
            if got.getheader("connection") == "close":
                assert link.recv(1) == b"", "what was said to be closed is"
                break
    return found


@pytest.fixture
def place(tmp_path: Path) -> Place:
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    return Place(work, home)


def test_a_refusal_before_the_body_ends_the_connection(place: Place) -> None:
    place.init()
    with running(place) as up:
        to = urlsplit(up.console)
        assert to.hostname
        assert to.port
        put = f"PUT /open/x HTTP/1.1\r\nHost: {to.netloc}\r\nContent-Length: 9\r\n"
        get = f"GET /api/health HTTP/1.1\r\nHost: {to.netloc}\r\n\r\n"
        refused = answers(to.hostname, to.port, (f"{put}Expect: 100-continue\r\n\r\n", get))
        assert len(refused) == 1, "the next request would be taken for the body that never came"
        assert 400 <= refused[0][0] < 500
        assert refused[0][1] == "close"
        sent = answers(to.hostname, to.port, (f"{put}\r\nnine byte", get))
        assert [status for status, _ in sent][1:] == [200], "a body that was sent is in nobody's way"
