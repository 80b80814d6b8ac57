"""Who counts: the model that would be asked first, where it runs here and can. Nothing goes out to be counted."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from casemate.models import Card, Chat, Message, Prompt, Usage, estimate
from casemate.policy import Action
from tests.attacks.scene import LOW, SECRET, TOP, Writer, flow_of, label_of, principal
from tests.laws.world import World


class Counting(Writer):
    """One that counts seven tokens, whatever it is lent."""

    async def count(self, prompt: Prompt, deadline: float) -> Usage:
        self.lent.append(prompt.messages)
        return Usage(7, estimated=False)


CHAT = Chat(model="pair", messages=(Message("user", "hi"),), knowledge=(), language="en")


def card(world: World, name: str, engine: Writer, *, outside: bool = False, price: int = 0) -> Card:
    return Card(name, name, "acme", label_of(world, TOP), engine, outside, aliases=("pair",), price=price)


async def test_the_first_that_would_be_asked_counts_and_no_other(world: World) -> None:
    flow = await flow_of(world, principal(world, "eve", TOP), Action("ask", "answer"), LOW)
    near, far, cheap = Counting(), Counting(), Writer("x")
    catalogue = world.house.catalogue
    catalogue.add(card(world, "near", near, price=5))
    catalogue.add(card(world, "far", far, outside=True))
    assert await world.house.answerer.count(flow, CHAT) == Usage(7, estimated=False)
    known = await world.house.answerer.count(flow, msgspec.structs.replace(CHAT, knowledge=("all",)))
    assert known == Usage(estimate(CHAT)), "what knowledge adds is not known yet"
    catalogue.add(card(world, "cheap", cheap))
    assert await world.house.answerer.count(flow, CHAT) == Usage(estimate(CHAT))
    assert (len(near.lent), far.lent, cheap.lent) == (1, [], [])


async def test_nothing_goes_out_and_nothing_above_the_accreditation(world: World) -> None:
    catalogue, engine = world.house.catalogue, Counting()
    session = principal(world, "eve", TOP)
    flow = await flow_of(world, session, Action("ask", "answer"), LOW)
    catalogue.add(card(world, "far", engine, outside=True))
    assert (await world.house.answerer.count(flow, CHAT)).estimated
    catalogue.add(replace(card(world, "far", engine), accreditation=label_of(world, LOW)))
    high = replace(session, id="ses-zoe", floor=label_of(world, SECRET))
    flow = await flow_of(world, high, Action("ask", "answer"), SECRET)
    assert (await world.house.answerer.count(flow, CHAT)).estimated
    assert engine.lent == []
