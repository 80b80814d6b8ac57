"""The room against a model: a dictionary of (label, key), and what each label sees of it by the definition of the law.

Every step is also done in a second region in which things that its observer may not see were done besides. What he is
told in both is compared, and so is the sequence of calls at the store.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.buckets import Buckets, Condition, order
from casemate.errors import CasemateError, Conflict
from tests.buckets.scene import BESIDE, BOTH, LOW, PLAIN, SECRET, TOP, at, body, bucket, label_of
from tests.laws.world import World, a_world

LABELS = (LOW, SECRET, TOP, BESIDE, BOTH)
KEYS = ("a", "a/1", "a/2", "b/", "b/é")
OBSERVER = SECRET
SEEN_BY_OBSERVER = (LOW, SECRET)

Step = tuple[str, str, str, int]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(("put", "put", "new", "match", "remove", "tag")),
        st.sampled_from(LABELS),
        st.sampled_from(KEYS),
        st.integers(0, 2),
    ),
    max_size=14,
)


@dataclass
class Model:
    """What lies where; `below` says which labels a label dominates."""

    below: dict[str, set[str]]
    lies: dict[tuple[str, str], bytes] = field(default_factory=dict)

    def top(self, label: str, key: str) -> list[str]:
        here = [low for low in LABELS if low in self.below[label] and (low, key) in self.lies]
        return [low for low in here if not any(low != o and low in self.below[o] for o in here)]

    def expected(self, step: Step) -> str:
        """What is told of a step, which is done."""
        verb, label, key, number = step
        top = self.top(label, key)
        if verb in ("new", "match") and len(top) > 1:
            return "ambiguous"
        if (verb == "new" and top) or (verb == "match" and not top):
            return "condition-failed"
        if verb == "remove":
            if (label, key) in self.lies:
                del self.lies[label, key]
                return "True"
            return "refused" if top else "False"
        if verb == "tag":
            return "done" if (label, key) in self.lies else "refused" if top else "absent"
        self.lies[label, key] = b"%d" % number
        return "done"

    def keys(self, label: str) -> list[tuple[str, tuple[str, ...]]]:
        found = [(key, tuple(self.top(label, key))) for key in KEYS]
        return [(key, top) for key, top in found if top]


async def told(world: World, room: Buckets, step: Step) -> str:
    verb, label, key, number = step
    conditions = {"new": Condition(if_none_match=("*",)), "match": Condition(if_match=("*",))}
    try:
        if verb == "remove":
            return str(await room.remove(await at(world, label, "remove"), "plans", key))
        if verb == "tag":
            await room.tag(await at(world, label), "plans", key, {"n": str(number)})
        else:
            condition = conditions.get(verb, Condition())
            await room.put(await at(world, label), "plans", key, body(b"%d" % number), PLAIN, condition)
    except CasemateError as error:
        return error.slug
    return "done"


async def looked(world: World, room: Buckets, label: str) -> list[Any]:
    """Everything that a label is told, and every call that this makes."""
    flow, found = await at(world, label, "list"), list[Any]()
    world.calls.clear()
    for delimiter in ("", "/"):
        after: str | None = ""
        while after is not None:
            page = await room.listed(flow, "plans", "", delimiter, after, 2)
            found += [page.next, page.prefixes]
            found += [(o.key, o.label.text, [x.text for x in o.others], o.etag, o.at, o.tags) for o in page.objects]
            after = page.next
    for key in KEYS:
        try:
            one = await room.seen(flow, "plans", key)
            found.append((one.key, one.label.text, one.etag, [piece async for piece in room.read(flow, one)]))
        except CasemateError as error:
            found.append((error.slug, error.facts))
    return [*found, *world.calls]


async def drive(steps: list[Step]) -> None:
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(a_world(3, ("us",)))
        other = await stack.enter_async_context(a_world(3, ("us",)))
        parsed = {text: label_of(one, text) for text in LABELS}
        below = {high: {low for low in LABELS if parsed[low] <= parsed[high]} for high in LABELS}
        model, rooms = Model(below), {id(one): Buckets(), id(other): Buckets()}
        for world in (one, other):
            await bucket(world, rooms[id(world)])
        for step in steps:
            assert await told(one, rooms[id(one)], step) == model.expected(step), step
            if step[1] in SEEN_BY_OBSERVER:
                calls = list(one.calls)
                assert await told(other, rooms[id(other)], step)
                assert calls[-1:] == one.calls[-1:]
        for label in LABELS:
            flow = await at(one, label, "list")
            listed = (await rooms[id(one)].listed(flow, "plans")).objects
            assert [(o.key, tuple(sorted(x.text for x in (o.label, *o.others)))) for o in listed] == [
                (key, tuple(sorted(top))) for key, top in model.keys(label)
            ]
        assert await looked(one, rooms[id(one)], OBSERVER) == await looked(other, rooms[id(other)], OBSERVER)


@settings(max_examples=25)
@given(STEPS)
def test_the_room_does_what_the_model_does_and_tells_nothing_of_what_is_hidden(steps: list[Step]) -> None:
    with patch.object(order, "CHECK", 2), patch.object(order, "FOLD", 2), patch.object(order, "STRETCH", 2):
        asyncio.run(drive(steps))


async def test_of_writers_who_may_only_be_first_one_is(world: World) -> None:
    rooms = [Buckets() for _ in range(3)]
    await bucket(world, rooms[0])
    steps = [("new", SECRET, "a", n) for n in range(3)] * 4
    done = await asyncio.gather(*(told(world, rooms[n % 3], step) for n, step in enumerate(steps)))
    assert sorted(done) == ["condition-failed"] * 11 + ["done"]


async def test_of_writers_who_compare_every_change_is_made_upon_another(world: World) -> None:
    """A counter that everybody raises by what he has read: nobody's raise is lost."""
    room = Buckets()
    await bucket(world, room)
    await room.put(await at(world, SECRET), "plans", "n", body(b"0"), PLAIN)

    async def raises() -> None:
        for _ in range(5):
            while True:
                flow = await at(world, SECRET)
                seen = await room.seen(flow, "plans", "n")
                value = int(b"".join([piece async for piece in room.read(flow, seen)]))
                try:
                    condition = Condition(if_match=(seen.etag,))
                    await room.put(flow, "plans", "n", body(b"%d" % (value + 1)), PLAIN, condition)
                except Conflict:
                    continue
                break

    await asyncio.gather(*(raises() for _ in range(6)))
    flow = await at(world, SECRET, "read")
    assert b"".join([p async for p in room.read(flow, await room.seen(flow, "plans", "n"))]) == b"30"


async def test_the_last_of_many_writers_wins_and_all_are_answered(world: World) -> None:
    rooms = [Buckets() for _ in range(4)]
    await bucket(world, rooms[0])
    done = await asyncio.gather(*(told(world, rooms[n % 4], ("put", SECRET, "a", n)) for n in range(64)))
    assert set(done) == {"done"}
    [only] = (await rooms[0].listed(await at(world, SECRET, "list"), "plans")).objects
    assert only.version == 64
