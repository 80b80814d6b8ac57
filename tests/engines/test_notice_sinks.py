"""Where notices go: a file is whole or not there, and a web hook has taken one or has not."""

from __future__ import annotations

from pathlib import Path

import pytest

from casemate.access import Threads
from casemate.engines.notice_sinks import ANSWER, FolderSink, HookSink
from casemate.errors import EngineFailed, Unavailable
from tests.engines.test_otlp_http import Collector, answer


def lying(folder: Path) -> list[tuple[str, bytes, int]]:
    return [(one.name, one.read_bytes(), one.stat().st_mode & 0o777) for one in folder.iterdir()]


async def test_a_notice_is_a_file_of_its_own_that_only_its_user_reads(tmp_path: Path) -> None:
    sink = FolderSink(tmp_path, Threads())
    await sink.send("c", "notice_a", b"{}")
    await sink.send("c", "notice_a", b"[]")
    assert lying(tmp_path) == [("notice_a.json", b"[]", 0o600)]


async def test_a_folder_that_is_not_there_or_leads_elsewhere_takes_nothing(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        await FolderSink(tmp_path / "never", Threads()).send("c", "notice_a", b"{}")
    (tmp_path / ".notice_a.part").symlink_to(tmp_path / "other")
    with pytest.raises(Unavailable):
        await FolderSink(tmp_path, Threads()).send("c", "notice_a", b"{}")
    assert not (tmp_path / "other").exists()


async def test_a_web_hook_is_posted_to_on_a_connection_of_the_class() -> None:
    async with Collector(answer("204 No Content", b"")) as collector:
        sink = HookSink("desk", f"{collector.url}/alerts")
        for partition in ("a", "b"):
            await sink.send(partition, "notice_a", b"{}")
        sink.close()
    assert (collector.bodies, collector.connections) == ([b"{}", b"{}"], 2)
    assert collector.heads[0].startswith(b"POST /alerts HTTP/1.1\r\n")
    assert b"notice_a" not in collector.heads[0]


@pytest.mark.parametrize(
    "said", [answer("500 No"), answer("302 Elsewhere"), answer("200 OK", b"x" * (ANSWER + 1)), b"?"]
)
async def test_what_a_web_hook_does_not_take_is_told(said: bytes) -> None:
    async with Collector(said) as collector:
        sink = HookSink("desk", collector.url)
        with pytest.raises(EngineFailed):
            await sink.send("a", "notice_a", b"{}")
        sink.close()


async def test_a_web_hook_that_is_not_there_is_told() -> None:
    with pytest.raises(EngineFailed):
        await HookSink("desk", "http://127.0.0.1:1").send("a", "notice_a", b"{}")
    with pytest.raises(ValueError, match="URL"):
        HookSink("desk", "https://a b")
