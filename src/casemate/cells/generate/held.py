"""An answer held to a JSON Schema, token by token (llguidance).

White space is fixed: a model that may write any number of newlines writes them until its tokens are used up.
"""

from __future__ import annotations

from typing import Any

import llguidance
import numpy as np
from llguidance.numpy import allocate_token_bitmask, fill_next_token_bitmask
from numpy.typing import NDArray

from casemate.cells.serve import CannotRead

__all__ = ["Held", "Vocabulary"]


class Vocabulary:
    """The tokens as the grammar machine needs them; made once, it takes a while for a large vocabulary."""

    def __init__(self, tokenizer_json: str, size: int, ends: list[int]) -> None:
        self.size = size
        self._tokenizer = llguidance.LLTokenizer(tokenizer_json, n_vocab=size, eos_token=ends)

    def held(self, schema: str) -> Held:
        """One answer's grammar. Raises CannotRead, naming what it does not know."""
        try:
            grammar = llguidance.LLMatcher.grammar_from_json_schema(
                schema, overrides={"whitespace_flexible": False, "lenient": False}
            )
        except ValueError:
            raise CannotRead("The schema is not a JSON Schema.") from None
        return Held(llguidance.LLMatcher(self._tokenizer, grammar, log_level=0), self.size)


class Held:
    """Which token may come next."""

    def __init__(self, matcher: Any, size: int) -> None:
        self._matcher = matcher
        self._bits = allocate_token_bitmask(1, size)
        self._size = size
        self._check()

    def mask(self, logits: NDArray[np.float32]) -> None:
        """What may not come next becomes impossible, in place; `logits` has the vocabulary on its last axis."""
        fill_next_token_bitmask(self._matcher, self._bits, 0)
        self._check()
        allowed = np.unpackbits(self._bits.view(np.uint8), bitorder="little")
        flat = logits.reshape(-1)
        flat[: self._size][allowed[: self._size] == 0] = -np.inf
        flat[self._size :] = -np.inf

    def took(self, token: int) -> None:
        """That token was written."""
        self._matcher.consume_token(token)
        self._check()

    @property
    def done(self) -> bool:
        """Nothing more may follow."""
        return bool(self._matcher.is_stopped())

    @property
    def whole(self) -> bool:
        """What was written fits the schema as it stands."""
        return bool(self._matcher.is_accepting() or self._matcher.is_stopped())

    def _check(self) -> None:
        # Its words may quote the schema, which is the caller's own.
        if self._matcher.is_error():
            raise CannotRead("The schema has something that this engine cannot hold an answer to.")
