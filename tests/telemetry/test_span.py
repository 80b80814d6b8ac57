"""Spans: what stands in them and what must not, bounded queues by domain, links, and OTLP's JSON."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.clock import ManualClock
from casemate.errors import Refused
from casemate.ids import DerivedEntropy
from casemate.labels import Label, Policies
from casemate.models import Delta, Usage
from casemate.telemetry import Span, Telemetry, Traces, otlp
from casemate.telemetry.instrument import SPANS
from casemate.telemetry.span import BATCH, QUEUE

LABELS = Policies.load(("us", "fr"))
LOW, HIGH = LABELS.parse("agency=EXERCISE"), LABELS.parse("agency=EXERCISE + us:SECRET//REL=USA")
FRENCH = LABELS.parse("agency=EXERCISE + fr:SECRET")
CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def traced(accreditation: Label = HIGH) -> Telemetry:
    telemetry, entropy = Telemetry(ManualClock()), DerivedEntropy(b"x")
    telemetry.traces = Traces(
        accreditation,
        entropy.draw,
        lambda class_id, who: hashlib.sha256(f"{class_id}{who}".encode()).hexdigest()[:32],
    )
    return telemetry


def ask(telemetry: Telemetry, label: Label = LOW, parent: str = "", begun: str = "ent_begun", **more: Any) -> None:
    telemetry.watch().end(label, "POST", "/v1/chat/completions", "answer.ask", begun, "prn_anna", parent, **more)


def taken(telemetry: Telemetry) -> list[Span]:
    assert telemetry.traces is not None
    return [span for _, spans in telemetry.traces.take() for span in spans]


def test_a_request_and_its_models_are_one_trace() -> None:
    telemetry = traced()
    call = telemetry.generation(LOW, "acme", "large", "large-1", telemetry.now())
    with call.going_on("ent_begun", 1):
        call.last = Delta(finish="stop", usage=Usage(3, 4, False))
    ask(telemetry, parent=CALLER, facts={"prompt": 3, "completion": 4, "model": "what the caller typed"})
    model, request = taken(telemetry)
    assert request.trace == model.trace
    assert model.parent == request.id
    assert request.parent == "", "a caller's trace is linked, never joined"
    assert request.link == tuple(CALLER.split("-")[1:3])
    assert dict(model.attributes) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "acme",
        "gen_ai.request.model": "large",
        "gen_ai.response.model": "large-1",
        "gen_ai.usage.input_tokens": 3,
        "gen_ai.usage.output_tokens": 4,
    }
    told = dict(request.attributes)
    assert told["gen_ai.usage.output_tokens"] == 4
    assert "anna" not in repr(request)
    assert "typed" not in repr(request)
    assert "begun" not in repr((request, model)), "the ledger's id is not told: only what is made of it"


def test_a_pseudonym_differs_by_label() -> None:
    telemetry = traced()
    for label in (LOW, HIGH):
        ask(telemetry, label)
    one, other = (dict(span.attributes)["enduser.pseudo.id"] for span in taken(telemetry))
    assert one != other


def test_nothing_above_the_accreditation_is_queued() -> None:
    telemetry = traced(HIGH)
    for label in (LOW, HIGH, FRENCH):
        ask(telemetry, label)
        telemetry.generation(label, "acme", "large", "l", telemetry.now()).end("ent_begun", "down")
    assert telemetry.traces is not None
    assert [domain.label for domain, _ in telemetry.traces.take()] == [LOW, HIGH]
    assert telemetry.traces.take() == []


def test_a_full_queue_drops_in_its_own_domain_alone() -> None:
    telemetry = traced()
    for _ in range(QUEUE + 7):
        ask(telemetry, HIGH)
    ask(telemetry, LOW)
    dropped = {
        label: [each.count for each in telemetry.keep(telemetry.at(label, 0)).counters if each.name == SPANS.name]
        for label in (LOW, HIGH)
    }
    assert dropped == {LOW: [], HIGH: [7]}
    assert telemetry.traces is not None
    rounds = [[len(spans) for _, spans in telemetry.traces.take()] for _ in range(QUEUE // BATCH)]
    assert rounds[0] == [1, BATCH]
    assert rounds[1:] == [[BATCH]] * (QUEUE // BATCH - 1)


def test_requests_that_are_in_no_ledger_have_traces_of_their_own() -> None:
    telemetry = traced()
    for _ in range(2):
        ask(telemetry, begun="")
    one, other = taken(telemetry)
    assert one.trace != other.trace


@pytest.mark.parametrize(
    "parent",
    [
        "",
        "garbage",
        CALLER.upper(),
        f"ff{CALLER[2:]}",
        f"{CALLER}-more",
        f"00-{'0' * 32}-{'1' * 16}-01",
        f"00-{'1' * 32}-{'0' * 16}-01",
        f"{CALLER}\n",
    ],
)
def test_what_is_no_traceparent_links_to_nothing(parent: str) -> None:
    telemetry = traced()
    ask(telemetry, parent=parent)
    assert taken(telemetry)[0].link is None


@given(st.text(max_size=80))
def test_a_link_is_never_more_than_two_ids(parent: str) -> None:
    telemetry = traced()
    ask(telemetry, parent=parent)
    link = taken(telemetry)[0].link
    assert link is None or [len(part) for part in link] == [32, 16]


def test_otlp_is_json_as_its_specification_spells_it() -> None:
    telemetry = traced()
    watch = telemetry.watch()
    watch.failed(Refused(rule="role"))
    watch.end(LOW, "GET", "/a", "answer.ask", parent=CALLER)
    telemetry.generation(LOW, "acme", "large", "l", telemetry.now()).end("ent_begun")
    told = msgspec.json.decode(otlp(taken(telemetry), LOW.text, "law", "0.1"))
    [resource] = told["resourceSpans"]
    assert {"key": "casemate.label", "value": {"stringValue": LOW.text}} in resource["resource"]["attributes"]
    refused, model = resource["scopeSpans"][0]["spans"]
    assert refused["status"] == {"code": 2}
    assert {"key": "error.type", "value": {"stringValue": "role"}} in refused["attributes"]
    assert refused["links"] == [{"traceId": CALLER[3:35], "spanId": CALLER[36:52]}]
    assert (refused["kind"], model["kind"]) == (2, 3)
    assert isinstance(model["startTimeUnixNano"], str)
    assert len(model["parentSpanId"]) == 16
    assert "parentSpanId" not in refused
    assert "links" not in model
    assert model["status"] == {}
