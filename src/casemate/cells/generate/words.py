"""Numbers to words as they come, and where to end: a stop string is never told, not even its beginning."""

from __future__ import annotations

from typing import Any

from tokenizers import decoders

__all__ = ["Words"]


class Words:
    """The text of one answer. `stopped`: a stop string was written."""

    def __init__(self, tokenizer: Any, stops: tuple[str, ...]) -> None:
        self._tokenizer = tokenizer
        self._stream: Any = decoders.DecodeStream([], True)  # without control tokens
        self._stops = tuple(stop for stop in stops if stop)
        self._kept = ""
        self.stopped = False

    def fed(self, token: int) -> str:
        """What may be told now."""
        text = self._stream.step(self._tokenizer, token)
        return self._cut(text) if text else ""

    def rest(self) -> str:
        """What was kept back, at the end."""
        kept, self._kept = self._kept, ""
        return "" if self.stopped else kept

    def _cut(self, text: str) -> str:
        if not self._stops:
            return text
        text = self._kept + text
        found = [place for stop in self._stops if (place := text.find(stop)) >= 0]
        if found:
            self.stopped, self._kept = True, ""
            return text[: min(found)]
        back = max(_begun(text, stop) for stop in self._stops)
        self._kept = text[len(text) - back :]
        return text[: len(text) - back]


def _begun(text: str, stop: str) -> int:
    """How many characters at the end of the text may be the beginning of the stop string."""
    return next((size for size in range(min(len(stop) - 1, len(text)), 0, -1) if text.endswith(stop[:size])), 0)
