"""The answerer: finds the rungs of a question, has each one written from its own world, and tells them as deltas.

Every rung is made in a flow of its own at the rung's label, so that what it says cannot depend on anything above. An
upstream writes the rungs that its accreditation dominates; the reader writes the others, and says so.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from msgspec.structs import replace as replace_fields

from casemate.access import Flow
from casemate.assistants.cite import used
from casemate.assistants.compose import Rung, abstention, answer, paragraph, paragraph_of, places
from casemate.assistants.floor import reaches
from casemate.assistants.prompt import rung_messages
from casemate.assistants.reader import read
from casemate.assistants.rungs import CAP, candidates, keep, select, visiting
from casemate.errors import BadInput, EngineFailed
from casemate.knowledge import QUESTION, Asked, Hit, Library, Results, check, narrowed
from casemate.knowledge.documents.used import use
from casemate.labels import Label, Labelled
from casemate.models import READER, Card, Catalogue, Chat, Delta, Gateway, Usage
from casemate.models.answerer import read as read_all
from casemate.words import say

__all__ = ["Assistant", "K"]

K = 24


@dataclass(frozen=True, slots=True)
class _Work:
    """A question under way."""

    flow: Flow
    chat: Chat
    card: Card
    asked: Asked


class Assistant:
    """Implements `models.Answerer`."""

    def __init__(self, library: Library, catalogue: Catalogue, gateway: Gateway | None = None) -> None:
        self._library = library
        self._catalogue = catalogue
        self._gateway = gateway or Gateway(catalogue)

    async def answer(self, flow: Flow, chat: Chat) -> AsyncIterator[Delta]:
        """The deltas of an answer. Raises UnknownModel, UnknownKnowledge, BadInput, Refused before the first."""
        card = self._card(flow, chat)
        if not chat.knowledge:
            async with aclosing(self._gateway.write(flow, flow.take(chat.messages), chat)) as deltas:
                async for delta in deltas:
                    yield delta
            return
        await check(flow, self._library, chat.knowledge)
        work = _Work(flow, chat, card, await self._library.ask(flow, chat.question, chat.knowledge))
        words = 0
        async for delta in self._rungs(work) if chat.mode == "rungs" else self._single(work):
            words += len(delta.text.split())
            yield delta
        if not words:
            yield self._abstains(work)
            yield Delta(finish="abstain", usage=Usage(len(chat.question.split()), 0))
            return
        yield Delta(finish="stop", usage=Usage(len(chat.question.split()), words))

    async def whole(self, flow: Flow, chat: Chat, told: list[Delta]) -> None:
        """As `answer`, told at once."""
        if chat.knowledge:
            await read_all(self.answer(flow, chat), told)
        else:
            self._card(flow, chat)
            await self._gateway.tell(flow, flow.take(chat.messages), chat, told)

    async def count(self, flow: Flow, chat: Chat) -> Usage:
        """As the gateway counts: without the passages, which are not known before they are asked for."""
        return await self._gateway.count(flow, chat)

    async def vectors(self, flow: Flow, card: Card, texts: Sequence[str]) -> list[list[float]]:
        """As the gateway gives them."""
        return await self._gateway.vectors(flow, card, texts)

    def _card(self, flow: Flow, chat: Chat) -> Card:
        """The model that is named, where it can answer such a chat. Raises UnknownModel, BadInput."""
        card = self._catalogue.named(flow, chat.model)
        if not chat.question.strip():
            raise BadInput(what="There is no question: the last user message is empty.")
        if not chat.knowledge and card.engine is None:
            raise BadInput(what="The reader answers from knowledge bases only; name one, or all.")
        return card

    async def _rungs(self, work: _Work) -> AsyncIterator[Delta]:
        flow = work.flow
        labels = candidates(flow.floor, flow.acting, await self._library.labels(flow, work.chat.knowledge))
        if len(labels) > CAP:
            own = await self._best(flow, work)
            labels = visiting(labels, flow.acting, own.hits, flow.floor)
            filled = [label for label in labels if (await self._found(work, label))[1]]
            labels = keep(filled, labels)
        place = 0
        for label in labels:
            results, hits = await self._found(work, label)
            if not hits:
                continue
            async for delta in self._rung(work, label, results, hits, place):
                place += len(delta.text)
                yield delta

    async def _found(self, work: _Work, label: Label) -> tuple[Results, tuple[Hit, ...]]:
        """What a rung is made from: nothing where the best of it does not reach the reader's floors."""
        lower = work.flow.at(label)
        results = await self._best(lower, work)
        hits = select(results.hits, work.flow.floor, label)
        return (results, hits) if hits and reaches(hits, results.statistics) else (results, ())

    async def _best(self, flow: Flow, work: _Work) -> Results:
        return await narrowed(flow, self._library, work.asked, work.chat.knowledge, work.chat.narrowed, K)

    async def _single(self, work: _Work) -> AsyncIterator[Delta]:
        """One paragraph at the acting label, from everything that it sees."""
        results = await self._best(work.flow, work)
        if results.hits and reaches(results.hits, results.statistics):
            async for delta in self._rung(work, work.flow.acting, results, results.hits, 0):
                yield delta

    async def _rung(
        self, work: _Work, label: Label, results: Results, hits: tuple[Hit, ...], place: int
    ) -> AsyncIterator[Delta]:
        """The deltas of one paragraph; `place` is where the answer's text stands before it."""
        policies = work.flow.gate.vault.region.policies
        language = work.chat.language
        rung = read(work.chat.question[:QUESTION], label, hits, results.statistics, policies, language)
        if work.card.engine is not None and work.card.accredited(label):
            rung = await self._written(work, label, hits)
        elif work.card.engine is not None and rung is not None:
            rung = replace(rung, note=say("assistants.above_upstream", language, model=work.card.name))
        if rung is None:
            return
        quoted = {citation.document for citation in rung.citations}
        own = rung.engine == READER
        use(work.flow, ((hit.passage.document, hit.label) for hit in hits if not own or hit.passage.document in quoted))
        gap = "\n\n" if place else ""
        text = gap + paragraph(rung, policies)
        found = places(answer(label, [rung]), policies)
        start = place + len(gap)
        yield Delta(text=text, mark=policies.portion(label), label=label.text, engine=rung.engine, note=rung.note)
        yield Delta(
            mark=policies.portion(label),
            label=label.text,
            engine=rung.engine,
            extract=rung.engine == READER,
            citations=tuple(replace_fields(p.citation, start=start + p.start, end=start + p.end) for p in found),
        )

    async def _written(self, work: _Work, label: Label, hits: tuple[Hit, ...]) -> Rung:
        """A rung in an upstream's words, from that rung's passages alone."""
        policies = work.flow.gate.vault.region.policies
        messages, cited = rung_messages(work.chat, hits, policies)
        written = self._gateway.write(work.flow.at(label), Labelled(label, messages), work.chat)
        async with aclosing(written) as deltas:
            pieces = [delta async for delta in deltas]
        text = paragraph_of("".join(delta.text for delta in pieces), policies)
        if not text:
            raise EngineFailed(engine=work.card.name, why="it ended without a word")
        return Rung(label, text, used(text, cited) or cited, pieces[0].engine or work.card.name)

    def _abstains(self, work: _Work) -> Delta:
        policies = work.flow.gate.vault.region.policies
        rung = abstention(work.flow.acting, work.chat.language)
        mark = policies.portion(work.flow.acting)
        return Delta(text=paragraph(rung, policies), mark=mark, label=work.flow.acting.text, engine=READER)
