"""The loops that keep knowledge in order: what is held comes to rest, what is gone goes, what is small merges."""

from __future__ import annotations

from casemate.buckets import Stale
from casemate.custody.scrubbing import Scrubbing
from casemate.engines.extractor import CellExtractor
from casemate.knowledge import Compact, Connectors, Embedders, Forget, Ingest, Poll, Reembed
from casemate.wiring.embedding import sandbox_of
from casemate.wiring.house import House

__all__ = ["tend"]


def tend(house: House, embedders: Embedders, connectors: Connectors) -> None:
    """Hang them in the house; a law that has brought its own extractor waits for each step."""
    extractor, patience = house.extractor, 0.5 if house.extractor is None else None
    if extractor is None:
        extractor = cell = CellExtractor(sandbox_of(house))
        house.closers.append(cell.close)
    ingest = Ingest(house.gate, extractor, embedders, patience)
    forget = Forget(house.gate, patience)
    reembed = Reembed(house.gate, embedders, patience)
    poll = Poll(house.gate, connectors, patience)
    compact = Compact(house.gate, patience)
    scrubbing = Scrubbing(house.gate, house.scrub, patience)
    stale = Stale(house.gate, patience)
    for each in (ingest, forget, reembed, poll, compact, scrubbing, stale):
        house.closers.append(each.stop)
        house.loops += each.loops()
