"""Knowledge bases through the native API: said, counted, embedded anew, given up."""

from __future__ import annotations

from tests.attacks.scene import LOW, SECRET
from tests.doors.native.test_documents import MIXED, bring
from tests.doors.native.test_upkeep import asked
from tests.laws.world import World


async def test_bases_through_their_door(world: World) -> None:
    await world.person("ann", SECRET)
    await world.person("ben", SECRET)
    made = await asked(world, "ann", "POST", "/api/knowledge", SECRET, {"name": "port", "title": "The port"})
    assert (made.status, made.json["data"]["title"]) == (201, "The port")
    assert (await asked(world, "ben", "POST", "/api/knowledge", SECRET, {"name": "port", "title": "x"})).status == 403
    wrong = await asked(world, "ann", "POST", "/api/knowledge/port/embedder", SECRET, {"embedder": "never"})
    assert (wrong.status, wrong.json["slug"]) == (400, "malformed")
    done = await asked(world, "ann", "POST", "/api/knowledge/port/embedder", SECRET, {"embedder": "hashing"})
    assert done.status == 200, done.body
    await bring(world, MIXED)
    [told_] = (await asked(world, "ann", "GET", "/api/knowledge", SECRET)).json["data"]
    assert (told_["title"], told_["documents"], told_["passages"], told_["others"]) == ("The port", 1, 3, 0)
    [low] = (await asked(world, "ann", "GET", "/api/knowledge", LOW)).json["data"]
    assert (low["title"], low["documents"], low["passages"]) == ("", 1, 2)
    gone = await asked(world, "ann", "DELETE", "/api/knowledge/port", SECRET)
    assert (gone.status, gone.json["data"]) == (200, {"removed": 1})
    assert (await asked(world, "ann", "DELETE", "/api/knowledge/port", SECRET)).status == 404
