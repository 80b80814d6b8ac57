"""What the tests of spills share: a document, what is made of it, officers, and a look at everything with the keys."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import msgspec

from casemate.access.contain import everything, logged, said
from casemate.access.rows import _aad
from casemate.ledger import canonical
from casemate.objects import Kind
from casemate.store import check
from tests.attacks.scene import LOW, SECRET, TOP, bring
from tests.laws.world import Seen, World


class PlainNote(msgspec.Struct, frozen=True):
    """A kind that the tests alone know."""

    text: str


NOTE = Kind("custody.note", PlainNote)
WORDS = "The hidden lantern burns at the northern pier until the ninth convoy has passed the outer boom."
OTHER = "Ferries leave the southern quay at dawn and return before the evening tide turns."
ASKED = "Until when does the hidden lantern burn?"


async def people(world: World) -> None:
    """Ann and Ben ask; Olga and Otto are officers; Ada is an auditor."""
    for name in ("ann", "ben"):
        await world.person(name, TOP)
    for name in ("olga", "otto"):
        await world.person(name, TOP, ("officer",))
    await world.person("ada", TOP, ("auditor",))


async def two_person(world: World) -> None:
    """From now on clearances, policies and spills take two."""
    for name in ("olga", "otto"):
        seen = await world.call(name, "POST", "/api/region/two-person", {}, LOW)
        assert seen.status in (200, 202), seen.body


async def spilled(world: World, label: str = LOW, text: str = WORDS) -> str:
    """A document that is higher than it says, beside another of the same base; its id."""
    await bring(world, "ann", OTHER.encode(), label, label=label)
    return str((await bring(world, "ann", text.encode(), label, label=label)).json["data"]["id"])


async def derived(world: World, label: str = LOW, who: str = "ben") -> tuple[str, str]:
    """An answer to a question about it, and the same answer kept: the entry and the kept answer's id."""
    seen = await world.call(who, "POST", "/api/ask", {"question": ASKED}, label)
    assert seen.status == 200, seen.body
    text, entry = seen.json["data"]["text"], seen.header("casemate-ledger")
    assert "ninth convoy" in text
    kept = await world.call(who, "POST", "/api/answers", {"text": text, "question": ASKED, "asked": entry}, label)
    assert kept.status == 201, kept.body
    listed = (await world.call(who, "GET", "/api/answers", acting=label)).json["data"]
    return entry, str(listed[-1]["id"])


async def report(world: World, named: str, true: str = SECRET, who: str = "olga") -> Any:
    seen = await world.call(who, "POST", "/api/spills/report", {"object": named}, true)
    assert seen.status == 200, seen.body
    return seen.json["data"]


async def contain(world: World, named: str, how: str = "", true: str = SECRET, who: str = "olga") -> Seen:
    return await world.call(who, "POST", "/api/spills", {"object": named, "how": how}, true)


async def found(world: World, who: str = "ben", label: str = LOW, asked: str = "hidden lantern") -> list[str]:
    """The documents that a search finds."""
    seen = await world.call(who, "GET", f"/api/search?q={quote(asked)}", acting=label)
    assert seen.status == 200, seen.body
    return [hit["document"] for hit in seen.json["data"]]


async def everything_said(world: World, *labels: str) -> bytes:
    """Every row, blob, entry and content of these labels, or of all, opened with the region's keys."""
    house = world.house
    vault, top = house.gate.vault, await everything(house.gate)
    await house.gate.folded()
    classes = [each for each in house.gate.classes.everything() if not labels or each.label.text in labels]
    parts: list[bytes] = []
    reader: Any = vault.reader
    names = [row[0] for row in reader._port._ask("SELECT DISTINCT kind FROM rows", ())]
    for access in classes:
        for kind in names:
            rows, _ = vault.reader.scan(kind, [], [access.id], None, 1 << 20)
            parts += [opened(world, check(row)) for row in rows]
        after = ""
        while page := await vault.blobs.lying(access.id, after, 100):
            parts += [await vault.blobs.read(access.id, each.name) for each in page]
            after = page[-1].name
    ids = {each.id for each in classes}
    for each in logged(top):
        if each.access.id in ids:
            parts += [canonical(each.entry), said(top, each)]
    return b"\n".join(parts)


def opened(world: World, row: Any) -> bytes:
    """A row of whichever kind, without reading it as one."""
    sealer = world.house.gate.vault.sealer
    return bytes(sealer.open(row.class_id, row.kind, row.sealed, _aad(row.class_id, row.kind, row.id)))
