"""Queues and definitions through the native API; and what a quota refuses there."""

from __future__ import annotations

from tests.attacks.scene import LOW, SECRET
from tests.laws.world import Seen, World

SPEC = {"command": ["/bin/echo", "Ref::word"]}


async def people_of(world: World) -> World:
    """Ann and bob at SECRET, somebody at the floor, and who runs the region."""
    await world.person("ann", SECRET)
    await world.person("low", LOW)
    await world.person("opal", SECRET, ("operator",))
    return world


async def made(world: World, who: str = "ann", label: str = SECRET, **more: object) -> Seen:
    return await world.call(who, "POST", "/api/job-queues", {"name": "night", **more}, label)


async def test_a_queue_is_made_shown_changed_and_forgotten(world: World) -> None:
    people = await people_of(world)
    seen = await made(people, priority=-5, max_share=50, shares={"ann": 2}, floor="L2", tags={"of": "law"})
    assert seen.status == 201
    told = seen.json["data"]
    assert (told["priority"], told["max_share"], told["shares"], told["floor"]) == (-5, 50, {"ann": 2.0}, "L2")
    assert (told["made_by"], told["label"]) == ("ann", SECRET)
    assert (await made(people)).status == 409
    listed = await people.call("ann", "GET", "/api/job-queues", acting=SECRET)
    assert [one["name"] for one in listed.json["data"]] == ["default", "night"]
    at = "/api/job-queues/night"
    seen = await people.call("ann", "PUT", at, {"enabled": False, "shares": {}}, SECRET)
    assert (seen.json["data"]["enabled"], seen.json["data"]["shares"], seen.json["data"]["priority"]) == (False, {}, -5)
    assert (await people.call("ann", "PUT", at, {"max_share": 0}, SECRET)).status == 400
    assert (await people.call("ann", "PUT", at, {"made_by": "x"}, SECRET)).status == 400
    assert (await people.call("ann", "GET", at, acting=SECRET)).json["data"]["max_share"] == 50
    assert (await people.call("ann", "DELETE", at, acting=SECRET)).json["data"] == {"name": "night"}
    assert (await people.call("ann", "GET", at, acting=SECRET)).status == 404


async def test_a_queue_above_is_as_absent_as_one_that_never_was(world: World) -> None:
    people = await people_of(world)
    await made(people)
    for name in ("night", "never"):
        seen = await people.call("low", "GET", f"/api/job-queues/{name}", acting=LOW)
        assert (seen.status, seen.json["detail"].replace(name, "")) == (404, seen.json["detail"].replace(name, ""))
    assert len((await people.call("low", "GET", "/api/job-queues", acting=LOW)).json["data"]) == 1
    assert (await made(people, "low", LOW, max_share=20)).status == 201
    seen = await people.call("low", "GET", "/api/job-queues/night", acting=LOW)
    assert seen.json["data"]["max_share"] == 20
    assert (await people.call("ann", "GET", "/api/job-queues/night", acting=SECRET)).json["data"]["max_share"] == 100


async def test_a_mark_in_a_name_of_a_share_is_looked_for(world: World) -> None:
    people = await people_of(world)
    for where in ({"shares": {"(TS) x": 1}}, {"tags": {"a": "(TS) x"}}):
        seen = await made(people, **where)
        assert seen.status in (400, 403), where
        await made(people)
        seen = await people.call("ann", "PUT", "/api/job-queues/night", where, SECRET)
        assert seen.status in (400, 403), where


async def test_a_definition_is_added_shown_submitted_and_retired(world: World) -> None:
    people = await people_of(world)
    body = {"name": "count", "spec": SPEC, "parameters": {"word": "here"}}
    seen = await people.call("ann", "POST", "/api/job-definitions", body, SECRET)
    assert (seen.status, seen.json["data"]["id"], seen.json["data"]["revision"]) == (201, "count:1", 1)
    assert "said" not in seen.json["data"]
    await people.call("ann", "POST", "/api/job-definitions", body, SECRET)
    listed = await people.call("ann", "GET", "/api/job-definitions?name=count", acting=SECRET)
    assert [one["id"] for one in listed.json["data"]] == ["count:2", "count:1"]
    assert (await people.call("low", "GET", "/api/job-definitions", acting=LOW)).json["data"] == []
    at = "/api/job-definitions/count"
    assert (await people.call("ann", "GET", at, acting=SECRET)).json["data"]["id"] == "count:2"
    assert (await people.call("low", "GET", at, acting=LOW)).status == 404
    assert (await people.call("ann", "DELETE", at, acting=SECRET)).status == 404
    assert (await people.call("ann", "DELETE", f"{at}:2", acting=SECRET)).json["data"] == {"name": "count:2"}
    job = await people.call("ann", "POST", "/api/jobs", {"definition": "count", "key": "k"}, SECRET)
    assert job.json["data"]["spec"]["command"] == ["/bin/echo", "here"]
    words = {"definition": "count:1", "parameters": {"word": "there"}, "queue": "default"}
    job = await people.call("ann", "POST", "/api/jobs", words, SECRET)
    assert job.json["data"]["spec"]["command"] == ["/bin/echo", "there"]
    for wrong, status in (
        ({"definition": "count:2"}, 400),
        ({"definition": "never"}, 404),
        ({"definition": "count", "spec": SPEC}, 400),
        ({"spec": SPEC, "parameters": {"a": "b"}}, 400),
        ({"spec": SPEC, "queue": "default"}, 400),
    ):
        assert (await people.call("ann", "POST", "/api/jobs", wrong, SECRET)).status == status, wrong
    marked = {"definition": "count", "parameters": {"word": "(TS) x"}}
    assert (await people.call("ann", "POST", "/api/jobs", marked, SECRET)).status in (400, 403)
    marked = {**body, "parameters": {"word": "(TS) x"}}
    assert (await people.call("ann", "POST", "/api/job-definitions", marked, SECRET)).status in (400, 403)


async def test_a_quota_of_a_principal_refuses_at_the_door(world: World) -> None:
    people = await people_of(world)
    quota = {"principal": "ann", "bounds": {"jobs": 1, "job_cpus": 2}}
    assert (await people.call("opal", "PUT", "/api/quotas", quota, SECRET)).json["data"]["subject"] == "principal:ann"
    large = {"spec": {**SPEC, "resources": {"cpus": 3}}}
    seen = await people.call("ann", "POST", "/api/jobs", large, SECRET)
    assert (seen.status, seen.json["rule"]) == (403, "job-quota")
    assert (await people.call("ann", "POST", "/api/jobs", {"spec": SPEC}, SECRET)).status == 201
    seen = await people.call("ann", "POST", "/api/jobs", {"spec": SPEC}, SECRET)
    assert (seen.status, seen.json["slug"]) == (429, "quota-exceeded")
    for wrong, status in (
        ({"principal": "never", "bounds": {"jobs": 1}}, 200),
        ({"principal": "a:b", "bounds": {"jobs": 1}}, 400),
        ({"principal": "ann", "bounds": {"concurrent": 1}}, 400),
        ({"project": "default", "bounds": {"jobs": 1}}, 400),
        ({"principal": "ann", "project": "default", "bounds": {"jobs": 1}}, 400),
    ):
        assert (await people.call("opal", "PUT", "/api/quotas", wrong, SECRET)).status == status, wrong
