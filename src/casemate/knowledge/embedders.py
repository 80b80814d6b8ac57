"""The embedders of a region by name, and which texts each is asked about.

The region's own serves every label. A model of the catalogue serves the classes that its accreditation dominates: its
texts are lent through the gateway, looked at and recorded there like any other, and where it is not accredited it is as
if the base had not named it.

An embedder that declares its languages is asked about texts in those and about texts whose language nobody can tell;
a text in another language has no vector, and full text alone ranks it. What language a text is in is a function of the
text itself, so that neither its neighbours nor the region's settings show in what is found.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from casemate.access import Flow
from casemate.errors import EngineFailed
from casemate.knowledge.index.form import DIMENSIONS
from casemate.knowledge.reading.language import detect
from casemate.labels import Label
from casemate.models import Card, Gateway

__all__ = ["Embedder", "Embedders", "ModelEmbedder", "quantised", "serves", "vectors"]

_TYPICAL = 20  # what a component of middling size becomes; MiniLM's are brought to much the same


class Embedder(Protocol):
    """Texts to integer vectors, each a function of its text alone. `languages`: none says any."""

    @property
    def name(self) -> str: ...

    @property
    def languages(self) -> frozenset[str]: ...

    async def embed(self, texts: list[str], domain: str = "") -> list[bytes]:
        """`domain`, the id of an access class, is whose turn it takes where one engine serves them all."""
        ...


@dataclass(frozen=True, slots=True)
class ModelEmbedder:
    """A model of the catalogue that embeds. It is asked inside a flow alone, since its texts are lent."""

    card: Card
    gateway: Gateway
    languages: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """The model's, with the label of its record where it has one: another of the same name is another embedder."""
        return f"{self.card.name} {self.card.label.text}" if self.card.label is not None else self.card.name

    async def lent(self, flow: Flow, texts: Sequence[str]) -> list[bytes]:
        """Their vectors, one text at a time. Raises Refused, EngineFailed."""
        found = [vector for text in texts for vector in await self.gateway.vectors(flow, self.card, [text])]
        if any(not 0 < len(vector) <= DIMENSIONS for vector in found):
            raise EngineFailed(engine=self.name, why=f"vectors of 1 to {DIMENSIONS} dimensions are searched with")
        return [quantised(vector) for vector in found]


Any = Embedder | ModelEmbedder


class Models(Protocol):
    """The models of the catalogue that embed, as they stand at the moment."""

    def named(self, name: str, known: Label, lent: Label) -> ModelEmbedder | None:
        """One that is known at the first label and may be lent what bears the second."""
        ...

    def names(self, label: Label) -> tuple[str, ...]:
        """Those that are known at a label and may be lent what lies there."""
        ...


class Embedders:
    """The region's own and `models` of the catalogue; `default` serves a base that names none (None: text)."""

    def __init__(self, default: Embedder | None = None, *others: Embedder, models: Models | None = None) -> None:
        self.default = default
        self._named = {each.name: each for each in (default, *others) if each is not None}
        self._models = models

    def names(self, label: Label) -> tuple[str, ...]:
        """Those that a base may name at a label."""
        found = {*self._named, *(self._models.names(label) if self._models is not None else ())}
        return tuple(sorted(found))

    def named(self, name: str, known: Label, lent: Label | None = None) -> Any | None:
        """The one of that name, "" being the default: a model is known at that label and may be lent what lies there.

        `lent`: the label of what is embedded, where that is another: a question bears its floor. None: there is none.
        """
        if not name:
            return self.default
        if name in self._named or self._models is None:
            return self._named.get(name)
        return self._models.named(name, known, known if lent is None else lent)

    def serving(self, name: str, label: Label) -> Any | None:
        """The one that serves what lies at a label where a base names it: the default where that one may not."""
        return self.named(name, label) or self.default


def serves(embedder: Any, text: str) -> bool:
    """Whether it is asked about this text."""
    language = detect(text) if embedder.languages else ""
    return not language or language in embedder.languages


async def vectors(embedder: Any | None, texts: Sequence[str], flow: Flow) -> list[bytes]:
    """A vector for each text of one access class, b"" for one that it does not serve; no list without an embedder.

    The flow acts at the label of what is embedded: a model that is not accredited for that refuses it.
    """
    if embedder is None:
        return []
    served = [serves(embedder, text) for text in texts]
    chosen = [text for text, mine in zip(texts, served, strict=True) if mine]
    if isinstance(embedder, ModelEmbedder):
        found = await embedder.lent(flow, chosen)
    else:
        found = await embedder.embed(chosen, flow.gate.classes.of(flow.domain).id)
    made = iter(found)
    return [next(made) if mine else b"" for mine in served]


def quantised(vector: Sequence[float]) -> bytes:
    """A vector in integers of -127..127, a signed byte each; its direction is kept, its length is not.

    Raises EngineFailed where a component is no number.
    """
    length = math.sqrt(math.fsum(value * value for value in vector))
    if not math.isfinite(length):
        raise EngineFailed(engine="embedder", why="a vector holds what is no number")
    if not length:
        return bytes(len(vector))
    scale = _TYPICAL * math.sqrt(len(vector)) / length
    return bytes(max(-127, min(127, round(value * scale))) & 0xFF for value in vector)
