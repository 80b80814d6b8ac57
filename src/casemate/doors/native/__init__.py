"""The native API under /api: what the console and the command line stand on. A file per noun.

Every answer is JSON with its label and marking beside the data; every operation is a `Route` and has an action.
"""

from __future__ import annotations

from collections.abc import Callable

from casemate.doors.frame import Route
from casemate.doors.native import (
    answers,
    backups,
    bases,
    buckets,
    class_keys,
    datasets,
    documents,
    environments,
    job_definitions,
    job_lines,
    job_nodes,
    job_queues,
    jobs,
    keys,
    labels,
    ledger,
    lineage,
    metrics,
    mission_calls,
    mission_ensembles,
    mission_runs,
    mission_talks,
    mission_watches,
    missions,
    models,
    openapi,
    outsiders,
    policy,
    principals,
    projects,
    prove,
    prove_all,
    quarantine,
    quotas,
    region,
    release,
    search,
    services,
    session,
    sources,
    spill,
    store,
    sweeps,
    today,
    transfer,
    upkeep,
    usage,
    work,
)
from casemate.doors.native.problem import PLANE
from casemate.doors.native.rooms import Rooms

__all__ = ["PLANE", "Rooms", "routes"]

NOUNS: tuple[Callable[[Rooms], list[Route]], ...] = (
    region.routes,
    session.routes,
    answers.routes,
    prove.routes,
    prove_all.routes,
    documents.routes,
    search.routes,
    upkeep.routes,
    bases.routes,
    sources.routes,
    buckets.routes,
    store.routes,
    keys.routes,
    class_keys.routes,
    principals.routes,
    outsiders.routes,
    projects.routes,
    release.routes,
    policy.routes,
    quotas.routes,
    usage.routes,
    models.routes,
    ledger.routes,
    lineage.routes,
    spill.routes,
    quarantine.routes,
    today.routes,
    labels.routes,
    metrics.routes,
    backups.routes,
    datasets.routes,
    environments.routes,
    jobs.routes,
    job_lines.routes,
    job_nodes.routes,
    job_queues.routes,
    job_definitions.routes,
    work.routes,
    transfer.routes,
    services.routes,
    sweeps.routes,
    missions.routes,
    mission_runs.routes,
    mission_ensembles.routes,
    mission_calls.routes,
    mission_talks.routes,
    mission_watches.routes,
)


def routes(rooms: Rooms) -> list[Route]:
    """All native routes."""
    found = [route for noun in NOUNS for route in noun(rooms)]
    return [*found, *openapi.routes(found)]
