"""Deeds of the law at the gate: what is brought is held, said a label, and comes to rest."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import Any

from casemate.access import HELD, Flow, Hold
from casemate.objects import Put
from casemate.policy import Action
from tests.laws.access_toy import IDS, NOTE, TOPICS, Note, label_at, plain
from tests.laws.operations import ONE_OF_TWO
from tests.laws.two_worlds import LABELS

SETTLE = Action("settle", "document")


def hold(rng: random.Random) -> Callable[[Flow], Awaitable[Any]]:
    data = rng.randbytes(20)

    async def do(flow: Flow) -> Any:
        return await flow.hold(Hold("f.txt", "law", data.hex()), data)

    return do


def few(rng: random.Random) -> Callable[[Flow], Awaitable[Any]]:
    """A document for those who have one of two authorizations, brought and come to rest: where no label can say it."""
    data, id, note = rng.randbytes(20), rng.choice(IDS), Note("few", rng.choice(TOPICS))

    async def do(flow: Flow) -> Any:
        ref = await flow.hold(Hold("f.txt", "law", data.hex(), need=ONE_OF_TWO), data)
        gate: Any = flow.gate
        service = await gate.open(gate.service("knowledge", flow.access), SETTLE)
        settling = service.settle(await service.read(HELD, ref.id))
        settling.change(flow.floor, Put(NOTE, id, note))
        return await settling.commit("settled", {"passages": 1})

    return do


def restate(rng: random.Random) -> Callable[[Flow], Awaitable[Any]]:
    """The label of a document that waits; also of one that never did."""
    target, place = rng.choice(LABELS), rng.random()

    async def do(flow: Flow) -> Any:
        waiting = [found.id for found in await flow.every(HELD)]
        id = waiting[int(place * len(waiting))] if waiting else "doc_none"
        await flow.restate(id, label_at(flow, target))
        return plain(await flow.read(HELD, id))

    return do


def settle(rng: random.Random) -> Callable[[Flow], Awaitable[Any]]:
    """A document comes to rest, in a service flow, at a label that its marks might say."""
    target, place, note = rng.choice(LABELS), rng.random(), Note("settled", rng.choice(TOPICS))

    async def do(flow: Flow) -> Any:
        own = [found.id for found in await flow.every(HELD) if found.ref.class_id == flow.access.id]
        if not own:
            return None
        id = own[int(place * len(own))]
        gate: Any = flow.gate
        service = await gate.open(gate.service("knowledge", flow.access), SETTLE)
        settling = service.settle(await service.read(HELD, id))
        settling.change(label_at(flow, target), Put(NOTE, "settled", note))
        return await settling.commit("settled", {"passages": 1})

    return do
