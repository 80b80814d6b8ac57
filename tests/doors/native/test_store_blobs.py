"""The store through the native API: scrubbed at a label, and told of by number or by name."""

from __future__ import annotations

from casemate.buckets import Buckets
from tests.buckets.scene import LOW, PLAIN, SECRET, TOP, at, body, bucket
from tests.laws.world import World


async def broken(world: World) -> None:
    """An object whose blob is damaged, at SECRET."""
    room = Buckets()
    await bucket(world, room)
    seen = await room.put(await at(world, SECRET), "plans", "k", body(b"content"), PLAIN)
    name = seen.pieces[0][0]
    (world.folder / "data" / "blobs" / seen.class_id / name[:2] / name).write_bytes(b"")


async def scrub(world: World, who: str, label: str) -> dict[str, int]:
    after, sums = "", dict[str, int]()
    while True:
        seen = await world.call(who, "POST", "/api/store/scrub", {"after": after}, label)
        assert seen.status == 200, seen.body
        for name, count in seen.json["data"].items():
            sums[name] = sums.get(name, 0) + count if isinstance(count, int) else 0
        after = seen.json["data"]["after"]
        if not after:
            return sums


async def test_an_operator_is_told_numbers_and_a_reader_names(world: World) -> None:
    await world.person("op", TOP, ("operator",))
    await world.person("ann", TOP)
    await broken(world)
    assert (await scrub(world, "op", SECRET))["damaged"] == 1
    [told] = (await world.call("op", "GET", "/api/store/damaged", acting=SECRET)).json["data"]
    assert (told["number"], told["why"]) == (1, "damaged")
    assert "objects" not in told
    [named] = (await world.call("ann", "GET", "/api/store/damaged", acting=SECRET)).json["data"]
    assert named["objects"] == ["bucket.object/plans/k"]
    for label in (LOW, TOP):
        assert (await world.call("ann", "GET", "/api/store/damaged", acting=label)).json["data"] == []
        assert (await scrub(world, "op", label))["damaged"] == 0
    assert (await world.call("ann", "POST", "/api/store/scrub", {}, SECRET)).status == 403
    assert (await world.call("op", "POST", "/api/store/scrub", {"after": "../.."}, SECRET)).status == 400


async def test_each_label_is_told_with_its_share(world: World) -> None:
    await world.person("op", TOP, ("operator",))
    await broken(world)
    told = (await world.call("op", "GET", "/api/store/classes", acting=SECRET)).json["data"]
    assert {each["label"] for each in told} >= {SECRET}
    assert not {each["label"] for each in told} & {TOP}
    assert all((each["used"], each["share"]) == (0, 0) for each in told)


async def test_buckets_are_made_looked_into_and_dropped(world: World) -> None:
    await world.person("ann", TOP)
    made = await world.call("ann", "POST", "/api/buckets", {"name": "plans", "ceiling": "SECRET//NOFORN"}, LOW)
    assert made.status == 201
    assert (made.json["data"]["mark"], made.json["data"]["ceiling_mark"]) == ("(U)", "(S//NF)")
    assert (await world.call("ann", "POST", "/api/buckets", {"name": "plans"}, LOW)).status == 409
    assert (await world.call("ann", "POST", "/api/buckets", {"name": "No"}, LOW)).status == 400
    room = world.house.buckets
    for label, key in ((LOW, "a/1"), (SECRET, "b")):
        await room.put(await at(world, label), "plans", key, body(b"x"), PLAIN)
    page = (await world.call("ann", "GET", "/api/buckets/plans/objects?delimiter=/", acting=SECRET)).json["data"]
    assert ([o["key"] for o in page["objects"]], page["prefixes"], page["after"]) == (["b"], ["a/"], "")
    assert page["objects"][0]["mark"] == "(S//NF)"
    page = (await world.call("ann", "GET", "/api/buckets/plans/objects?limit=1", acting=SECRET)).json["data"]
    assert page["after"] == "a/1"
    for limit in ("0", "1001", "x", "²"):
        bad = await world.call("ann", "GET", f"/api/buckets/plans/objects?limit={limit}", acting=SECRET)
        assert bad.status == 400
    assert (await world.call("ann", "DELETE", "/api/buckets/plans", acting=LOW)).status == 409
    assert (await world.call("ann", "GET", "/api/buckets/never/objects", acting=LOW)).status == 404
