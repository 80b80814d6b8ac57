"""Agencies, projects and quotas as objects, and all limits as a section of the snapshot."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from casemate.accounts import (
    AgencyRequest,
    Bounds,
    KeyRequest,
    Limits,
    ProjectRequest,
    QuotaRequest,
    add_agency,
    add_project,
    agencies,
    issue,
    limits_from_bytes,
    limits_to_bytes,
    projects,
    quota,
    quotas,
    read_limits,
    set_quota,
)
from casemate.accounts.quota import Binding, Line, Owned
from casemate.errors import Absent, BadInput, Conflict, Damaged, Refused
from casemate.policy import Action
from tests.attacks.scene import LOW, SECRET, TOP, flow_of, label_of, log, principal
from tests.laws.world import World

ADD, LIST = Action("add", "project"), Action("list", "project")
SET, READ, ISSUE = Action("set", "quota"), Action("read", "quota"), Action("issue", "key")


async def officer(world: World, action: Action, at: str = TOP) -> Any:
    return await flow_of(world, principal(world, "olga", TOP, "officer", "user"), action, at)


async def test_a_project_exists_from_its_label_up(world: World) -> None:
    await add_agency(await officer(world, ADD, LOW), AgencyRequest("NAVY", "The navy"))
    project = await add_project(await officer(world, ADD, SECRET), ProjectRequest("alpha", "NAVY", "A"))
    assert (project.agency, project.added_by, project.at) == ("NAVY", "olga", world.clock.now())
    assert log(world, SECRET)[-1].facts == {"project": "alpha", "agency": "NAVY"}
    assert [p.id for p in await projects(await officer(world, LIST, LOW))] == []
    assert [p.id for p in await projects(await officer(world, LIST, SECRET))] == ["alpha"]
    with pytest.raises(Conflict):
        await add_project(await officer(world, ADD, TOP), ProjectRequest("alpha"))
    below = await add_project(await officer(world, ADD, LOW), ProjectRequest("alpha"))
    assert below.agency == "EXERCISE", "what lies above is not known below"
    assert [p.value.agency for p in await projects(await officer(world, LIST, TOP))] == ["NAVY"]
    assert [a.name for a in await agencies(await officer(world, LIST, LOW))] == ["EXERCISE", "NAVY"]


@pytest.mark.parametrize("name", ["", "Alpha", "a b", "-a", "a" * 65, "a/b", "=1", "é"])
async def test_names_of_projects_are_plain(world: World, name: str) -> None:
    with pytest.raises(BadInput):
        await add_project(await officer(world, ADD), ProjectRequest(name))
    with pytest.raises(BadInput):
        await add_agency(await officer(world, ADD), AgencyRequest(name.lower()))


async def test_what_is_not_there_or_there_already(world: World) -> None:
    for request in (AgencyRequest("EXERCISE"), AgencyRequest("NAVY")):
        if request.name == "NAVY":
            await add_agency(await officer(world, ADD, SECRET), request)
        with pytest.raises(Conflict):
            await add_agency(await officer(world, ADD, SECRET), request)
    with pytest.raises(Absent):
        await add_project(await officer(world, ADD, LOW), ProjectRequest("alpha", "NAVY"))
    with pytest.raises(Conflict):
        await add_project(await officer(world, ADD), ProjectRequest("default"))
    for title in ("x" * 201, "a\nb"):
        with pytest.raises(BadInput):
            await add_project(await officer(world, ADD), ProjectRequest("beta", title=title))


async def test_a_key_names_a_project_that_its_owner_sees(world: World) -> None:
    await add_project(await officer(world, ADD, SECRET), ProjectRequest("alpha"))
    key, _ = await issue(await officer(world, ISSUE, SECRET), KeyRequest(project="alpha"))
    assert key.project == "alpha"
    assert (await issue(await officer(world, ISSUE, LOW), KeyRequest(project="default")))[0].project == "default"
    for name in ("alpha", "never"):
        with pytest.raises(Absent) as told:
            await issue(await officer(world, ISSUE, LOW), KeyRequest(project=name))
        assert told.value.facts == {"kind": "project", "id": name}


async def test_a_quota_is_set_read_replaced_and_taken_away(world: World) -> None:
    some = Bounds(requests_per_minute=5, budget_per_month=1)
    made = await set_quota(await officer(world, SET, SECRET), QuotaRequest("default", bounds=some))
    assert (made.subject, made.set_by) == ("project:default", "olga")
    assert log(world, SECRET)[-1].facts == {
        "subject": "project:default",
        "requests_per_minute": 5,
        "budget_per_month": 1,
    }
    other = Bounds(concurrent=0)
    await set_quota(await officer(world, SET, SECRET), QuotaRequest("default", bounds=other))
    await set_quota(await officer(world, SET, LOW), QuotaRequest("default", bounds=some))
    found = await quotas(await officer(world, READ, SECRET))
    assert [(f.label.text, f.value.bounds) for f in found] == [(LOW, some), (SECRET, other)]
    await set_quota(await officer(world, SET, SECRET), QuotaRequest("default"))
    assert [f.label.text for f in await quotas(await officer(world, READ, TOP))] == [LOW]


async def test_a_quota_is_for_something_that_is_visible(world: World) -> None:
    await world.person("ann", SECRET)
    key, _ = await issue(await officer(world, ISSUE, SECRET), KeyRequest())
    await set_quota(await officer(world, SET, SECRET), QuotaRequest(key=key.id, bounds=Bounds(1)))
    for request in (QuotaRequest(key=key.id), QuotaRequest("never"), QuotaRequest(key="never")):
        with pytest.raises(Absent):
            await set_quota(await officer(world, SET, LOW), request)
    for bad in (
        QuotaRequest(),
        QuotaRequest("default", "key"),
        QuotaRequest("default", bounds=Bounds(-1)),
        QuotaRequest("default", bounds=Bounds(concurrent=10**13)),
    ):
        with pytest.raises(BadInput):
            await set_quota(await officer(world, SET), bad)


@pytest.mark.parametrize("role", ["user", "auditor", "releaser"])
async def test_who_may_not(world: World, role: str) -> None:
    for action in (ADD, SET):
        with pytest.raises(Refused, match="role"):
            await flow_of(world, principal(world, "ann", TOP, role), action)


async def test_all_limits_go_into_a_section_and_come_out_again(world: World) -> None:
    await add_project(await officer(world, ADD, SECRET), ProjectRequest("alpha"))
    key, _ = await issue(await officer(world, ISSUE, SECRET), KeyRequest(project="alpha"))
    await issue(await officer(world, ISSUE, SECRET), KeyRequest())
    await set_quota(await officer(world, SET, TOP), QuotaRequest(key=key.id, bounds=Bounds(1, 2, 3, 4, 5)))
    limits = await read_limits(world.house.gate)
    assert limits == Limits(
        "EXERCISE",
        (Line(label_of(world, TOP).text, f"key:{key.id}", Bounds(1, 2, 3, 4, 5)),),
        (Binding(SECRET, key.id, "alpha"),),
        (Owned(SECRET, "alpha", "EXERCISE"),),
    )
    assert limits_from_bytes(limits_to_bytes(limits)) == limits


def test_a_section_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    good = Limits("A", (Line("l", "key:k", Bounds(1)),))
    raw = limits_to_bytes(good)
    negative = limits_to_bytes(Limits("A", (Line("l", "key:k", Bounds(-1)),)))
    for bad in (b"", b"\xff", raw[:-1], raw + b"x", msgspec.msgpack.encode({"agency": 3}), b"\x91" * 9999, negative):
        with pytest.raises(Damaged):
            limits_from_bytes(bad)
    monkeypatch.setattr(quota, "SECTION", len(raw) - 1)
    with pytest.raises(Damaged):
        limits_to_bytes(good)
    with pytest.raises(Damaged):
        limits_from_bytes(raw)
    monkeypatch.setattr(quota, "SECTION", 1000)
    monkeypatch.setattr(quota, "LINES", 0)
    with pytest.raises(Damaged):
        limits_to_bytes(good)
    with pytest.raises(Damaged):
        limits_from_bytes(raw)
