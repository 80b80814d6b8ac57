"""What a full-text index does that filters by label only after it has ranked: SQLite's FTS5, out of the box.

Its bm25 counts documents and terms of all rows, so a visible passage's score moves when a hidden one is added: whoever
watches his own scores learns of it. The demonstration shows it in numbers beside ours.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence

__all__ = ["filtered_scores"]


def filtered_scores(question: str, visible: Sequence[str], hidden: Sequence[str]) -> tuple[float, ...]:
    """The best visible passage's score, first with all but the last hidden passage in the index, then with all of them.

    Empty where this Python's SQLite has no FTS5.
    """
    words = " OR ".join(f'"{word}"' for word in dict.fromkeys(re.findall(r"\w{4,}", question.lower())))
    db = sqlite3.connect(":memory:")
    try:
        db.execute("CREATE VIRTUAL TABLE passages USING fts5(text, seen UNINDEXED)")
        db.executemany("INSERT INTO passages VALUES (?, 1)", [(text,) for text in visible])
        db.executemany("INSERT INTO passages VALUES (?, 0)", [(text,) for text in hidden[:-1]])
        before = _best(db, words)
        db.execute("INSERT INTO passages VALUES (?, 0)", (hidden[-1],))
        return before, _best(db, words)
    except (sqlite3.OperationalError, IndexError):
        return ()
    finally:
        db.close()


def _best(db: sqlite3.Connection, words: str) -> float:
    """Ranked over all, then filtered: bm25 is negative, the best is the least."""
    asked = "SELECT bm25(passages) FROM passages WHERE passages MATCH ? AND seen = 1 ORDER BY bm25(passages) LIMIT 1"
    return -float(db.execute(asked, (words,)).fetchall()[0][0])
