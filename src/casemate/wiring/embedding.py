"""The region's embedder: which one the settings name, the fence that its child lives in, and its face as a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casemate.engines.embedder_vectors import EmbedderVectors
from casemate.engines.hashing import HashingEmbedder
from casemate.engines.minilm import MiniLMEmbedder
from casemate.engines.sandbox import Sandbox
from casemate.errors import Misconfigured
from casemate.labels import Label
from casemate.models import Card
from casemate.wiring.house import House

if TYPE_CHECKING:
    from casemate.knowledge import Embedder, ModelEmbedder

__all__ = ["EMBEDDER", "CatalogueModels", "embedder_of", "offer", "sandbox_of"]

EMBEDDER = "casemate/minilm-l6-v2"
OURS = "casemate"


def embedder_of(house: House) -> Embedder | None:
    """The embedder that the settings name; None where it is not installed: then full text alone works."""
    chosen = house.settings.knowledge.embedder
    if chosen == "hashing":
        return HashingEmbedder()
    if chosen == "none":
        return None
    try:
        engine = MiniLMEmbedder(sandbox_of(house))
    except Misconfigured:
        return None
    house.closers.append(engine.close)
    return engine


class CatalogueModels:
    """Implements `knowledge.embedders.Models`."""

    def __init__(self, house: House) -> None:
        self._house = house

    def named(self, name: str, known: Label, lent: Label) -> ModelEmbedder | None:
        """By its own name, or by the model's: of several of these, the last by the label of its record."""
        several = [each for each in self._fitting(known, lent) if name in (each.name, each.card.name)]
        return several[-1] if several else None

    def names(self, label: Label) -> tuple[str, ...]:
        return tuple(each.name for each in self._fitting(label, label))

    def _fitting(self, known: Label, lent: Label) -> list[ModelEmbedder]:
        from casemate.knowledge import ModelEmbedder

        gateway = self._house.gateway
        if gateway is None:
            return []
        embedding = [c for c in self._house.catalogue.cards.values() if c.vectors is not None and c.vendor != OURS]
        fitting = [c for c in embedding if c.accredited(lent) and (c.label is None or c.label <= known)]
        return sorted((ModelEmbedder(card, gateway) for card in fitting), key=lambda each: each.name)


def offer(house: House, embedder: Embedder | None) -> None:
    """Let callers name it as a model. Its child is this process's own, and starts with the first text."""
    if embedder is None:
        return
    ceiling = house.gate.vault.region.ceiling
    name = EMBEDDER if isinstance(embedder, MiniLMEmbedder) else f"casemate/{embedder.name}"
    vectors = EmbedderVectors(embedder, name)
    house.catalogue.add(Card(name, name, OURS, ceiling, tasks=("embeddings",), takes=frozenset(), vectors=vectors))


def sandbox_of(house: House) -> Sandbox:
    """Where children of this region live: none of them reaches anything in its folder."""
    folder = house.folder
    home = folder.run / "empty"
    return Sandbox(home, (folder.data, folder.keys, folder.run, folder.door))
