"""Who may do what through the native API: a table that is read against the routes, by role."""

from __future__ import annotations

import re

import pytest

from casemate.identity import ROLES
from casemate.policy import ACTIONS
from tests.attacks.scene import SECRET, log
from tests.laws.world import World

ALL = set(ROLES)
MAY: dict[str, set[str]] = {
    "GET /api/region": ALL,
    "GET /api/doctor": ALL,
    "POST /api/region/policies": {"officer"},
    "POST /api/region/two-person": {"officer"},
    "GET /api/session": ALL,
    "POST /api/ask": {"user"},
    "POST /api/ask/stream": {"user"},
    "POST /api/answers": {"user"},
    "GET /api/answers": {"user"},
    "POST /api/prove": {"user", "auditor"},
    "POST /api/prove/all": {"auditor"},
    "GET /api/proofs": {"officer", "auditor"},
    "POST /api/documents": {"user"},
    "GET /api/documents": {"user"},
    "POST /api/documents/label": {"user"},
    "GET /api/documents/{id}": {"user"},
    "DELETE /api/documents/{id}": {"user"},
    "PUT /api/documents/{id}/label": {"user"},
    "PUT /api/documents/{id}/attributes": {"user"},
    "POST /api/documents/{id}/review": {"user"},
    "GET /api/documents/{id}/lineage": {"user"},
    "GET /api/documents/{id}/source": {"user"},
    "GET /api/review": {"user"},
    "GET /api/knowledge": {"user"},
    "POST /api/knowledge": {"user"},
    "DELETE /api/knowledge/{base}": {"user"},
    "POST /api/knowledge/{base}/embedder": {"user"},
    "GET /api/sources": {"user"},
    "POST /api/sources": {"user"},
    "DELETE /api/sources/{id}": {"user"},
    "GET /api/search": {"user"},
    "POST /api/search": {"user"},
    "POST /api/keys": ALL,
    "GET /api/keys": ALL,
    "DELETE /api/keys/{id}": ALL,
    "GET /api/principals": {"officer"},
    "POST /api/principals": {"officer"},
    "PUT /api/principals/{id}": {"officer"},
    "POST /api/principals/{id}/confirm": {"officer"},
    "DELETE /api/principals/{id}/confirm": {"officer"},
    "POST /api/principals/{id}/bindings": {"officer"},
    "GET /api/bindings": {"officer"},
    "DELETE /api/bindings/{id}": {"officer"},
    "PUT /api/attributes/{authority}": {"officer"},
    "GET /api/attributes": {"officer"},
    "GET /api/agencies": {"user", "officer", "auditor", "operator"},
    "POST /api/agencies": {"officer", "operator"},
    "GET /api/projects": {"user", "officer", "auditor", "operator"},
    "POST /api/projects": {"officer", "operator"},
    "GET /api/quotas": {"officer", "auditor", "operator"},
    "PUT /api/quotas": {"officer", "operator"},
    "GET /api/buckets": {"user"},
    "POST /api/buckets": {"user"},
    "DELETE /api/buckets/{name}": {"user"},
    "GET /api/buckets/{name}/objects": {"user"},
    "POST /api/store/scrub": {"operator"},
    "GET /api/store/damaged": {"user", "operator"},
    "GET /api/store/classes": {"user", "operator"},
    "GET /api/usage": {"user", "officer", "auditor", "operator"},
    "POST /api/usage/recount": {"auditor"},
    "GET /api/models": {"user", "officer", "auditor", "operator"},
    "GET /api/models/{name*}": {"user", "officer", "auditor", "operator"},
    "POST /api/models": {"operator"},
    "POST /api/models/import": {"operator"},
    "POST /api/models/look": {"operator"},
    "POST /api/models/keys": {"operator"},
    "POST /api/models/accredit": {"officer"},
    "POST /api/models/verify": {"officer", "operator"},
    "POST /api/models/retire": {"officer", "operator"},
    "POST /api/models/why": {"user", "operator"},
    "GET /api/backup": {"operator"},
    "POST /api/backup": {"operator"},
    "POST /api/backup/drill": {"operator"},
    "GET /api/environments": {"user", "operator"},
    "POST /api/environments": {"user", "operator"},
    "PUT /api/environments/{name}": {"user", "operator"},
    "GET /api/environments/{name}": {"user", "operator"},
    "DELETE /api/environments/{name}": {"operator"},
    "GET /api/packages": {"user", "operator"},
    "POST /api/packages": {"operator"},
    "PUT /api/packages/{name}": {"operator"},
    "GET /api/datasets": {"user", "operator"},
    "POST /api/datasets": {"operator"},
    "GET /api/datasets/{name}": {"user", "operator"},
    "GET /api/datasets/{name}/files": {"user"},
    "POST /api/datasets/{name}/verify": {"user", "operator"},
    "POST /api/datasets/{name}/digest": {"operator"},
    "DELETE /api/datasets/{name}": {"operator"},
    "POST /api/jobs": {"user"},
    "GET /api/jobs": {"user", "operator"},
    "GET /api/jobs/top": {"user", "operator"},
    "GET /api/jobs/{id}": {"user", "operator"},
    "POST /api/jobs/{id}/cancel": {"user", "operator"},
    "POST /api/jobs/{id}/retry": {"user"},
    "POST /api/jobs/{id}/terminal": {"user"},
    "POST /api/jobs/{id}/notebook": {"user"},
    "GET /api/jobs/{id}/logs": {"user"},
    "GET /api/jobs/{id}/artefacts": {"user"},
    "GET /api/jobs/{id}/artefacts/{name*}": {"user"},
    "POST /api/sweeps": {"user"},
    "GET /api/sweeps/{id}": {"user"},
    "GET /api/missions": {"user", "operator"},
    "POST /api/missions": {"user", "operator"},
    "GET /api/missions/{name}": {"user", "operator"},
    "DELETE /api/missions/{name}": {"operator"},
    "POST /api/missions/{name}/estimate": {"user"},
    "POST /api/missions/{name}/runs": {"user"},
    "GET /api/missions/{name}/runs": {"user", "operator"},
    "GET /api/mission-tools": {"user", "operator"},
    "GET /api/missions/{name}/tool": {"user", "operator"},
    "POST /api/missions/{name}/calls": {"user"},
    "GET /api/mission-findings": {"user"},
    "GET /api/mission-notices": {"user"},
    "GET /api/mission-watches": {"user"},
    "POST /api/mission-watches": {"user"},
    "GET /api/mission-watches/{id}": {"user"},
    "DELETE /api/mission-watches/{id}": {"user", "operator"},
    "GET /api/mission-runs/{id}": {"user"},
    "GET /api/mission-runs/{id}/report": {"user"},
    "GET /api/mission-runs/{id}/tables/{name}": {"user"},
    "GET /api/mission-runs/{id}/compare": {"user"},
    "POST /api/mission-runs/{id}/again": {"user"},
    "POST /api/mission-runs/{id}/findings": {"user"},
    "POST /api/jobs/{id}/update": {"user"},
    "POST /api/models/deploy": {"operator"},
    "POST /api/models/undeploy": {"operator"},
    "GET /api/job-queues": {"user", "operator"},
    "POST /api/job-queues": {"user", "operator"},
    "GET /api/job-queues/{name}": {"user", "operator"},
    "PUT /api/job-queues/{name}": {"user", "operator"},
    "DELETE /api/job-queues/{name}": {"user", "operator"},
    "GET /api/job-definitions": {"user"},
    "POST /api/job-definitions": {"user"},
    "GET /api/job-definitions/{name}": {"user"},
    "DELETE /api/job-definitions/{name}": {"user"},
    "GET /api/job-nodes": {"operator"},
    "POST /api/job-nodes/{engine}/{name}/sanitise": {"operator"},
    "GET /api/ledger": ALL,
    "POST /api/ledger/verify": {"auditor", "operator", "officer"},
    "GET /api/ledger/heads": {"auditor", "operator", "officer"},
    "GET /api/ledger/key": {"auditor", "operator", "officer"},
    "GET /api/ledger/notes": {"auditor", "operator", "officer"},
    "GET /api/ledger/witnesses": {"auditor", "officer"},
    "POST /api/ledger/witnesses": {"auditor", "officer"},
    "GET /api/ledger/cosignatures": {"auditor", "officer"},
    "POST /api/ledger/witnesses/{name}/cosign": {"auditor", "officer"},
    "GET /api/ledger/{id}/proof": ALL,
    "POST /api/ledger/{id}/redact": {"officer"},
    "GET /api/ledger/logs/{log}": {"auditor"},
    "GET /api/ledger/{id}": ALL,
    "POST /api/ledger/{id}/open": {"auditor"},
    "POST /api/releases": {"user"},
    "GET /api/releases": {"user", "releaser"},
    "GET /api/releases/{id}": {"user", "releaser"},
    "POST /api/releases/{id}/approve": {"releaser"},
    "POST /api/releases/{id}/refuse": {"user", "releaser"},
    "POST /api/releases/{id}/carry": {"user", "releaser"},
    "GET /api/release-keys": {"officer", "auditor", "releaser"},
    "POST /api/release-keys": {"releaser"},
    "POST /api/release-keys/{id}/register": {"officer"},
    "DELETE /api/release-keys/{id}": {"officer", "releaser"},
    "GET /api/lineage/{object*}": {"user", "officer"},
    "GET /api/lineage.svg/{object*}": {"user", "officer"},
    "POST /api/spills/report": {"officer"},
    "POST /api/spills": {"officer"},
    "GET /api/spills": {"officer"},
    "GET /api/spills/{id}": {"officer"},
    "GET /api/spills/{id}/picture": {"officer"},
    "POST /api/spills/{id}/lift": {"officer"},
    "POST /api/labels/lint": ALL,
    "POST /api/policy/try": {"user", "officer", "auditor"},
    "GET /api/today": ALL,
    "GET /api/live": {"auditor", "operator"},
    "GET /api/class-keys": {"officer", "auditor", "operator"},
    "GET /api/class-keys/here": {"officer", "auditor", "operator"},
    "POST /api/class-keys/destroy": {"officer"},
    "GET /api/store/quarantine": {"operator", "auditor"},
}


async def test_every_route_stands_in_the_table_and_its_action_in_the_policy(world: World) -> None:
    routes = [route for route in world.house.app.table.routes if route.path.startswith("/api/") and not route.public]
    assert {f"{route.method} {route.path}" for route in routes} == set(MAY)
    for route in world.house.app.table.routes:
        assert route.action.name in ACTIONS, f"{route.method} {route.path}"


@pytest.mark.parametrize("role", ROLES)
async def test_a_role_does_what_it_may_and_is_refused_the_rest(world: World, role: str) -> None:
    await world.person("ann", SECRET, (role,))
    for name, may in MAY.items():
        method, path = name.split()
        seen = await world.call("ann", method, re.sub(r"\{\w+\}", "x", path), b"", SECRET)
        refused = seen.status == 403 and seen.json.get("rule") == "role"
        assert refused == (role not in may), f"{role}: {name} gave {seen.status}"
        if refused:
            entry = log(world, SECRET)[-1]
            assert (entry.id, entry.rule, entry.principal) == (seen.header("casemate-ledger"), "role", "ann")


async def test_nobody_does_anything_without_a_credential(world: World) -> None:
    for name in MAY:
        method, path = name.split()
        seen = await world.call("nobody", method, re.sub(r"\{\w+\}", "x", path), b"{}")
        assert (seen.status, seen.json["slug"]) == (401, "unauthenticated"), name
        assert seen.header("casemate-ledger")
