"""Buckets: named places for objects of any size, each object at a label, seen as the visible world shows them."""

from __future__ import annotations

from casemate.buckets.buckets import Buckets
from casemate.buckets.condition import changed, judged
from casemate.buckets.edges import HEAD, look, reads_as_text
from casemate.buckets.gather import Gatherer, Place
from casemate.buckets.seen import Bucket, Condition, Listing, NewObject, Part, Seen, Upload
from casemate.buckets.stale import Stale

__all__ = [
    "HEAD",
    "Bucket",
    "Buckets",
    "Condition",
    "Gatherer",
    "Listing",
    "NewObject",
    "Part",
    "Place",
    "Seen",
    "Stale",
    "Upload",
    "changed",
    "judged",
    "look",
    "reads_as_text",
]
