"""Conditions: whether a request is to be done, given what a read at its acting label would give (RFC 9110, 13.2.2)."""

from __future__ import annotations

from casemate.buckets.seen import Condition, Seen
from casemate.clock import SECOND
from casemate.errors import ConditionFailed

__all__ = ["changed", "judged"]


def judged(condition: Condition, seen: Seen | None, *, reading: bool = False) -> None:
    """Raises ConditionFailed where the request must not be done. In a read, `changed` judges the other two."""
    if condition.if_match is not None:
        if not _matches(condition.if_match, seen):
            raise ConditionFailed(condition="If-Match")
    elif condition.if_unmodified is not None and seen is not None and seen.at // SECOND > condition.if_unmodified:
        raise ConditionFailed(condition="If-Unmodified-Since")
    if condition.if_none_match is not None and not reading and _matches(condition.if_none_match, seen):
        raise ConditionFailed(condition="If-None-Match")


def changed(condition: Condition, seen: Seen) -> bool:
    """Whether a reader who has an older one needs this one (False: 304 Not Modified)."""
    if condition.if_none_match is not None:
        return not _matches(condition.if_none_match, seen)
    return condition.if_modified is None or seen.at // SECOND > condition.if_modified


def _matches(etags: tuple[str, ...], seen: Seen | None) -> bool:
    return seen is not None and any(etag in ("*", seen.etag) for etag in etags)
