"""Jobs: the engines that the settings name, the scratch of each, and the loop in the process that has rooms."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from casemate.access import Ceiling
from casemate.datasets import Datasets
from casemate.engines.dataset_tree import DatasetTrees
from casemate.errors import MarkingError, Misconfigured
from casemate.jobs import Executor, Jobs
from casemate.jobs.environment import Environments
from casemate.jobs.environment import Site as Standing
from casemate.jobs.nodes import Nodes
from casemate.jobs.packages import Mirror
from casemate.jobs.reconcile import Reconciler
from casemate.jobs.services import Doors, Nowhere, Services
from casemate.jobs.sites import Level, Site, Sites
from casemate.labels import Label
from casemate.settings.jobs import PROCESS, JobEngine, JobSettings
from casemate.wiring.house import House
from casemate.wiring.job_inputs import JobInputs
from casemate.wiring.job_nodes import nodes_of

__all__ = ["jobs_of", "seen_jobs", "sites_of"]


def jobs_of(house: House, datasets: Datasets) -> Jobs:
    """The room, with its loop in the house. In a law no engine is joined but those that it names."""
    told = house.settings.jobs
    lawful = house.extractor is not None  # a law's world: nothing of the machine runs in it
    sites = sites_of(house, told, process=told.process and not lawful)
    inputs = JobInputs(datasets, house.buckets, house.folder.path.absolute() / "models")
    reconciler = Reconciler(house.gate, inputs, sites, None if lawful else 0.5)
    services = Services(house.gate, sites, _doors(house, told, lawful), None if lawful else 0.5)
    jobs = Jobs(house.gate, inputs, sites, reconciler)
    house.loops += [*jobs.loops(), *services.loops()]

    async def close() -> None:
        await services.stop()
        await jobs.stop()
        for site in sites.every.values():
            await site.executor.close()

    house.closers.append(close)
    return jobs


def _doors(house: House, told: JobSettings, lawful: bool) -> Doors:
    """Where services are asked. Nobody is until their loop has said so in this process."""
    if lawful:
        return Nowhere()
    from casemate.engines.service_doors import ServiceDoors

    roots = {name: Path(engine.scratch) for name, engine in told.engines.items()}
    roots[PROCESS] = Path(told.scratch) if told.scratch else house.folder.run.absolute() / "jobs"
    doors = ServiceDoors(house.folder.run.absolute() / "services", roots, house.gate.threads)
    doors.clear()
    return doors


def seen_jobs(house: House) -> Jobs:
    """The room in a process that runs no jobs: they are asked for and looked at there, what they say meanwhile too."""
    told = house.settings.jobs
    sites = sites_of(house, told, process=told.process and house.extractor is None)
    return Jobs(
        house.gate, JobInputs(Datasets(DatasetTrees()), house.buckets, house.folder.path.absolute() / "models"), sites
    )


def sites_of(house: House, told: JobSettings, process: bool) -> Sites:
    """The engines of this region. Raises Misconfigured for a marking that cannot be read."""
    every: dict[str, Site] = {}
    if process:
        from casemate.engines.executor_process import ProcessExecutor
        from casemate.engines.job_scratch import JobScratch

        region = house.gate.vault.region
        root = Path(told.scratch) if told.scratch else house.folder.run.absolute() / "jobs"
        ceiling = Ceiling(PROCESS, region.ceiling)
        executor = ProcessExecutor(PROCESS, ceiling, root, threads=house.gate.threads, slots=told.slots, warm=told.warm)
        every[PROCESS] = Site(executor, JobScratch(root, house.gate.threads, here=True), python=executor.python)
    nodes = nodes_of(house, told)
    for name, engine in told.engines.items():
        every[name] = _cluster(house, name, engine, nodes)
    first = told.first if told.first in every else next(iter(every), "")
    network = [_label(house, "jobs.network", marking) for marking in told.network]
    return Sites(every, first, _floor(house, told), _environments(house, told), nodes=nodes, network=network)


def _environments(house: House, told: JobSettings) -> Environments:
    from casemate.engines.job_environment import program

    standing = {
        name: Standing(site.path, _label(house, f"jobs.sites.{name}.label", site.label), site.paths, site.env)
        for name, site in told.sites.items()
    }
    return Environments(standing, program(), Mirror(tuple(bytes.fromhex(key) for key in told.package_keys)))


def _cluster(house: House, name: str, told: JobEngine, nodes: Nodes) -> Site:
    from casemate.engines.job_order import shim
    from casemate.engines.job_scratch import JobScratch

    setting, gate = f"jobs.engines.{name}", house.gate
    ceiling = Ceiling(name, _label(house, f"{setting}.accreditation", told.accreditation))
    domains = {
        gate.classes.of(_label(house, f"{setting}.labels.{text}", text)).id: domain
        for text, domain in told.labels.items()
    }
    command = told.shim or shim()

    async def said() -> str:
        return told.python

    if told.kind == "slurm":
        from casemate.engines.executor_slurm import Lane, SlurmExecutor
        from casemate.engines.job_scratch_owned import OwnedScratch

        lanes = {id: Lane(domain.user, domain.partition) for id, domain in domains.items()}
        slurm = SlurmExecutor(name, ceiling, lanes, command, programs=told.programs, conf=told.conf, levels=told.levels)
        owners = {id: domain.user for id, domain in domains.items()}
        return Site(slurm, OwnedScratch(Path(told.scratch), owners, gate.threads), nodes.of(name, slurm.nodes), said)
    from casemate.engines.executor_ray import RayExecutor
    from casemate.engines.remote import Upstream

    clusters = {
        id: Upstream(
            domain.url,
            name=name,
            key_file=house.folder.keys / domain.key_file if domain.key_file else None,
            ca_file=house.folder.path / domain.ca_file if domain.ca_file else None,
        )
        for id, domain in domains.items()
    }
    executor: Executor = RayExecutor(name, ceiling, clusters, command, levels=told.levels)
    return Site(executor, JobScratch(Path(told.scratch), gate.threads), python=said)


def _label(house: House, setting: str, text: str) -> Label:
    try:
        return house.gate.vault.region.reach(text)
    except MarkingError as error:
        raise Misconfigured(setting=setting, why=str(error.facts.get("why", ""))) from None


def _floor(house: House, told: JobSettings) -> Callable[[Label], Level]:
    """From which label on L2 is the least."""
    try:
        least = house.gate.vault.region.label(told.isolate) if told.isolate else None
    except MarkingError as error:
        if told.isolate != JobSettings().isolate:
            raise Misconfigured(setting="jobs.isolate", why=str(error.facts.get("why", ""))) from None
        least = None

    def floor(label: Label) -> Level:
        return "L2" if least is not None and least <= label else "L1"

    return floor
