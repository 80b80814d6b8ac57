"""A data process stands on a snapshot: it serves without control, fails closed when that is old, and asks nobody."""

from __future__ import annotations

import ast
import asyncio
import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from casemate.accounts import KeyRequest, issue, revoke
from casemate.engines.snapshot_file import SnapshotFile
from casemate.errors import CasemateError, ControlAway, StorageFull, TooLarge, Unavailable
from casemate.identity import Peer
from casemate.labels import Policies
from casemate.policy import Action
from casemate.wiring import open_house, snapshot
from casemate.wiring.away import PLANE
from casemate.wiring.local import listen
from tests.laws.world import World
from tests.wiring.split import Split, a_split, loop_of, watched

HOUR = 3600
ASK = {"model": "casemate/extractive-reader", "messages": [{"role": "user", "content": "When does the pier open?"}]}
CONVERSE = {"messages": [{"role": "user", "content": [{"text": "When does the pier open?"}]}]}
SECRET = "us:SECRET//NOFORN"
READER = "/model/casemate.extractive-reader/converse"


@pytest.fixture
def split(world: World, runner: asyncio.Runner) -> Iterator[Split]:
    runner.run(world.person("ana", SECRET))
    opening = a_split(world)
    yield runner.run(opening.__aenter__())
    runner.run(opening.__aexit__(None, None, None))


@pytest.fixture
def whole(world: World, runner: asyncio.Runner) -> Iterator[Split]:
    """With the answer process."""
    runner.run(world.person("ana", SECRET))
    opening = a_split(world, answer=True)
    yield runner.run(opening.__aenter__())
    runner.run(opening.__aexit__(None, None, None))


async def test_an_hour_without_control_and_every_call_goes_on(
    whole: Split, monkeypatch: pytest.MonkeyPatch, runner: asyncio.Runner
) -> None:
    """Keys and signatures, lists and answers. Nothing is connected to but the writer and the answer process."""
    path = whole.control.house.folder.control_socket
    path.parent.mkdir()
    with listen(path) as trap, watched(whole, monkeypatch):
        for _ in range(5):
            seen = [
                await whole.call("ana", "GET", "/v1/models"),
                await whole.call("ana", "POST", "/v1/chat/completions", ASK),
                await whole.call("ana", "POST", READER, CONVERSE, signed=True),
                await whole.call("ana", "GET", "/foundation-models", signed=True),
                await whole.call("nobody", "GET", "/v1/models"),
            ]
            assert [each.status for each in seen] == [200, 200, 200, 200, 401], [each.body for each in seen]
            whole.control.clock.forward(HOUR / 4)
            await whole.follow()
        with pytest.raises(BlockingIOError):
            trap.accept()
    assert set(whole.connected) <= {"writer.sock", "answer.sock"}
    assert "answer.sock" in whole.connected


async def test_a_key_counts_from_the_next_snapshot_on_and_so_does_its_end(split: Split) -> None:
    gate = split.control.house.gate
    owner = gate.admit(Peer(0))
    key, secret = await issue(await gate.open(owner, Action("issue", "key")), KeyRequest())
    split.control.keys["new"] = secret
    assert (await split.call("new", "GET", "/v1/models")).status == 401
    await split.publish()
    assert (await split.call("new", "GET", "/v1/models")).status == 401
    await split.follow()
    assert (await split.call("new", "GET", "/v1/models")).status == 200
    await revoke(await gate.open(owner, Action("revoke", "key")), key.id)
    assert (await split.call("new", "GET", "/v1/models")).status == 200
    await split.spread()
    assert (await split.call("new", "GET", "/v1/models")).status == 401


async def test_who_is_told_of_a_key_finds_that_it_works(split: Split) -> None:
    """In the control process the answer to `key issue` waits for the snapshot after it, made at its own beat."""
    control = split.control.house
    await snapshot.join(control, "control", durable=False)
    publish = control.loops[-1]
    told = asyncio.ensure_future(split.control.call("owner", "POST", "/api/keys", {}))
    publisher = control.gate.directory.published.__self__  # type: ignore[attr-defined]
    while publisher._next is None:  # noqa: ASYNC110 - until the request waits
        await asyncio.sleep(0)
    assert not told.done()
    await publish.step()
    await split.follow()
    seen = await asyncio.wait_for(told, 30)
    split.control.keys["new"] = seen.json["data"]["secret"]
    assert (await split.call("new", "GET", "/v1/models")).status == 200


async def test_where_nothing_can_be_published_a_key_is_told_of_all_the_same(split: Split) -> None:
    """The wait is bounded: the key is there, and works with the next snapshot."""
    control = split.control.house
    control.settings = msgspec.structs.replace(
        control.settings, snapshot=msgspec.structs.replace(control.settings.snapshot, rate_seconds=0.05)
    )
    await snapshot.join(control, "control", durable=False)
    seen = await asyncio.wait_for(split.control.call("owner", "POST", "/api/keys", {}), 30)
    assert seen.status == 201


async def test_too_old_a_snapshot_is_believed_at_the_floor_alone_and_then_not_at_all(split: Split) -> None:
    gate = split.control.house.gate
    flow = await gate.open(gate.admit(Peer(0)), Action("issue", "key"))
    floor = gate.vault.region.floor.text
    _, split.control.keys["low"] = await issue(flow, KeyRequest(floor=floor, ceiling=floor))
    await split.spread()
    for hours, low, high in ((23.99, 200, 200), (0.02, 200, 503), (143.98, 200, 503), (0.02, 503, 503)):
        split.control.clock.forward(hours * HOUR)
        seen = await split.call("ana", "GET", "/v1/models")
        assert (await split.call("low", "GET", "/v1/models")).status == low
        assert seen.status == high
        signed = await split.call("ana", "GET", "/foundation-models", signed=True)
        assert signed.status == high
        if high == 503:
            assert seen.header("retry-after") == "10"
            assert "floor" in seen.json["error"]["message"]
            stranger = await split.call("nobody", "GET", "/v1/models")
            assert stranger.status == 401
            split.control.keys["wrong"] = split.control.keys["ana"][:-1] + "!"
            assert (await split.call("wrong", "GET", "/v1/models")).status == low if low == 503 else 401
    await split.spread()
    assert (await split.call("ana", "GET", "/v1/models")).status == 200, "control is back"


async def test_control_is_not_here(split: Split) -> None:
    paths = {route.path for route in split.control.house.app.table.routes if route.plane in ("native", "console")}
    for path in sorted(paths):
        asked = path.replace("{", "").replace("*}", "").replace("}", "")
        for method in ("GET", "POST", "PUT", "DELETE"):
            seen = await split.call("ana", method, asked, {} if method in ("POST", "PUT") else None)
            assert seen.status == 503, (method, asked)
            assert seen.header("retry-after") == "10"
            assert seen.json["slug"] == "control-away"
            assert seen.header("casemate-marking")
    for wire in ("/v1/nonsense", "/model/x/nonsense", "/elsewhere"):
        assert (await split.call("ana", "GET", wire)).status == 404


async def test_control_without_a_page_takes_it_from_the_data_process_too(split: Split) -> None:
    """The paths come with each snapshot: a control process of another version brings its own."""
    table = split.control.house.app.table
    table.routes = tuple(route for route in table.routes if not route.path.startswith("/ledger"))
    await split.spread()
    assert (await split.call("ana", "GET", "/ledger")).status == 404
    assert (await split.call("ana", "GET", "/api/session")).status == 503
    assert len([plane for plane in split.data.app.planes.values() if plane is PLANE]) == 1


async def test_new_grants_wait_where_control_is_away(split: Split) -> None:
    for directory in (split.data.gate.directory, split.control.house.gate.directory):
        assert directory.fresh()
        directory.granting()
    split.control.clock.forward(5)
    assert split.control.house.gate.directory.fresh(), "control is where it is"
    assert not split.data.gate.directory.fresh()
    with pytest.raises(ControlAway) as told:
        split.data.gate.directory.granting()
    assert (told.value.status, told.value.facts) == (503, {"retry_after": 10})
    await split.spread()
    split.data.gate.directory.granting()


async def test_without_a_snapshot_nothing_is_ready(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "PATIENCE", 0.1)
    for raw in (None, b"nonsense" * 10_000):
        if raw is not None:
            world.house.folder.snapshot.write_bytes(raw)
        with pytest.raises(Unavailable) as told:
            await open_house(world.house.folder, "data", world.clock)
        assert told.value.facts == {"what": "snapshot"}


async def test_it_waits_for_the_first_one_and_takes_the_one_before_a_damaged_one(world: World) -> None:
    opening = asyncio.ensure_future(open_house(world.house.folder, "data", world.clock, durable=False))
    await asyncio.sleep(0.1)
    assert not opening.done()
    await loop_of(world.house, "snapshot.publish").step()
    house = await asyncio.wait_for(opening, 30)
    await house.close()
    await loop_of(world.house, "snapshot.publish").step()
    path = world.house.folder.snapshot
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    house = await open_house(world.house.folder, "data", world.clock, durable=False)
    await house.close()


async def test_a_policy_that_means_something_else_in_control_is_refused(
    split: Split, capfd: pytest.CaptureFixture[str]
) -> None:
    """One that control lists besides is none of this process' business."""
    gate = split.control.house.gate
    ours = gate.vault.region.policies
    before = split.data.gate.directory._term
    sections = split.control.house.sections._sections
    digests = msgspec.msgpack.decode(sections["policies"].write())
    for said, taken in (
        ({**digests, "us": "0" * 96}, False),
        ({}, False),
        ({**digests, "more": "0" * 96}, True),
    ):
        changed = msgspec.msgpack.encode(said)
        object.__setattr__(sections["policies"], "write", lambda changed=changed: changed)
        split.control.clock.forward(1)
        await split.spread()
        assert (split.data.gate.directory._term is not before) is taken
    assert capfd.readouterr().err == "casemate: snapshot.follow: refused (policies)\n", "once"
    assert ours.names == ("us",)


def test_a_policy_has_one_digest_in_every_process() -> None:
    """Sets have another order in each: PYTHONHASHSEED must not show."""
    program = "\n".join(
        (
            "from casemate.labels import Policies",
            "from casemate.wiring.snapshot import _digest",
            "p = Policies.load(('us', 'nato', 'fr', 'tlp', 'house'))",
            "print([_digest(p, name) for name in p.names])",
        )
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(told) == 1
    one, other = Policies.load(("house",)), Policies.load(("house",), ('teams = ["PAYROLL"]',))
    assert snapshot._digest(one, "house") != snapshot._digest(other, "house")


@pytest.mark.parametrize("error", [StorageFull(), TooLarge(what="The snapshot", limit=1)])
async def test_what_cannot_be_published_is_told_once_and_tried_at_the_next_beat(
    split: Split, error: CasemateError, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: Any) -> None:
        raise error

    publish = loop_of(split.control.house, "snapshot.publish")
    before = split.control.house.folder.snapshot.read_bytes()
    with monkeypatch.context() as patched:
        patched.setattr(SnapshotFile, "write", fail)
        assert [await publish.step() for _ in range(3)] == [0, 0, 0]
    assert split.control.house.folder.snapshot.read_bytes() == before
    assert capfd.readouterr().err == f"casemate: snapshot.publish: {error.slug}\n"
    assert await publish.step() == 1
    assert publish.steady


async def test_the_number_goes_on_after_control_was_started_again(split: Split) -> None:
    """Also where the clock went back, and where the file was lost."""
    taken = []
    for lost in (False, True):
        control = split.control.house
        control.loops = [loop for loop in control.loops if loop.name != "snapshot.publish"]
        if lost:
            control.folder.snapshot.unlink()
            split.control.clock.forward(5)
        else:
            split.control.clock.forward(-100)
        await snapshot.join(control, "all", durable=False)
        before = split.data.gate.directory._term
        await split.spread()
        taken.append(split.data.gate.directory._term is not before)
        split.control.clock.forward(100)
    assert taken == [True, True]


def modules_of_a_data_process(folder: Path) -> list[str]:
    program = f"""
import asyncio, sys
from pathlib import Path
from casemate.wiring import Folder, open_house
from casemate.wiring.process import run
async def main():
    house = await open_house(Folder(Path({str(folder)!r})), "data")
    from casemate.wiring import serve
    print("\\n".join(sorted(sys.modules)))
    await house.close()
asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return [name for name in done.stdout.split() if name.startswith("casemate")]


CONNECTS = {
    "connect", "sock_connect", "create_connection", "open_connection", "open_unix_connection", "create_unix_connection",
    "HTTPConnection", "urlopen",
}  # fmt: skip


async def test_no_code_of_a_data_process_leads_to_control(world: World) -> None:
    """Of everything that it has loaded, only these lines connect to anything, and none names control's socket."""
    await loop_of(world.house, "snapshot.publish").step()
    connecting: set[str] = set()
    naming: set[str] = set()
    for name in modules_of_a_data_process(world.folder):
        for node in ast.walk(source_of(name)):
            if isinstance(node, ast.Call):
                called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                connecting |= {name} if called in CONNECTS else set()
            attribute = isinstance(node, ast.Attribute) and node.attr in {"control_socket", "addresses"}
            text = isinstance(node, ast.Constant) and node.value == "control.sock"
            naming |= {name} if attribute or text else set()
    upstreams = {name for name in connecting if name.startswith("casemate.engines.http_")}  # where settings say
    # a socket in an attempt's folder, opened without links; a replica, where its engine runs it
    attempts = {f"casemate.engines.{name}" for name in ("job_line", "job_scratch", "service_engine")}
    assert connecting - upstreams - attempts <= {
        "casemate.wiring.local",
        "casemate.wiring.relay",
        "casemate.engines.writer_socket",
    }
    assert naming <= {"casemate.wiring.folder", "casemate.wiring.process"}, "whose run() listens there, as control"


def source_of(name: str) -> ast.Module:
    found = importlib.util.find_spec(name)
    assert found is not None
    assert found.origin is not None
    return ast.parse(Path(found.origin).read_text())
