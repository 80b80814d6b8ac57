"""What the two worlds do with lineage and spills.

Whoever contains what lies below his own label means it to be noticed below: the object is gone. So these operations
contain only what lies at the very label at which they act; that nothing else is noticed below a containment than that
is tests/custody/test_hold.py. Reports, cases and lineage are asked for of anything that exists in either world.
"""

from __future__ import annotations

import random

from tests.laws.console_operations import browse
from tests.laws.document_operations import chosen
from tests.laws.operations import Doing, operation
from tests.laws.world import Seen, World

KINDS = ("", "document/", "document.part/", "answer/", "file/")
HOWS = ("", "shred", "shred", "relabel")


@operation(("GET", "/api/lineage/{object*}"), ("GET", "/api/lineage.svg/{object*}"))
def ask_lineage(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    place, kind, way = rng.random(), rng.choice(KINDS), rng.choice(("both", "up", "down", "away"))
    form = rng.choice(("lineage", "lineage.svg"))

    async def do(world: World) -> Seen:
        return await world.call(who, "GET", f"/api/{form}/{kind}{chosen(world, place)}?way={way}", acting=label)

    return do, ""


@operation(
    ("POST", "/api/spills/report"), ("GET", "/api/spills"), ("GET", "/api/lineage/{object*}"), roles=("officer",)
)
def report_spill(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    place, deed = rng.random(), rng.choice(("report", "report", "list", "lineage"))

    async def do(world: World) -> Seen:
        id = chosen(world, place)
        if deed == "list":
            return await world.call(who, "GET", "/api/spills", acting=label)
        if deed == "lineage":
            return await world.call(who, "GET", f"/api/lineage/{id}", acting=label)
        return await world.call(who, "POST", "/api/spills/report", {"object": id}, label)

    return do, ""


@operation(
    ("POST", "/api/spills"), ("GET", "/api/spills"), ("GET", "/api/spills/{id}"), ("GET", "/api/spills/{id}/picture"),
    ("POST", "/api/spills/{id}/lift"), roles=("user", "officer"),
)  # fmt: skip
def contain_spill(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    how, then, draw = rng.choice(HOWS), rng.choice(("show", "picture", "lift", "contain")), rng.random()

    async def do(world: World) -> Seen:
        listed = await world.call(who, "GET", "/api/documents", acting=label)
        own = [each["id"] for each in listed.json["data"]["documents"] if each["label"] == label]
        id = own[int(draw * len(own))] if own else "doc_neverexisted"
        seen = await world.call(who, "POST", "/api/spills", {"object": id, "how": how}, label)
        if seen.status not in (200, 202) or then == "contain":
            return seen
        case = seen.json["data"]["id"]
        if then == "lift":
            return await world.call(who, "POST", f"/api/spills/{case}/lift", {}, label)
        tail = "/picture" if then == "picture" else ""
        return await world.call(who, "GET", f"/api/spills/{case}{tail}", acting=label)

    return do, ""


@operation(
    ("GET", "/lineage/{object*}"), ("GET", "/lineage.svg/{object*}"), ("GET", "/spill"), ("GET", "/spill.json"),
    ("POST", "/spill"), ("POST", "/spill/report"), ("GET", "/spill/{id}"), ("GET", "/spill/{id}/picture"),
    ("POST", "/spill/{id}/lift"),
)  # fmt: skip
def custody_in_console(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    never, sure = "doc_neverexisted", rng.choice(("doc_neverexisted", "something else"))
    method, target, form = rng.choice(
        (
            ("GET", f"/lineage/{never}", None),
            ("GET", f"/lineage.svg/{never}", None),
            ("GET", "/spill", None),
            ("GET", "/spill.json", None),
            ("POST", "/spill/report", {"object": never}),
            ("POST", "/spill", {"object": never, "how": rng.choice(("freeze", "shred", "burn")), "sure": sure}),
            ("GET", "/spill/spl_never", None),
            ("GET", "/spill/spl_never/picture", None),
            ("POST", "/spill/spl_never/lift", {}),
        )
    )
    return browse(method, target, form)(who, label), ""
