"""The numbers of one label domain in this process: counters and histograms, each with a bounded number of series.

A domain touches nothing of another one, its bounds included: what is many up there takes no room down here.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from dataclasses import dataclass

from casemate.labels import Label, access_class
from casemate.telemetry.instrument import (
    DURATION,
    FIRST,
    GENERATION,
    INSTRUMENTS,
    REFUSALS,
    REQUESTS,
    TOKENS,
    Instrument,
)
from casemate.telemetry.kept import Counted, Kept, Measured
from casemate.telemetry.pulse import PULSE, SLOTS, Beat

__all__ = ["MOST", "OTHER", "Domain", "Histogram"]

MOST = 256  # series of an instrument in a domain; what comes later is counted together
OTHER = "other"


class Histogram:
    """`counts` has one more than there are bounds: what is beyond the last."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[int, ...], counts: list[int] | None = None, total: int = 0) -> None:
        self.bounds = bounds
        self.counts = counts or [0] * (len(bounds) + 1)
        self.total = total

    def observe(self, value: int) -> None:
        """Count one value, in the instrument's whole units; a clock that was set back makes none negative."""
        if value < 0:
            value = 0
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


@dataclass(slots=True)
class Model:
    """The histograms of one model: durations of calls that did not fail, first pieces, tokens in and out."""

    done: Histogram
    first: Histogram
    input: Histogram
    output: Histogram


class Domain:
    """One label's. `turn`: the moment (microseconds) at which the beat of now is over."""

    __slots__ = (
        "_base", "_beats", "_counters", "_durations", "_histograms", "_models", "_requests", "class_id", "label",
        "turn",
    )  # fmt: skip

    def __init__(self, label: Label) -> None:
        self.label = label
        self.class_id = access_class(label).id
        self.turn = 0
        self._counters: dict[Instrument, dict[tuple[str, ...], int]] = {i: {} for i in INSTRUMENTS}
        self._histograms: dict[Instrument, dict[tuple[str, ...], Histogram]] = {i: {} for i in INSTRUMENTS}
        self._requests = self._counters[REQUESTS]
        self._durations: dict[str, Histogram] = {}
        self._models: dict[tuple[str, str, str], Model] = {}
        self._beats: deque[Beat] = deque(maxlen=SLOTS)
        self._base = Beat(0)

    def add(self, instrument: Instrument, key: tuple[str, ...], by: int = 1) -> None:
        """Count. `key`: the values of the instrument's labels."""
        series = self._counters[instrument]
        if key in series:
            series[key] += by
        else:
            key = key if len(series) < MOST else (OTHER,) * len(key)
            series[key] = series.get(key, 0) + by

    def observe(self, instrument: Instrument, key: tuple[str, ...], value: int) -> None:
        """Measure. `value` is in whole units: microseconds, tokens."""
        self.histogram(instrument, key).observe(value)

    def histogram(self, instrument: Instrument, key: tuple[str, ...]) -> Histogram:
        """The series of that key, or the one of all others."""
        series = self._histograms[instrument]
        if key not in series:
            key = key if len(series) < MOST else (OTHER,) * len(key)
        return series.setdefault(key, Histogram(instrument.bounds))

    def request(self, method: str, route: str, operation: str, outcome: str, took: int) -> None:
        """A request has ended, after `took` microseconds. Written out: this is the path of every request."""
        key = (method, route, operation, outcome)
        if key in self._requests:
            self._requests[key] += 1
        else:
            self.add(REQUESTS, key)
        found = self._durations.get(operation)
        if found is None:
            found = self._durations[operation] = self.histogram(DURATION, (operation,))
        if took < 0:
            took = 0
        found.counts[bisect_left(found.bounds, took)] += 1
        found.total += took

    def model(self, operation: str, provider: str, model: str) -> Model:
        """The histograms of a model, found at one look."""
        key = (operation, provider, model)
        found = self._models.get(key)
        if found is None:
            found = Model(
                self.histogram(GENERATION, (*key, "")),
                self.histogram(FIRST, key),
                self.histogram(TOKENS, (*key, "input")),
                self.histogram(TOKENS, (*key, "output")),
            )
            if len(self._models) < MOST:
                self._models[key] = found
        return found

    def roll(self, now: int) -> None:
        """A beat is over, and perhaps several in which nothing happened: keep what it brought."""
        totals = self._totals(now // PULSE)
        if self.turn:
            self._beats.append(totals.since(self._base, self._base.slot))
        self._base = totals
        self.turn = (totals.slot + 1) * PULSE

    def keep(self, now: int) -> Kept:
        """All of it as plain values."""
        if now >= self.turn:
            self.roll(now)
        beats = (*self._beats, self._totals(self._base.slot).since(self._base, self._base.slot))
        return Kept(
            label=self.label.text,
            at=now,
            counters=tuple(Counted(i.name, key, n) for i in INSTRUMENTS for key, n in list(self._counters[i].items())),
            histograms=tuple(
                Measured(i.name, key, tuple(h.counts), h.total)
                for i in INSTRUMENTS
                for key, h in list(self._histograms[i].items())
                if any(h.counts)
            ),
            beats=tuple(beat for beat in beats if beat.slot > now // PULSE - SLOTS),
        )

    def restore(self, kept: Kept) -> None:
        """Go on from what this process had counted before it was started again. What does not fit is left."""
        named = {i.name: i for i in INSTRUMENTS}
        for counted in kept.counters:
            if counted.name in named and len(counted.key) == len(named[counted.name].labels):
                self._counters[named[counted.name]][counted.key] = counted.count
        for each in kept.histograms:
            if each.name in named and len(each.counts) == len(named[each.name].bounds) + 1:
                instrument = named[each.name]
                self._histograms[instrument][each.key] = Histogram(instrument.bounds, list(each.counts), each.total)
        self._beats.extend(kept.beats)
        self._base = self._totals(self._base.slot)

    def _totals(self, slot: int) -> Beat:
        latency = [0] * (len(DURATION.bounds) + 1)
        for histogram in self._histograms[DURATION].values():
            for place, count in enumerate(histogram.counts):
                latency[place] += count
        return Beat(
            slot,
            sum(self._counters[REQUESTS].values()),
            sum(self._counters[REFUSALS].values()),
            sum(histogram.total for histogram in self._histograms[TOKENS].values()),
            tuple(latency),
        )
