"""Who is served in the next group: a bounded queue and a fixed share for each label domain.

A domain's place in a group depends on its own queue alone. What one domain leaves unused is not lent to another, so
that none can tell from its own progress how busy another is; and a full queue refuses its own domain only.
"""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

__all__ = ["Queues"]

T = TypeVar("T")


class Queues(Generic[T]):
    """Items waiting by domain, oldest first within each."""

    def __init__(self, bound: int, share: int) -> None:
        self.bound = bound
        self.share = share
        self._waiting: dict[str, deque[T]] = {}

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def offer(self, domain: str, item: T) -> bool:
        """Queue the item, or say that its domain's queue is full."""
        queue = self._waiting.setdefault(domain, deque())
        if len(queue) >= self.bound:
            return False
        queue.append(item)
        return True

    def take(self) -> list[T]:
        """The next group: at most `share` of each domain."""
        group: list[T] = []
        for domain, queue in list(self._waiting.items()):
            group.extend(queue.popleft() for _ in range(min(self.share, len(queue))))
            if not queue:
                del self._waiting[domain]
        return group

    def drain(self) -> list[T]:
        """Everything that waits."""
        rest = [item for queue in self._waiting.values() for item in queue]
        self._waiting.clear()
        return rest
