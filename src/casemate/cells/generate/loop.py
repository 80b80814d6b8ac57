"""The loop of the cell: one prompt after the other, a piece for each token that has words, an ear open for a stop.

A failure is told by its kind and, where the cell itself worded it, its reason; never by the text of an exception of a
library, which may quote the prompt.
"""

from __future__ import annotations

import io
import os
import select
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO, Final

from casemate import frames
from casemate.cells.generate.folder import Folder
from casemate.cells.generate.held import Held, Vocabulary
from casemate.cells.generate.model import Model, Running
from casemate.cells.generate.spoken import Ask, Began, Piece, Ready
from casemate.cells.generate.template import Template
from casemate.cells.generate.tokens import Tokens
from casemate.cells.generate.words import Words
from casemate.cells.serve import BROKEN, MEMORY, UNREADABLE, CannotRead

__all__ = ["Chat", "Exact", "converse", "main"]

REQUESTS, REPLIES = 3, 4
"""Where `fence` puts the two pipes."""
REQUEST: Final = 16 << 20

Tell = Callable[[Began | Piece], None]
Wanted = Callable[[], bool]


class Chat:
    """A model with its tokenizer and template: answers one `Ask` at a time."""

    def __init__(self, folder: Path) -> None:
        found = Folder(folder)
        self.model = Model(folder)
        self.tokens = Tokens(folder, self.model.ends)
        self._template = Template(found.template, found.names)
        self._json = (folder / "tokenizer.json").read_text("utf-8")
        self._vocabulary: Vocabulary | None = None

    def answer(self, ask: Ask, tell: Tell, wanted: Wanted) -> Piece:
        """The last piece; `tell` is given those before it. No exception leaves here."""
        try:
            return self._answer(ask, tell, wanted)
        except CannotRead as error:
            return Piece(failure=UNREADABLE, why=str(error))
        except MemoryError:
            return Piece(failure=MEMORY)
        except RecursionError:
            return Piece(failure=UNREADABLE, why="It is nested too deeply.")
        except (BrokenPipeError, frames.FrameError):
            raise
        except Exception as error:  # noqa: BLE001 - a library may raise anything; its kind is told, its words are not
            return Piece(failure=BROKEN, why=type(error).__name__)

    def _answer(self, ask: Ask, tell: Tell, wanted: Wanted) -> Piece:
        prompt = self.tokens.encoded(self._template.segments(ask, f"cm{os.urandom(12).hex()}"))
        if not ask.count and not 0 < len(prompt) < self.model.context:
            raise CannotRead(f"The conversation has {len(prompt)} tokens; this model takes {self.model.context - 1}.")
        held = self._held(ask.schema)
        tell(Began(len(prompt)))
        if ask.count:
            return Piece(finish="stop")
        running = self.model.running(prompt, ask, held)
        until = time.monotonic() + ask.seconds

        def still() -> bool:
            return wanted() and time.monotonic() < until

        if not running.read(still):
            return Piece(finish="stopped")
        return self._written(running, Words(self.tokens.whole, ask.stops), held, tell, still)

    def _written(self, running: Running, words: Words, held: Held | None, tell: Tell, wanted: Wanted) -> Piece:
        """Token after token."""
        ends, count = frozenset(self.model.ends), 0
        while wanted():
            token = running.next()
            if token is None:
                return Piece(words.rest(), "stop" if held is not None and held.whole else "length", count)
            count += 1
            if token in ends:
                return Piece(words.rest(), "stop", count)
            if text := words.fed(token):
                tell(Piece(text, tokens=count))
            if words.stopped:
                return Piece("", "stop", count)
            if held is not None:
                held.took(token)
                if held.done:
                    return Piece(words.rest(), "stop", count)
        return Piece("", "stopped", count)

    def _held(self, schema: str) -> Held | None:
        if not schema:
            return None
        if self._vocabulary is None:
            self._vocabulary = Vocabulary(self._json, self.model.size, self.model.ends)
        return self._vocabulary.held(schema)


def converse(chat: Chat, requests: BinaryIO, replies: BinaryIO) -> None:
    """Answer until the pipe ends. `requests` holds nothing back: what waits is seen by the kernel, and so by `ear`."""
    ear = select.poll()
    ear.register(requests.fileno(), select.POLLIN)
    frames.send(replies, Ready(chat.model.context))
    while (ask := frames.receive(requests, Ask, REQUEST)) is not None:
        if ask.stop:  # the answer that it meant has ended
            continue
        last = chat.answer(ask, lambda piece: frames.send(replies, piece), lambda: not ear.poll(0))
        frames.send(replies, last)
        if last.failure == MEMORY:  # its heap is not to be trusted
            return


def main(arguments: Sequence[str]) -> int:
    """Load the model of the folder named, then answer until the parent closes the pipe."""
    chat = Chat(Path(arguments[0]))
    with Exact(REQUESTS) as requests, os.fdopen(REPLIES, "wb") as replies:
        converse(chat, requests, replies)
    return 0


class Exact(io.FileIO):
    """A pipe that is read by the wanted number of bytes: no more (a buffer would hide a stop), no fewer."""

    def read(self, size: int | None = -1, /) -> bytes:
        """`size` bytes, fewer at the end alone."""
        assert size is not None
        parts: list[bytes] = []
        while size > 0 and (part := super().read(size)):
            parts.append(part)
            size -= len(part)
        return b"".join(parts)
