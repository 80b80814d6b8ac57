"""Working in a job through the native API: whose, at which label, for how long, and what is kept of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from casemate.doors.native import job_lines
from casemate.identity import Bearer
from casemate.jobs import Attempt, Interactive, Job, Jobs, Spec
from casemate.jobs.sites import Site, Sites
from tests.attacks.scene import LOW, SECRET, TOP, log
from tests.doors.native.test_jobs import kept, people_of
from tests.jobs.fake import FakeEngine, FakeScratch, Spot
from tests.laws.world import World

TOKEN = "a" * 32
SHELL, NOTEBOOK = "/api/jobs/job_one/terminal", "/api/jobs/job_one/notebook"


class Line:
    """What is said to it comes back; `end` ends it."""

    def __init__(self) -> None:
        self.said: list[bytes] = []
        self.shut = False
        self._back: asyncio.Queue[bytes] = asyncio.Queue()

    async def send(self, data: bytes) -> None:
        self.said.append(data)
        self._back.put_nowait(b"" if data == b"end" else b"back:" + data)

    async def receive(self) -> bytes:
        return await self._back.get()

    def finish(self) -> None:
        self._back.put_nowait(b"last")
        self._back.put_nowait(b"")

    def close(self) -> None:
        self.shut = True
        self._back.put_nowait(b"")


@dataclass
class Visit:
    """One request whose body goes on: `says` gives it a piece, `None` says that the client has left."""

    sent: list[dict[str, Any]] = field(default_factory=list)
    said: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)
    task: asyncio.Task[None] | None = None

    def says(self, piece: bytes | None, more: bool = True) -> None:
        gone = {"type": "http.disconnect"}
        self.said.put_nowait(gone if piece is None else {"type": "http.request", "body": piece, "more_body": more})

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def body(self) -> bytes:
        return b"".join(each["body"] for each in self.sent[1:])

    async def sees(self, text: bytes) -> None:
        for _ in range(3000):
            if text in self.body:
                return
            await asyncio.sleep(0.01)
        raise AssertionError(self.body)

    async def ended(self) -> None:
        assert self.task is not None
        await asyncio.wait((self.task,), timeout=20)
        assert self.task.done()
        await self.task


def visit(world: World, who: str, target: str, label: str = SECRET) -> Visit:
    found = Visit()
    headers = [
        ("host", "region.test"),
        ("authorization", f"Bearer {world.keys[who]}"),
        ("casemate-acting-label", label),
    ]
    scope = {
        "type": "http", "method": "POST", "path": target, "raw_path": target.encode(), "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers], "client": ("127.0.0.1", 1),
    }  # fmt: skip

    async def send(message: dict[str, Any]) -> None:
        found.sent.append(message)

    found.task = asyncio.ensure_future(world.house.app(scope, found.said.get, send))
    return found


async def working(world: World, kind: str = "shell", label: str = SECRET, **more: Any) -> tuple[World, Line]:
    """A job of Ann's that runs, with a line to it."""
    people = await people_of(world)
    routes = people.house.app.table.routes
    handler: Any = next(one for one in routes if (one.method, one.path) == ("POST", "/api/jobs")).handler
    jobs: Jobs = handler.__self__._jobs
    scratch, line = FakeScratch(), Line()
    jobs.sites = Sites({"fake": Site(FakeEngine(scratch, people.house.gate.vault.region.ceiling), scratch)}, "fake")
    ann = people.house.gate.admit(Bearer(people.keys["ann"])).principal
    asked = Interactive("shell" if kind == "shell" else "notebook") if kind else None
    attempt = Attempt(1, TOKEN, "running", "fake", native="n1")
    told = {"state": "RUNNING", "phase": "active", "attempts": (attempt,), **more}
    await kept(people, "ann", "job_one", Job(ann.id, "ann", Spec(("sh",), interactive=asked), **told), label)
    access = people.house.gate.classes.of(people.policies.parse(label))
    name = "terminal.sock" if kind == "shell" else "serve.sock"
    scratch.spots[(access.id, TOKEN)] = Spot(claimed=True, alive=True, lines={name: line})
    return people, line


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_lines, "WAIT", 0.0)
    monkeypatch.setattr(job_lines, "LOOK", 0.05)


async def test_what_is_typed_goes_in_and_what_is_shown_comes_out(world: World) -> None:
    people, line = await working(world)
    at = visit(people, "ann", SHELL)
    at.says(b"one")
    await at.sees(b"back:one")
    at.says(b"two")
    await at.sees(b"back:two")
    at.says(b"end")
    await at.ended()
    assert (at.status, line.said, line.shut) == (200, [b"one", b"two", b"end"], True)
    assert dict(at.sent[0]["headers"])[b"casemate-label"] == SECRET.encode()
    entries = [one for one in log(people, SECRET) if one.action == "job.attach"]
    assert [one.outcome for one in entries] == ["begin", "complete"]
    assert "back" not in repr(entries)


async def test_whoever_leaves_lets_go_of_it(world: World) -> None:
    people, line = await working(world)
    at = visit(people, "ann", SHELL)
    at.says(b"one")
    await at.sees(b"back:one")
    at.says(None)
    await at.ended()
    assert line.shut


async def test_a_connection_of_a_browser_is_heard_after_it_has_said_all(world: World) -> None:
    people, line = await working(world, "notebook")
    at = visit(people, "ann", NOTEBOOK)
    at.says(b"GET", more=False)
    await at.ended()
    assert (at.body, line.shut) == (b"back:GETlast", True)


async def told(world: World, who: str, target: str, label: str = SECRET) -> tuple[int, bytes]:
    at = visit(world, who, target, label)
    at.says(b"", more=False)
    await at.ended()
    return at.status, at.body


async def test_it_is_the_owners_at_its_own_label(world: World) -> None:
    people, line = await working(world)
    assert (await told(people, "ann", SHELL, LOW))[0] == 404
    await people.person("dan", TOP)
    await people.person("ops", SECRET, ("operator",))
    hidden = await told(people, "dan", SHELL)
    never = await told(people, "dan", "/api/jobs/job_two/terminal")
    assert (hidden[0], never[0]) == (404, 404)
    told_of = [set(msgspec.json.decode(body)) - {"entry"} for _, body in (hidden, never)]
    assert told_of[0] == told_of[1]
    assert (await told(people, "ops", SHELL))[0] == 403
    assert line.said == []


async def test_nobody_writes_into_it_from_above(world: World) -> None:
    people, line = await working(world, label=LOW)
    status, body = await told(people, "ann", SHELL, SECRET)
    assert (status, b"no-write-down" in body) == (403, True)
    assert (await told(people, "ann", SHELL, LOW))[0] == 200
    assert line.shut


@pytest.mark.parametrize(
    ("kind", "target", "status"),
    [("notebook", SHELL, 400), ("shell", NOTEBOOK, 400), ("", SHELL, 400), ("", NOTEBOOK, 400)],
)
async def test_another_kind_of_job_has_none(world: World, kind: str, target: str, status: int) -> None:
    people, _ = await working(world, kind)
    assert (await told(people, "ann", target))[0] == status


async def test_one_that_does_not_run_is_a_conflict(world: World) -> None:
    people, _ = await working(world, attempts=())
    assert (await told(people, "ann", SHELL))[0] == 409


async def test_whoever_may_no_longer_is_put_out(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    people, line = await working(world)
    at = visit(people, "ann", SHELL)
    at.says(b"one")
    await at.sees(b"back:one")
    monkeypatch.setattr(type(people.house.gate.directory), "principal", lambda self, id: None)
    await at.ended()
    assert line.shut


@pytest.mark.parametrize("limit", ["OWN", "LINES"])
async def test_so_many_lines_are_open_at_once_at_a_label_and_of_one_person(
    world: World, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    people, _ = await working(world)
    monkeypatch.setattr(job_lines, limit, 1)
    at = visit(people, "ann", SHELL)
    at.says(b"one")
    await at.sees(b"back:one")
    status, body = await told(people, "ann", SHELL)
    assert (status, msgspec.json.decode(body)["slug"]) == (429, "quota-exceeded")
    assert (await told(people, "ann", SHELL, LOW))[0] == 404  # another label has seats of its own
    at.says(b"end")
    await at.ended()
    assert (await told(people, "ann", SHELL))[0] == 200
