"""Metrics through the native API: who may read them, in which format, and of which domains."""

from __future__ import annotations

import re

import pytest

from casemate.errors import EngineFailed
from casemate.models import Card
from casemate.policy import Action
from casemate.telemetry.text import MEDIA, OPEN_MEDIA
from tests.attacks.scene import LOW, SECRET, TOP, Writer, connect, flow_of, label_of, principal
from tests.laws.world import Seen, World

ASKED = {"model": "far", "messages": [{"role": "user", "content": "Good morning."}]}


async def people(world: World) -> None:
    await world.person("ann", TOP, ("user",))
    await world.person("olga", TOP, ("operator",))
    await world.person("otto", TOP, ("auditor",))


def labels(seen: Seen) -> set[str]:
    return set(re.findall(r'\{label="([^"]*)"', seen.body.decode()))


def value(seen: Seen, *parts: str) -> float:
    """The one series whose line has all these parts."""
    [line] = [line for line in seen.body.decode().splitlines() if all(part in line for part in parts)]
    return float(line.rsplit(" ", 1)[1])


async def test_operators_and_auditors_read_them_and_nobody_else(world: World) -> None:
    await people(world)
    for who, status in (("ann", 403), ("olga", 200), ("otto", 200), ("nobody", 401)):
        for target in ("/metrics", "/api/live"):
            assert (await world.call(who, "GET", target)).status == status, (who, target)


async def test_the_formats_and_the_marking(world: World) -> None:
    await people(world)
    await world.call("ann", "GET", "/api/documents", acting=SECRET)
    plain = await world.call("olga", "GET", "/metrics", acting=SECRET)
    assert plain.header("content-type") == MEDIA
    assert plain.header("casemate-label") == SECRET
    assert plain.header("casemate-marking") == "SECRET//NOFORN"
    openly = ("accept", "application/openmetrics-text;version=1.0.0,text/plain;q=0.5")
    seen = await world.call("olga", "GET", "/metrics", acting=SECRET, headers=(openly,))
    assert seen.header("content-type") == OPEN_MEDIA
    assert seen.body.endswith(b"# EOF\n")


async def test_each_series_stands_at_the_label_at_which_it_was_made(world: World) -> None:
    await people(world)
    for label, times in ((LOW, 1), (SECRET, 2), (TOP, 3)):
        for _ in range(times):
            await world.call("ann", "GET", "/api/documents", acting=label)
    for label, seen_labels in ((LOW, {LOW}), (SECRET, {LOW, SECRET}), (TOP, {LOW, SECRET, TOP})):
        seen = await world.call("olga", "GET", "/metrics", acting=label)
        assert labels(seen) == seen_labels
        for n, each in enumerate((LOW, SECRET, TOP), start=1):
            if each in seen_labels:
                assert value(seen, "requests_total", f'label="{each}"', "document.list") == n


async def test_a_chat_gives_the_models_numbers_and_none_of_its_words(world: World) -> None:
    await people(world)
    connect(world, Writer("Good day."))
    seen = await world.call("ann", "POST", "/v1/chat/completions", ASKED, SECRET)
    assert seen.status == 200, seen.body
    told = await world.call("olga", "GET", "/metrics", acting=SECRET)
    model = ('gen_ai_provider_name="acme"', 'gen_ai_request_model="far"', f'label="{SECRET}"')
    assert value(told, "token_usage_sum", *model, 'token_type="output"') == 1
    assert value(told, "client_operation_duration_seconds_count", *model) == 1
    assert value(told, "time_to_first_token_seconds_count", *model) == 1
    assert value(told, "casemate_breaker_open", 'model="far"', f'label="{SECRET}"') == 0
    assert b"Good" not in told.body
    assert b"ann" not in told.body
    assert b"far" not in (await world.call("olga", "GET", "/metrics", acting=LOW)).body


class Down:
    dialect = ""

    async def generate(self, prompt: object, deadline: float):  # type: ignore[no-untyped-def]
        raise EngineFailed(cause="down", engine="far", why="It is down.")
        yield


async def test_failures_breakers_refusals_and_quotas(world: World) -> None:
    await people(world)
    world.house.catalogue.add(Card("far", "far", "acme", label_of(world, TOP), Down(), True))
    for _ in range(6):
        assert (await world.call("ann", "POST", "/v1/chat/completions", ASKED, SECRET)).status == 502
    body = {"project": "default", "bounds": {"requests_per_minute": 0}}
    assert (await world.call("olga", "PUT", "/api/quotas", body, TOP)).status == 200
    await world.step("accounts.limits")
    assert (await world.call("ann", "POST", "/v1/chat/completions", ASKED, TOP)).status == 429
    assert (await world.call("ann", "GET", "/api/documents/doc_none", acting=TOP)).status == 404
    told = await world.call("olga", "GET", "/metrics", acting=TOP)
    assert value(told, "operation_duration_seconds_count", 'error_type="down"', f'label="{SECRET}"') == 5
    assert value(told, "casemate_breaker_open", 'model="far"') == 1
    assert value(told, "quota_refusals_total", 'limit="requests-per-minute"', f'label="{TOP}"') == 1
    assert value(told, "casemate_refusals_total", 'rule="absent"', f'label="{TOP}"') == 1
    assert value(told, "casemate_refusals_total", 'rule="engine-failed"', f'label="{SECRET}"') == 6


async def test_answers_under_way_are_a_level_of_their_own_domain(world: World) -> None:
    await people(world)
    assert world.house.meter is not None
    session = principal(world, "ann", TOP, "user")
    for label, times in ((SECRET, 2), (TOP, 1)):
        await world.call("ann", "GET", "/api/documents", acting=label)
        for _ in range(times):
            world.house.meter.reserve(await flow_of(world, session, Action("ask", "answer"), label), 5)
    told = await world.call("olga", "GET", "/metrics", acting=TOP)
    for label, times in ((SECRET, 2), (TOP, 1)):
        assert value(told, "casemate_queue_depth", f'label="{label}"', 'queue="answers"') == times


async def test_strangers_and_open_pages_are_counted_at_the_ceiling(world: World) -> None:
    """Nobody knows how high the session is that somebody failed to open, or will open from there."""
    await people(world)
    await world.call("nobody", "GET", "/api/documents")
    await world.call("nobody", "GET", "/api/health")
    await world.call("nobody", "BREW", "/nowhere/my secret")
    assert labels(await world.call("olga", "GET", "/metrics", acting=LOW)) == set()
    ceiling = world.house.gate.vault.region.ceiling
    await world.person("odin", ceiling.text, ("operator",))
    seen = await world.call("odin", "GET", "/metrics")
    assert value(seen, "requests_total", f'label="{ceiling.text}"', "unauthenticated", "/api/documents") == 1
    assert value(seen, "requests_total", f'label="{ceiling.text}"', "/api/health") == 1
    assert b"secret" not in seen.body.lower().replace(b"top secret", b"").replace(b"us:secret", b"")
    assert b"BREW" not in seen.body


async def test_live_gives_five_minutes_in_beats(world: World) -> None:
    await people(world)
    await world.call("ann", "GET", "/api/documents", acting=SECRET)
    world.clock.forward(10)
    await world.call("ann", "GET", "/api/documents/doc_none", acting=SECRET)
    seen = (await world.call("olga", "GET", "/api/live", acting=SECRET)).json
    [domain] = seen["data"]["domains"]
    assert (domain["label"], domain["marking"], domain["mark"]) == (SECRET, "SECRET//NOFORN", "(S//NF)")
    assert {len(domain[name]) for name in ("requests", "refusals", "tokens", "p50", "p99")} == {60}
    assert domain["requests"][-3:] == [1, 0, 1]
    assert domain["refusals"][-3:] == [0, 0, 1]
    world.clock.forward(600)
    [domain] = (await world.call("otto", "GET", "/api/live", acting=SECRET)).json["data"]["domains"]
    assert sum(domain["requests"]) == 0


@pytest.mark.parametrize("method", ["HEAD"])
async def test_a_head_gives_the_head_alone(world: World, method: str) -> None:
    await people(world)
    assert (await world.call("olga", method, "/metrics")).body == b""
