"""The gateway: a chat goes to the first model that can take it, and on to the next while nothing has been said yet.

    candidates -> order (label, capability, vendors, health, price) -> look for secrets -> reserve -> lend -> ask
               -> first delta: from here on a failure is reported, never restarted -> guard -> deltas -> settle

Every lend is decided and recorded by the flow; a model outside the region is lent nothing before that is durable.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Self, cast

from casemate.access import Flow
from casemate.clock import SECOND, Clock
from casemate.errors import BadInput, EngineFailed, UnknownModel
from casemate.labels import Labelled, combine
from casemate.models.card import Card, Catalogue
from casemate.models.chat import Chat, Delta, Message, Prompt, Usage
from casemate.models.choose import able
from casemate.models.count import estimate
from casemate.models.embed import embed
from casemate.models.guard import Guard
from casemate.models.health import Health
from casemate.models.inspect import Inspect
from casemate.models.route import Preference, Sight, Verdict, explain, order
from casemate.models.shaped import Shaped
from casemate.telemetry import Generation
from casemate.words import say

__all__ = ["DEADLINE", "Gateway"]

DEADLINE = 120.0  # seconds, for the whole answer and every model that is asked for it


class Gateway:
    """Implements `models.Answerer` for chats that name no knowledge. One per process."""

    def __init__(
        self, catalogue: Catalogue, preference: Preference | None = None, inspect: Inspect | None = None
    ) -> None:
        self._catalogue = catalogue
        self._health = Health()
        self._preference = preference or Preference()
        self._inspect = inspect

    def answer(self, flow: Flow, chat: Chat) -> AsyncIterator[Delta]:
        """A model as itself: what the caller typed carries the floor, what comes back the acting label."""
        return self.write(flow, _typed(flow, chat), chat)

    async def whole(self, flow: Flow, chat: Chat, told: list[Delta]) -> None:
        """As `answer`, told at once."""
        await self.tell(flow, _typed(flow, chat), chat, told)

    async def count(self, flow: Flow, chat: Chat) -> Usage:
        """The tokens of the chat, by the model that would be asked first, where it runs here and counts.

        The chat is looked at and lent like any other. What knowledge would add is not known before it is asked, so a
        chat that names some is estimated. Raises Refused, EngineFailed.
        """
        cards = [] if chat.knowledge else self._catalogue.candidates(flow, chat.model)
        if any(card.counter is not None for card in cards):
            messages, sight = flow.take(chat.messages), self._sight(flow)
            ranked = order(able(cards, chat), chat, messages.label, sight, self._preference)
            if ranked and ranked[0].counter is not None:
                prompt = await self._lent(flow, ranked[0], chat, messages, sight.domain)
                return await ranked[0].counter.count(prompt, DEADLINE)
        return Usage(prompt=estimate(chat))

    async def vectors(self, flow: Flow, card: Card, texts: Sequence[str]) -> list[list[float]]:
        """As `models.embed`."""
        return await embed(flow, card, texts, self._inspect)

    def breakers(self, domain: str, now: int) -> list[tuple[str, bool]]:
        """Models by name, and whether they rest for that domain (an access class' id) at `now` (microseconds)."""
        return self._health.open(domain, now)

    def why(self, flow: Flow, chat: Chat) -> list[Verdict]:
        """How this request would be routed now, among the models that exist for it."""
        cards = self._catalogue.candidates(flow, chat.model)
        return explain(cards, chat, flow.floor, self._sight(flow), self._preference)

    async def write(
        self, flow: Flow, messages: Labelled[tuple[Message, ...]], chat: Chat
    ) -> AsyncGenerator[Delta, None]:
        """Deltas by the first model that begins to answer. Raises UnknownModel, BadInput, Refused, EngineFailed.

        `messages` stand in the place of the chat's own; their label decides which models may be lent them.
        """
        with await self._begin(flow, messages, chat) as begun:
            passed, call, shaped = begun.guard.passed, begun.call, begun.shaped
            try:
                for delta in begun.said:
                    for each in passed(delta):
                        call.last = each
                        if shaped is not None:
                            await shaped.look(each)
                        yield each
                if begun.going_on is not None:
                    async for delta in begun.going_on:
                        for each in passed(delta):
                            call.last = each
                            if shaped is not None:
                                await shaped.look(each)
                            yield each
            finally:
                if begun.going_on is not None:
                    await begun.going_on.aclose()

    async def tell(self, flow: Flow, messages: Labelled[tuple[Message, ...]], chat: Chat, told: list[Delta]) -> None:
        """As `write`, into a list: for whoever waits for all of it."""
        with await self._begin(flow, messages, chat) as begun:
            try:
                for delta in begun.said:
                    begun.add(delta, told)
                if begun.going_on is not None:
                    async for delta in begun.going_on:
                        begun.add(delta, told)
                if begun.shaped is not None:
                    for delta in told:
                        await begun.shaped.look(delta)
            finally:
                if begun.going_on is not None:
                    await begun.going_on.aclose()

    async def _begin(self, flow: Flow, messages: Labelled[tuple[Message, ...]], chat: Chat) -> _Begun:
        """What the first model says that begins to answer."""
        sight = self._sight(flow)
        clock = flow.gate.vault.clock
        ends = sight.now + int(DEADLINE * SECOND)
        failed: EngineFailed | None = None
        self._health.asked(sight.domain)
        for place, card in enumerate(self._ranked(flow, messages, chat, sight)):
            if place and not self._health.may_retry(sight.domain):
                break
            prompt = await self._lent(flow, card, chat, messages, sight.domain)
            started = clock.now()
            call = flow.gate.telemetry.generation(flow.domain, card.vendor, card.name, card.served, started)
            try:
                said, going_on = await _begun(card, chat, prompt, (ends - started) / SECOND)
            except EngineFailed as error:
                self._health.failed(sight.domain, card.name, error, clock.now())
                call.end(flow.begun, error.cause)
                failed = error
                if error.cause == "rejected":
                    raise
                continue
            took = clock.now() - started
            self._health.answered(sight.domain, card.name, took)
            guard = Guard(flow.gate.vault.region.policies, flow.acting, card.name)
            shaped = Shaped(flow, chat.shape, card.name, chat.language) if chat.shape is not None else None
            timed = call.going_on(flow.begun, took)
            return _Begun(said, going_on, guard, shaped, timed, self._health, sight, card.name, clock)
        raise failed or EngineFailed(cause="down", engine=chat.model, why=say("models.resting", chat.language))

    def _sight(self, flow: Flow) -> Sight:
        return Sight(self._health, flow.gate.classes.of(flow.domain).id, flow.gate.vault.clock.now())

    def _ranked(self, flow: Flow, messages: Labelled[tuple[Message, ...]], chat: Chat, sight: Sight) -> list[Card]:
        cards = self._catalogue.candidates(flow, chat.model)
        if not cards:
            raise UnknownModel(model=chat.model[:200])
        return order(able(cards, chat), chat, messages.label, sight, self._preference)

    async def _lent(
        self, flow: Flow, card: Card, chat: Chat, messages: Labelled[tuple[Message, ...]], domain: str
    ) -> Prompt:
        """What the model is given, looked at before anything of it goes."""
        bare = _prompt(card, chat, flow.salt() if card.state == "salted" else "", domain)
        whole = combine(flow.take(bare), messages, _bearing)
        if self._inspect is not None:
            checked = await self._inspect(flow, flow.look(whole), card.outside)
            whole = Labelled(whole.label, checked)
        return await flow.lend(whole, card.ceiling)


@dataclass(slots=True)
class _Begun:
    """An answer that has begun. Leaving the block tells the numbers how it ended, and the health where it failed."""

    said: list[Delta]
    going_on: AsyncGenerator[Delta, None] | None
    guard: Guard
    shaped: Shaped | None
    call: Generation
    health: Health
    sight: Sight
    model: str
    clock: Clock

    def add(self, delta: Delta, told: list[Delta]) -> None:
        """Put what may be told of it there. Raises AnswerHeld."""
        for each in self.guard.passed(delta):
            self.call.last = each
            told.append(each)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, EngineFailed):
            self.health.failed(self.sight.domain, self.model, error, self.clock.now())
        self.call.__exit__(kind, error, trace)


def _typed(flow: Flow, chat: Chat) -> Labelled[tuple[Message, ...]]:
    """What the caller typed. Raises BadInput where he names knowledge: there is none here."""
    if chat.knowledge:
        raise BadInput(what=say("models.no_knowledge", chat.language))
    return flow.take(chat.messages)


def _prompt(card: Card, chat: Chat, salt: str, partition: str) -> Prompt:
    return Prompt(
        model=card.served,
        messages=(),
        max_tokens=chat.max_tokens,
        temperature=chat.temperature,
        top_p=chat.top_p,
        top_k=chat.top_k,
        stop=chat.stop,
        seed=chat.seed,
        tools=chat.tools,
        choice=chat.choice,
        shape=chat.shape,
        extra=chat.extra,
        salt=salt,
        partition=partition,
    )


def _bearing(prompt: Prompt, messages: tuple[Message, ...]) -> Prompt:
    """The prompt with these messages. (`msgspec.structs.replace` costs more than making it anew.)"""
    return Prompt(
        model=prompt.model,
        messages=messages,
        max_tokens=prompt.max_tokens,
        temperature=prompt.temperature,
        top_p=prompt.top_p,
        top_k=prompt.top_k,
        stop=prompt.stop,
        seed=prompt.seed,
        tools=prompt.tools,
        choice=prompt.choice,
        shape=prompt.shape,
        extra=prompt.extra,
        salt=prompt.salt,
        partition=prompt.partition,
    )


async def _begun(
    card: Card, chat: Chat, prompt: Prompt, seconds: float
) -> tuple[list[Delta], AsyncGenerator[Delta, None] | None]:
    """What the engine says first, and the deltas that are still to come. Raises EngineFailed.

    To a caller who waits for the whole, an engine that can gives it in one piece.
    """
    engine = card.engine
    assert engine is not None  # `order` leaves the reader out
    if chat.whole and card.at_once is not None:
        said = await card.at_once.whole(prompt, seconds)
        deltas = None
    else:
        deltas = cast("AsyncGenerator[Delta, None]", engine.generate(prompt, seconds))
        first = await anext(deltas, None)
        said = [] if first is None else [first]
    if not said:
        raise EngineFailed(engine=card.name, why=say("models.broke_off", chat.language))
    return said, None if said[-1].finish else deltas
