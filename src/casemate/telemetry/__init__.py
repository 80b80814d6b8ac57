"""Telemetry: what was asked, how it ended and how long it took, counted for each label domain by itself.

A number belongs to one domain, the acting label of the whole request, as its ledger entry does. What must never happen:
that two domains share a counter, a bound, a queue or a moment at which something is written; that a number of a domain
reaches somebody who does not dominate it, in a sum least of all; that content, a title, a principal's name or anything
else that a caller wrote stands in a metric or a span. Pure: files and connections are wiring's and engines'.
"""

from __future__ import annotations

from casemate.telemetry.domain import Domain
from casemate.telemetry.gauge import Probe
from casemate.telemetry.instrument import BACKLOG, BREAKER, DURABLE, DURATION, INSTRUMENTS, QUEUE, Instrument
from casemate.telemetry.kept import Kept, merge
from casemate.telemetry.pulse import PULSE, SLOTS, Beat, beats
from casemate.telemetry.span import Span, Traces, otlp
from casemate.telemetry.text import MEDIA, OPEN_MEDIA, exposition
from casemate.telemetry.watch import CHAT, EMBEDDINGS, Generation, Telemetry, Watch

__all__ = [
    "BACKLOG",
    "BREAKER",
    "CHAT",
    "DURABLE",
    "DURATION",
    "EMBEDDINGS",
    "INSTRUMENTS",
    "MEDIA",
    "OPEN_MEDIA",
    "PULSE",
    "QUEUE",
    "SLOTS",
    "Beat",
    "Domain",
    "Generation",
    "Instrument",
    "Kept",
    "Probe",
    "Span",
    "Telemetry",
    "Traces",
    "Watch",
    "beats",
    "exposition",
    "merge",
    "otlp",
]
