"""The numbers of a region's processes: gathered by control, kept over a restart, and spans on their way out."""

from __future__ import annotations

import os
import re
import shutil
import signal
from pathlib import Path
from urllib.request import Request, urlopen

import msgspec
import pytest

from casemate.engines.metrics_files import MetricsFiles
from casemate.errors import Misconfigured
from casemate.settings import parse
from casemate.telemetry import Domain, Kept
from casemate.telemetry.instrument import DURABLE, SPANS
from casemate.wiring import telemetry as wired
from casemate.wiring.folder import Folder
from casemate.wiring.region import open_house
from tests.attacks.scene import LOW, SECRET, TOP
from tests.cli.running import Place, running, until
from tests.engines.test_otlp_http import Collector, answer
from tests.laws.world import World, a_world
from tests.wiring.split import a_split, loop_of


def count(text: bytes, *parts: str) -> float:
    found = [line for line in text.decode().splitlines() if all(part in line for part in parts)]
    return sum(float(line.rsplit(" ", 1)[1]) for line in found)


async def operator(world: World) -> None:
    await world.person("olga", TOP, ("operator", "user"))


async def test_control_shows_what_data_processes_have_counted(world: World) -> None:
    """Data writes by itself; control reads what is there, and a domain that the reader dominates alone."""
    await operator(world)
    house = world.house
    async with a_split(world) as split:
        wired.observe(house, "control")
        await world.call("olga", "GET", "/api/documents", acting=LOW)  # so that the class is known in the store
        for label in (LOW, SECRET, SECRET):
            assert (await split.call("olga", "GET", "/v1/models", acting=label)).status == 200
        before = await world.call("olga", "GET", "/metrics", acting=SECRET)
        assert count(before.body, "/v1/models", "requests_total") == 0
        keep = loop_of(split.data, "telemetry.keep")
        assert keep.steady
        await keep.step()
        seen = await world.call("olga", "GET", "/metrics", acting=SECRET)
        assert count(seen.body, "/v1/models", "requests_total", f'"{SECRET}"') == 2
        assert count(seen.body, "/v1/models", "requests_total", f'"{LOW}"') == 1
        low = await world.call("olga", "GET", "/metrics", acting=LOW)
        assert count(low.body, "/v1/models", "requests_total") == 1
        assert SECRET.encode() not in low.body


async def test_a_data_process_that_is_started_again_goes_on_counting(world: World) -> None:
    await operator(world)
    async with a_split(world) as split:
        await split.call("olga", "GET", "/v1/models", acting=SECRET)
        await loop_of(split.data, "telemetry.keep").step()
    folder = world.house.folder.run / "metrics" / "data-0"
    (folder / "nonsense").write_bytes(b"x")
    unlisted = Kept("agency=EXERCISE + fr:SECRET", 5)
    MetricsFiles(folder.parent, world.house.gate.vault.sealer, "data-0").write("unlisted", unlisted)
    async with a_split(world) as split:
        await split.call("olga", "GET", "/v1/models", acting=SECRET)
        await loop_of(split.data, "telemetry.keep").step()
        wired.observe(world.house, "control")
        seen = await world.call("olga", "GET", "/metrics", acting=SECRET)
        assert count(seen.body, "/v1/models", "requests_total", f'"{SECRET}"') == 2


async def test_numbers_that_cannot_be_written_are_told_once(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    await operator(world)
    async with a_split(world) as split:
        await split.call("olga", "GET", "/v1/models", acting=SECRET)
        folder, keep = world.house.folder.run / "metrics", loop_of(split.data, "telemetry.keep")
        shutil.rmtree(folder, ignore_errors=True)
        folder.write_bytes(b"")
        for _ in range(3):
            await keep.step()
        assert capsys.readouterr().err.count("run/metrics cannot be written") == 1
        assert (await split.call("olga", "GET", "/v1/models", acting=SECRET)).status == 200
        folder.unlink()
        await keep.step()
        assert any(folder.rglob("*"))


async def test_the_journal_tells_how_long_it_takes_and_what_waits(tmp_path: Path) -> None:
    async with a_world(0, ("us",)) as world:
        folder = Folder(tmp_path / "region")
        shutil.copytree(world.folder, folder.path, ignore=shutil.ignore_patterns("data", "*.sock"))
        folder.data.mkdir()
        house = await open_house(folder, "all")
        try:
            telemetry, region = house.gate.telemetry, house.gate.vault.region
            domain = telemetry.at(region.floor, telemetry.now())
            access = house.gate.classes.of(region.floor)
            from casemate.access.record import Note

            await house.gate.record(house.gate.service("law", access), access, Note("region.read", "done"))
            house.gate.vault.journal.close()  # type: ignore[attr-defined]
            kept = telemetry.keep(domain)
            assert [sum(each.counts) for each in kept.histograms if each.name == DURABLE.name] == [1]
            assert [each.count for each in kept.gauges if each.name == "casemate_journal_backlog_entries"] == [0]
        finally:
            await house.close()


def test_processes_of_a_real_region_tell_control(tmp_path: Path) -> None:
    """Data counts and writes by itself; control's door shows it within seconds, and after data was killed too."""
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    with running(Place(work, home).init(processes="split")) as up:
        key = up.run("key", "issue", "--json").data["secret"]

        def get(url: str) -> bytes:
            with urlopen(Request(url, headers={"authorization": f"Bearer {key}"}), timeout=60) as answered:
                assert answered.headers["casemate-marking"]
                return bytes(answered.read())

        def counted() -> float:
            return count(get(f"{up.console}/metrics"), "casemate_requests_total", "/v1/models")

        get(f"{up.wires}/v1/models")
        until(lambda: counted() == 1)
        data = up.children()["data"]
        os.kill(data, signal.SIGKILL)
        until(lambda: up.children().get("data", data) != data)
        get(f"{up.wires}/v1/models")
        until(lambda: counted() == 2)
        assert count(get(f"{up.console}/metrics"), "casemate_journal_durable_seconds_count") >= 2


SETTING = '[telemetry]\ntraces = "{url}"\naccreditation = "{label}"\n'


async def test_spans_leave_for_a_collector_up_to_its_accreditation(world: World) -> None:
    await operator(world)
    house = world.house
    async with Collector(answer("200 OK")) as collector:
        house.settings = msgspec.structs.replace(
            house.settings, telemetry=parse(SETTING.format(url=collector.url, label="us:SECRET//NOFORN")).telemetry
        )
        wired.observe(house, "all")
        for label in (LOW, SECRET, TOP):
            headers = (("traceparent", f"00-{'a' * 32}-{'b' * 16}-01"),)
            await world.call("olga", "GET", "/api/documents?all=velspira", acting=label, headers=headers)
        await loop_of(house, "telemetry.export").step()
        told = b"".join(collector.bodies).decode()
        assert set(re.findall(r'casemate\.label","value":\{"stringValue":"([^"]*)"', told)) == {LOW, SECRET}
        assert collector.connections == 2
        for word in ("olga", "velspira", "SCI"):
            assert word not in told
        assert told.count(f'"links":[{{"traceId":"{"a" * 32}","spanId":"{"b" * 16}"}}]') == 2
        await house.closers.pop()()
        house.loops.pop()
    house.gate.telemetry.traces = None


async def test_a_collector_that_is_not_there_costs_spans_and_nothing_else(world: World) -> None:
    await operator(world)
    house = world.house
    async with Collector(b"") as collector:
        url = collector.url
    house.settings = msgspec.structs.replace(
        house.settings, telemetry=parse(SETTING.format(url=url, label="us:SECRET//NOFORN")).telemetry
    )
    wired.observe(house, "all")
    assert (await world.call("olga", "GET", "/api/documents", acting=SECRET)).status == 200
    await loop_of(house, "telemetry.export").step()
    domain: Domain = house.gate.telemetry.domains[SECRET]
    dropped = [each for each in house.gate.telemetry.keep(domain).counters if each.name == SPANS.name]
    assert [(each.key, each.count) for each in dropped] == [(("dropped",), 1)]
    await house.closers.pop()()


@pytest.mark.parametrize(
    ("url", "label", "setting"),
    [("ftp://x", "us:SECRET", "telemetry.traces"), ("http://127.0.0.1", "us:NOSUCH", "telemetry.accreditation")],
)
async def test_a_collector_that_cannot_be_is_named(world: World, url: str, label: str, setting: str) -> None:
    told = parse(SETTING.format(url=url, label=label)).telemetry
    world.house.settings = msgspec.structs.replace(world.house.settings, telemetry=told)
    with pytest.raises(Misconfigured) as raised:
        wired.observe(world.house, "all")
    assert raised.value.facts["setting"] == setting


def test_a_collector_and_its_accreditation_are_given_together() -> None:
    for text in ('[telemetry]\ntraces = "http://127.0.0.1:4318"\n', '[telemetry]\naccreditation = "us:SECRET"\n'):
        with pytest.raises(Misconfigured):
            parse(text)
