"""The terms of many texts, each token analysed once: for whoever looks at the words of the passages that were found.

One of these lives no longer than its request: what it remembers are words of the visible world.
"""

from __future__ import annotations

from itertools import chain

from casemate.knowledge.index.analyse import terms

__all__ = ["Tokens"]


class Tokens(dict[str, tuple[str, ...]]):
    """The terms of each token without white space: mostly one; several in `ship-to-shore`, none in a stop word.

    No term reaches over white space, so a text has the terms of its tokens.
    """

    def __missing__(self, token: str) -> tuple[str, ...]:
        found = self[token] = tuple(terms(token))
        return found

    def terms(self, text: str) -> list[str]:
        """What `analyse.terms` gives: the terms of a text in order, repeats included."""
        return list(chain.from_iterable(map(self.__getitem__, text.split())))
