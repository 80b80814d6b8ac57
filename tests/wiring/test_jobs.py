"""Jobs joined to a region: engines by settings, inputs of three kinds, and a job that really runs."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from casemate.access import Flow
from casemate.buckets import NewObject
from casemate.datasets import DatasetRequest, Datasets, Root
from casemate.engines.dataset_tree import DatasetTrees
from casemate.errors import Absent, BadInput, FileChanged, Misconfigured
from casemate.jobs import Input, Jobs, Output, Resources, Spec
from casemate.jobs.reconcile import Reconciler
from casemate.policy import Action
from casemate.settings import JobDomain, JobEngine, JobSettings
from casemate.settings.job_nodes import JobNodeSettings
from casemate.wiring.job_inputs import JobInputs
from casemate.wiring.jobs import sites_of
from tests.attacks.scene import LOW, SECRET, TOP, flow_of, label_of, principal
from tests.buckets.scene import at, body, bucket
from tests.jobs.yard import Yard
from tests.laws.world import World


async def _read(inputs: JobInputs, flow: Flow, input: Input) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    async for name, piece in inputs.read(flow, await inputs.look(flow, input)):
        found[name] = found.get(name, b"") + piece
    return found


@pytest.fixture
def inputs(world: World, tmp_path: Path) -> JobInputs:
    (tmp_path / "root" / "set").mkdir(parents=True)
    (tmp_path / "root" / "set" / "a.csv").write_bytes(b"alpha")
    root = Root(str(tmp_path / "root"), label_of(world, SECRET))
    return JobInputs(Datasets(DatasetTrees(), {"press": root}, 100), world.house.buckets)


async def test_datasets_are_mounted_where_they_lie_and_looked_at_before(
    world: World, inputs: JobInputs, tmp_path: Path
) -> None:
    adds = await flow_of(world, principal(world, "opal", TOP, "operator"), Action("add", "dataset"), SECRET)
    await inputs.datasets.add(adds, DatasetRequest("corpus", str(tmp_path / "root" / "set")))
    flow = await flow_of(world, principal(world, "olga", TOP), Action("read", "job"), SECRET)
    looked = await inputs.look(flow, Input("data", "dataset:corpus"))
    assert (looked.digest, looked.size, [ref.id for ref in looked.refs]) == ("", 5, ["corpus"])
    [mount] = await inputs.mounts(flow, looked)
    assert (mount.source, mount.target, mount.write) == (str(tmp_path / "root" / "set"), "/in/data", False)
    (tmp_path / "root" / "set" / "a.csv").write_bytes(b"changed")
    with pytest.raises(FileChanged):
        await inputs.mounts(flow, looked)
    low = await flow_of(world, principal(world, "olga", TOP), Action("read", "job"), LOW)
    with pytest.raises(Absent):
        await inputs.look(low, Input("data", "dataset:corpus"))


async def test_objects_are_copied_and_another_object_has_another_digest(world: World, inputs: JobInputs) -> None:
    room = world.house.buckets
    await bucket(world, room)
    await room.put(await at(world, LOW), "plans", "deep/key", body(b"one"), NewObject())
    flow = await at(world, SECRET)
    said = Input("plan", "object:plans/deep/key")
    first = await inputs.look(flow, said)
    assert await inputs.mounts(flow, first) == ()
    assert await _read(inputs, flow, said) == {"": b"one"}
    await room.put(await at(world, LOW), "plans", "deep/key", body(b"two"), NewObject())
    assert (await inputs.look(flow, said)).digest != first.digest
    for source in ("object:plans", "job:x", "file:/etc/passwd"):
        with pytest.raises(BadInput):
            await inputs.look(flow, Input("x", source))


async def test_what_a_job_left_is_read_by_the_next(world: World, inputs: JobInputs) -> None:
    yard = Yard(world)
    await yard.person("olga")
    yard.jobs = Jobs(world.house.gate, inputs, yard.sites, yard.reconciler)
    made = await yard.submit(
        Spec(
            ("true",),
            outputs=(
                Output(
                    "all",
                    "",
                ),
                Output("kept", "b", keep="place"),
            ),
        )
    )
    flow = await yard.flow("read")
    early = await inputs.look(flow, Input("in", f"job:{made.id}/all"))
    assert (early.digest, early.refs) == ("", (made.ref,))
    with pytest.raises(Absent):
        await _read(inputs, flow, Input("in", f"job:{made.id}/all"))
    await yard.step(2)
    [native] = yard.engine.all("waiting")
    yard.engine.begin(native)
    yard.engine.end(native, files={"a/x": b"one", "b": b"", "c": b"three"})
    await yard.step(2)
    assert await _read(inputs, flow, Input("in", f"job:{made.id}/all")) == {"a/x": b"one", "b": b"", "c": b"three"}
    with pytest.raises(Absent):
        await _read(inputs, flow, Input("in", f"job:{made.id}/kept"))
    for output in ("never", "al"):
        with pytest.raises(Absent):
            await inputs.look(flow, Input("in", f"job:{made.id}/{output}"))


async def test_engines_are_as_the_settings_say(world: World) -> None:
    house = world.house
    sites = sites_of(house, JobSettings(slots=3), process=True)
    assert (sites.first, list(sites.every)) == ("process", ["process"])
    assert sites.level(label_of(world, SECRET), "L1", ("L1", "L2")) == "L2"
    assert sites.level(label_of(world, LOW), "L1", ("L1", "L2")) == "L1"
    assert sites.level(label_of(world, LOW), "", ("L1",)) == "L1"
    assert sites.level(label_of(world, LOW), "", ("L1", "L2")) == "L2"
    slurm = JobEngine("slurm", "SECRET", "/shared", {"SECRET": JobDomain(user="cm-secret", partition="s")})
    ray = JobEngine("ray", "SECRET", "/shared", {"SECRET": JobDomain(url="http://ray:8265", key_file="ray.key")})
    both = sites_of(house, JobSettings(engines={"hpc": slurm, "ray": ray}, first="hpc"), process=False)
    assert (both.first, list(both.every)) == ("hpc", ["hpc", "ray"])
    assert both.every["hpc"].executor.ceiling.label <= house.gate.vault.region.ceiling
    for site in both.every.values():
        await site.executor.close()
    with pytest.raises(Misconfigured):
        sites_of(house, JobSettings(isolate="NO SUCH"), process=False)
    with pytest.raises(Misconfigured):
        sites_of(house, JobSettings(engines={"hpc": JobEngine("slurm", "NO SUCH", "/s", {})}), process=False)
    assert sites_of(house, JobSettings(isolate=""), process=False).floor(label_of(world, TOP)) == "L1"


async def test_nodes_belong_to_labels_that_their_engine_runs(world: World) -> None:
    house = world.house
    engines = {"hpc": JobEngine("slurm", "SECRET", "/shared", {"SECRET": JobDomain(user="cm-secret")})}
    sites = sites_of(house, JobSettings(engines=engines, nodes={"n1": JobNodeSettings("hpc", "SECRET")}), process=False)
    assert sites.nodes is not None
    reach = house.gate.vault.region.reach("SECRET")
    assert [(one.engine, one.name, one.label) for one in sites.nodes.listed] == [("hpc", "n1", reach)]
    for label in ("UNCLASSIFIED", "NO SUCH"):
        with pytest.raises(Misconfigured) as told:
            sites_of(house, JobSettings(engines=engines, nodes={"n1": JobNodeSettings("hpc", label)}), process=False)
        assert told.value.facts["setting"] == "jobs.nodes.n1.label"


async def test_a_job_runs_on_this_machine(world: World, tmp_path: Path, inputs: JobInputs) -> None:
    yard = Yard(world)
    await yard.person("olga")
    room = world.house.buckets
    await bucket(world, room)
    await room.put(await at(world, LOW), "plans", "key", body(b"of the object"), NewObject())
    sites = sites_of(world.house, JobSettings(scratch=str(tmp_path / "scratch"), slots=1, isolate=""), process=True)
    reconciler = Reconciler(world.house.gate, inputs, sites)
    jobs = Jobs(world.house.gate, inputs, sites, reconciler)
    line = "cat ../in/plan > ../out/copy && echo said && echo wrong >&2"
    spec = Spec(
        ("/bin/sh", "-c", line),
        floor="L1",
        inputs=(Input("plan", "object:plans/key"),),
        outputs=(Output("all", ""),),
        resources=Resources(memory_mb=64),
    )
    found = await jobs.submit(await yard.flow("submit"), spec)
    flow = await yard.flow("read")
    async with asyncio.timeout(60):
        while (await jobs.named(flow, found.id)).value.open == "yes":
            await reconciler.step()
            await asyncio.sleep(0.02)
    job = (await jobs.named(flow, found.id)).value
    assert job.state == "SUCCEEDED", (job, await jobs.log(flow, found.id, "err"))
    assert b"".join([piece async for piece in jobs.artefact(flow, found.id, "all/copy")]) == b"of the object"
    assert (await jobs.log(flow, found.id, "out"))[0] == b"said\n"
    assert (await jobs.log(flow, found.id, "err"))[0] == b"wrong\n"
    for site in sites.every.values():
        await site.executor.close()
