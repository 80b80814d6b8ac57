"""The proof over everybody: each principal's world against a copy that never held anything else, question by question.

For each principal whom the auditor's acting label sees, at his ceiling, one second world is built; every question is
searched for and answered in both, and the bytes are compared. What is told and kept are counts and salted digests.
Documents go on coming while this runs: where the visible world has moved meanwhile, the comparison is made again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import msgspec

from casemate import __version__
from casemate.access import Flow
from casemate.accounts import people
from casemate.assistants.prove import Prover
from casemate.assistants.tally import TALLY, Compared, Digest, Tally, signed, spelled
from casemate.assistants.told import gathered
from casemate.errors import BadInput, Refused
from casemate.ids import fresh
from casemate.knowledge import DOCUMENT, PART, SEGMENT, Library, copied
from casemate.knowledge.documents.described import DESCRIBED
from casemate.knowledge.documents.gone import GONE
from casemate.knowledge.index.facets import NAMES as FACETS
from casemate.knowledge.index.find import Wanted, find
from casemate.knowledge.index.query import parse
from casemate.models import READER, Answerer, Chat, Message
from casemate.objects import Put
from casemate.policy import Action

__all__ = ["Asking", "Counted", "Step", "compare", "finish", "prove_all"]

K = 20  # results of each search
TRIES = 3
PROVE = Action("prove", "answer")
_LOOKED = (DOCUMENT, PART, SEGMENT, GONE, DESCRIBED)


@dataclass(frozen=True, slots=True)
class Asking:
    """What is asked of every world, and the salt of what is told of it."""

    questions: tuple[str, ...]
    salt: bytes
    knowledge: tuple[str, ...] = ("all",)
    language: str = "en"

    def chat(self, question: str) -> Chat:
        """The question as the reader is asked it."""
        return Chat(
            model=READER, messages=(Message("user", question),), knowledge=self.knowledge, language=self.language
        )

    @property
    def digest(self) -> str:
        told = Digest(self.salt)
        told.add(question.encode() for question in self.questions)
        return told.hex


class Step(msgspec.Struct, frozen=True):
    """How far it has come: worlds compared, of how many, and the last one."""

    done: int
    total: int
    world: Compared | None = None


@dataclass(slots=True)
class Counted:
    """What has been compared so far, and who could not be."""

    worlds: list[Compared] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


async def prove_all(prover: Prover, flow: Flow, asking: Asking, reason: str, counted: Counted) -> AsyncIterator[Step]:
    """Every principal whom this auditor sees and may ask as, one after the other, by name."""
    names = await _names(flow)
    yield Step(0, len(names))
    for done, name in enumerate(names, start=1):
        try:
            theirs = await flow.as_seen_by(name, None, reason)
        except Refused:  # it is recorded: his ceiling does not reach what was asked
            counted.left.append(name)
            yield Step(done, len(names))
            continue
        theirs.action = PROVE  # what he might do himself; to count over everybody is the auditor's
        world = await compare(prover, theirs, asking, name)
        counted.worlds.append(world)
        yield Step(done, len(names), world)


async def compare(prover: Prover, theirs: Flow, asking: Asking, name: str) -> Compared:
    """One world against its copy, again while what is visible moves, at most three times."""
    for _ in range(TRIES - 1):
        found = await _once(prover, theirs, asking, name)
        if found.settled:
            return found
    return await _once(prover, theirs, asking, name)


async def _once(prover: Prover, theirs: Flow, asking: Asking, name: str) -> Compared:
    before = await theirs.tide(*_LOOKED)
    world = await copied(theirs, prover.library)
    second = await prover.second(theirs, world)
    try:
        here, there = (theirs, prover.library, prover.answerer), (second.flow, second.library, second.answerer)
        equal, one, two = await _asked(asking, here, there)
    finally:
        await second.close()
    settled = await theirs.tide(*_LOOKED) == before
    return Compared(
        principal=name,
        floor=theirs.floor.text,
        acting=theirs.acting.text,
        classes=len(world.classes),
        documents=world.documents,
        passages=world.passages,
        equal=equal if settled else 0,
        unequal=len(asking.questions) - equal if settled else 0,
        settled=settled,
        first=one,
        second=two,
    )


Place = tuple[Flow, Library, Answerer]


async def _asked(asking: Asking, here: Place, there: Place) -> tuple[int, str, str]:
    """How many questions gave the same bytes in both places, and the digests of all that was given."""
    equal, first, second = 0, Digest(asking.salt), Digest(asking.salt)
    for question in asking.questions:
        one = [await _found(asking, question, *here), await _answered(asking, question, *here)]
        two = [await _found(asking, question, *there), await _answered(asking, question, *there)]
        equal += one == two
        first.add(one)
        second.add(two)
        await asyncio.sleep(0)  # others are served meanwhile
    return equal, first.hex, second.hex


async def _found(asking: Asking, question: str, flow: Flow, library: Library, _: Answerer) -> bytes:
    """Hits, scores, order and statistics; and as people search: total, facets, snippets, suggestions."""
    try:
        await library.check(flow, asking.knowledge)
        plain = await library.search(flow, await library.ask(flow, question), asking.knowledge, K)
        query = parse(question)
        view = await library.view(flow, asking.knowledge)
        portion = flow.gate.vault.region.policies.portion
        wanted = Wanted(K, facets=FACETS, marks={shard.label: portion(shard.label) for shard in view.shards})
        shown = find(query, await library.ask(flow, query.text), view, wanted)
        return spelled((plain, shown))
    except BadInput as error:  # what cannot be asked here cannot be asked there
        return error.slug.encode()


async def _answered(asking: Asking, question: str, flow: Flow, _: Library, answerer: Answerer) -> bytes:
    """The reader's answer with its citations."""
    try:
        return spelled(await gathered(answerer.answer(flow, asking.chat(question))))
    except BadInput as error:
        return error.slug.encode()


async def _names(flow: Flow) -> Sequence[str]:
    """Principals who ask questions, as far as the acting label sees them and what they may see."""
    found = []
    for person in await people(flow):
        principal = flow.gate.directory.named(person.value.name)
        own = person.value.name == flow.session.principal.name
        if principal is None or "user" not in principal.roles:
            continue
        if own or principal.clearance.without_needs <= flow.acting:
            found.append(principal.name)
    return sorted(set(found))


async def finish(flow: Flow, asking: Asking, counted: Counted, at: int) -> Tally:
    """The tally, signed, and kept exactly at the acting label."""
    vault = flow.gate.vault
    tally = Tally(
        region=vault.region.name,
        software=__version__,
        by=flow.session.principal.name,
        at=at,
        questions=len(asking.questions),
        asked=asking.digest,
        worlds=tuple(counted.worlds),
        left=tuple(counted.left),
        solo=not flow.gate.directory.two_person(),
        key_id=vault.signer.key_id,
    )
    tally = signed(tally, vault.signer)
    id = fresh("prf", vault.entropy, f"proof/{flow.access.id}/{flow.session.id}")
    told = {"worlds": len(tally.worlds), "unequal": sum(world.unequal for world in tally.worlds)}
    await flow.commit(Put(TALLY, id, tally, expect=0), facts=told)
    return tally
