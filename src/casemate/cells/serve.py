"""The loop of a cell: read a request, work, reply, again until the parent closes the pipe.

A failure is told by its kind and, where the cell itself worded it, its reason. Never by a traceback or the text of an
exception of a library: either may quote the document.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeVar

import msgspec

from casemate import frames

__all__ = ["BROKEN", "MEMORY", "UNREADABLE", "CannotRead", "Reply", "serve"]

REQUESTS, REPLIES = 3, 4
"""Where `fence` puts the two pipes."""

UNREADABLE, MEMORY, BROKEN = "unreadable", "memory", "broken"
R = TypeVar("R")


class CannotRead(Exception):
    """The input cannot be read, for a reason that its sender may be told."""


class Reply(msgspec.Struct, frozen=True):
    """What a cell answers: the value, or a failure ("" means none) and its reason."""

    value: object = None
    failure: str = ""
    why: str = ""


def serve(request_type: type[R], work: Callable[[R], object]) -> None:
    """Answer requests until the pipe ends. A process that ran out of memory ends: its heap is not to be trusted."""
    with os.fdopen(REQUESTS, "rb") as requests, os.fdopen(REPLIES, "wb") as replies:
        while (request := frames.receive(requests, request_type)) is not None:
            reply = answer(work, request)
            frames.send(replies, reply)
            if reply.failure == MEMORY:
                return


def answer(work: Callable[[R], object], request: R) -> Reply:
    """One reply; no exception leaves here."""
    try:
        return Reply(value=work(request))
    except CannotRead as error:
        return Reply(failure=UNREADABLE, why=str(error))
    except MemoryError:
        return Reply(failure=MEMORY)
    except RecursionError:
        return Reply(failure=UNREADABLE, why="It is nested too deeply.")
    except Exception as error:  # noqa: BLE001 - a parser may raise anything; its kind is told, its words are not
        return Reply(failure=BROKEN, why=type(error).__name__)
