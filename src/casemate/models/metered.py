"""Every chat is within its quotas before anybody is asked, and what it used is counted however it ends.

    reserve (QuotaExceeded: 429) -> answer -> settle; what was said before a failure or a hang-up was used too

What it counted stands in the facts of the request's END entry, from which usage can be made anew.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import cast

from casemate.access import Flow
from casemate.accounts import Meter, PriceBook, Reservation
from casemate.models.answerer import Answerer
from casemate.models.card import Card, Catalogue
from casemate.models.chat import Chat, Delta, Usage
from casemate.models.count import BYTES, estimate
from casemate.telemetry import CHAT, EMBEDDINGS

__all__ = ["Metered"]


class Metered:
    """Implements `models.Answerer` around another. One meter in a process."""

    def __init__(self, answerer: Answerer, meter: Meter, catalogue: Catalogue, prices: PriceBook) -> None:
        self._answerer = answerer
        self._meter = meter
        self._catalogue = catalogue
        self._prices = prices

    async def answer(self, flow: Flow, chat: Chat) -> AsyncIterator[Delta]:
        """The deltas of the answerer within. Raises QuotaExceeded before anything is asked."""
        asked, reservation = self._reserved(flow, chat)
        letters, engine, usage = 0, "", None
        deltas = cast("AsyncGenerator[Delta, None]", self._answerer.answer(flow, chat))
        try:
            async with contextlib.aclosing(deltas):
                async for delta in deltas:
                    letters += len(delta.text)
                    engine = delta.engine or engine
                    usage = delta.usage or usage
                    yield delta
        finally:
            self._ended(flow, reservation, engine or chat.model, usage, asked, letters)

    async def whole(self, flow: Flow, chat: Chat, told: list[Delta]) -> None:
        """As `answer`, told at once."""
        asked, reservation = self._reserved(flow, chat)
        try:
            await self._answerer.whole(flow, chat, told)
        finally:
            letters, engine, usage = 0, "", None
            for delta in told:
                letters += len(delta.text)
                engine = delta.engine or engine
                usage = delta.usage or usage
            self._ended(flow, reservation, engine or chat.model, usage, asked, letters)

    async def count(self, flow: Flow, chat: Chat) -> Usage:
        """As the answerer within counts: a count uses no quota."""
        return await self._answerer.count(flow, chat)

    async def vectors(self, flow: Flow, card: Card, texts: Sequence[str]) -> list[list[float]]:
        """`models.embed`, within the quotas and counted. Raises QuotaExceeded as well."""
        asked = -(-sum(map(len, texts)) // BYTES)
        with self._meter.reserve(flow, asked) as reservation:
            found = await self._answerer.vectors(flow, card, texts)
            self._settle(flow, reservation, card.name, Usage(asked, 0), EMBEDDINGS)
        return found

    def _reserved(self, flow: Flow, chat: Chat) -> tuple[int, Reservation]:
        """About how many tokens are asked, and room for them and the answer. Raises QuotaExceeded."""
        asked = estimate(chat)
        return asked, self._meter.reserve(flow, asked + chat.max_tokens)

    def _ended(
        self, flow: Flow, reservation: Reservation, engine: str, usage: Usage | None, asked: int, letters: int
    ) -> None:
        """However it ended: what was said was used, also where nobody has counted it."""
        if usage is None and not letters:
            reservation.cancel()
        else:
            self._settle(flow, reservation, engine, usage or Usage(asked, -(-letters // BYTES)))

    def _settle(self, flow: Flow, reservation: Reservation, engine: str, usage: Usage, operation: str = CHAT) -> None:
        card = next(iter(self._catalogue.candidates(flow, engine)), None)  # of a twin above, nothing
        reservation.model = engine
        reservation.vendor = card.vendor if card is not None else ""
        reservation.price = self._prices.price(engine, reservation.at)
        charge = reservation.settle(usage.prompt, usage.completion, usage.cached, usage.estimated)
        flow.facts |= charge.facts()
        told = card or self._catalogue.cards.get(flow.lent[-1] if flow.lent else "")  # never by a caller's own word
        model, vendor = (told.name, told.vendor) if told is not None else ("", "")
        flow.gate.telemetry.used(flow.domain, operation, vendor, model, usage.prompt, usage.completion)
