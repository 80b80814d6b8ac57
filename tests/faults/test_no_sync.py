"""A disk that stops syncing ends the process that wrote, before anybody is told anything; what follows serves again."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from casemate.cli.client import Client, local
from casemate.cli.failure import Failed
from casemate.wiring import Addresses, Died, Folder, found, supervisor
from casemate.wiring.ending import NOT_SYNCED
from tests.faults import no_sync

ROOT = Path(__file__).resolve().parents[2]
KEY = {"floor": "UNCLASSIFIED", "days": 1}

pytestmark = pytest.mark.skipif(not no_sync.possible(), reason="no seccomp here to refuse a sync with")


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path / "region")
    asyncio.run(found(made, "r", "A", ("us",), 0, "owner", "0", "en"))
    return made


def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, role: str) -> Path:
    """The child of that role runs below the fault from now on; the file that brings it about."""
    trigger, script = tmp_path / "trigger", tmp_path / "child"
    script.write_text(
        f'#!/bin/sh\ncd {ROOT}\ncase "$4" in {role}) exec {sys.executable} -m tests.faults.no_sync {trigger} "$@";; '
        f'*) exec {sys.executable} "$@";; esac\n'
    )
    script.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(script))
    monkeypatch.setattr(supervisor, "BACKOFF", (0.01,))
    return trigger


def supervised(folder: Folder, story: Callable[[list[Died]], None]) -> None:
    """Tell a story, in a thread, to a region that is watched."""

    async def run() -> None:
        ready, stop = asyncio.Event(), asyncio.Event()
        died: list[Died] = []

        def told(_: Addresses) -> None:
            ready.set()

        running = asyncio.ensure_future(supervisor.supervise(folder, told, died.append, stop))
        try:
            await asyncio.wait_for(ready.wait(), 60)
            await asyncio.to_thread(story, died)
        finally:
            stop.set()
            await running

    asyncio.run(run())


def reach(folder: Folder) -> Client:
    return local(folder.control_socket, str(folder.path), lambda _: None)


def answered(client: Client, name: str) -> dict[str, Any] | None:
    """The key of that name, or None where nobody said that there is one."""
    try:
        return dict(client.post("/api/keys", KEY | {"name": name}).data["key"])
    except (Failed, OSError):
        return None


def names(client: Client) -> set[str]:
    return {each["name"] for each in client.get("/api/keys").data}


@pytest.mark.parametrize("processes", ["all", "split"])
def test_a_failed_sync_ends_the_process_and_gives_no_receipt(
    folder: Folder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    processes: str,
) -> None:
    settings = folder.path / "casemate.toml"
    kept = settings.read_text().replace("port = 0", f'port = 0\nprocesses = "{processes}"')
    settings.write_text(f'{kept}\n[knowledge]\nembedder = "none"\n')
    assert processes in folder.settings().listen.processes
    role = "all" if processes == "all" else "writer"
    trigger = watched(tmp_path, monkeypatch, role)

    def story(died: list[Died]) -> None:
        client = reach(folder)
        assert answered(client, "before")
        trigger.touch()
        while trigger.exists():
            pass
        lost = answered(client, "during")
        for _ in range(600):
            if answered(reach(folder), "after") is not None:
                break
            time.sleep(0.1)
        assert died[0] == Died(role, NOT_SYNCED)
        found = names(reach(folder))
        assert {"before", "after"} <= found
        assert lost is None or "during" in found

    supervised(folder, story)
    told = capfd.readouterr().err
    assert "the disk did not sync" in told
    assert "this process ends" in told
