"""Usage as objects: written once however often it is written, restored after a restart, made anew from the ledger."""

from __future__ import annotations

from typing import Any

import pytest

from casemate.access import Flow
from casemate.accounts import USAGE, Books, Bounds, Charge, Limits, Meter, Price, Tally, books, recount, used
from casemate.accounts.quota import Line
from casemate.accounts.usage import HOUR, of_facts
from casemate.clock import iso
from casemate.errors import BadInput, QuotaExceeded, Unavailable
from casemate.objects import Found
from casemate.policy import Action
from tests.attacks.scene import LOW, SECRET, TOP, flow_of, label_of, log, principal
from tests.laws.world import World

ASK, READ, RECOUNT = Action("ask", "answer"), Action("read", "usage"), Action("recount", "usage")
EUROS = Price(2_000_000, 6_000_000, 1_000_000, "EUR")
DAY = 24 * HOUR


def kept(world: World, limits: Limits | None = None, run: str = "run", worker: int = 0, workers: int = 1) -> Books:
    gate = world.house.gate
    meter = Meter(gate.vault.clock, world.policies, Tally(run, worker), worker, workers)
    meter.adopt(meter.understood(limits or Limits("EXERCISE")))
    return Books(gate, meter)


async def asking(world: World, at: str = SECRET, name: str = "ann") -> Flow:
    return await flow_of(world, principal(world, name, TOP, "user"), ASK, at)


async def use(
    world: World, made: Books, at: str = SECRET, prompt: int = 10, completion: int = 5, **more: Any
) -> Charge:
    held = made._meter.reserve(await asking(world, at), prompt + completion, "acme/large", "acme", EUROS)
    return held.settle(prompt, completion, **more)


async def records(world: World, at: str = TOP, *roles: str, name: str = "olga") -> list[Found[Any]]:
    flow = await flow_of(world, principal(world, name, TOP, *(roles or ("operator",))), READ, at)
    now = world.clock.now()
    return await used(flow, now - now % DAY - DAY, now + DAY)


async def test_usage_lies_at_the_label_of_its_request(world: World) -> None:
    made = kept(world)
    await use(world, made, LOW)
    await use(world, made, SECRET, 20, 7, cached=4)
    await use(world, made, SECRET, 1, 1, estimated=True)
    assert await made.flush() == 3
    assert await made.flush() == 0
    assert [f.value.prompt for f in await records(world, LOW)] == [10]
    found = {(f.label.text, f.value.estimated): f.value for f in await records(world, SECRET)}
    assert set(found) == {(LOW, False), (SECRET, False), (SECRET, True)}
    value = found[(SECRET, False)]
    assert (value.prompt, value.completion, value.cached, value.requests) == (20, 7, 4, 1)
    assert value.cost == 16 * 2_000_000 + 4 * 1_000_000 + 7 * 6_000_000
    assert (value.principal, value.key, value.project, value.agency) == ("ann", "ses-ann", "default", "EXERCISE")
    assert (value.at % HOUR, value.day, value.month) == (0, iso(value.at)[:10], iso(value.at)[:7])
    assert log(world, SECRET)[-1].principal == "service:accounts"


async def test_writing_it_again_counts_nothing_twice(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    made = kept(world)
    await use(world, made)
    assert await made.flush() == 1
    await use(world, made)
    commit = Flow.commit

    async def lost(*args: Any, **more: Any) -> Any:
        await commit(*args, **more)
        raise Unavailable(what="the writer")

    monkeypatch.setattr(Flow, "commit", lost)
    assert await made.flush() == 0
    assert set(made.problems.values()) == {"unavailable"}
    monkeypatch.setattr(Flow, "commit", commit)
    await use(world, made)
    assert await made.flush() == 1
    assert made.problems == {}
    assert [(f.value.requests, f.value.prompt) for f in await records(world)] == [(3, 30)]


async def test_what_fails_in_one_class_stops_no_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    made = kept(world)
    await use(world, made, LOW)
    await use(world, made, SECRET)
    commit = Flow.commit

    async def full(flow: Flow, *args: Any, **more: Any) -> Any:
        if flow.acting is label_of(world, LOW):
            raise Unavailable(what="it")
        return await commit(flow, *args, **more)

    monkeypatch.setattr(Flow, "commit", full)
    assert await made.flush() == 1
    assert list(made.problems) == [world.house.gate.classes.of(label_of(world, LOW)).id]


async def test_an_hour_that_is_over_is_let_go_of(world: World) -> None:
    made = kept(world)
    await use(world, made)
    await made.flush()
    world.clock.forward(3600)
    await use(world, made)
    await made.close()
    world.clock.forward(3600)
    await made.flush()
    assert len(made._meter.tally.rows[label_of(world, SECRET)]) == 1
    world.clock.forward(3600)
    await made.flush()
    assert made._meter.tally.rows == {}
    assert sorted(f.value.requests for f in await records(world)) == [1, 1]


async def test_budgets_survive_a_restart(world: World) -> None:
    lines = (
        Line(SECRET, "key:ses-ann", Bounds(tokens_per_day=100)),
        Line(LOW, "project:default", Bounds(budget_per_month=60)),
    )
    limits = Limits("EXERCISE", lines)
    first = kept(world, limits, "one")
    await use(world, first, LOW, 0, 9)  # 54 micro-units
    await use(world, first, SECRET, 0, 5)
    await first.flush()
    again = kept(world, limits, "two")
    assert await again.restore() == 2
    with pytest.raises(QuotaExceeded, match="budget-per-month"):
        again._meter.reserve(await asking(world, LOW), 2, "m", "", EUROS)
    again._meter.reserve(await asking(world, LOW), 1, "m", "", EUROS).settle(0, 1)
    with pytest.raises(QuotaExceeded, match="tokens-per-day"):
        again._meter.reserve(await asking(world), 96)
    again._meter.reserve(await asking(world), 95).cancel()
    world.clock.forward(86_400)
    later = kept(world, limits, "three")
    await later.restore()
    later._meter.reserve(await asking(world), 100).cancel()


async def test_each_worker_counts_its_own_again_and_that_of_those_who_are_gone(world: World) -> None:
    for worker in range(3):
        one = kept(world, None, f"run{worker}", worker, 3)
        await use(world, one, SECRET, 2**worker, 0)
        await one.flush()
    tokens = []
    for worker in range(2):
        made = kept(world, None, "new", worker, 2)
        await made.restore()
        tokens.append(made._meter._counters[label_of(world, SECRET)]["key:ses-ann"].tokens)
    assert tokens == [1 + 4, 2]


async def test_whoever_manages_nothing_sees_his_own(world: World) -> None:
    made = kept(world)
    await use(world, made)
    made._meter.reserve(await asking(world, SECRET, "bob"), 1).settle(3, 3)
    await made.flush()
    assert len(await records(world, SECRET, "user", name="eve")) == 0
    assert [f.value.principal for f in await records(world, SECRET, "user", name="bob")] == ["bob"]
    for role in ("officer", "auditor", "operator"):
        assert len(await records(world, SECRET, role)) == 2


@pytest.mark.parametrize(("first", "end"), [(0, 0), (5, 4), (-1, 5), (0, 367 * DAY)])
async def test_a_range_is_bounded(world: World, first: int, end: int) -> None:
    flow = await flow_of(world, principal(world, "olga", TOP, "operator"), READ)
    with pytest.raises(BadInput):
        await used(flow, first, end)


async def test_so_are_the_records(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    made = kept(world)
    await use(world, made, LOW)
    await use(world, made, SECRET)
    await made.flush()
    monkeypatch.setattr(books, "MOST", 1)
    assert len(await records(world, LOW)) == 1
    with pytest.raises(BadInput):
        await records(world, SECRET)


async def ended(world: World, charge: Charge, at: str = SECRET) -> None:
    """A request's END entry, with what it used."""
    flow = await asking(world, at)
    await flow.begin(b"q")
    await flow.release(b"a", "complete", charge.facts())


async def test_an_hour_is_made_anew_from_the_ledger(world: World) -> None:
    made = kept(world)
    for at in (LOW, SECRET, SECRET):
        await ended(world, await use(world, made, at, 7, 3, cached=2), at)
    await made.flush()
    await ended(world, await use(world, made, SECRET, 100, 0, estimated=True))  # and then the worker dies
    hour = world.clock.now()
    assert {f.value.prompt for f in await records(world, SECRET)} == {7, 14}
    auditor = principal(world, "otto", TOP, "auditor")
    with pytest.raises(BadInput):
        await recount(await flow_of(world, auditor, RECOUNT, SECRET), hour)
    world.clock.forward(3 * 3600)
    for _ in range(2):
        assert await recount(await flow_of(world, auditor, RECOUNT, SECRET), hour) == 2
        found = [f.value for f in await records(world, SECRET)]
        assert sorted((v.requests, v.prompt, v.completion, v.cached, v.estimated) for v in found) == [
            (1, 7, 3, 2, False),
            (1, 100, 0, 0, True),
            (2, 14, 6, 4, False),
        ]
        assert {v.principal for v in found} == {"ann"}
        assert sum(v.cost for v in found) == 3 * (5 * 2 + 2 * 1 + 3 * 6) * 10**6 + 200 * 10**6
    assert log(world, SECRET)[-1].facts["records"] == 2


async def test_a_log_that_is_too_long_is_not_read_in_part(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    made = kept(world)
    for _ in range(3):
        await ended(world, await use(world, made))
    hour = world.clock.now()
    world.clock.forward(3 * 3600)
    monkeypatch.setattr(books, "MOST", 2)
    flow = await flow_of(world, principal(world, "otto", TOP, "auditor"), RECOUNT, SECRET)
    with pytest.raises(BadInput):
        await recount(flow, hour)


@pytest.mark.parametrize(
    "broken",
    [{"metered": 0}, {"metered": 3}, {"price": "1/2"}, {"price": "a/b/c/EUR"}, {"prompt": "many"}, {"prompt": None}],
)
async def test_an_entry_that_tells_of_no_charge_counts_nothing(world: World, broken: dict[str, Any]) -> None:
    facts = (await use(world, kept(world))).facts()
    charge = of_facts("ann", "k", facts)
    assert charge is not None
    assert charge.facts() == facts
    assert of_facts("ann", "k", facts | broken) is None
    assert of_facts("ann", "k", {n: v for n, v in facts.items() if n != "model"}) is None


async def test_limits_are_read_again_and_kept_where_they_cannot_be(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = kept(world)
    await made.read()
    assert made.limits.agency == "EXERCISE"
    assert await made.refresh() == 0
    assert made.problems == {}

    async def broken(*_: object) -> Limits:
        raise Unavailable(what="it")

    monkeypatch.setattr(books, "read_limits", broken)
    assert await made.refresh() == 0
    assert made.problems == {"limits": "unavailable"}
    assert [made.refreshing.step, made.flushing.step] == [made.refresh, made.flush]


async def test_the_house_has_a_meter_that_knows_its_limits(world: World) -> None:
    meter = world.house.meter
    assert meter is not None
    meter.reserve(await asking(world), 5, "acme/large", "acme", EUROS).settle(3, 2)
    await world.step("accounts.usage", "accounts.limits")
    assert [f.value.requests for f in await records(world)] == [1]
    assert USAGE.name in str(log(world, SECRET)[-1].subjects)
