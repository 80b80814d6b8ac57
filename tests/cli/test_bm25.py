"""FTS5's bm25 moves when a hidden row is added; that is what the demonstration shows."""

from __future__ import annotations

import sqlite3

import pytest

from casemate.cli.bm25 import filtered_scores

VISIBLE = ["The convoy leaves the harbour.", "The garden opens at nine.", "A cat sleeps.", "Rain falls on the roof."]


def fts5() -> bool:
    return any("ENABLE_FTS5" in row[0] for row in sqlite3.connect(":memory:").execute("PRAGMA compile_options"))


@pytest.mark.skipif(not fts5(), reason="this SQLite has no FTS5")
def test_one_hidden_document_moves_a_visible_score() -> None:
    before, after = filtered_scores("When does the convoy leave?", VISIBLE, ["A hidden convoy, and another convoy."])
    assert before > 0
    assert before != after


def test_where_there_is_nothing_to_show_it_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert filtered_scores("zebra?", VISIBLE, ["hidden"]) == ()

    class Without:
        def execute(self, *_: object) -> None:
            raise sqlite3.OperationalError("no such module: fts5")

        def close(self) -> None:
            pass

    monkeypatch.setattr(sqlite3, "connect", lambda _: Without())
    assert filtered_scores("convoy", VISIBLE, ["hidden"]) == ()
