"""The page of buckets: floor and ceiling of each, and what is visible in one, folder by folder."""

from __future__ import annotations

from urllib.parse import quote

from tests.attacks.scene import SECRET
from tests.buckets.scene import LOW, PLAIN, at, body
from tests.console.test_pages import check
from tests.console.visitor import Visitor, a_region

AT_SECRET, AT_LOW = f"acting={quote(SECRET)}", f"acting={quote(LOW)}"


async def test_each_object_has_its_mark_and_what_is_hidden_is_not_there() -> None:
    async with a_region() as world:
        analyst, guest = await Visitor(world).sign_in("analyst"), await Visitor(world).sign_in("guest")
        assert (await guest.post("/buckets", {"name": "plans"})).status == 303
        room = world.house.buckets
        for label, key in ((LOW, "open/a"), (LOW, "b"), (SECRET, "b"), (SECRET, "shut/c")):
            await room.put(await at(world, label), "plans", key, body(b"x"), PLAIN)
        low = check(await guest.get("/buckets?name=plans"), "en").source
        assert "open/" in low
        assert "shut/" not in low
        assert "<td>(U)</td>" in low
        high = check(await analyst.get(f"/buckets?name=plans&{AT_SECRET}"), "en").source
        assert "shut/" in high
        assert "<td>(S//NF)</td>" in high
        inside = check(await analyst.get(f"/buckets?name=plans&prefix=shut/&{AT_SECRET}"), "en").source
        assert "<td>shut/c</td>" in inside
        assert (await guest.get("/buckets?name=never")).status == 404
        assert (await guest.post("/buckets/plans/remove", {})).status == 409
