"""The two-world law: what somebody is told is a function of his own input and of the world that his label dominates.

Two regions are made alike. In the first, hidden sessions do things that the observer does not dominate: they bring
documents, ask, fail, are refused, issue keys. In the second they do not, or do others. Everything that the observer
then sees is compared byte for byte, stream boundaries and the sequence of calls included.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import tests.laws.account_operations
import tests.laws.anthropic_operations
import tests.laws.batch_operations
import tests.laws.bedrock_operations
import tests.laws.bucket_operations
import tests.laws.console_operations
import tests.laws.custody_operations
import tests.laws.dataset_operations
import tests.laws.document_operations
import tests.laws.environment_operations
import tests.laws.event_operations
import tests.laws.gateway_operations
import tests.laws.job_operations
import tests.laws.job_queue_operations
import tests.laws.key_operations
import tests.laws.label_operations
import tests.laws.ledger_operations
import tests.laws.metrics_operations
import tests.laws.mission_operations
import tests.laws.model_operations
import tests.laws.openai_operations
import tests.laws.outsider_operations
import tests.laws.proof_operations
import tests.laws.quarantine_operations
import tests.laws.release_operations
import tests.laws.s3_operations
import tests.laws.search_operations
import tests.laws.service_operations
import tests.laws.transfer_operations
import tests.laws.vector_operations
import tests.laws.work_operations
from casemate.models import Card, Delta, Prompt, Usage
from tests.laws.account_operations import tighten
from tests.laws.operations import MAKERS, WORDS, Operation
from tests.laws.world import Seen, World, a_world

LOW = "agency=EXERCISE"
SECRET = "agency=EXERCISE + us:SECRET//REL=USA"
RELEASED = "agency=EXERCISE + us:SECRET//REL=FRA,USA"
TOP = "agency=EXERCISE + us:TOP SECRET//REL=USA//SCI=SI"
FRENCH = "agency=EXERCISE + fr:SECRET"
HOUSE = "agency=EXERCISE + house:CONFIDENTIAL"
ALPHA = "agency=EXERCISE + need=ALPHA + us:SECRET//REL=USA"
BOTH = "agency=EXERCISE + need=ALPHA + need=CHARLIE + us:SECRET//REL=USA"
LABELS = (LOW, SECRET, RELEASED, TOP, FRENCH, HOUSE, ALPHA, BOTH)
# Who observes at which label, and which labels he does not dominate (higher or incomparable).
HIDDEN = {
    LOW: (SECRET, RELEASED, TOP, FRENCH, HOUSE, ALPHA, BOTH),
    RELEASED: (SECRET, TOP, FRENCH, HOUSE, ALPHA),
    SECRET: (TOP, FRENCH, HOUSE, ALPHA, BOTH),
    FRENCH: (SECRET, TOP, HOUSE, BOTH),
    ALPHA: (TOP, FRENCH, BOTH, BOTH, BOTH),
}
# What one of two authorizations opens, told by whoever has the one that no observer has (see `operations`).
EVERYBODY = (
    "agency=EXERCISE + fr:SECRET + house:CONFIDENTIAL + need=ALPHA + need=BRAVO + need=CHARLIE + "
    "us:TOP SECRET//DISSEM=FOUO//REL=USA//SCI=SI"
)
FAR = "law/far"
# Loops whose turn is the clock's: they have it after every step, in both worlds, and never by what somebody does.
ROUNDS = (
    "ledger.checkpoint",
    "ledger.reconcile",
    "knowledge.compact",
    "knowledge.forget",
    "knowledge.reembed",
    "accounts.limits",
    "missions.watch",
    "missions.notify",
    "accounts.usage",
    "models.records",
    "jobs.reconcile",
    "jobs.services",
)

OFTEN_SEEN = ("ask", "search", "openai_chat", "read_document", "ask_streamed", "prove", "gateway_chat", "gateway_chat")
OFTEN_HIDDEN = ("ask", "openai_chat", "prove", "gateway_chat", "gateway_chat")


class Leak(AssertionError):
    """What the observer saw depended on something hidden."""


@dataclass
class Case:
    """A generated case: what is visible is done in both worlds, what is hidden in one of them only."""

    seed: int
    observer: str
    steps: list[tuple[str, Operation]] = field(default_factory=list)

    @property
    def tight(self) -> bool:
        """Whether quotas are so small that asking meets them, in a third of the cases."""
        return self.seed % 3 == 0

    @property
    def telling(self) -> bool:
        """Whether a hidden document holds a word of something that the observer asks: else the case is vacuous."""
        asked = {w for kind, op in self.steps if kind == "observe" for w in WORDS if w in op.query.lower()}
        hidden = {
            w
            for kind, op in self.steps
            if kind != "observe" and op.name == "add_document" and kind in ("one", "two")
            for w in WORDS
            if w in op.query.lower()
        }
        return bool(asked & hidden)


def name_of(label: str, part: str) -> str:
    """Each label has an observer and a hidden session of its own: two people never share a session."""
    return f"{part}-{LABELS.index(label)}"


def generate(seed: int, length: int = 10, names: tuple[str, ...] = ()) -> Case:
    """A case from a seed; with `names`, of these operations alone."""
    rng = random.Random(seed)
    observer = rng.choice(tuple(HIDDEN))
    case = Case(seed, observer)
    everything = sorted(MAKERS)
    visible = [label for label in LABELS if label in (LOW, observer)]
    for place in range(length):
        draw = rng.random()
        if place < 2:
            kind = ("one", "both")[place] if rng.random() < 0.8 else "both"
            name = "add_document"
        elif draw < 0.45:
            kind, name = "observe", rng.choice(everything)
        elif draw < 0.55:
            kind, name = "both", "add_document"
        else:
            kind, name = rng.choice(("one", "two")), rng.choice(everything)
        if rng.random() < 0.3 and kind == "observe":
            name = rng.choice(OFTEN_SEEN)
        if rng.random() < 0.3 and kind in ("one", "two") and place > 1:
            name = rng.choice(OFTEN_HIDDEN)
        name = rng.choice(names) if names else name
        label = rng.choice(HIDDEN[observer]) if kind in ("one", "two") else rng.choice(visible)
        if kind == "observe":
            label = observer
        who = name_of(label, "hidden" if kind in ("one", "two") else "seen" if kind == "both" else "observer")
        case.steps.append((kind, MAKERS[name].make(rng, who, label)))
    asking = MAKERS["ask"].make(rng, name_of(observer, "observer"), observer)
    case.steps.append(("observe", asking))
    case.steps.append(("observe", MAKERS["the_log"].make(rng, name_of(observer, "observer"), observer)))
    return case


async def prepare(world: World, case: Case) -> None:
    """The people of a case, and an engine elsewhere: the same in both worlds, made before anything differs.

    The observer could act higher: what he is told is still a function of the world at the label at which he acts.
    """
    observed = {op.who for kind, op in case.steps if kind == "observe"}
    for who, label, roles in sorted({(op.who, op.label, op.roles) for _, op in case.steps}):
        await world.person(who, EVERYBODY if who in observed else label, roles)
    if case.tight:
        await tighten(world, case.seed // 3)
    level = world.policies.parse(SECRET)
    tests.laws.gateway_operations.install(world)
    world.house.catalogue.add(Card(FAR, FAR, "law", level, Echo(), outside=True))


class Echo:
    """An engine that says some of what it was lent."""

    dialect = ""

    async def generate(self, prompt: Prompt, deadline: float) -> AsyncIterator[Delta]:
        yield Delta(text=f"{len(prompt.messages)} ")
        yield Delta(text=" ".join(prompt.messages[-1].text.split()[-9:]) + " [1]")
        yield Delta(finish="stop", usage=Usage(len(prompt.messages), 9, False))


async def judge(case: Case, doors: str = "asgi") -> int:
    """Run a case in both worlds; how many responses were compared. Raises Leak."""
    async with AsyncExitStack() as stack:
        one: World = await stack.enter_async_context(a_world(1))
        two: World = await stack.enter_async_context(a_world(1))
        await prepare(one, case)
        await prepare(two, case)
        compared = 0
        for place, (kind, op) in enumerate(case.steps):
            first = await _do(one, op) if kind in ("one", "both", "observe") else None
            second = await _do(two, op) if kind in ("two", "both", "observe") else None
            _share(one, two)
            for world in (one, two):
                world.clock.forward(1)
                await world.step(*ROUNDS)
            if kind == "observe":
                compare(case, place, op, first, second)
                compared += 1
        return compared


async def _do(world: World, op: Operation) -> Seen | None:
    seen = await op.do(world)
    if seen is not None and op.name == "add_document" and seen.status == 202:
        world.prints[seen.json["data"]["id"]] = op.label
    return seen


def _share(one: World, two: World) -> None:
    """The ids that the law may ask for are those of either world."""
    both = {**one.prints, **two.prints}
    one.prints, two.prints = dict(both), dict(both)


def compare(case: Case, place: int, op: Operation, first: Seen | None, second: Seen | None) -> None:
    """Byte for byte. The first difference is named."""
    assert first is not None
    assert second is not None
    for name in ("status", "headers", "pieces", "calls"):
        a, b = getattr(first, name), getattr(second, name)
        if a != b:
            raise Leak(f"seed {case.seed}, step {place} ({op.name} at {op.label}): {name} differ\n one: {a}\n two: {b}")
