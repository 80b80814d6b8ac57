"""Attacks on metrics: what is counted up there must not be seen, summed, missed or waited for down here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pytest

from casemate.doors.native import metrics
from casemate.labels import Label
from casemate.telemetry import Domain, Telemetry
from casemate.telemetry.domain import MOST
from casemate.telemetry.instrument import REQUESTS
from tests.attacks.scene import LOW, SECRET, TOP, Writer, connect
from tests.laws.world import World, a_world

TARGETS = ("/metrics", "/api/live", "/live", "/live.json")
ASKED = {"model": "far", "messages": [{"role": "user", "content": "hidden lantern pier"}]}


async def busy(world: World) -> None:
    """What happens above the observer: answers, refusals, strangers, a full table of series, and time."""
    connect(world, Writer("one", "two"))
    for label in (SECRET, TOP):
        await world.call("high", "POST", "/v1/chat/completions", ASKED, label)
        await world.call("high", "GET", "/api/documents/doc_none", acting=label)
    await world.call("stranger", "GET", "/api/documents")
    await world.call("stranger", "GET", "/api/health")
    telemetry = world.house.gate.telemetry
    high = telemetry.at(world.policies.parse(SECRET), telemetry.now())
    for number in range(MOST + 5):
        high.add(REQUESTS, ("GET", f"/{number}", "answer.ask", "complete"))


async def told(happens: bool) -> list[tuple[Any, ...]]:
    """What an operator at the floor sees, in a world in which much happens above him, or nothing."""
    async with a_world(3, ("us",)) as world:
        await world.person("high", TOP, ("user", "operator"))
        await world.person("low", TOP, ("operator", "user"))
        await world.call("low", "GET", "/api/documents", acting=LOW)
        if happens:
            await busy(world)
        world.clock.forward(7)
        seen = [await world.call("low", "GET", target, acting=LOW) for target in TARGETS]
        return [(each.status, each.headers, each.pieces, each.calls) for each in seen]


async def test_a_low_reader_sees_the_same_whatever_happens_above() -> None:
    quiet = await told(False)
    assert all(status == 200 for status, *_ in quiet)
    assert await told(True) == quiet


@contextmanager
def one_domain_for_all() -> Iterator[None]:
    """The partition dropped where it is counted."""
    only: list[Domain] = []

    def at(self: Telemetry, label: Label, now: int) -> Domain:
        if not only:
            only.append(Domain(label))
        self.domains[label.text] = self.classes[Domain(label).class_id] = only[0]
        return only[0]

    async def seen(self: Telemetry, class_id: str, label: Label) -> Any:
        return self.keep(only[0])

    with mock.patch.object(Telemetry, "at", at), mock.patch.object(Telemetry, "seen", seen):
        yield


@contextmanager
def every_domain_shown() -> Iterator[None]:
    """The partition dropped where it is shown."""

    async def seen(call: Any) -> list[tuple[Label, Any]]:
        telemetry = call.gate.telemetry
        return [(domain.label, telemetry.keep(domain)) for domain in telemetry.domains.values()]

    with mock.patch.object(metrics, "_seen", seen):
        yield


@pytest.mark.parametrize("broken", [one_domain_for_all, every_domain_shown])
async def test_without_the_partition_it_would_be_seen(broken: Any) -> None:
    with broken():
        quiet = await told(False)
    with broken():
        assert await told(True) != quiet


async def test_no_number_of_several_labels_is_ever_one_number(world: World) -> None:
    await world.person("ann", TOP, ("user", "operator"))
    for label in (LOW, SECRET, TOP):
        await world.call("ann", "GET", "/api/documents", acting=label)
    seen = await world.call("ann", "GET", "/metrics", acting=TOP)
    lines = [line for line in seen.body.decode().splitlines() if not line.startswith("#")]
    assert lines
    assert all('{label="agency=' in line for line in lines)
    counted = [line for line in lines if line.startswith("casemate_requests_total") and "document.list" in line]
    assert [line.rsplit(" ", 1)[1] for line in counted] == ["1", "1", "1"]


async def test_what_a_caller_writes_is_no_label_of_a_series(world: World) -> None:
    await world.person("ann", TOP, ("user", "operator"))
    connect(world, Writer("one"))
    word = "velspira"
    for method, target, body in (
        ("GET", f"/api/documents/{word}", None),
        ("GET", f"/{word}", None),
        ("POST", "/v1/chat/completions", {**ASKED, "model": word}),
        ("GET", f"/v1/models/{word}", None),
        ("GET", f"/api/search?q={word}", None),
    ):
        headers = (("traceparent", f"00-{word}"), ("user-agent", word))
        await world.call("ann", method, target, body, LOW, headers=headers)
    for target in TARGETS:
        assert word.encode() not in (await world.call("ann", "GET", target, acting=LOW)).body
