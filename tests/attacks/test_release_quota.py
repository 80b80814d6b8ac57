"""The release door by quantity and by form: what a day may let out, and what the outward guard makes of what leaves."""

from __future__ import annotations

from typing import Any

import pytest

from casemate.access import ReleaseDoor
from casemate.assistants import RELEASABLE
from casemate.errors import Refused
from casemate.objects import Put
from casemate.policy import Action, Refuse
from casemate.transfer.dispatch import OutwardGuard
from tests.attacks.releasing import TEXT, answer, approve, ask, asked, below, both, carry, key, refused, scene
from tests.attacks.scene import LOW, SECRET, TOP, flow_of
from tests.laws.world import Seen, World

TABLE = '{"is":"table","columns":[{"name":"pier","of":{"is":"text"}},{"name":"boats","of":{"is":"integer","least":0}}]}'
RECORD = '{"is":"object","fields":{"pier":{"is":"text"},"boats":{"is":"integer"}}}'


async def allow(world: World, count: int, size: int, label: str = SECRET, who: str = "dan") -> Seen:
    return await world.call(who, "PUT", "/api/release-quota", {"count": count, "size": size}, label)


async def ready(world: World, text: str = TEXT, **said: Any) -> str:
    """A request that two people have approved."""
    request = await asked(world, text, **said)
    await both(world, request)
    return request


async def used(world: World, label: str = SECRET) -> tuple[int, int]:
    seen = await world.call("dan", "GET", "/api/release-quota", acting=label)
    return seen.json["data"]["count"], seen.json["data"]["size"]


def test_more_leaves_in_a_day_than_the_officer_allows() -> None:
    async def do(world: World) -> None:
        assert (await allow(world, 1, 1000)).status == 200
        first, second = await ready(world), await ready(world, "The other pier is open as well.")
        assert (await carry(world, first)).status == 200
        assert await used(world) == (1, len(TEXT))
        refused(await carry(world, second), "release-quota")
        assert (await carry(world, first)).status == 200  # done once, told again, counted once
        assert await used(world) == (1, len(TEXT))
        world.clock.forward(86_400)
        assert await used(world) == (0, 0)
        assert (await carry(world, second)).status == 200
        assert len(await below(world)) == 2

    scene(do)


def test_more_bytes_leave_than_the_officer_allows() -> None:
    async def do(world: World) -> None:
        request = await ready(world, "Où est le quai ?")  # 17 bytes in 16 characters
        assert (await allow(world, 9, 16)).status == 200
        refused(await carry(world, request), "release-quota")
        assert await below(world) == []
        assert (await allow(world, 9, 17)).status == 200
        assert (await carry(world, request)).status == 200

    scene(do)


def test_without_an_officer_s_word_there_is_a_bound_all_the_same() -> None:
    async def do(world: World) -> None:
        seen = await world.call("dan", "GET", "/api/release-quota", acting=SECRET)
        assert (seen.json["data"]["quota"]["count"], seen.json["data"]["quota"]["size"]) == (20, 256 << 10)

    scene(do)


def test_a_clock_that_is_set_back_does_not_begin_a_new_day() -> None:
    async def do(world: World) -> None:
        await allow(world, 1, 1000)
        first, second = await ready(world), await ready(world, "The other pier is open as well.")
        assert (await carry(world, first)).status == 200
        world.clock.forward(-86_400 * 2)
        refused(await carry(world, second), "release-quota")

    scene(do)


def test_what_is_used_up_above_says_nothing_below() -> None:
    """A quota of one class neither counts what another has let out nor is told to it."""

    async def do(world: World) -> None:
        await world.person("tim", TOP)
        for name in ("tess", "tom"):
            await world.person(name, TOP, ("releaser",))
            await key(world, name, TOP)
        assert (await allow(world, 1, 60, TOP)).status == 200
        before = await world.call("dan", "GET", "/api/release-quota", acting=SECRET)
        kept = await answer(world, "tim", label=TOP)
        high = (await ask(world, kept, "tim", TOP, to=LOW)).json["data"]["id"]
        for name in ("tess", "tom"):
            assert (await approve(world, name, high, TOP)).status == 201
        assert (await carry(world, high, "tim", TOP)).status == 200
        after = await world.call("dan", "GET", "/api/release-quota", acting=SECRET)
        assert before.json["data"] == after.json["data"]
        assert (await carry(world, await ready(world, "The other pier is open as well."))).status == 200
        assert await used(world, TOP) == (1, len(TEXT))  # nor does what leaves below count above

    scene(do)


def test_two_releases_at_once_do_not_pass_where_there_is_room_for_one() -> None:
    """Whoever counts second finds that somebody has counted meanwhile: a conflict, and nothing has left."""

    async def do(world: World) -> None:
        first, second = await ready(world), await ready(world, "The other pier is open as well.")
        door = ReleaseDoor(world.house.gate, OutwardGuard(), (RELEASABLE,))
        flow = await flow_of(world, await session(world), Action("carry", "release"), SECRET)
        from casemate.access import release as module

        seen = module.today

        async def raced(flow: Any, now: int) -> Any:
            found = await seen(flow, now)
            module.today = seen
            await door.carry(await flow_of(world, await session(world), Action("carry", "release"), SECRET), first)
            return found

        module.today = raced
        try:
            with pytest.raises(Exception, match="conflict"):
                await door.carry(flow, second)
        finally:
            module.today = seen
        assert len(await below(world)) == 1

    scene(do)


async def session(world: World) -> Any:
    from casemate.identity import Bearer

    return world.house.gate.admit(Bearer(world.keys["ann"]))


def test_who_may_say_how_much_leaves() -> None:
    async def do(world: World) -> None:
        for who in ("ann", "ben"):
            assert (await allow(world, 5, 5, who=who)).status == 403
        assert (await allow(world, -1, 5)).status == 400
        assert (await allow(world, 5, 1 << 40)).status == 400
        assert (await world.call("ann", "GET", "/api/release-quota", acting=SECRET)).status == 403

    scene(do)


def test_where_it_takes_two_officers_one_alone_sets_nothing() -> None:
    async def do(world: World) -> None:
        from casemate.access import Enrol
        from casemate.access.records import STATE, StateRecord

        officer = await flow_of(
            world, world.house.gate.admit(_bearer(world, "dan")), Action("allow", "release"), SECRET
        )
        await officer.commit(Enrol(Put(STATE, "region", StateRecord(two_person=True))))
        assert (await allow(world, 3, 30)).status == 202
        seen = await world.call("dan", "GET", "/api/release-quota", acting=SECRET)
        assert seen.json["data"]["quota"]["count"] == 20
        refused(await allow(world, 3, 30), "two-person")

    scene(do)


def _bearer(world: World, who: str) -> Any:
    from casemate.identity import Bearer

    return Bearer(world.keys[who])


FORMS: Any = [
    ("csv", TABLE, 'pier,boats\nNorth,007\n"South, old",2\n', 'pier,boats\nNorth,7\n"South, old",2\n'),
    ("json", RECORD, '{ "pier": "North", "boats": 7 }', '{"boats":7,"pier":"North"}'),
]


def test_a_table_and_a_record_leave_in_one_form() -> None:
    async def do(world: World) -> None:
        for format, schema, text, leaves in FORMS:
            request = await ready(world, text, format=format, schema=schema)
            shown = (await world.call("ben", "GET", f"/api/releases/{request}", acting=SECRET)).json["data"]
            assert (shown["text"], shown["request"]["schema"]) == (leaves, schema)
            assert shown["statement"]["sanitiser"] == f"text-1 {format}"
            assert (await carry(world, request)).status == 200
            assert leaves in [each["answer"]["text"] for each in await below(world)]

    scene(do)


HELD: Any = [
    ({}, "p\u0430ypal", "guard-letters"),
    ({}, "The pier \u2708", "guard-letters"),
    ({"format": "csv", "schema": TABLE}, "pier,boats\n=cmd(),1\n", "guard-formula"),
    ({"format": "csv", "schema": TABLE}, "pier,boats,more\nNorth,1,2\n", "guard-schema"),
    ({"format": "csv", "schema": "no schema"}, "pier,boats\n", "guard-schema"),
    ({"format": "json", "schema": RECORD}, '{"pier":"North","boats":7,"x":"y"}', "guard-schema"),
    ({"format": "json", "schema": '{"is":"anything"}'}, "[1]", "guard-schema"),
    ({"format": "csv", "schema": TABLE}, 'pier,boats\n"(S//NF) closed",1\n', "release-mark"),
]


def test_what_the_outward_guard_does_not_take_is_not_even_asked_for() -> None:
    async def do(world: World) -> None:
        for said, text, rule in HELD:
            refused(await ask(world, await answer(world, text=text), **said), rule)

    scene(do)


UNKNOWN: Any = [{"format": "png"}, {"format": "csv"}, {"schema": TABLE}, {"format": "pickle"}]


def test_a_format_that_does_not_leave_or_has_no_schema() -> None:
    async def do(world: World) -> None:
        for said in UNKNOWN:
            assert (await ask(world, await answer(world), **said)).status == 400

    scene(do)


def test_a_guard_that_breaks_or_changes_its_mind_lets_nothing_out() -> None:
    class Breaks(OutwardGuard):
        def remade(self, text: str, format: str, schema: str) -> str | Refuse:
            return Refuse("guard-crash")

    class Adds(OutwardGuard):
        def remade(self, text: str, format: str, schema: str) -> str | Refuse:
            return text + " Also this."

    async def do(world: World) -> None:
        request = await ready(world)
        for guard in (Breaks(), Adds()):
            door = ReleaseDoor(world.house.gate, guard, (RELEASABLE,))
            flow = await flow_of(world, await session(world), Action("carry", "release"), SECRET)
            with pytest.raises(Refused, match="release-changed"):
                await door.carry(flow, request)
        assert OutwardGuard().remade("x", "safetensors", "") == Refuse("guard-outward", {"why": "safetensors"})
        assert await below(world) == []

    scene(do)


CODE = "Channel north-7, release 42: volumes 3, 5 (of 10) are missing. K7F2-99"
HAVE = '{"channel": "north-7", "have": ["sha512:ab"], "last": 41, "missing": [3]}'
JOB = '{"name":"count","program":"count.py","why":"for the watch"}'


DISPATCHES: Any = [
    ("gap-code", CODE, CODE),
    ("have-list", HAVE, HAVE.replace(": ", ":").replace(", ", ",")),
    ("job-request", JOB, JOB),
]


def test_a_dispatch_goes_down_by_the_release_door_alone() -> None:
    async def do(world: World) -> None:
        for purpose, text, leaves in DISPATCHES:
            world.clock.forward(1)  # they are listed by when they came
            kept = await world.call("ann", "POST", "/api/dispatches", {"purpose": purpose, "text": text}, SECRET)
            assert kept.status == 201, kept.body
            before = (await world.call("ann", "GET", "/api/dispatches", acting=LOW)).json["data"]
            seen = await ask(world, kept.json["data"]["id"], kind="transfer.dispatch")
            assert seen.status == 201, seen.body
            request = seen.json["data"]["id"]
            await both(world, request)
            assert (await carry(world, request)).status == 200
            *same, low = (await world.call("ann", "GET", "/api/dispatches", acting=LOW)).json["data"]
            assert same == before
            assert (low["dispatch"]["purpose"], low["dispatch"]["text"]) == (purpose, leaves)
            assert (low["dispatch"]["by"], low["id"] != kept.json["data"]["id"]) == ("service:release", True)

    scene(do)


BAD: Any = [
    ("gap-code", "Attack at dawn!", 400),
    ("gap-code", "", 400),
    ("gap-code", "x" * 70_000, 400),
    ("have-list", CODE, 403),
    ("have-list", '{"channel":"a","last":1,"more":"text"}', 403),
    ("job-request", "[]", 403),
    ("poem", "x", 400),
]


def test_a_dispatch_says_what_its_purpose_has_room_for() -> None:
    async def do(world: World) -> None:
        for purpose, text, status in BAD:
            seen = await world.call("ann", "POST", "/api/dispatches", {"purpose": purpose, "text": text}, SECRET)
            assert seen.status == status, seen.body

    scene(do)


def test_a_dispatch_leaves_in_no_other_format_than_its_own() -> None:
    async def do(world: World) -> None:
        kept = await world.call("ann", "POST", "/api/dispatches", {"purpose": "gap-code", "text": CODE}, SECRET)
        id = kept.json["data"]["id"]
        assert (await ask(world, id, kind="transfer.dispatch", format="json", schema=RECORD)).status == 400
        assert (await ask(world, id, kind="transfer.dispatch", part="1")).status == 404

    scene(do)


def test_a_mark_in_what_the_guard_has_made_stays() -> None:
    """A mark spelled in escapes of JSON is none until the guard has read it."""

    async def do(world: World) -> None:
        text = '{"pier":"\\u0028S//NF) closed","boats":1}'
        assert "(S" not in text
        refused(await ask(world, await answer(world, text=text), format="json", schema=RECORD), "release-mark")

    scene(do)
