"""Correlation, grouping, and workers that hang or die."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from casemate_cyber.events.read import Unit, units
from casemate_cyber.match.engine import Engine
from casemate_cyber.rules.pack import Correlation, Pack, Rule, decode
from casemate_cyber.rules.read import compiled
from casemate_cyber.scan import correlate
from casemate_cyber.scan.alerts import Alerts
from casemate_cyber.scan.correlate import Seen, Watch, seconds
from casemate_cyber.scan.unit import scan
from casemate_cyber.scan.workers import hits_of, scanned

ANY = Rule(id="r", title="any", level="low", author="a", tags=(), source="windows", condition=("num", "EventID", 1))


def seen(rule: str, at: float, **fields: str) -> Seen:
    return Seen(rule, at, f"2026-01-01T00:00:{at:02.0f}Z", "h", "u", fields)


def correlation(kind: str, **more: object) -> Correlation:
    told = {"id": "c", "title": "c", "level": "low", "author": "a", "tags": (), "rules": ("a", "b"), "timespan": 10}
    return Correlation(**{**told, "kind": kind, **more})  # type: ignore[arg-type]


def test_event_count_within_its_window_and_group() -> None:
    watch = Watch(correlation("event_count", by=("g",), count=3))
    assert watch.see(seen("a", 0, g="x")) is None
    assert watch.see(seen("a", 1, g="y")) is None
    assert watch.see(seen("other", 1, g="x")) is None
    assert watch.see(seen("a", 2)) is None
    assert watch.see(seen("a", 5, g="x")) is None
    assert watch.see(seen("a", 12, g="x")) is None
    met = watch.see(seen("a", 13, g="x"))
    assert met is not None
    assert (met.value, met.group) == (3, (("g", "x"),))
    assert watch.see(seen("a", 14, g="x")) is None


def test_value_count_counts_different_values() -> None:
    watch = Watch(correlation("value_count", field="f", count=2))
    assert watch.see(seen("a", 0, f="x")) is None
    assert watch.see(seen("a", 1, f="x")) is None
    assert watch.see(seen("a", 2)) is None
    assert watch.see(seen("b", 3, f="y")) is not None


def test_temporal_with_and_without_order_and_aliases() -> None:
    loose = Watch(correlation("temporal", count=2, by=("ip",), aliases={"ip": {"a": "src", "b": "dst"}}))
    assert loose.see(seen("b", 0, dst="1")) is None
    assert loose.see(seen("a", 1, src="2")) is None
    assert loose.see(seen("a", 2, src="1")) is not None
    strict = Watch(correlation("temporal_ordered", count=2))
    assert strict.see(seen("b", 0)) is None
    assert strict.see(seen("a", 1)) is None
    assert strict.see(seen("b", 2)) is not None


def test_correlation_is_bounded_and_says_what_fell_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(correlate, "GROUPS", 5)
    monkeypatch.setattr(correlate, "EVENTS", 4)
    watch = Watch(correlation("event_count", by=("g",), count=99))
    for number in range(20):
        watch.see(seen("a", 1, g=str(number)))
    for _ in range(10):
        watch.see(seen("a", 1, g="19"))
    assert len(watch.groups) == 5
    assert watch.dropped == 15 + 7


@pytest.mark.parametrize(
    ("text", "wanted"), [("2026-01-01T00:00:01Z", 1), ("2026-01-01 00:00:01.000", 1), ("2026-01-01T01:00:01+01:00", 1)]
)
def test_times_as_events_write_them(text: str, wanted: float) -> None:
    assert seconds(text) == 1767225600 + wanted
    assert seconds("yesterday") is None


def logs(tmp_path: Path, many: int = 5) -> list[Unit]:
    for number in range(many):
        rows = [f'{{"EventID":1,"Channel":"x","Computer":"h{number}"}}\n'] * 3
        (tmp_path / f"l{number}").write_text("".join(rows))
    return units([tmp_path / f"l{number}" for number in range(many)], tmp_path)[0]


def test_a_worker_that_hangs_or_dies_costs_its_unit_alone(tmp_path: Path) -> None:
    cut = logs(tmp_path)

    def work(engine: Engine, unit: Unit, *rest: object) -> object:
        if unit.file == 1:
            time.sleep(60)
        if unit.file == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        if unit.file == 3:
            raise ValueError("odd")
        return scan(engine, unit, *rest)  # type: ignore[arg-type]

    done = {one.unit: one for one in scanned(Engine([ANY]), cut, list("abcde"), tmp_path, {}, 2, 1.0, work)}  # type: ignore[arg-type]
    assert [done[number].hits for number in range(5)] == [3, 0, 0, 0, 3]
    assert "within 1 seconds" in done[1].troubles[0].what
    assert "ended" in done[2].troubles[0].what
    assert "odd" in done[3].troubles[0].what


def test_an_alert_holds_a_bounded_part_of_its_event(tmp_path: Path) -> None:
    fields = ",".join(f'"f{number}":"{"x" * 5000}"' for number in range(300))
    (tmp_path / "l").write_text(f'{{"EventID":1,"Channel":"x",{fields}}}\n')
    cut, _ = units([tmp_path / "l"], tmp_path)
    scan(Engine([ANY]), cut[0], "l", tmp_path / "hits", {})
    assert 300_000 < (tmp_path / "hits").stat().st_size < 500_000


def test_groups_are_exact_however_few_are_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("casemate_cyber.scan.alerts.HELD", 10)
    rows = [f'{{"EventID":1,"Channel":"x","Computer":"h{number % 50}"}}\n' for number in range(500)]
    (tmp_path / "l").write_text("".join(rows))
    cut, _ = units([tmp_path / "l"], tmp_path)
    for done in scanned(Engine([ANY]), cut, ["l"], tmp_path, {}):
        assert done.hits == 500
    alerts = Alerts(Pack("", (ANY,), (), ()), ["l"], tmp_path / "a", lambda what: None)
    alerts.add(hits_of(tmp_path, 0))
    alerts.correlate()
    alerts.close()
    found = list(alerts.each())
    assert len(found) == 50
    assert {alert.count for alert in found} == {10}
    assert all(alert.why for alert in found)


HEAD = b"title: r\nlogsource: {product: windows, service: security}\n"


def test_what_is_no_rule_is_left_out_with_its_reason() -> None:
    sources = {
        "a.yml": b"title: x\n",
        "b.yml": b"{",
        "c.yml": HEAD + b"detection: {s: {A|re: '(?=x)y'}, condition: s}",
        "d.yml": HEAD + b"detection: {s: {A: 1}, condition: zz}",
        "e.yml": HEAD + b"detection: {s: {A|expand: '%p%'}, condition: s}",
        "f.yml": b"title: c\ncorrelation: {type: event_count, rules: [gone], timespan: 1m, condition: {gte: 2}}",
    }
    pack = compiled(list(sources.items()))
    assert [one.path for one in pack.left] == sorted(sources)
    assert pack.rules == ()
    assert "RE2" in next(one.reason for one in pack.left if one.path == "c.yml")
    assert decode(pack.encode()) == pack
    assert compiled(list(sources.items())[:2]).digest != pack.digest
    with pytest.raises(ValueError, match="form 99"):
        decode(b'{"form":99,"pack":{}}')
