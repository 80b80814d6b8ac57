"""A sweep's jobs: each child with its own point, the same points each time, and nothing of a value taken for more."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.errors import Absent, BadInput
from casemate.jobs import Array, Artefact, Input, Job, Output, Plot, Spec, Sweep
from casemate.jobs.checked import checked
from casemate.jobs.pointed import at_point, points_of
from casemate.jobs.space import MOST, Parameter, Space
from casemate.jobs.sweep import LARGEST, SweepRequest, listed, result_of, submit_sweep, sweep_of
from casemate.objects import Found
from tests.attacks.scene import LOW
from tests.jobs.yard import Yard

SPACE = Space({"rate": Parameter(values=(0.5, 2)), "kind": Parameter(values=("a", "$(rm)", "{rate}"))})


def spec(*words: str, **env: str) -> Spec:
    return Spec(words, env=env, sweep=Sweep(SPACE), array=Array(6))


def request(**more: object) -> SweepRequest:
    return SweepRequest(**{"job": Spec(("run", "{rate}")), "parameters": SPACE.parameters, **more})  # type: ignore[arg-type]


def test_a_child_has_its_own_point() -> None:
    whole = spec("run", "--rate={rate}", "{kind}", "{other}", "${rate}", "{ rate }", KIND="<{kind}>")
    first, last = at_point(whole, 0), at_point(whole, 5)
    assert first.command == ("run", "--rate=0.5", "a", "{other}", "${rate}", "{ rate }")
    assert (first.env["KIND"], first.sweep, first.array.size) == ("<a>", None, 0)
    assert last.command[1:3] == ("--rate=2", "{rate}")  # what a value holds is not looked into
    assert json.loads(last.env["CASEMATE_POINT"]) == {"rate": 2, "kind": "{rate}"}
    assert at_point(first, 3) is first
    assert at_point(spec("run", CASEMATE_POINT="own"), 0).env["CASEMATE_POINT"] == "own"
    spoken = Space({"x": Parameter(values=(True, 1e-7, 10**20, False))})
    said = [at_point(Spec(("{x}",), sweep=Sweep(spoken)), at).command[0] for at in range(4)]
    assert said == ["true", "1e-07", "1" + "0" * 20, "false"]


@given(st.lists(st.text(max_size=20), min_size=2, max_size=5, unique=True))
def test_a_value_stays_within_its_argument(values: list[str]) -> None:
    space = Space({"x": Parameter(values=tuple(values))})
    for at, value in enumerate(values):
        assert at_point(Spec(("run", "-{x}-", "next"), sweep=Sweep(space)), at).command == ("run", f"-{value}-", "next")


def test_what_cannot_be_swept_is_told() -> None:
    checked(spec("run"))
    for wrong in (
        Spec(("run",), sweep=Sweep(SPACE), array=Array(5)),
        Spec(("run",), sweep=Sweep(SPACE)),
        Spec(("run",), sweep=Sweep(Space({})), array=Array(2)),
        Spec(("run",), sweep=Sweep(Space({"x": Parameter(values=("a", "\0"))})), array=Array(2)),
        Spec(("run",), sweep=Sweep(Space({"x": Parameter(values=("a", "b" * 1025))})), array=Array(2)),
        Spec(("{x}" * 1000,), sweep=Sweep(Space({"x": Parameter(values=("a", "b" * 1024))})), array=Array(2)),
    ):
        with pytest.raises(BadInput):
            checked(wrong)


async def test_both_jobs_are_kept_at_the_acting_label_or_none(yard: Yard) -> None:
    flow = await yard.flow("submit")
    asked = request(job=Spec(("run",), name="rates", priority=2, array=Array(0, 3)), plot=Plot("rate", "loss"))
    seen = await submit_sweep(yard.jobs, flow, asked)
    whole, table = seen.array.value.spec, seen.table.value.spec
    assert whole is not None
    assert table is not None
    assert (whole.array, whole.outputs) == (Array(6, 3), (Output("result", "result.json"),))
    assert ([one.source for one in table.inputs], table.after[0].when) == ([f"sweep:{seen.array.id}"], "afterany")
    assert (table.name, table.queue, table.after[0].job) == ("rates table", "default", seen.array.id)
    assert seen.array.label.text == seen.table.label.text == flow.acting.text
    again = await sweep_of(yard.jobs, await yard.flow("read"), seen.table.id)
    assert (again.array.id, again.sweep.plot) == (seen.array.id, Plot("rate", "loss"))
    for id in (seen.array.id, "job_never"):
        with pytest.raises(Absent):
            await sweep_of(yard.jobs, await yard.flow("read"), id)
    with pytest.raises(Absent):
        await sweep_of(yard.jobs, await yard.flow("read", at=LOW), seen.table.id)


async def test_a_job_that_reads_what_is_no_sweep_is_none(yard: Yard) -> None:
    plain = await yard.submit()
    source = f"sweep:{plain.id}"
    yard.inputs.things[source] = (plain.label, b"")
    reads = await yard.submit(Spec(("run",), inputs=(Input("s", source),)))
    assert reads.value.spec is not None
    assert [(one.job, one.when) for one in reads.value.spec.after] == [(plain.id, "afterany")]
    with pytest.raises(Absent):
        await sweep_of(yard.jobs, await yard.flow("read"), reads.id)


async def test_the_same_key_gives_the_same_sweep(yard: Yard) -> None:
    first = await submit_sweep(yard.jobs, await yard.flow("submit"), request(key="k"))
    second = await submit_sweep(yard.jobs, await yard.flow("submit"), request(key="k"))
    assert (first.table.id, first.array.id) == (second.table.id, second.array.id)


async def test_a_request_that_is_none_is_refused_and_nothing_is_kept(yard: Yard) -> None:
    sweep = Sweep(SPACE)
    for wrong in (
        request(job=Spec(("run",), array=Array(6))),
        request(job=Spec(("run",), sweep=sweep)),
        request(job=Spec(("run",), outputs=(Output("result", "x"),))),
        request(job=Spec(("",))),
        request(result="/"),
        request(result="../x"),
        request(key="k" * 121),
        request(plot=Plot("x" * 129, "y")),
        request(parameters={"x": Parameter(low=0, high=1)}),
        request(parameters={"x": Parameter(low=0, high=1)}, method="sobol", count=MOST + 1),
    ):
        with pytest.raises(BadInput):
            await submit_sweep(yard.jobs, await yard.flow("submit"), wrong)
    for source in ("sweep:#0", "sweep:#7", "sweep:#"):
        bad = Spec(("run",), inputs=(Input("s", source),))
        with pytest.raises(BadInput):
            await yard.submit(bad)


async def test_a_child_that_is_made_again_has_its_point(yard: Yard) -> None:
    seen = await submit_sweep(yard.jobs, await yard.flow("submit"), request(job=Spec(("run", "{rate}", "{kind}"))))
    await yard.step(3)
    ran = [spot.order for spot in yard.scratch.spots.values()]
    assert ("run", "0.5", "a") in [order.command for order in ran if order is not None]
    for native in yard.engine.all("waiting"):
        yard.engine.begin(native)
        yard.engine.end(native, 1)
    await yard.step(3)
    again = await yard.jobs.retry(await yard.flow("retry"), f"{seen.array.id}:1")
    made = again.value.spec
    assert made is not None
    assert (made.command, made.sweep) == (("run", "0.5", "$(rm)"), None)


async def test_what_the_table_is_told_says_of_every_point_how_it_stands(yard: Yard) -> None:
    seen = await submit_sweep(yard.jobs, await yard.flow("submit"), request())
    flow = await yard.flow("read")

    def child(index: int, *left: Artefact) -> Found[Job]:
        job = Job("p", "p", None, state="SUCCEEDED", parent=seen.array.id, index=index, artefacts=left)
        return Found(seen.array.ref, 1, seen.array.label, job)

    good, huge = Artefact("result", LARGEST, "d"), Artefact("result", LARGEST + 1, "d")
    placed = Artefact("result", 5, "d", place="x")
    children = {0: child(0, good), 1: child(1, huge), 2: child(2), 3: child(3, placed)}
    told = listed(flow, seen.array, children)
    assert [row["result"] for row in told["rows"]] == [
        "",
        "too large",
        "no result",
        "too large",
        "no result",
        "no result",
    ]
    assert [row["state"] for row in told["rows"]] == ["SUCCEEDED"] * 4 + [""] * 2
    assert (told["label"], told["plot"], told["logs"]) == (flow.acting.text, None, [])
    assert [row["point"] for row in told["rows"]] == list(points_of(SPACE))
    assert result_of(children[0].value) is good
    with pytest.raises(Absent):
        listed(flow, seen.table, {})
