"""The client against servers that are none of ours, or go away: a clear end, never a traceback."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

from casemate.cli.client import Client, local, remote
from casemate.cli.failure import Failed

GOOD = json.dumps({"data": {"a": 1}, "mark": "(U)"}).encode()
PROBLEM = {"slug": "refused", "status": 403, "exit": 3, "title": "t", "detail": "d", "remedy": "r", "rule": "x"}


def reply(status: str, body: bytes, *headers: str, media: str = "application/json") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", f"content-type: {media}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@contextmanager
def server(*answers: bytes, keep: int = 100) -> Iterator[tuple[str, list[bytes]]]:
    """Gives these answers one by one, and closes each connection after `keep` of them."""
    left, heard = list(answers), []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            for _ in range(keep):
                head = b""
                while not head.endswith(b"\r\n\r\n"):
                    line = self.rfile.readline()
                    if not line:
                        return
                    head += line
                size = next(
                    (int(x.split(b":")[1]) for x in head.split(b"\r\n") if x.lower().startswith(b"content-length")), 0
                )
                heard.append(head + self.rfile.read(size))
                if not left:
                    return
                self.wfile.write(left.pop(0))

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as serving:
        serving.daemon_threads = True
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{serving.server_address[1]}", heard
        finally:
            serving.shutdown()


def client(url: str, key: str = "") -> tuple[Client, list[str]]:
    told: list[str] = []
    return remote(url, key, told.append), told


def test_it_tells_the_marking_and_shows_its_key_only_where_it_has_one() -> None:
    answer = reply("200 OK", GOOD, "Casemate-Marking: SECRET", "Casemate-Label: us:SECRET", "Casemate-Ledger: ent_1")
    with server(answer, answer) as (url, heard):
        asking, told = client(url, "cm_a_b")
        found = asking.get("/api/x", q="a b&c")
        assert (found.data, found.marking, found.label, found.entry) == ({"a": 1}, "SECRET", "us:SECRET", "ent_1")
        assert told == ["SECRET"]
        assert b"GET /api/x?q=a+b%26c " in heard[0]
        assert b"Authorization: Bearer cm_a_b" in heard[0]
        asking.post("/api/x", {"a": 1}, acting="us:TRÈS SECRET")
        assert heard[1].endswith(b'{"a":1}')
        assert "Casemate-Acting-Label: us:TRÈS SECRET".encode("latin-1") in heard[1]


def test_a_connection_that_was_closed_meanwhile_is_opened_again() -> None:
    with server(reply("200 OK", GOOD), reply("200 OK", GOOD), keep=1) as (url, heard):
        asking, _ = client(url)
        assert asking.get("/a").status == asking.get("/b").status == 200
        assert len(heard) == 2


def test_what_changes_something_is_never_sent_twice() -> None:
    with server(reply("200 OK", GOOD), reply("200 OK", GOOD), keep=1) as (url, heard):
        asking, _ = client(url)
        asking.get("/a")
        with pytest.raises(Failed):
            asking.post("/b", {})
        assert asking.post("/b", {}).status == 200
        assert len(heard) == 2


def test_a_connection_that_stood_idle_is_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    from casemate.cli import client as room

    monkeypatch.setattr(room, "IDLE", -1.0)
    with server(reply("200 OK", GOOD), reply("200 OK", GOOD), keep=1) as (url, _):
        asking, _ = client(url)
        asking.get("/a")
        assert asking.post("/b", {}).status == 200


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SMTP ready\r\n",
        reply("500 Oops", b"<html>", media="text/html"),
        b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nshort",
        reply("200 OK", b"{not json"),
        reply("200 OK", b"\xff\xfe"),
    ],
)
def test_what_is_no_answer_of_a_region_is_unavailable(answer: bytes) -> None:
    with server(answer, keep=1) as (url, _):
        asking, _ = client(url)
        with pytest.raises(Failed) as failed:
            asking.get("/a")
        assert failed.value.problem.exit == 7
        assert url in failed.value.problem.detail


def test_the_regions_own_problem_is_told_as_it_is() -> None:
    body = json.dumps(PROBLEM).encode()
    refusal = reply("403 Forbidden", body, "Casemate-Marking: SECRET", media="application/problem+json")
    with server(refusal, refusal) as (url, _):
        asking, told = client(url)
        for ask in (lambda: asking.get("/a"), lambda: list(asking.stream("/a", {}))):
            with pytest.raises(Failed) as failed:
                ask()
            assert (failed.value.problem.rule, failed.value.marking) == ("x", "SECRET")
        assert told == []


def test_a_problem_in_mid_stream_ends_the_stream() -> None:
    body = b'event: delta\ndata: {"text": "one"}\n\nevent: problem\ndata: ' + json.dumps(PROBLEM).encode() + b"\n\n"
    answer = reply("200 OK", body, "Casemate-Marking: SECRET", "Casemate-Ledger: ent_1", media="text/event-stream")
    with server(answer) as (url, _):
        asking, told = client(url)
        deltas = asking.stream("/a", {})
        assert next(deltas)["entry"] == "ent_1"
        assert told == ["SECRET"]
        assert next(deltas) == {"text": "one"}
        with pytest.raises(Failed) as failed:
            next(deltas)
        assert failed.value.problem.slug == "refused"


def test_a_stream_that_breaks_off_is_told() -> None:
    broken = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nevent"
    with server(broken, keep=1) as (url, _):
        asking, _ = client(url)
        deltas = asking.stream("/a", {})
        next(deltas)
        with pytest.raises(Failed) as failed:
            list(deltas)
        assert failed.value.problem.exit == 7


def test_nobody_there(tmp_path: Path) -> None:
    for asking in (client("http://127.0.0.1:1")[0], local(tmp_path / "none.sock", "here", lambda marking: None)):
        with pytest.raises(Failed) as failed:
            asking.get("/a")
        assert failed.value.problem.exit == 8


def test_closing_twice_is_no_error() -> None:
    asking, _ = client("http://127.0.0.1:1")
    asking._open = HTTPConnection("127.0.0.1", 1)
    asking.close()
    asking.close()


def test_a_body_in_pieces_is_whole_or_told_to_have_broken_off() -> None:
    whole = reply("200 OK", b"x" * 3000, "casemate-label: l", "casemate-marking: M", media="application/octet-stream")
    short = whole.replace(b"content-length: 3000", b"content-length: 4000")
    refused = reply("403 Forbidden", json.dumps(PROBLEM).encode(), "casemate-marking: M")
    with server(whole, refused, short, keep=3) as (url, _):
        asking, told = client(url)
        found: list[bytes] = []
        answer = asking.into("/api/jobs/j/artefacts/a b", found.append)
        assert (b"".join(found), answer.label, told) == (b"x" * 3000, "l", ["M"])
        with pytest.raises(Failed) as failure:
            asking.into("/api/x", found.append)
        assert failure.value.problem.slug == "refused"
        with pytest.raises(Failed) as failure:
            asking.into("/api/x", found.append)
        assert failure.value.problem.slug == "unavailable"
