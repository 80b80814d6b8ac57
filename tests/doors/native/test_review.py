"""What was put aside, and what whoever brought it decides, through the native API."""

from __future__ import annotations

from typing import Any

from tests.attacks.scene import LOW, SECRET, TOP
from tests.doors.native.test_documents import bring
from tests.doors.native.test_upkeep import asked, told
from tests.laws.world import World


async def aside(world: World, label: str, who: str = "ann") -> dict[str, Any]:
    found = await asked(world, who, "GET", "/api/review", label)
    return dict(found.json["data"])


async def test_what_was_put_aside_is_reviewed_by_whoever_brought_it(world: World) -> None:
    await world.person("ann", TOP)
    await world.person("ben", TOP)
    id = await bring(world, b"UNCLASSIFIED\n\n(S//NF) The convoy.\n\nUNCLASSIFIED\n")
    held = await bring(world, b"No mark.")
    found = await aside(world, SECRET)
    [one] = found["quarantined"]
    assert (one["id"], one["banner"], one["found"], one["rule"]) == (id, "UNCLASSIFIED", "(S//NF)", "portion-above")
    assert (one["mine"], bool(one["reason"]), bool(one["remedy"]), one["label"]) == (True, True, True, SECRET)
    assert [(each["id"], each["mine"]) for each in found["unmarked"]] == [(held, True)]
    assert (await aside(world, SECRET, "ben"))["quarantined"][0]["mine"] is False
    assert (await aside(world, LOW)) == {"quarantined": [], "unmarked": []}
    target = f"/api/documents/{id}/review"
    assert (await asked(world, "ann", "POST", target, SECRET, {"decision": "text"})).status == 400
    assert (await asked(world, "ann", "POST", target, SECRET, {"decision": "poem"})).status == 400
    above = await asked(world, "ann", "POST", target, SECRET, {"decision": "text", "label": "TOP SECRET//SI//NOFORN"})
    assert (above.status, above.json.get("rule")) == (403, "marks-of-origin")
    done = await asked(world, "ann", "POST", target, SECRET, {"decision": "text", "label": "SECRET//NOFORN"})
    assert done.status == 200, done.body
    await world.step("knowledge.ingest")
    assert (await aside(world, SECRET))["quarantined"] == []
    assert any("(S//NF) The convoy." in text for text in await told(world, SECRET))
    assert await told(world, LOW) == []
    new = done.json["data"]["id"]
    ready = await asked(
        world, "ann", "POST", f"/api/documents/{new}/review", SECRET, {"decision": "text", "label": LOW}
    )
    assert ready.status == 400


async def test_a_review_reads_again_or_removes(world: World) -> None:
    await world.person("ann", TOP)
    text = b"SECRET//NOFORN\n\n(S//NF) The convoy.\n\nSECRET//NOFORN\n"
    id = (
        await world.call(
            "ann",
            "POST",
            f"/api/documents?name=a.txt&base=port&label={LOW}".replace(" ", "%20").replace("+", "%2B"),
            text,
            SECRET,
        )
    ).json["data"]["id"]
    await world.step("knowledge.ingest")
    assert (await aside(world, SECRET))["quarantined"][0]["rule"] == "above-stated"
    done = await asked(
        world, "ann", "POST", f"/api/documents/{id}/review", SECRET, {"decision": "restate", "label": "SECRET//NOFORN"}
    )
    assert done.status == 200, done.body
    await world.step("knowledge.ingest")
    assert await told(world, SECRET) == ["The convoy."]
    bad = await bring(world, b"SECRET//BANANA\n\nWords.\n")
    assert (
        await asked(world, "ann", "POST", f"/api/documents/{bad}/review", SECRET, {"decision": "remove"})
    ).status == 200
    assert (await aside(world, SECRET))["quarantined"] == []
    held = await bring(world, b"No mark on the ferry.")
    await asked(world, "ann", "POST", f"/api/documents/{held}/review", SECRET, {"decision": "restate", "label": LOW})
    await world.step("knowledge.ingest")
    assert await told(world, LOW) == ["No mark on the ferry."]


async def test_a_review_never_brings_anything_below_the_floor_at_which_it_came(world: World) -> None:
    """Whoever brought it at a higher floor cannot lower it by deciding in a session with a lower one."""
    await world.person("ann", TOP)
    key = (await world.call("ann", "POST", "/api/keys", {"floor": SECRET, "ceiling": SECRET}, SECRET)).json["data"]
    world.keys["program"] = key["secret"]
    id = await bring(world, b"SECRET//BANANA\n\nThe convoy.\n", who="program")
    body = {"decision": "text", "label": "UNCLASSIFIED"}
    seen = await asked(world, "ann", "POST", f"/api/documents/{id}/review", SECRET, body)
    assert seen.status == 403
    assert seen.json["rule"] == "marks-of-origin"
    body = {"decision": "text", "label": "SECRET//NOFORN"}
    assert (await asked(world, "ann", "POST", f"/api/documents/{id}/review", SECRET, body)).status == 200
    await world.step("knowledge.ingest")
    assert (await told(world, LOW), len(await told(world, SECRET))) == ([], 1)
