"""Jobs through the native API: submitted, listed by pages, looked into, ended, made again; logs and bytes, marked."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.access import Gate
from casemate.doors.native.jobs import _text
from casemate.identity import Bearer
from casemate.jobs import JOB, Artefact, Attempt, Job, Spec, Usage
from casemate.jobs.queues import Queue, Queues
from casemate.objects import Put
from casemate.policy import Action
from tests.attacks.scene import LOW, SECRET
from tests.laws.world import World

TRUE = {"command": ["/bin/true"], "name": "nothing"}


async def submit(world: World, who: str = "ann", label: str = SECRET, **more: Any) -> dict[str, Any]:
    """The job that was made."""
    seen = await world.call(who, "POST", "/api/jobs", {"spec": {**TRUE, **more}}, label)
    assert seen.status == 201, seen.body
    return dict(seen.json["data"])


async def queued(world: World, queue: Queue, label: str = SECRET, who: str = "ann") -> None:
    """A queue of that person's at that label."""
    gate: Gate = world.house.gate
    flow = await gate.open(
        gate.admit(Bearer(world.keys[who])), Action("make", "job-queue"), world.policies.parse(label)
    )
    await Queues(gate).make(flow, queue)


async def kept(world: World, who: str, id: str, job: Job, label: str = SECRET, **blobs: bytes) -> None:
    """A job as the loop leaves it: `out` and `err` are what it said, everything else came out under that name."""
    gate: Gate = world.house.gate
    acting = world.policies.parse(label) if label else None
    flow = await gate.open(gate.admit(Bearer(world.keys[who])), Action("submit", "job"), acting)
    found: dict[str, list[Artefact]] = {"logs": [], "artefacts": []}
    for name, data in blobs.items():
        piece = await flow.pour(data)
        one = Artefact(name, len(data), hashlib.sha384(data).hexdigest(), (piece,) if data else ())
        found["logs" if name in ("out", "err") else "artefacts"].append(one)
    fields = {name: getattr(job, name) for name in job.__struct_fields__}
    whole = Job(**{**fields, "logs": tuple(found["logs"]), "artefacts": tuple(found["artefacts"])})
    await flow.commit(Put(JOB, id, whole, expect=0))


def ended(**more: Any) -> Job:
    attempt = Attempt(1, "secret-token", "ended", "process", exit=3, reason="", level="L2", usage=Usage(2, 3, 4, 5, 6))
    second = Attempt(2, "other-token", "ended", "process", exit=0, usage=Usage(1, 1, 9, 1, 1))
    told = {"state": "SUCCEEDED", "open": "no", "phase": "ended", "attempts": (attempt, second), **more}
    return Job("prn_x", "ann", **{"spec": Spec(("/bin/true",)), **told})


async def people_of(world: World) -> World:
    """Ann, who acts at SECRET, and somebody at the floor."""
    await world.person("ann", SECRET)
    await world.person("low", LOW)
    return world


async def test_one_job_is_kept_at_the_acting_label_and_told_without_its_token(world: World) -> None:
    people = await people_of(world)
    made = await submit(people, resources={"cpus": 2}, env={"A": "1"})
    assert (made["state"], made["open"], made["label"], made["person"]) == ("SUBMITTED", True, SECRET, "ann")
    seen = await people.call("ann", "GET", f"/api/jobs/{made['id']}", acting=SECRET)
    told = seen.json["data"]
    assert told["spec"]["env"] == {"A": "1"}
    assert told["spec"]["resources"]["cpus"] == 2
    assert seen.json["label"] == SECRET
    await kept(people, "ann", "job_done", ended())
    seen = await people.call("ann", "GET", "/api/jobs/job_done", acting=SECRET)
    told = seen.json["data"]
    assert (told["exit"], told["tried"], told["usage"]) == (
        0,
        2,
        {"cpu_us": 3, "wall_us": 4, "gpu_s": 6, "energy_j": 7, "rss_kb": 9},
    )
    assert b"token" not in seen.body


async def test_many_jobs_are_taken_at_once_or_none(world: World) -> None:
    people = await people_of(world)
    body = {"jobs": [{"spec": TRUE, "key": "a"}, {"spec": {**TRUE, "after": [{"job": "#0"}]}}]}
    seen = await people.call("ann", "POST", "/api/jobs", body, SECRET)
    first, second = seen.json["data"]["jobs"]
    told = (await people.call("ann", "GET", f"/api/jobs/{second['id']}", acting=SECRET)).json["data"]
    assert told["spec"]["after"] == [{"job": first["id"], "when": "afterok"}]
    bad = {"jobs": [{"spec": TRUE}, {"spec": {"command": []}}]}
    assert (await people.call("ann", "POST", "/api/jobs", bad, SECRET)).status == 400
    listed = await people.call("ann", "GET", "/api/jobs", acting=SECRET)
    assert [each["id"] for each in listed.json["data"]["jobs"]] == [first["id"], second["id"]]


async def test_the_same_key_gives_the_same_job_and_another_spec_a_conflict(world: World) -> None:
    people = await people_of(world)

    async def ask(spec: dict[str, Any]) -> Any:
        return await people.call("ann", "POST", "/api/jobs", {"spec": spec, "key": "once"}, SECRET)

    first, again = await ask(TRUE), await ask(TRUE)
    assert first.json["data"]["id"] == again.json["data"]["id"]
    assert (await ask({**TRUE, "name": "other"})).status == 409


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"spec": TRUE, "jobs": [{"spec": TRUE}]},
        {"jobs": [{"spec": TRUE}], "key": "k"},
        {"jobs": [{"spec": TRUE}] * 1001},
        {"spec": {**TRUE, "comand": ["x"]}},
        {"spec": {**TRUE, "resources": {"memmory_mb": 5}}},
        {"spec": TRUE, "keys": "k"},
        {"spec": {**TRUE, "resources": {"cpus": 0}}},
    ],
)
async def test_what_is_no_job_is_refused(world: World, body: dict[str, Any]) -> None:
    people = await people_of(world)
    seen = await people.call("ann", "POST", "/api/jobs", body, SECRET)
    assert (seen.status, seen.json["slug"]) == (400, "malformed"), seen.body


async def test_a_mark_in_what_was_typed_raises_or_refuses(world: World) -> None:
    people = await people_of(world)
    seen = await people.call("low", "POST", "/api/jobs", {"spec": {**TRUE, "name": "SECRET//NOFORN"}}, LOW)
    assert seen.status == 403
    assert seen.json["rule"] == "mark-above"
    made = await submit(people, "low", LOW)
    path = f"/api/jobs/{made['id']}/cancel"
    seen = await people.call("low", "POST", path, {"reason": "SECRET//NOFORN"}, LOW)
    assert seen.status == 403


async def test_a_page_goes_on_where_the_last_one_ended(world: World) -> None:
    people = await people_of(world)
    await queued(people, Queue("q"))
    made = [await submit(people, queue="q" if n % 2 else "default") for n in range(5)]
    lower = await submit(people, "low", LOW)
    found, after = list[str](), ""
    for _ in range(9):
        query = f"?limit=2{'&after=' + after if after else ''}"
        data = (await people.call("ann", "GET", f"/api/jobs{query}", acting=SECRET)).json["data"]
        found += [each["id"] for each in data["jobs"]]
        after = data["after"]
        if not after:
            break
    assert sorted(found) == sorted([lower["id"], *(each["id"] for each in made)])
    low = (await people.call("low", "GET", "/api/jobs", acting=LOW)).json["data"]["jobs"]
    assert [each["id"] for each in low] == [lower["id"]]


async def test_filters_pick_by_queue_state_owner_and_parent(world: World) -> None:
    people = await people_of(world)
    await queued(people, Queue("q"))
    await people.person("ben", SECRET)
    one = await submit(people, queue="q")
    two = await submit(people, "ben")
    await people.call("ann", "POST", f"/api/jobs/{one['id']}/cancel", {"reason": "law"}, SECRET)
    await kept(people, "ann", f"{two['id']}:0", ended(parent=two["id"], index=0, spec=None))

    async def listed(query: str) -> list[str]:
        seen = await people.call("ann", "GET", f"/api/jobs?{query}", acting=SECRET)
        assert seen.status == 200, seen.body
        return [each["id"] for each in seen.json["data"]["jobs"]]

    assert await listed("queue=q") == [one["id"]]
    assert await listed("open=yes") == [two["id"]]
    assert await listed("open=no") == await listed("state=cancelled") == [one["id"]]
    assert await listed("owner=me") == [one["id"]]
    assert await listed("owner=prn_never") == []
    assert await listed(f"parent={two['id']}") == [f"{two['id']}:0"]
    assert await listed("state=RUNNING,FAILED") == []
    child = await people.call("ann", "GET", f"/api/jobs/{two['id']}:0", acting=SECRET)
    assert child.json["data"]["spec"]["command"] == ["/bin/true"]


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=1001", "limit=x", "state=NEVER", "open=perhaps", "after=x", "after=%00/1", "after=a/b/c"],
)
async def test_a_question_that_cannot_be_read_is_refused(world: World, query: str) -> None:
    people = await people_of(world)
    assert (await people.call("ann", "GET", f"/api/jobs?{query}", acting=SECRET)).status == 400


async def test_any_cursor_is_answered(world: World) -> None:
    people = await people_of(world)
    await submit(people)
    own = people.house.gate.classes.of(people.policies.parse(SECRET)).id
    for after in ("zz/", "zz/zz:9", f"{own}/", f"{own}/x", f"{own}/zz:9", f"{own}/{own}:{'9' * 18}", f"{'a' * 80}/"):
        seen = await people.call("ann", "GET", f"/api/jobs?after={after}", acting=SECRET)
        assert seen.status in (200, 400), (after, seen.body)


async def test_cancel_and_retry(world: World) -> None:
    people = await people_of(world)
    made = await submit(people)
    seen = await people.call("ann", "POST", f"/api/jobs/{made['id']}/retry", None, SECRET)
    assert seen.status == 400
    seen = await people.call("ann", "POST", f"/api/jobs/{made['id']}/cancel", {"reason": "wrong"}, SECRET)
    assert (seen.status, seen.json["data"]["state"], seen.json["data"]["cancel"]) == (202, "CANCELLED", "wrong")
    again = await people.call("ann", "POST", f"/api/jobs/{made['id']}/retry", None, SECRET)
    assert again.status == 201
    assert again.json["data"]["id"] != made["id"]


async def test_top_counts_the_acting_class_alone(world: World) -> None:
    people = await people_of(world)
    await queued(people, Queue("q"))
    await submit(people)
    await submit(people, queue="q")
    await submit(people, "low", LOW)
    high = (await people.call("ann", "GET", "/api/jobs/top", acting=SECRET)).json["data"]
    assert high["states"] == {"SUBMITTED": 2}
    assert high["queues"] == {"default": 1, "q": 1}
    low = (await people.call("low", "GET", "/api/jobs/top", acting=LOW)).json["data"]
    assert low["states"] == {"SUBMITTED": 1}


async def test_hidden_and_never_are_told_alike(world: World) -> None:
    people = await people_of(world)
    made = await submit(people)
    await kept(people, "ann", "job_done", ended(), out=b"hi", a=b"bytes")
    for way, method, body in (
        ("", "GET", None),
        ("/logs", "GET", None),
        ("/artefacts", "GET", None),
        ("/artefacts/a", "GET", None),
        ("/cancel", "POST", {"reason": "law"}),
        ("/retry", "POST", None),
    ):
        for id in (made["id"], "job_done"):
            hidden = await people.call("low", method, f"/api/jobs/{id}{way}", body, LOW)
            never = await people.call("low", method, f"/api/jobs/{'x' * len(id)}{way}", body, LOW)
            assert (hidden.status, never.status) == (404, 404), way
            entry = [seen.header("casemate-ledger") for seen in (hidden, never)]
            bodies = [seen.body.replace(e.encode(), b"") for seen, e in zip((hidden, never), entry, strict=True)]
            assert bodies[0].replace(id.encode(), b"") == bodies[1].replace(b"x" * len(id), b"")


async def test_logs_go_on_where_the_last_answer_ended(world: World) -> None:
    people = await people_of(world)
    await kept(people, "ann", "job_done", ended(), out="héé\n".encode() * 100, err=b"no\n")
    at, found = "", {"out": "", "err": ""}
    for _ in range(50):
        seen = await people.call("ann", "GET", f"/api/jobs/job_done/logs?at={at}&most=64", acting=SECRET)
        data = seen.json["data"]
        for piece in data["pieces"]:
            found[piece["stream"]] += piece["text"]
        at = data["at"]
        if data["whole"]:
            break
    assert found == {"out": "héé\n" * 100, "err": "no\n"}
    assert seen.json["marking"] == seen.header("casemate-marking")
    one = await people.call("ann", "GET", "/api/jobs/job_done/logs?stream=err&at=1", acting=SECRET)
    assert one.json["data"]["pieces"] == [{"stream": "err", "text": "o\n"}]
    for query in ("stream=in", "at=1", "stream=out&at=1.1", "at=x.y", "most=1", "wait=21", f"at={'9' * 20}.0"):
        assert (await people.call("ann", "GET", f"/api/jobs/job_done/logs?{query}", acting=SECRET)).status == 400


async def test_an_empty_log_of_a_job_that_waits_is_not_whole(world: World) -> None:
    people = await people_of(world)
    made = await submit(people)
    data = (await people.call("ann", "GET", f"/api/jobs/{made['id']}/logs?wait=0", acting=SECRET)).json["data"]
    assert (data["pieces"], data["whole"], data["at"], data["state"]) == ([], False, "0.0", "SUBMITTED")


async def test_whoever_waits_is_told_as_soon_as_it_changes(world: World) -> None:
    people = await people_of(world)
    made = await submit(people)
    target = f"/api/jobs/{made['id']}?wait=20&version={made['version']}"
    waiting = asyncio.create_task(people.call("ann", "GET", target, acting=SECRET))
    logs = asyncio.create_task(people.call("ann", "GET", f"/api/jobs/{made['id']}/logs?wait=20", acting=SECRET))
    await asyncio.sleep(0)
    await people.call("ann", "POST", f"/api/jobs/{made['id']}/cancel", {}, SECRET)
    assert (await waiting).json["data"]["state"] == "CANCELLED"
    assert (await logs).json["data"]["whole"]


async def test_bytes_come_out_marked_with_their_digest(world: World) -> None:
    people = await people_of(world)
    data = bytes(range(256)) * 10
    await kept(people, "ann", "job_done", ended(), a=data)
    listed = (await people.call("ann", "GET", "/api/jobs/job_done/artefacts", acting=SECRET)).json["data"]
    digest = hashlib.sha384(data).hexdigest()
    assert listed == [{"name": "a", "size": len(data), "digest": digest, "place": ""}]
    seen = await people.call("ann", "GET", "/api/jobs/job_done/artefacts/a", acting=SECRET)
    assert (seen.body, seen.header("content-length")) == (data, str(len(data)))
    assert seen.header("casemate-label") == SECRET
    assert seen.header("casemate-digest") == f"sha384:{digest}"
    assert seen.header("x-content-type-options") == "nosniff"
    assert (await people.call("ann", "GET", "/api/jobs/job_done/artefacts/b", acting=SECRET)).status == 404


async def test_whoever_runs_the_region_ends_jobs_and_reads_none(world: World) -> None:
    people = await people_of(world)
    await people.person("ops", SECRET, ("operator",))
    made = await submit(people, env={"PASSWORD": "hunter2"})
    seen = await people.call("ops", "GET", f"/api/jobs/{made['id']}", acting=SECRET)
    assert (seen.status, seen.json["data"]["spec"]) == (200, None)
    assert b"hunter2" not in seen.body
    assert (await people.call("ops", "GET", f"/api/jobs/{made['id']}/logs", acting=SECRET)).status == 403
    seen = await people.call("ops", "POST", f"/api/jobs/{made['id']}/cancel", {"reason": "night"}, SECRET)
    assert (seen.status, seen.json["data"]["spec"]) == (202, None)


@given(st.text(max_size=60), st.data())
def test_half_a_character_is_kept_for_the_next_answer(text: str, data: st.DataObject) -> None:
    """However a stream is cut, its pieces together are its text."""
    raw, at, found = text.encode(), 0, ""
    while at < len(raw):
        cut = data.draw(st.integers(4, 12))
        piece = raw[at : at + cut]
        said, back = _text(piece, at + cut >= len(raw))
        found, at = found + said, at + len(piece) - back
    assert found == text


@given(st.binary(max_size=40))
def test_what_is_no_text_is_told_all_the_same(raw: bytes) -> None:
    said, kept_back = _text(raw, True)
    assert (said, kept_back) == (raw.decode("utf-8", "replace"), 0)
    assert 0 <= _text(raw, False)[1] <= 3


async def test_a_queue_gives_its_priority_and_floor_once_and_takes_nothing_while_it_is_shut(world: World) -> None:
    people = await people_of(world)
    await queued(people, Queue("fast", priority=7, floor="L2"))
    await queued(people, Queue("shut", enabled=False))
    made = await submit(people, queue="fast", priority=1)
    told = (await people.call("ann", "GET", f"/api/jobs/{made['id']}", acting=SECRET)).json["data"]["spec"]
    assert (told["priority"], told["floor"]) == (8, "L2")
    same = [await submit_once(people, queue="fast", priority=1) for _ in range(2)]
    assert same[0] == same[1]
    await people.call("ann", "POST", f"/api/jobs/{made['id']}/cancel", {"reason": ""}, SECRET)
    again = (await people.call("ann", "POST", f"/api/jobs/{made['id']}/retry", None, SECRET)).json["data"]
    told = (await people.call("ann", "GET", f"/api/jobs/{again['id']}", acting=SECRET)).json["data"]["spec"]
    assert (told["priority"], told["floor"]) == (8, "L2")
    shut = await people.call("ann", "POST", "/api/jobs", {"spec": {**TRUE, "queue": "shut"}}, SECRET)
    never = await people.call("ann", "POST", "/api/jobs", {"spec": {**TRUE, "queue": "never"}}, SECRET)
    above = await people.call("low", "POST", "/api/jobs", {"spec": {**TRUE, "queue": "fast"}}, LOW)
    assert (shut.status, never.status, above.status) == (400, 404, 404)


async def submit_once(world: World, **more: Any) -> str:
    """The id of the job that one key makes."""
    seen = await world.call("ann", "POST", "/api/jobs", {"spec": {**TRUE, **more}, "key": "one"}, SECRET)
    return str(seen.json["data"]["id"])
