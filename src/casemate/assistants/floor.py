"""The two floors below which the reader abstains: constants of the package, tuned on the exercise corpus alone.

They never depend on the documents of a region, nor on fused ranks: a threshold computed from what is stored would be
an object with a label of its own. A rung is written where either is reached.
"""

from __future__ import annotations

from collections.abc import Iterable

from casemate.knowledge import Hit, Statistics, idf_share, terms

__all__ = ["COSINE_FLOOR", "IDF_SHARE_FLOOR", "reaches"]

COSINE_FLOOR = 0.65
IDF_SHARE_FLOOR = 0.64


def reaches(hits: Iterable[Hit], statistics: Statistics) -> bool:
    """Whether the best of a rung's passages is good enough, by the idf of the world in which they were found."""
    return any(
        hit.cosine >= COSINE_FLOOR or idf_share(terms(hit.passage.indexed), statistics) >= IDF_SHARE_FLOOR
        for hit in hits
    )
