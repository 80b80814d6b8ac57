"""The region's embedder: which one the settings name, the fence that its child lives in, and its face as a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casemate.engines.embedder_vectors import EmbedderVectors
from casemate.engines.hashing import HashingEmbedder
from casemate.engines.minilm import MiniLMEmbedder
from casemate.engines.sandbox import Sandbox
from casemate.errors import Misconfigured
from casemate.models import Card
from casemate.wiring.house import House

if TYPE_CHECKING:
    from casemate.knowledge import Embedder

__all__ = ["EMBEDDER", "embedder_of", "offer", "sandbox_of"]

EMBEDDER = "casemate/minilm-l6-v2"


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


def offer(house: House, embedder: Embedder | None) -> None:
    """Let callers name it as a model. Its child is this process's own, and starts with the first text."""
    if embedder is None:
        return
    ceiling = house.gate.vault.region.ceiling
    name = EMBEDDER if isinstance(embedder, MiniLMEmbedder) else f"casemate/{embedder.name}"
    vectors = EmbedderVectors(embedder, name)
    house.catalogue.add(
        Card(name, name, "casemate", ceiling, tasks=("embeddings",), takes=frozenset(), vectors=vectors)
    )


def sandbox_of(house: House) -> Sandbox:
    """Where children of this region live: none of them reaches anything in its folder."""
    folder = house.folder
    home = folder.run / "empty"
    return Sandbox(home, (folder.data, folder.keys, folder.run, folder.door))
