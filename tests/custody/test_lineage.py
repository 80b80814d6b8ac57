"""Lineage through the real door: what came of what, in the visible world alone, and its picture."""

from __future__ import annotations

import random
from xml.etree import ElementTree as ET

import msgspec

from casemate.custody.drawing import draw
from casemate.custody.lineage import Lineage, Node
from tests.attacks.scene import LOW, SECRET, TOP, bring
from tests.custody.spilled import derived, people, spilled
from tests.laws.world import World

DOCUMENT = (
    b"SECRET//NOFORN\n\n(S//NF) The pier is closed to all ferries until the storm has passed over the bay.\n\n"
    b"(U) The harbour has a pier.\n\nSECRET//NOFORN\n"
)


async def lineage(world: World, who: str, text: str, label: str = LOW, way: str = "both") -> Lineage:
    seen = await world.call(who, "GET", f"/api/lineage/{text}?way={way}", acting=label)
    assert seen.status == 200, seen.body
    return msgspec.convert(seen.json["data"], Lineage)


def arrows(told: Lineage) -> set[tuple[str, str]]:
    return {(told.nodes[a].kind, told.nodes[b].kind) for a, b in told.arrows}


async def test_from_a_document_to_a_kept_answer_and_back(world: World) -> None:
    await people(world)
    id = await spilled(world)
    entry, kept = await derived(world)
    down = await lineage(world, "ben", id, way="down")
    assert {("document", "document.part"), ("document.part", "segment"), ("document.part", "entry")} <= arrows(down)
    assert ("entry", "answer") in arrows(down)
    assert {node.id for node in down.nodes if node.kind == "entry"} == {entry}
    up = await lineage(world, "ben", f"answer/{kept}", way="up")
    assert id in {node.id for node in up.nodes if node.kind == "document"}
    assert ("entry", "answer") in arrows(up)


async def test_the_document_is_found_by_its_segment_and_not_by_anothers(world: World) -> None:
    await people(world)
    id = await spilled(world)
    other = (await bring(world, "ann", b"Nothing of the sort is known here at all.", LOW, label=LOW)).json["data"]["id"]
    one, two = await lineage(world, "ann", id), await lineage(world, "ann", other)
    own = {node.id for node in one.nodes if node.kind == "segment"}
    assert own
    assert own.isdisjoint({node.id for node in two.nodes if node.kind == "segment"})


async def test_a_batch_leads_from_its_file_to_its_output(world: World) -> None:
    await people(world)
    line = {
        "custom_id": "a",
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": {"model": "casemate/extractive-reader", "messages": [{"role": "user", "content": "?"}]},
    }
    parts = (
        b'--x\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="in.jsonl"\r\n\r\n'
        + msgspec.json.encode(line)
        + b"\r\n--x--\r\n"
    )
    media = (("content-type", "multipart/form-data; boundary=x"),)
    file = (await world.call("ann", "POST", "/v1/files", parts, LOW, media)).json["id"]
    body = {"input_file_id": file, "endpoint": "/v1/chat/completions", "completion_window": "24h"}
    batch = (await world.call("ann", "POST", "/v1/batches", body, LOW)).json["id"]
    for _ in range(4):
        await world.step("models.batch")
    told = await lineage(world, "ann", file, way="down")
    assert {("file", "batch"), ("batch", "file")} <= arrows(told)
    assert batch in {node.id for node in told.nodes}
    hidden = await world.call("ben", "GET", f"/api/lineage/{file}", acting=LOW)
    assert hidden.status == 404, "a file is its owner's alone"
    seen = await world.call("olga", "GET", f"/api/lineage/{file}", acting=LOW)
    assert seen.status == 200, "an officer sees that it is there, and nothing of what is in it"


async def test_what_is_hidden_is_not_there_and_not_counted(world: World) -> None:
    await people(world)
    id = (await bring(world, "ann", DOCUMENT, SECRET)).json["data"]["id"]
    await world.call("ann", "POST", "/api/ask", {"question": "Is the pier closed to ferries?"}, TOP)
    low, high = await lineage(world, "ann", id), await lineage(world, "ann", id, TOP)
    assert {node.label for node in low.nodes} == {LOW}
    assert {node.kind for node in low.nodes} == {"document.part", "segment"}
    assert SECRET in {node.label for node in high.nodes}
    assert "entry" in {node.kind for node in high.nodes}
    ben = await lineage(world, "ben", id, TOP)
    assert "entry" not in {node.kind for node in ben.nodes}, "another's question is his own"


async def test_what_was_removed_has_no_lineage(world: World) -> None:
    await people(world)
    id = await spilled(world)
    assert (await world.call("ann", "DELETE", f"/api/documents/{id}", acting=LOW)).status == 200
    for text in (id, f"document/{id}", "doc_never", "entry/x"):
        seen = await world.call("ann", "GET", f"/api/lineage/{text}", acting=LOW)
        assert (seen.status, seen.json["slug"]) == (404, "absent")


async def test_bad_questions_get_our_own_errors(world: World) -> None:
    await people(world)
    for path in ("/api/lineage/" + "x" * 3000, "/api/lineage/doc_x?way=sideways", "/api/lineage/a%00b"):
        seen = await world.call("ann", "GET", path, acting=LOW)
        assert (seen.status, seen.json["slug"]) == (400, "malformed"), path


async def test_the_picture_is_marked_with_the_join_and_every_box_with_its_own(world: World) -> None:
    await people(world)
    id = (await bring(world, "ann", DOCUMENT, SECRET)).json["data"]["id"]
    seen = await world.call("ann", "GET", f"/api/lineage.svg/{id}", acting=TOP)
    assert seen.header("content-type").startswith("image/svg+xml")
    text = [each.text for each in ET.fromstring(seen.body).iter("{http://www.w3.org/2000/svg}text")]
    told = await lineage(world, "ann", id, TOP)
    assert (text[0], text[-1]) == (told.banner, told.banner)
    assert any(line is not None and line.startswith("(S//NF) ") for line in text)
    assert b"<script" not in seen.body
    assert b"onload" not in seen.body


def test_a_picture_of_many_nodes_overlaps_nowhere() -> None:
    rng = random.Random(9)
    nodes = tuple(
        Node(f"answer/{n}@c", "answer", f"ans_{n:04}", "<&> " + "x" * rng.randrange(90), "L", "(U)") for n in range(70)
    )
    ways = tuple(sorted({(a, b) for b in range(1, 70) for a in (rng.randrange(b),)}))
    picture = draw(Lineage(nodes, ways, (0,), "L", "TOP & SECRET", False), "TOP & SECRET")
    root = ET.fromstring(picture)
    boxes = [each.attrib for each in root.iter("{http://www.w3.org/2000/svg}rect") if "rx" in each.attrib]
    assert len(boxes) == 70
    places = [tuple(float(box[name]) for name in ("x", "y", "width", "height")) for box in boxes]
    for at, (x, y, w, h) in enumerate(places):
        for x2, y2, w2, h2 in places[at + 1 :]:
            assert x + w <= x2 or x2 + w2 <= x or y + h <= y2 or y2 + h2 <= y
    assert picture == draw(Lineage(nodes, ways, (0,), "L", "TOP & SECRET", False), "TOP & SECRET")


def test_a_circle_is_drawn_too() -> None:
    nodes = tuple(Node(f"a/{n}@c", "a", str(n), "", "L", "(U)") for n in range(3))
    assert draw(Lineage(nodes, ((0, 1), (1, 2), (2, 0)), (0,), "L", "U"), "U").count("<path") == 4


def test_long_markings_go_on_in_the_next_line_and_lose_nothing() -> None:
    long = "TOP SECRET//" + "/".join(f"SI-{n:03}" for n in range(60)) + "//REL TO USA, FRA + TLP:RED"
    picture = draw(Lineage((Node("a/0@c", "a", "0", "", "L", f"({long})"),), (), (0,), "L", long), long)
    root = ET.fromstring(picture)
    lines = ["".join(each.itertext()) for each in root.iter("{http://www.w3.org/2000/svg}text")]
    whole = "".join("".join(lines).split())
    assert whole == "".join(f"{long}({long})a0{long}".split())
    wide = float(root.attrib["width"])
    assert wide < 1000
    assert max(map(len, lines)) * 7.2 * 1.3 < wide
