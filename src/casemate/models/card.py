"""What can be named as a model, and who may name it.

The reader needs no weights and is accredited to the region's ceiling: it quotes. An upstream is accredited by the
operator, in casemate.toml; a request above its accreditation does not reach it.
"""

from __future__ import annotations

from dataclasses import dataclass

from casemate.access import Ceiling, Flow
from casemate.errors import UnknownModel
from casemate.labels import Label
from casemate.models.chat import Generator

__all__ = ["READER", "Card", "Catalogue"]

READER = "casemate/extractive-reader"


@dataclass(frozen=True, slots=True)
class Card:
    """A model: `name` is what callers say, `served` what the engine is asked for; `engine` is None for the reader."""

    name: str
    served: str
    vendor: str
    accreditation: Label
    engine: Generator | None = None
    outside: bool = False

    @property
    def ceiling(self) -> Ceiling:
        """What this model may be lent."""
        return Ceiling(self.name, self.accreditation, self.outside)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The region's models by name."""

    cards: dict[str, Card]

    def visible(self, flow: Flow) -> list[Card]:
        """The models that may be used in a request with this floor, by name."""
        return [self.cards[name] for name in sorted(self.cards) if flow.floor <= self.cards[name].accreditation]

    def named(self, flow: Flow, name: str) -> Card:
        """The model of that name; one that this request may not use is as unknown as one that never was."""
        card = self.cards.get(_alias(name))
        if card is None or not flow.floor <= card.accreditation:
            raise UnknownModel(model=name[:200])
        return card


def _alias(name: str) -> str:
    """The catalogue's name in a plain name, a Bedrock id or an ARN (`arn:...:bedrock:REGION::foundation-model/ID`)."""
    if name.startswith("arn:"):
        _, _, name = name.partition("/")
    for prefix in ("us-gov.", "us."):
        name = name.removeprefix(prefix)
    if name.startswith("casemate.") and "/" not in name:
        name = "casemate/" + name.removeprefix("casemate.")
    return name
