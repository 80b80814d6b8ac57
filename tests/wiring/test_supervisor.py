"""The supervisor and children that misbehave. What it starts here are small scripts in the place of Python."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from casemate.errors import CasemateError, Damaged, Internal, Occupied, Unavailable
from casemate.wiring import Addresses, Died, Folder, found, supervisor


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path / "region")
    asyncio.run(found(made, "r", "A", ("house",), 0, "owner", "0", "en"))
    return made


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Children are this shell script from now on; `$5` is the role, `$0.count` counts the starts."""

    def write(text: str) -> None:
        file = tmp_path / "child"
        file.write_text(f"#!/bin/sh\n{text}\n")
        file.chmod(0o700)
        monkeypatch.setattr(sys, "executable", str(file))

    monkeypatch.setattr(supervisor, "START_SECONDS", 5.0)
    monkeypatch.setattr(supervisor, "STOP_SECONDS", 0.3)
    monkeypatch.setattr(supervisor, "BACKOFF", (0.01,))
    return write


def supervise(folder: Folder, until: Callable[[list[Addresses], list[Died]], bool]) -> list[Died]:
    """Run it until the condition holds; what died meanwhile."""
    ready: list[Addresses] = []
    died: list[Died] = []

    async def story() -> None:
        stop = asyncio.Event()
        running = asyncio.ensure_future(supervisor.supervise(folder, ready.append, died.append, stop))
        while not running.done() and not until(ready, died):  # noqa: ASYNC110 - the condition is the test's
            await asyncio.sleep(0.01)
        stop.set()
        await asyncio.wait_for(running, 20)

    asyncio.run(story())
    return died


def never(ready: list[Addresses], died: list[Died]) -> bool:
    del ready, died
    return False


@pytest.mark.parametrize(
    ("said", "error", "facts"),
    [
        ("exit 3", Unavailable, {"what": "the all process"}),
        ("echo nonsense; exec sleep 60", Unavailable, {"what": "the all process"}),
        ("""echo '{"error": "Damaged", "facts": {"what": "records"}}'""", Damaged, {"what": "records"}),
        ("""echo '{"error": "Martian"}'""", Internal, {}),
    ],
)
def test_a_child_that_does_not_start_ends_it_with_what_the_child_said(
    folder: Folder, script: Callable[[str], None], said: str, error: type[CasemateError], facts: dict[str, str]
) -> None:
    script(said)
    with pytest.raises(error) as told:
        supervise(folder, never)
    assert told.value.facts == facts
    assert not folder.addresses.exists()


def test_a_child_that_says_nothing_in_time_is_ended(
    folder: Folder, script: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(supervisor, "START_SECONDS", 0.2)
    script(f"echo $$ > {tmp_path}/pid; exec sleep 60")
    with pytest.raises(Unavailable):
        supervise(folder, never)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_to_be_told_to_stop_while_it_starts(folder: Folder, script: Callable[[str], None], tmp_path: Path) -> None:
    script(f"echo $$ > {tmp_path}/pid; exec sleep 60")
    pid = tmp_path / "pid"
    assert supervise(folder, lambda ready, died: pid.exists() and pid.stat().st_size > 0) == []
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


def test_a_child_that_will_not_end_is_ended(folder: Folder, script: Callable[[str], None], tmp_path: Path) -> None:
    script(f"trap '' TERM; echo $$ > {tmp_path}/pid; echo ready; while :; do sleep 0.05; done")
    assert supervise(folder, lambda ready, died: bool(ready)) == []
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_a_child_that_cannot_start_again_is_told_and_tried_again(
    folder: Folder, script: Callable[[str], None], tmp_path: Path
) -> None:
    script(
        f"""echo x >> {tmp_path}/count
case $(wc -l < {tmp_path}/count) in
  1) echo ready;;
  2) echo '{{"error": "Damaged", "facts": {{"what": "records"}}}}';;
  *) echo ready; exec sleep 60;;
esac"""
    )
    died = supervise(folder, lambda ready, died: len((tmp_path / "count").read_text()) >= 6 if ready else False)
    assert [(each.role, each.why) for each in died[:2]] == [("all", ""), ("all", "damaged")]


def test_told_to_stop_while_it_waits_to_start_again(
    folder: Folder, script: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "BACKOFF", (60.0,))
    script("echo ready")
    assert len(supervise(folder, lambda ready, died: bool(died))) == 1


def test_in_the_split_form_both_ports_must_be_free(folder: Folder, script: Callable[[str], None]) -> None:
    script("exec sleep 60")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1] - 1
        text = folder.settings_file.read_text()
        folder.settings_file.write_text(text.replace("port = 0", f'port = {port}\nprocesses = "split"'))
        with pytest.raises(Occupied) as told:
            supervise(folder, never)
    assert str(port + 1) in str(told.value.facts["what"]) or str(port) in str(told.value.facts["what"])
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind(("127.0.0.1", port))


def test_ipv6_is_written_as_a_url(folder: Folder, script: Callable[[str], None]) -> None:
    script("echo ready; exec sleep 60")
    text = folder.settings_file.read_text()
    folder.settings_file.write_text(text.replace('"127.0.0.1"', '"::1"'))
    addresses: list[Addresses] = []

    def told(ready: list[Addresses], died: list[Died]) -> bool:
        del died
        addresses[:] = ready
        return bool(ready)

    try:
        supervise(folder, told)
    except CasemateError:
        pytest.skip("this machine has no IPv6 loopback")
    assert addresses[0].wires.startswith("http://[::1]:")
