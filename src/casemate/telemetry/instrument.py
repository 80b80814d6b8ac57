"""Every metric of the house, declared once: name, kind, labels and fixed bucket bounds.

Names and bounds of `gen_ai_*` follow OpenTelemetry's semantic conventions for generative AI (status: development;
semantic-conventions-genai, docs/gen-ai/gen-ai-metrics.md), spelt as its Prometheus compatibility says: dots become
underscores and the unit a suffix. Values of labels come from the house's own tables (routes, actions, rules, cards),
never from what a caller wrote.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = [
    "BACKLOG",
    "BREAKER",
    "DURABLE",
    "DURATION",
    "FIRST",
    "GENERATION",
    "INSTRUMENTS",
    "QUEUE",
    "QUOTA",
    "REFUSALS",
    "REQUESTS",
    "SPANS",
    "TOKENS",
    "Instrument",
]


@dataclass(frozen=True, slots=True, eq=False)
class Instrument:
    """`bounds`: upper bounds of a histogram's buckets, in whole units. `scale`: units in one of what is shown."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()
    bounds: tuple[int, ...] = ()
    scale: int = 1


def _micros(*seconds: float) -> tuple[int, ...]:
    return tuple(round(each * 1_000_000) for each in seconds)


MICRO = 1_000_000
_SHORT = _micros(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120)
_DISK = _micros(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1)
_LONG = _micros(0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
_FIRST = _micros(0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
_TOKENS = tuple(4**power for power in range(14))
_MODEL = ("gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model")

REQUESTS = Instrument(
    "casemate_requests", "counter", "Requests by operation and outcome.", ("method", "route", "operation", "outcome")
)
DURATION = Instrument(
    "casemate_request_duration_seconds", "histogram", "Whole requests.", ("operation",), _SHORT, MICRO
)
REFUSALS = Instrument("casemate_refusals", "counter", "Requests told no, by rule.", ("operation", "rule"))
QUOTA = Instrument("casemate_quota_refusals", "counter", "Requests beyond a quota.", ("limit", "of"))
GENERATION = Instrument(
    "gen_ai_client_operation_duration_seconds",
    "histogram",
    "Calls of models, from lending to the last piece.",
    (*_MODEL, "error_type"),
    _LONG,
    MICRO,
)
FIRST = Instrument(
    "gen_ai_server_time_to_first_token_seconds",
    "histogram",
    "From lending to a model to its first piece.",
    _MODEL,
    _FIRST,
    MICRO,
)
TOKENS = Instrument("gen_ai_client_token_usage", "histogram", "Tokens used.", (*_MODEL, "gen_ai_token_type"), _TOKENS)
SPANS = Instrument("casemate_spans", "counter", "Spans of traces, exported or dropped.", ("fate",))
DURABLE = Instrument(
    "casemate_journal_durable_seconds", "histogram", "From an entry to its sync on the disk.", (), _DISK, MICRO
)
BACKLOG = Instrument("casemate_journal_backlog_entries", "gauge", "Entries that wait for the disk.")
BREAKER = Instrument("casemate_breaker_open", "gauge", "1 while a model rests after failures.", ("model",))
QUEUE = Instrument("casemate_queue_depth", "gauge", "What waits or is under way.", ("queue",))

INSTRUMENTS = (
    REQUESTS, DURATION, REFUSALS, QUOTA, GENERATION, FIRST, TOKENS, SPANS, DURABLE, BACKLOG, BREAKER, QUEUE,
)  # fmt: skip
