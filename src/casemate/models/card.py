"""What can be named as a model, and who may name it.

The reader needs no weights and is accredited to the region's ceiling: it quotes. Every other model is accredited by the
operator; a request above a model's accreditation does not reach it, and for that request it does not exist. Several
cards may share an alias: then the router chooses among those that the request may use.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from casemate.access import Ceiling, Flow
from casemate.errors import UnknownModel
from casemate.labels import Label
from casemate.models.chat import AtOnce, Counter, Generator
from casemate.models.vectors import Vectors

__all__ = ["READER", "Card", "Catalogue", "State"]

READER = "casemate/extractive-reader"

_REGIONAL = ("us-gov.", "us.", "eu.", "apac.", "global.")

State = Literal["none", "salted", "shared"]
"""What an engine keeps between requests (flow.md, rule 4)."""


@dataclass(frozen=True, slots=True)
class Card:
    """A model: `name` is what callers say, `served` what the engine is asked for; `engine` is None for the reader.

    `aliases` are other names for it; `takes` what it can take besides words (images, tools, shape); `tasks` what it is
    for (chat, embeddings); `context` its window in tokens (0 = not known); `allows` the kept, fetching or calling
    request fields that may reach it (flow.md, rule 8); `price` orders equals: micro-units of
    money for a million tokens. `label` is where its record lies: below, there is no such model (None: the
    settings name it, and it is known everywhere). `alone`: it serves requests that act at that very label, and no
    others: what runs at a label is not kept busy, warmed or slowed by anybody whom it does not know.
    """

    name: str
    served: str
    vendor: str
    accreditation: Label
    engine: Generator | None = None
    outside: bool = False
    aliases: tuple[str, ...] = ()
    takes: frozenset[str] = frozenset({"tools", "shape"})
    tasks: tuple[str, ...] = ("chat",)
    context: int = 0
    state: State = "none"
    allows: frozenset[str] = frozenset()
    price: int = 0
    vectors: Vectors | None = None
    label: Label | None = None
    alone: bool = False

    ceiling: Ceiling = field(init=False)
    """What this model may be lent."""
    at_once: AtOnce | None = field(init=False)
    """The engine, where it can answer in one piece."""
    counter: Counter | None = field(init=False)
    """The engine, where it counts tokens here: nothing goes out of the region to be counted."""

    def __post_init__(self) -> None:
        engine: object = self.engine
        told = object.__setattr__
        told(self, "ceiling", Ceiling(self.name, self.accreditation, self.outside))
        told(self, "at_once", engine if isinstance(engine, AtOnce) else None)
        told(self, "counter", engine if isinstance(engine, Counter) and not self.outside else None)

    def usable(self, flow: Flow) -> bool:
        """Whether it exists for a request: known where that acts, and accredited for what that carries."""
        if self.alone and self.label is not flow.acting:
            return False
        return self.accredited(flow.floor) and (self.label is None or self.label <= flow.acting)

    def accredited(self, label: Label) -> bool:
        """Whether it may be lent what is so labelled; inside the region no need to know is asked of it (`policy`)."""
        return (label if self.outside else label.without_needs) <= self.accreditation


class Catalogue:
    """The region's models by name. `refresh` puts another list in the place of this one, whole."""

    __slots__ = ("_aliased", "cards")

    def __init__(self, cards: dict[str, Card]) -> None:
        self.cards: dict[str, Card] = {}
        self._aliased: dict[str, list[Card]] = {}
        self.refresh(cards.values())

    def refresh(self, cards: Iterable[Card]) -> None:
        """These are the models from now on; requests under way keep the card that they have."""
        listed: dict[str, Card] = {}
        for card in cards:
            twin = listed.get(card.name)  # of another label: both stay, and a request takes the highest that it sees
            apart = twin is not None and twin.label is not card.label and card.label is not None
            listed[f"{card.name} {card.label.text}" if apart and card.label else card.name] = card
        aliased: dict[str, list[Card]] = {}
        for card in listed.values():
            for name in {card.name, card.name.replace("/", "."), *card.aliases}:
                aliased.setdefault(name, []).append(card)
        self.cards, self._aliased = listed, aliased

    def add(self, card: Card) -> None:
        """One more model, or another of its name."""
        self.refresh({**self.cards, card.name: card}.values())

    async def close(self) -> None:
        """Let every engine that keeps connections or processes let go of them."""
        for card in self.cards.values():
            close = getattr(card.engine, "close", None)
            if close is not None:
                await close()

    def visible(self, flow: Flow) -> list[Card]:
        """The models that may be used in a request with this floor, by name."""
        found = [self.cards[name] for name in sorted(self.cards) if self.cards[name].usable(flow)]
        return found if len({card.name for card in found}) == len(found) else _highest(found)

    def named(self, flow: Flow, name: str) -> Card:
        """The model of that name; one that this request may not use is as unknown as one that never was."""
        found = self.candidates(flow, name)
        if not found:
            raise UnknownModel(model=name[:200])
        return found[0]

    def candidates(self, flow: Flow, name: str) -> list[Card]:
        """Every model that this request may use under that name: its own name first, then aliases."""
        for spelt in _spellings(name):
            found = [card for card in self._aliased.get(spelt, ()) if card.usable(flow)]
            if len(found) > 1:
                return sorted(_highest(found), key=lambda card: card.name != spelt)
            if found:
                return found
        return []


def _highest(cards: list[Card]) -> list[Card]:
    """One card of each name: that of the highest label, of incomparable ones the first by its text."""
    found: dict[str, Card] = {}
    for card in sorted(cards, key=lambda card: card.label.text if card.label is not None else ""):
        known = found.get(card.name)
        if known is None or (card.label is not None and (known.label is None or known.label <= card.label)):
            found[card.name] = card
    return list(found.values())


def _spellings(name: str) -> Iterator[str]:
    """The name as sent; without a Bedrock ARN around it (`arn:...:foundation-model/ID`); without a region's prefix."""
    yield name
    if name.startswith("arn:"):
        _, _, name = name.partition("/")
        yield name
    if name.startswith(_REGIONAL):
        yield name.partition(".")[2]
