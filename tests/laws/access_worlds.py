"""The two-world law at the gate itself: flows over a toy kind, thousands of short sequences.

One pair of worlds lives through many sequences, so that what is hidden in them drifts ever further apart while
everything that the observer is given must stay the same.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from casemate.access import Ceiling, Flow, audit
from casemate.errors import CasemateError
from casemate.identity import Principal, Session
from casemate.labels import Labelled
from casemate.objects import Delete, Put, Ref, Where
from casemate.policy import Action
from tests.laws import access_held as held
from tests.laws.access_toy import IDS, NOTE, TOPICS, Note, label_at, plain
from tests.laws.two_worlds import BOTH, EVERYBODY, HIDDEN, LABELS, LOW, Leak
from tests.laws.world import World


@dataclass(frozen=True)
class Deed:
    """Something that a flow does; it gives what the caller would learn."""

    name: str
    label: str
    do: Callable[[Flow], Awaitable[Any]]
    action: Action

    @property
    def confined(self) -> bool:
        """Whether it is done by a session that may bring nothing below its label: what has marks may rest there."""
        return self.name in ("hold", "restate", "settle")


def _deeds(rng: random.Random, label: str) -> Deed:
    """One deed at a label, wholly decided before it is done."""
    name = rng.choice(sorted(DEEDS))
    action, make = DEEDS[name]
    return Deed(name, label, make(rng), action)


def _put(rng: random.Random) -> Callable[[Flow], Awaitable[Any]]:
    id, note, expect = (
        rng.choice(IDS),
        Note(f"text {rng.randrange(9)}", rng.choice(TOPICS)),
        rng.choice((None, None, 0, 1)),
    )
    key = rng.choice(("", "", "again"))

    async def do(flow: Flow) -> Any:
        return await flow.commit(Put(NOTE, id, note, expect=expect), key=key)

    return do


def _delete(rng: random.Random) -> Callable[[Flow], Awaitable[Any]]:
    id = rng.choice(IDS)

    async def do(flow: Flow) -> Any:
        return await flow.commit(Delete(NOTE, id))

    return do


def _read(rng: random.Random) -> Callable[[Flow], Awaitable[Any]]:
    id = rng.choice((*IDS, "never"))

    async def do(flow: Flow) -> Any:
        return plain(await flow.read(NOTE, id))

    return do


def _read_each(rng: random.Random) -> Callable[[Flow], Awaitable[Any]]:
    id = rng.choice(IDS)

    async def do(flow: Flow) -> Any:
        return [plain(f) for f in await flow.read_each(NOTE, id)]

    return do


def _scan(rng: random.Random) -> Callable[[Flow], Awaitable[Any]]:
    topic, limit = rng.choice((None, *TOPICS)), rng.choice((1, 2, 50))

    async def do(flow: Flow) -> Any:
        where = Where() if topic is None else Where((("topic", topic),))
        told, after = [], None
        for _ in range(30):
            page = await flow.scan(NOTE, where, after, limit)
            told.append(([plain(f) for f in page.items], page.after))
            after = page.after
            if after is None:
                break
        return told

    return do


def _down(rng: random.Random) -> Callable[[Flow], Awaitable[Any]]:
    target = rng.choice(LABELS)

    async def do(flow: Flow) -> Any:
        return await flow.commit(Put(NOTE, "down", Note("x", "ships")), at=label_at(flow, target))

    return do


def _deposit(rng: random.Random) -> Callable[[Flow], Awaitable[Any]]:
    target, id = rng.choice(LABELS), rng.choice(IDS)
    put = Put(NOTE, id, Note("deposited", "storm"), expect=rng.choice((None, 0)))
    change = rng.choice((put, put, put, Delete(NOTE, id)))

    async def do(flow: Flow) -> Any:
        return await flow.deposit(label_at(flow, target), change)

    return do


def _lower(rng: random.Random) -> Callable[[Flow], Awaitable[Any]]:
    target, id = rng.choice(LABELS), rng.choice(IDS)

    async def do(flow: Flow) -> Any:
        return [plain(f) for f in await flow.at(label_at(flow, target)).read_each(NOTE, id)]

    return do


def _lower_lend(rng: random.Random) -> Callable[[Flow], Awaitable[Any]]:
    """What a rung does at its own label: it lends, asks for what is not there, and is refused."""
    target, ceiling = rng.choice(LABELS), rng.choice(LABELS)

    async def do(flow: Flow) -> Any:
        lower = flow.at(label_at(flow, target))
        return await lower.lend(Labelled(lower.acting, "said"), Ceiling("engine", label_at(flow, ceiling), True))

    return do


def _lower_put(rng: random.Random) -> Callable[[Flow], Awaitable[Any]]:
    target, id = rng.choice(LABELS), rng.choice(IDS)

    async def do(flow: Flow) -> Any:
        return await flow.at(label_at(flow, target)).commit(Put(NOTE, id, Note("lower", "ships")))

    return do


def _lower_absent(rng: random.Random) -> Callable[[Flow], Awaitable[Any]]:
    target = rng.choice(LABELS)

    async def do(flow: Flow) -> Any:
        return await flow.at(label_at(flow, target)).read(NOTE, "never")

    return do


def _lend(rng: random.Random) -> Callable[[Flow], Awaitable[Any]]:
    target, outside = rng.choice(LABELS), rng.random() < 0.5

    async def do(flow: Flow) -> Any:
        return await flow.lend(Labelled(flow.acting, "said"), Ceiling("engine", label_at(flow, target), outside))

    return do


def _inspect(rng: random.Random) -> Callable[[Flow], Awaitable[Any]]:
    text = rng.choice(("(U) a", "(S//NF) a", "(TS//SI//NF) a", "plain", "(S//BANANA) a", "TOP SECRET"))

    async def do(flow: Flow) -> Any:
        await flow.inspect([text])
        return flow.floor.text

    return do


def _release(rng: random.Random) -> Callable[[Flow], Awaitable[Any]]:
    body = rng.randbytes(8)

    async def do(flow: Flow) -> Any:
        await flow.begin(b"request")
        released = await flow.release(body)
        return released.label.text, released.marking, released.entry

    return do


def _entries(rng: random.Random) -> Callable[[Flow], Awaitable[Any]]:
    limit = rng.choice((1, 5, 40))

    async def do(flow: Flow) -> Any:
        return [(s.entry, s.seq, s.kept) for s in audit.entries(flow, limit)]

    return do


def _verdicts(rng: random.Random) -> Callable[[Flow], Awaitable[Any]]:
    del rng

    async def do(flow: Flow) -> Any:
        return [(a.id, v) for a, v in audit.verdicts(flow, [])]

    return do


def _children(rng: random.Random) -> Callable[[Flow], Awaitable[Any]]:
    id = rng.choice(IDS)

    async def do(flow: Flow) -> Any:
        ref = Ref(NOTE.name, id, flow.access.id)
        await flow.commit(Put(NOTE, f"child-{id}", Note("child", "fever"), parents=(ref,)))
        return await flow.children(ref)

    return do


def _another(rng: random.Random) -> Callable[[Flow], Awaitable[Any]]:
    """To see as somebody else sees, to lend there, and to miss something there."""
    name, reason = rng.choice((*PEOPLE, *PEOPLE, "", "nobody")), rng.choice(("", "law", "law", "law"))
    at, lends = rng.choice((None, None, *LABELS)), rng.random() < 0.5

    async def do(flow: Flow) -> Any:
        seen = await flow.as_seen_by(name, None if at is None else label_at(flow, at), reason)
        told = [plain(found) for found in await seen.every(NOTE)]
        if lends:
            await seen.lend(Labelled(seen.floor, "said"), Ceiling("engine", seen.acting, True))
            return told, seen.acting.text
        return await seen.read(NOTE, "never")

    return do


ACT = Action("keep", "answer")
# Principals whom auditors may ask as, by the label of their clearance.
PEOPLE = {f"person-{number}": label for number, label in enumerate(LABELS)}
DEEDS: dict[str, tuple[Action, Callable[[random.Random], Callable[[Flow], Awaitable[Any]]]]] = {
    "another": (Action("prove", "answer"), _another),
    "children": (ACT, _children),
    "delete": (ACT, _delete),
    "deposit": (ACT, _deposit),
    "down": (ACT, _down),
    "entries": (Action("read", "ledger"), _entries),
    "few": (Action("add", "document"), held.few),
    "hold": (Action("add", "document"), held.hold),
    "inspect": (ACT, _inspect),
    "lend": (ACT, _lend),
    "lower": (ACT, _lower),
    "lower_absent": (ACT, _lower_absent),
    "lower_lend": (ACT, _lower_lend),
    "lower_put": (ACT, _lower_put),
    "put": (ACT, _put),
    "read": (ACT, _read),
    "read_each": (ACT, _read_each),
    "release": (ACT, _release),
    "restate": (Action("add", "document"), held.restate),
    "scan": (ACT, _scan),
    "settle": (Action("add", "document"), held.settle),
    "verdicts": (Action("verify", "ledger"), _verdicts),
}


@dataclass
class Sequence:
    """What is done, and in which worlds."""

    seed: int
    observer: str
    steps: list[tuple[str, Deed]]


def sequence(seed: int, observer: str, length: int = 9) -> Sequence:
    """A sequence from a seed; every one hides a put to an id that the observer may ask for."""
    rng = random.Random(seed)
    steps: list[tuple[str, Deed]] = []
    for place in range(length):
        draw = rng.random()
        if place == 0:
            hidden = rng.choice(HIDDEN[observer])
            steps.append(("one", Deed("put", hidden, _put(rng), ACT)))
        elif place == 1 and BOTH in HIDDEN[observer] and draw < 0.5:
            steps.append(("two", Deed("few", BOTH, held.few(rng), Action("add", "document"))))
        elif draw < 0.4:
            steps.append(("observe", _deeds(rng, observer)))
        elif draw < 0.55:
            steps.append(("both", _deeds(rng, rng.choice((LOW, observer)))))
        else:
            steps.append((rng.choice(("one", "two")), _deeds(rng, rng.choice(HIDDEN[observer]))))
    steps.append(("observe", Deed("scan", observer, _scan(rng), ACT)))
    return Sequence(seed, observer, steps)


async def run(case: Sequence, one: World, two: World) -> int:
    """The sequence in both worlds; how many outcomes were compared. Raises Leak."""
    compared = 0
    for world in (one, two):
        await _people(world)
    for place, (kind, deed) in enumerate(case.steps):
        first = await _done(one, deed, kind) if kind != "two" else None
        second = await _done(two, deed, kind) if kind != "one" else None
        for world in (one, two):
            world.clock.forward(1)
            if place % 4 == 3:
                await world.step("ledger.checkpoint", "ledger.reconcile")
        if kind == "observe":
            compared += 1
            if first != second:
                raise Leak(
                    f"seed {case.seed}, step {place}, {deed.name} at {deed.label}:\n one: {first}\n two: {second}"
                )
    return compared


async def _people(world: World) -> None:
    """The principals of a world, made once, before anything differs."""
    for name, label in PEOPLE.items():
        if world.house.gate.directory.named(name) is None:
            await world.person(name, label)


async def _done(world: World, deed: Deed, kind: str) -> Any:
    gate = world.house.gate
    label = gate.vault.region.policies.parse(deed.label)
    part = {"one": "hidden", "two": "hidden", "both": "seen"}.get(kind, "observer")
    name = f"{part}-{LABELS.index(deed.label)}"
    roles = frozenset({"user", "auditor"})
    floor = label if deed.confined and part == "hidden" else gate.vault.region.floor
    if deed.name == "few":  # what it brings is not bound to the authorization that lets it bring it
        floor = label.without_needs
    # The observer could act higher: what he is told is still a function of the world at the label at which he acts.
    ceiling = gate.vault.region.policies.parse(EVERYBODY) if part == "observer" else label
    session = Session(f"ses-{name}", Principal(name, name, ceiling, roles), floor, ceiling)
    world.calls.clear()
    try:
        told: Any = await deed.do(await gate.open(session, deed.action, label))
    except CasemateError as error:
        told = (type(error).__name__, sorted(error.facts.items()), error.entry)
    return told, tuple(world.calls)
