"""The BEGINs of this process whose END is still to come: whoever judges the ledger does not call them interrupted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Running"]


class Running(set[str]):
    """Ids of BEGINs. While somebody holds it, what ends stays in it.

    An END that is durable need not be folded yet. Whoever holds this, then folds, then reads, finds for every BEGIN of
    this process its END in the log, or the BEGIN in here.
    """

    def __init__(self) -> None:
        super().__init__()
        self._holders = 0
        self._ended: set[str] = set()

    def end(self, begun: str) -> None:
        """That BEGIN has its END, or never will; an id that is not in it is no error."""
        if self._holders:
            self._ended.add(begun)
        else:
            self.discard(begun)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nothing leaves meanwhile."""
        self._holders += 1
        try:
            yield
        finally:
            self._holders -= 1
            if not self._holders:
                self -= self._ended
                self._ended.clear()
