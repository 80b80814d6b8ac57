"""Spans, as OpenTelemetry's conventions for generative AI name their attributes, and as OTLP/HTTP carries them in JSON.

    a request       one span (SERVER): operation, route, error.type, who as a pseudonym, a link to the caller's trace
    a model's call  one span (CLIENT) below it: gen_ai.* attributes and tokens

No content, no title, no name. Queues are by domain, bounded, and what does not fit is dropped and counted there. A
domain above the endpoint's accreditation has no queue at all. Ids of a request that is in the ledger are made of its
BEGIN, one way: processes agree on them without a word, and an auditor finds the trace of an entry.

Why not OpenTelemetry's SDK: its processor has one queue for everything, reads its endpoint and headers from the
environment, and describes the process and the host by itself.
"""

from __future__ import annotations

import hashlib
import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from casemate.labels import Label
from casemate.telemetry.domain import Domain
from casemate.telemetry.instrument import SPANS

__all__ = ["QUEUE", "Span", "Traces", "otlp"]

QUEUE = 1024  # spans of a domain that wait
BATCH = 256  # spans of a domain in one round
SERVER, CLIENT = 2, 3
_PARENT = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")
_NONE = ("0" * 32, "0" * 16)

Value = str | int


class Span(msgspec.Struct, frozen=True):
    """Times in microseconds since 1970; ids in lowercase hexadecimal (W3C Trace Context)."""

    trace: str
    id: str
    parent: str
    name: str
    kind: int
    start: int
    end: int
    attributes: tuple[tuple[str, Value], ...]
    error: bool = False
    link: tuple[str, str] | None = None


class Traces:
    """Spans that wait for an endpoint of that `accreditation`.

    `draw(class id, size)` gives entropy; `pseudonym(class id, principal id)` a keyed digest that differs by class.
    """

    def __init__(
        self, accreditation: Label, draw: Callable[[str, int], bytes], pseudonym: Callable[[str, str], str]
    ) -> None:
        self._accreditation = accreditation
        self._draw = draw
        self._pseudonym = pseudonym
        self._waiting: dict[str, tuple[Domain, deque[Span]]] = {}

    def request(
        self,
        domain: Domain,
        start: int,
        end: int,
        name: str,
        operation: str,
        error: str,
        begun: str,
        who: str,
        parent: str,
        facts: Mapping[str, object] | None,
    ) -> None:
        """The span of a whole request."""
        if not domain.label <= self._accreditation:
            return
        trace, own = self._ids(domain, begun)
        method, _, route = name.partition(" ")
        attributes: list[tuple[str, Value]] = [("http.request.method", method), ("http.route", route)]
        attributes += [("casemate.operation", operation)]
        if who:
            attributes += [("enduser.pseudo.id", self._pseudonym(domain.class_id, who))]
        attributes += [(there, value) for here, there in _USED if isinstance(value := (facts or {}).get(here), int)]
        attributes += [("error.type", error)] if error else []
        self._put(domain, Span(trace, own, "", name, SERVER, start, end, tuple(attributes), bool(error), _link(parent)))

    def model(
        self,
        domain: Domain,
        start: int,
        end: int,
        key: tuple[str, str, str],
        served: str,
        error: str,
        begun: str,
        used: tuple[int, int] | None,
    ) -> None:
        """The span of a model's call within the request of that BEGIN. `used`: tokens in and out, where told."""
        if not domain.label <= self._accreditation:
            return
        trace, parent = self._ids(domain, begun)
        operation, provider, model = key
        attributes: list[tuple[str, Value]] = [
            ("gen_ai.operation.name", operation),
            ("gen_ai.provider.name", provider),
            ("gen_ai.request.model", model),
            ("gen_ai.response.model", served),
        ]
        if used is not None:
            attributes += [("gen_ai.usage.input_tokens", used[0]), ("gen_ai.usage.output_tokens", used[1])]
        attributes += [("error.type", error)] if error else []
        own = self._draw(domain.class_id, 8).hex()
        name = f"{operation} {model}"
        self._put(domain, Span(trace, own, parent, name, CLIENT, start, end, tuple(attributes), bool(error)))

    def take(self) -> list[tuple[Domain, list[Span]]]:
        """A batch of each domain that has any, in order of label."""
        found = []
        for name in sorted(self._waiting):
            domain, queue = self._waiting[name]
            batch = [queue.popleft() for _ in range(min(BATCH, len(queue)))]
            if not queue:
                del self._waiting[name]
            found.append((domain, batch))
        return found

    def _put(self, domain: Domain, span: Span) -> None:
        _, queue = self._waiting.setdefault(domain.label.text, (domain, deque()))
        if len(queue) < QUEUE:
            queue.append(span)
        else:
            domain.add(SPANS, ("dropped",))

    def _ids(self, domain: Domain, begun: str) -> tuple[str, str]:
        """Trace and span of the request: of its BEGIN, else new ones."""
        raw = hashlib.sha256(b"trace\0" + begun.encode()).digest() if begun else self._draw(domain.class_id, 24)
        return raw[:16].hex(), raw[16:24].hex()


_USED = (("prompt", "gen_ai.usage.input_tokens"), ("completion", "gen_ai.usage.output_tokens"))


def _link(parent: str) -> tuple[str, str] | None:
    """The trace and span of a traceparent (W3C Trace Context, section 3.2); None for anything else."""
    found = _PARENT.fullmatch(parent) if len(parent) == 55 else None
    if found is None or found[1] == _NONE[0] or found[2] == _NONE[1]:
        return None
    return found[1], found[2]


def otlp(spans: Sequence[Span], label: str, service: str, version: str) -> bytes:
    """ExportTraceServiceRequest in OTLP's JSON encoding: ids in hexadecimal, 64-bit numbers as strings."""
    resource = (("service.name", "casemate"), ("service.namespace", service), ("service.version", version))
    told = {
        "resource": {"attributes": _attributes((*resource, ("casemate.label", label)))},
        "scopeSpans": [{"scope": {"name": "casemate", "version": version}, "spans": [_span(s) for s in spans]}],
    }
    return msgspec.json.encode({"resourceSpans": [told]})


def _span(span: Span) -> dict[str, Any]:
    told: dict[str, Any] = {
        "traceId": span.trace,
        "spanId": span.id,
        "name": span.name,
        "kind": span.kind,
        "startTimeUnixNano": str(span.start * 1000),
        "endTimeUnixNano": str(span.end * 1000),
        "attributes": _attributes(span.attributes),
        "status": {"code": 2} if span.error else {},
    }
    if span.parent:
        told["parentSpanId"] = span.parent
    if span.link is not None:
        told["links"] = [{"traceId": span.link[0], "spanId": span.link[1]}]
    return told


def _attributes(pairs: Sequence[tuple[str, Value]]) -> list[dict[str, Any]]:
    return [
        {"key": key, "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}}
        for key, value in pairs
    ]
