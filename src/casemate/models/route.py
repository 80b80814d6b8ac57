"""Which model answers: candidates in the order in which they are asked, and why.

Label and accreditation come first, and nothing that follows can widen them: whatever fails, a request goes to no model
that its label does not flow to. Then capability, the region's policy on vendors, health as the request's own domain has
seen it, price and latency. Pure, but for the health that is handed in.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from casemate.labels import Label
from casemate.models.card import Card
from casemate.models.chat import Chat
from casemate.models.health import Health

__all__ = ["Preference", "Sight", "Verdict", "explain", "order"]


@dataclass(frozen=True, slots=True)
class Preference:
    """The region's policy: vendors that are never asked, and whether models inside the region go first."""

    denied: frozenset[str] = frozenset()
    inside_first: bool = True


@dataclass(frozen=True, slots=True)
class Sight:
    """The models' health as one label domain sees it at one moment (microseconds)."""

    health: Health
    domain: str
    now: int

    def works(self, card: Card) -> bool:
        """Whether that card may be asked."""
        return self.health.works(self.domain, card.name, self.now)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one candidate: `rule` is the step that left it out ("" where it is asked), `place` its turn."""

    model: str
    rule: str = ""
    place: int = 0


def explain(cards: Iterable[Card], chat: Chat, label: Label, sight: Sight, preference: Preference) -> list[Verdict]:
    """Every visible candidate with its verdict: those that are asked in their order, then those left out."""
    listed = list(cards)
    chosen = [card.name for card in order(listed, chat, label, sight, preference)]
    asked = [Verdict(name, place=place) for place, name in enumerate(chosen, start=1)]
    left = [card for card in listed if card.name not in chosen]
    return asked + [Verdict(card.name, _left_out(card, chat, label, preference) or "health") for card in left]


def order(cards: Sequence[Card], chat: Chat, label: Label, sight: Sight, preference: Preference) -> list[Card]:
    """The models to ask, one after the other, for what bears `label`. Where every breaker is open, none."""
    fitting = [card for card in cards if not _left_out(card, chat, label, preference)]
    working = [card for card in fitting if sight.works(card)]
    return working if len(working) <= 1 else sorted(working, key=lambda card: _rank(card, sight, preference))


def _left_out(card: Card, chat: Chat, label: Label, preference: Preference) -> str:
    """The first step that this card does not pass, or ""."""
    if not card.accredited(label):
        return "accreditation"
    if card.engine is None or not chat.demands <= card.takes or not set(chat.needs) <= card.allows:
        return "capability"
    if chat.extra and chat.dialect and card.engine.dialect not in ("", chat.dialect):
        return "dialect"
    if card.vendor in preference.denied:
        return "vendor"
    return ""


def _rank(card: Card, sight: Sight, preference: Preference) -> tuple[object, ...]:
    seen = sight.health.of(sight.domain, card.name)
    outside = card.outside if preference.inside_first else False
    return outside, seen.strikes > 0, card.price, round(seen.latency), card.name
