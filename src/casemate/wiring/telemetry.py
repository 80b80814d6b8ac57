"""The numbers of a process of the region: who reads them, what levels it has, and where its spans go.

all             has all numbers itself
data, answer    write theirs down every second, whether anybody looks or not, and go on from them when started again
control         reads those of the others where somebody asks, and only of the domains that he dominates
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable

from casemate import __version__
from casemate.clock import Loop
from casemate.engines.metrics_files import MetricsFiles
from casemate.engines.otlp_http import OtlpHttp
from casemate.engines.segment import SegmentJournal
from casemate.errors import MarkingError, Misconfigured
from casemate.labels import Label
from casemate.telemetry import BACKLOG, BREAKER, DURABLE, QUEUE, Domain, Kept, Span, Telemetry, Traces, otlp
from casemate.telemetry.gauge import Level
from casemate.telemetry.instrument import MICRO, SPANS
from casemate.wiring.house import House, Role

__all__ = ["EVERY", "observe"]

EVERY = 1.0  # seconds between two writings, and between two rounds of spans


def observe(house: House, role: Role, worker: int = 0) -> None:
    """Furnish the telemetry of an open house. Raises Misconfigured where its collector cannot be."""
    telemetry, vault = house.gate.telemetry, house.gate.vault
    folder = house.folder.run / "metrics"
    if role in ("data", "answer"):
        keeping = _Keeping(telemetry, MetricsFiles(folder, vault.sealer, f"{role}-{worker}"))
        keeping.restore(house)
        house.loops.append(Loop("telemetry.keep", EVERY, keeping.step, steady=True))
    elif role == "control":
        files = MetricsFiles(folder, vault.sealer)

        async def others(class_id: str) -> Iterable[Kept]:
            return await asyncio.to_thread(files.of, class_id)

        telemetry.others = others
    _levels(house)
    told = house.settings.telemetry
    if told.traces:
        _export(house, told.traces, _accreditation(house, told.accreditation))


class _Keeping:
    """Writes every domain down, one after the other, in a thread. What cannot be written is told once."""

    def __init__(self, telemetry: Telemetry, files: MetricsFiles) -> None:
        self._telemetry = telemetry
        self._files = files
        self._told = False

    def restore(self, house: House) -> None:
        """Go on from what was written before."""
        telemetry, policies = self._telemetry, house.gate.vault.region.policies
        for kept in self._files.own():
            try:
                label = policies.parse(kept.label)
            except MarkingError:  # a policy that is no longer listed
                continue
            telemetry.at(label, telemetry.now()).restore(kept)

    async def step(self) -> int:
        kept = [(d.class_id, self._telemetry.keep(d)) for d in list(self._telemetry.classes.values())]
        await asyncio.to_thread(self._write, kept)
        return len(kept)

    def _write(self, found: list[tuple[str, Kept]]) -> None:
        try:
            for class_id, kept in found:
                self._files.write(class_id, kept)
        except OSError:
            if not self._told:
                print("casemate: telemetry.keep: run/metrics cannot be written", file=sys.stderr, flush=True)
            self._told = True
        else:
            self._told = False


def _levels(house: House) -> None:
    """Breakers, requests under way, the journal's backlog, and how long the journal takes."""
    gateway, telemetry, journal = house.gateway, house.gate.telemetry, house.gate.vault.journal
    meter = house.meter
    if meter is not None:

        def under_way(class_id: str) -> Iterable[Level]:
            return [(QUEUE, ("answers",), meter.busy(telemetry.classes[class_id].label))]

        telemetry.probes.append(under_way)
    if gateway is not None:

        def breakers(class_id: str) -> Iterable[Level]:
            return [(BREAKER, (model,), int(rests)) for model, rests in gateway.breakers(class_id, telemetry.now())]

        telemetry.probes.append(breakers)
    if isinstance(journal, SegmentJournal):

        def durable(class_id: str, seconds: float) -> None:
            domain = telemetry.classes.get(class_id)
            if domain is not None:
                domain.observe(DURABLE, (), int(seconds * MICRO))

        def backlog(class_id: str) -> Iterable[Level]:
            return [(BACKLOG, (), journal.backlog(class_id))]

        journal.watch = durable
        telemetry.probes.append(backlog)


def _accreditation(house: House, text: str) -> Label:
    try:
        return house.gate.vault.region.label(text)
    except MarkingError as error:
        raise Misconfigured(setting="telemetry.accreditation", why=str(error.facts.get("why", ""))) from None


def _export(house: House, url: str, accreditation: Label) -> None:
    vault = house.gate.vault
    try:
        collector = OtlpHttp(url)
    except ValueError as error:
        raise Misconfigured(setting="telemetry.traces", why=str(error)) from None

    def draw(class_id: str, size: int) -> bytes:
        return vault.entropy.draw(f"trace/{class_id}", size)

    def pseudonym(class_id: str, who: str) -> str:
        return vault.sealer.blind(class_id, "trace", who).hex()[:32]

    async def close() -> None:
        await exporting.step()
        collector.close()

    traces = house.gate.telemetry.traces = Traces(accreditation, draw, pseudonym)
    exporting = _Exporting(traces, collector, vault.region.name)
    house.closers.append(close)
    house.loops.append(Loop("telemetry.export", EVERY, exporting.step, steady=True))


class _Exporting:
    """Sends what waits: each domain by itself, over a connection of its own."""

    def __init__(self, traces: Traces, collector: OtlpHttp, region: str) -> None:
        self._traces = traces
        self._collector = collector
        self._region = region

    async def step(self) -> int:
        batches = self._traces.take()
        await asyncio.gather(*(self._send(domain, spans) for domain, spans in batches))
        return sum(len(spans) for _, spans in batches)

    async def _send(self, domain: Domain, spans: list[Span]) -> None:
        body = otlp(spans, domain.label.text, self._region, __version__)
        taken = await self._collector.send(body, domain.class_id)
        domain.add(SPANS, ("exported" if taken else "dropped",), len(spans))
