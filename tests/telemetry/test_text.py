"""The exposition: what Prometheus and OpenMetrics say, taken apart by a small reader of their grammar."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from casemate.labels import Policies
from casemate.telemetry import BACKLOG, Domain, Kept, exposition
from casemate.telemetry.instrument import FIRST, REQUESTS
from casemate.telemetry.kept import Counted, Measured

LABELS = Policies.load(("us",))
LOW, HIGH = LABELS.parse("agency=EXERCISE"), LABELS.parse("agency=EXERCISE + us:SECRET//REL=USA")
SERIES = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)\{((?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)+)\} ([0-9.]+)')
PAIR = re.compile(r'([a-z_]+)="((?:[^"\\\n]|\\[\\"n])*)"')


def series(text: str) -> Iterator[tuple[str, dict[str, str], float]]:
    for line in text.splitlines():
        if not line.startswith("#"):
            found = SERIES.fullmatch(line)
            assert found is not None, line
            yield found[1], dict(PAIR.findall(found[2])), float(found[3])


def kept(label: object) -> Kept:
    domain = Domain(label)  # type: ignore[arg-type]
    domain.request("GET", "/a", "answer.ask", "complete", 700)
    domain.request("GET", "/a", "answer.ask", "complete", 2_000_000_000)
    domain.model("chat", "acme", "large").output.observe(17)
    found = domain.keep(1_000_000)
    return Kept(found.label, found.at, found.counters, found.histograms, (Counted(BACKLOG.name, (), 3),))


@pytest.mark.parametrize("openly", [False, True])
def test_every_series_bears_its_domain_and_families_stand_together(openly: bool) -> None:
    text = exposition([kept(LOW), kept(HIGH)], openly)
    found = list(series(text))
    assert {pairs["label"] for _, pairs, _ in found} == {LOW.text, HIGH.text}
    types = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(types) == len(set(types)), "a family stands once"
    assert ("casemate_requests" if openly else "casemate_requests_total") in types
    assert text.endswith("# EOF\n") is openly
    assert ("casemate_requests_total", {"label": LOW.text, "method": "GET", "route": "/a", "operation": "answer.ask",
            "outcome": "complete"}, 2.0) in found  # fmt: skip
    assert ("casemate_journal_backlog_entries", {"label": HIGH.text}, 3.0) in found


def test_buckets_are_cumulative_and_end_with_everything() -> None:
    found = [each for each in series(exposition([kept(LOW)])) if each[0].startswith("casemate_request_duration")]
    buckets = [(pairs["le"], value) for name, pairs, value in found if name.endswith("_bucket")]
    assert buckets[0] == ("0.0005", 0)
    assert buckets[1] == ("0.001", 1)
    assert buckets[-2:] == [("120.0", 1), ("+Inf", 2)]
    told = {name.rsplit("_", 1)[1]: value for name, _, value in found if not name.endswith("_bucket")}
    assert told == {"sum": 2000.0007, "count": 2}


def test_values_are_escaped_and_empty_ones_left_out() -> None:
    odd = Counted(REQUESTS.name, ('a"b\\c\nd', "", "x", "y"), 1)
    text = exposition([Kept("l", 0, (odd,))])
    assert 'method="a\\"b\\\\c\\nd",operation="x"' in text
    assert "route" not in text


def test_a_histogram_with_other_buckets_is_not_shown() -> None:
    assert exposition([Kept("l", 0, (), (Measured(FIRST.name, ("chat", "v", "m"), (1,), 1),))]) == ""
    assert exposition([]) == ""
    assert exposition([], True) == "# EOF\n"


def test_great_sums_are_whole() -> None:
    domain = Domain(LOW)
    domain.model("chat", "v", "m").input.observe(1 << 60)
    assert f" {1 << 60}\n" in exposition([domain.keep(0)])
