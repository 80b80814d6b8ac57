"""What listens on this machine for one browser: who comes in, what goes on to the job, and what does not."""

from __future__ import annotations

import queue
import socket
from collections.abc import Iterator

import pytest

from casemate.cli.failure import failed
from casemate.cli.notebook_door import HEAD, Door, Heading
from casemate.errors import Unavailable

TOKEN = "t" * 32


class Way:
    """A job that answers each connection with what it was asked, and ends it where that was asked for."""

    def __init__(self) -> None:
        self.said = b""
        self._back: queue.Queue[bytes] = queue.Queue()

    def say(self, data: bytes) -> bool:
        self.said += data
        if b"\r\n\r\n" in self.said:
            self._back.put(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
            self._back.put(b"")
        return True

    def done(self) -> None:
        self._back.put(b"")

    def hear(self) -> bytes:
        return self._back.get(timeout=30)

    def close(self) -> None:
        pass


@pytest.fixture
def ways() -> list[Way]:
    return []


@pytest.fixture
def door(ways: list[Way]) -> Iterator[Door]:
    def way() -> Way:
        ways.append(Way())
        return ways[-1]

    with Door(way, 0, TOKEN) as found:
        yield found


def ask(door: Door, first: str = "GET / HTTP/1.1", host: str = "", **fields: str) -> tuple[int, str]:
    """The status and the whole answer."""
    told = {
        "Host": host or f"127.0.0.1:{door.port}",
        **{name.replace("_", "-"): value for name, value in fields.items()},
    }
    return raw(door, first + "\r\n" + "".join(f"{name}: {value}\r\n" for name, value in told.items()) + "\r\n")


def raw(door: Door, text: str) -> tuple[int, str]:
    with socket.create_connection(("127.0.0.1", door.port), 30) as line:
        line.sendall(text.encode("latin-1"))
        said = b""
        while part := line.recv(65536):
            said += part
    return int(said.split(b" ")[1]), said.decode("latin-1")


def entered(door: Door) -> str:
    """The cookie."""
    status, said = ask(door, f"GET /tree?a=b&token={TOKEN} HTTP/1.1")
    assert (status, "Location: /tree?a=b\r\n" in said) == (303, True)
    assert "HttpOnly; SameSite=Strict" in said
    return said.partition("Set-Cookie: ")[2].partition(";")[0]


def test_nobody_comes_in_without_the_cookie(door: Door, ways: list[Way]) -> None:
    cookie = entered(door)
    for wrong in ("", f"{door.name}=guessed", f"{cookie}; {door.name}=x", f"other={cookie.partition('=')[2]}"):
        assert ask(door, Cookie=wrong)[0] == 403
    assert ask(door, "GET /?token=guessed HTTP/1.1")[0] == 403
    assert ways == []
    assert ask(door, Cookie=f"a=b; {cookie}")[0] == 200


def test_the_token_counts_once(door: Door) -> None:
    entered(door)
    assert ask(door, f"GET /?token={TOKEN} HTTP/1.1")[0] == 403
    assert ask(door, "GET /?token= HTTP/1.1")[0] == 403


def test_another_page_or_name_is_refused(door: Door, ways: list[Way]) -> None:
    cookie = entered(door)
    own = f"http://127.0.0.1:{door.port}"
    for origin in ("http://evil.example", "null", f"https://127.0.0.1:{door.port}", "http://127.0.0.1"):
        assert ask(door, Cookie=cookie, Origin=origin)[0] == 403
    for site in ("same-site", "cross-site", ""):
        assert ask(door, Cookie=cookie, Sec_Fetch_Site=site)[0] == 403
    assert ask(door, Cookie=cookie, host="evil.example")[0] == 403
    assert ask(door, Cookie=cookie, host=f"evil.example:{door.port}")[0] == 403
    assert raw(door, f"GET / HTTP/1.1\r\nCookie: {cookie}\r\n\r\n")[0] == 403
    assert ways == []
    for site in ("same-origin", "none"):
        assert ask(door, Cookie=cookie, Sec_Fetch_Site=site)[0] == 200
    assert ask(door, Cookie=cookie, Origin=own)[0] == 200
    assert ask(door, Cookie=cookie, host=f"localhost:{door.port}")[0] == 200


def test_the_cookie_goes_no_further(door: Door, ways: list[Way]) -> None:
    cookie = entered(door)
    assert ask(door, Cookie=f"a=b; {cookie}; c=d")[0] == 200
    assert cookie.partition("=")[2].encode() not in ways[0].said
    assert b"cookie: a=b; c=d\r\n" in ways[0].said
    assert ask(door, Cookie=cookie)[0] == 200
    assert b"cookie" not in ways[1].said


def test_a_connection_has_one_request(door: Door, ways: list[Way]) -> None:
    cookie = entered(door)
    ask(door, Cookie=cookie, Connection="keep-alive", Keep_Alive="timeout=5", Upgrade="h2c")
    assert ways[0].said.endswith(b"connection: close\r\n\r\n")
    assert b"upgrade" not in ways[0].said
    assert b"keep-alive" not in ways[0].said
    ask(door, Cookie=cookie, Connection="Upgrade", Upgrade="websocket")
    assert ways[1].said.endswith(b"connection: upgrade\r\n\r\n")
    assert b"upgrade: websocket\r\n" in ways[1].said


@pytest.mark.parametrize(
    "text",
    [
        "GET / HTTP/2\r\n\r\n",
        "GET http://a/ HTTP/1.1\r\n\r\n",
        "nonsense\r\n\r\n",
        "GET / HTTP/1.1\r\nno colon\r\n\r\n",
        "GET / HTTP/1.1\r\n folded: x\r\n\r\n",
        "GET / HTTP/1.1\r\nname : x\r\n\r\n",
        "GET / HTTP/1.1\r\na: b\nc: d\r\n\r\n",
        "GET / HTTP/1.1\r\n: x\r\n\r\n",
        "GET / HTTP/1.1\r\nlong: " + "x" * (HEAD * 3) + "\r\n\r\n",
    ],
)
def test_what_is_no_request_goes_nowhere(door: Door, ways: list[Way], text: str) -> None:
    try:
        assert raw(door, text)[0] == 400
    except (ConnectionError, IndexError):
        assert len(text) > HEAD  # it was hung up on before it had said all
    assert ways == []


def test_a_body_goes_on_with_its_head(door: Door, ways: list[Way]) -> None:
    cookie = entered(door)
    text = f"POST /x HTTP/1.1\r\nHost: localhost:{door.port}\r\nCookie: {cookie}\r\nContent-Length: 3\r\n\r\nabc"
    assert raw(door, text)[0] == 200
    assert ways[0].said.endswith(b"\r\n\r\nabc")


def test_a_job_that_is_gone_is_a_bad_gateway() -> None:
    def gone() -> Way:
        raise failed(Unavailable(what="law"))

    with Door(gone, 0, TOKEN) as door:
        assert ask(door, Cookie=entered(door))[0] == 502


def test_a_head_is_read_as_it_stands() -> None:
    found = Heading(b"GET /a HTTP/1.1\r\nA: 1\r\na:2")
    assert (found.method, found.target, found.all("a")) == ("GET", "/a", ["1", "2"])
