"""The console: the native API with a face, for people with a browser.

Every page is what a native operation gives, written by a template; the same path with `.json` gives it as data. A page
bears the marking of what is on it, above and below and on every printed sheet. It must never know more than the native
API tells the same caller, ask another host for anything, or run a script that is not its own file.
"""

from __future__ import annotations

from collections.abc import Callable

from casemate.doors.console import (
    answers,
    ask,
    bases,
    buckets,
    connect,
    consent,
    datasets,
    document,
    documents,
    jobs,
    keys,
    labels,
    ledger,
    lineage,
    live,
    missions,
    policy,
    principals,
    problem,
    proofs,
    prove,
    queues,
    releases,
    review,
    search,
    session,
    sign_in,
    sources,
    spill,
    static,
    today,
    transfer,
    watches,
    work,
)
from casemate.doors.console.face import Face
from casemate.doors.frame import Plane, Route
from casemate.doors.native import PLANE as NATIVE
from casemate.doors.native import Rooms

__all__ = ["PLANE", "routes"]

PLANE = Plane("console", "/", NATIVE.credential, NATIVE.tell, problem.event, problem.page)

PAGES: tuple[Callable[[Face], list[Route]], ...] = (
    consent.routes,
    sign_in.routes,
    session.routes,
    ask.routes,
    search.routes,
    prove.routes,
    answers.routes,
    documents.routes,
    document.routes,
    review.routes,
    bases.routes,
    datasets.routes,
    jobs.routes,
    queues.routes,
    work.routes,
    missions.routes,
    watches.routes,
    sources.routes,
    buckets.routes,
    releases.routes,
    lineage.routes,
    spill.routes,
    labels.routes,
    transfer.routes,
    today.routes,
    live.routes,
    ledger.routes,
    keys.routes,
    principals.routes,
    proofs.routes,
    policy.routes,
    connect.routes,
    static.routes,
)


def routes(rooms: Rooms) -> list[Route]:
    """All routes of the console."""
    face = Face(rooms)
    return [route for page in PAGES for route in page(face)]
