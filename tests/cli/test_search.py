"""`casemate search`: passages with marks and snippets for people, the whole reply for programs."""

from __future__ import annotations

from typing import Any

from casemate.cli.search import shown
from casemate.cli.talk import Talk
from tests.cli.running import Up


def test_passages_are_listed_with_their_marks(region: Up) -> None:
    found = region.run("search", "convoy", "-k", "3", "--facet", "mark", "--for", "us:SECRET//NOFORN")
    assert found.code == 0
    assert "1. (" in found.out
    assert "convoy" in found.out
    assert "mark:" in found.out
    assert "hold a word of the question" in found.err


def test_filters_narrow_and_a_slip_is_told(region: Up) -> None:
    none = region.run("search", "convoy", "--filter", "media:pdf", "--method", "text")
    assert none.code == 0
    assert "Nothing was found." in none.out
    assert "convoy instead of convoz" in region.run("search", "convoz").err


def test_as_json_it_is_the_reply(region: Up) -> None:
    found = region.run("search", "convoy", "--base", "intel", "--facet", "base", "--json")
    assert found.err == ""
    data = found.data
    assert data["facets"][0]["values"][0]["value"] == "intel"
    assert data["hits"][0]["snippet"]["spans"]
    assert region.run("search", "x", "--base", "nowhere").code == 5
    assert region.run("search", "x", "--facet", "shape").code == 2


def test_asked_words_are_lit_on_a_terminal(monkeypatch: Any) -> None:
    talk = Talk(None, json=False, plain=False)
    snippet = {"text": "two\nconvoys", "spans": [[4, 11]], "before": True, "after": True}
    assert shown(talk, snippet) == "   … two\n   convoys …"
    monkeypatch.setattr(Talk, "colours", lambda self, stream=None: True)
    assert shown(talk, snippet) == "   … two\n   \x1b[1;33mconvoys\x1b[0m …"
