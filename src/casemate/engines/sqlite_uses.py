"""What each access class takes of data/records.db: counted by the writer, in the transaction that changes it.

One writer holds the file, so what it has committed is what stands there. A group is counted in memory and written once
for each class, just before its commit. What must never happen: that a class is refused for what lies in another, or
that the count and the rows are not of the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping

import apsw

from casemate.errors import ShareFull
from casemate.store import Share

__all__ = ["Uses"]


class Uses:
    """`begun` before a transaction, `charged` for each batch, `noted` at its end, `kept` once it is committed."""

    def __init__(self, share: Share) -> None:
        self.share = share
        self._kept: dict[str, int] = {}
        self._now: dict[str, int] = {}

    def begun(self) -> None:
        """A transaction begins; what an earlier one counted and did not commit is forgotten."""
        self._now = {}

    def charged(self, db: apsw.Cursor, moved: Mapping[str, int], limits: Mapping[str, int]) -> None:
        """A batch brings, or takes away, so many bytes. Raises ShareFull, and then nothing of it is counted."""
        after = {class_id: self._of(db, class_id) + more for class_id, more in moved.items()}
        for class_id, most in limits.items():
            if moved[class_id] > 0 and after[class_id] > most:
                raise ShareFull(share=self.share(class_id))
        self._now.update(after)

    def noted(self, db: apsw.Cursor) -> None:
        """Write down what has changed, before the commit."""
        for class_id, used in self._now.items():
            if self._kept.get(class_id) != used:
                sql = "INSERT INTO uses VALUES (?, ?) ON CONFLICT DO UPDATE SET used = excluded.used"
                db.execute(sql, (class_id, used))

    def kept(self) -> None:
        """The transaction is committed."""
        self._kept.update(self._now)

    def _of(self, db: apsw.Cursor, class_id: str) -> int:
        if class_id in self._now:
            return self._now[class_id]
        if class_id in self._kept:
            return self._kept[class_id]
        return int(db.execute("SELECT used FROM uses WHERE class_id = ?", (class_id,)).get or 0)
