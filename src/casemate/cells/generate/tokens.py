"""Text to token numbers, twice over: a template's pieces with their control tokens, a caller's text without any.

A control token is one that was added to the vocabulary or that ends an answer. No text of a caller may become one: it
is read by a tokenizer that does not know them, and what its model spells as one by itself is spelt in pieces.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import tokenizers

from casemate.cells.generate.template import Segment
from casemate.cells.serve import CannotRead

__all__ = ["Tokens"]


class Tokens:
    """The tokenizer of a folder. `ends` are the numbers that end an answer."""

    def __init__(self, folder: Path, ends: Iterable[int]) -> None:
        text = (folder / "tokenizer.json").read_text("utf-8")
        told: dict[str, Any] = json.loads(text)
        self.whole = _plain(tokenizers.Tokenizer.from_str(text))
        self.control = frozenset((*(int(each["id"]) for each in told.get("added_tokens") or ()), *ends))
        self._content = _plain(tokenizers.Tokenizer.from_str(json.dumps({**told, "added_tokens": []})))

    def encoded(self, segments: Iterable[Segment]) -> list[int]:
        """The numbers of a prompt. Raises CannotRead where a text cannot be written without a control token."""
        found: list[int] = []
        for own, text in segments:
            found += self.whole.encode(text, add_special_tokens=False).ids if own else self.content(text)
        return found

    def content(self, text: str) -> list[int]:
        """A caller's text; never a control token. A lone surrogate becomes a question mark."""
        text = text.encode("utf-8", "replace").decode()
        ids: list[int] = self._content.encode(text, add_special_tokens=False).ids
        if self.control.isdisjoint(ids):
            return ids
        if len(text) < 2:
            raise CannotRead("A character of this text is a control token of the model.")
        # Its vocabulary holds the token as a word. In two halves the word is none; the loop ends at single characters.
        middle = len(text) // 2
        return [*self.content(text[:middle]), *self.content(text[middle:])]


def _plain(tokenizer: Any) -> Any:
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer
