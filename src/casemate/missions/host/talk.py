"""A conversation in which a model calls missions: its turns, what of them is unanswered, and how a model takes them.

Pure. The region keeps nothing of it: whoever talks sends its turns, and gets them back with what has been added. A call
is known by all that was said before it, so that the same conversation asks for the same run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

import msgspec

from casemate.errors import BadInput
from casemate.missions.host.mission import CallRequest
from casemate.models import Chat, Delta, Message, Text, Tool, ToolCall, ToolResult

__all__ = ["Called", "TalkRequest", "Talked", "Turn", "added", "call_of", "chat_of", "checked", "said_in", "unanswered"]

TURNS, OFFERED, CALLED, WAIT = 256, 16, 8, 20
"""Of one conversation: turns, missions that a model is told of, calls of one of its turns; seconds of one request."""
TOKENS = 4096


class Called(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a model called: `arguments` is JSON text as it wrote it."""

    id: str
    name: str
    arguments: str = ""


class Turn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One turn. `calls` are a model's; `call` is the id of that which a turn of the role `tool` answers."""

    role: Literal["user", "assistant", "tool"]
    content: str = ""
    calls: tuple[Called, ...] = ()
    call: str = ""


class TalkRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`missions`: by name, those that the model is told of; none says all that are seen at the acting label.

    `wait_s`: seconds to wait for runs, 20 at most.
    """

    model: str
    turns: tuple[Turn, ...]
    missions: tuple[str, ...] = ()
    wait_s: int = WAIT


class Talked(msgspec.Struct, frozen=True):
    """The conversation as it stands. `finish`: stop, where the last turn is the answer; open, where `runs` still go on
    and the same turns are sent again; rounds, where the model had as many as one request gives it."""

    turns: tuple[Turn, ...]
    finish: Literal["stop", "open", "rounds"]
    runs: tuple[str, ...] = ()


def said_in(asked: TalkRequest) -> Iterator[str]:
    """Every text of a conversation. What a model wrote as JSON is looked at once more when it is called."""
    yield from (asked.model, *asked.missions)
    for turn in asked.turns:
        yield from (turn.content, turn.call)
        for call in turn.calls:
            yield from (call.id, call.name, call.arguments)


def checked(asked: TalkRequest) -> None:
    """Raises BadInput where there is too much of it, or nothing."""
    if not 1 <= len(asked.turns) <= TURNS or not 0 <= asked.wait_s <= WAIT or len(asked.missions) > OFFERED:
        raise BadInput(what=f"1 to {TURNS} turns, at most {OFFERED} missions, and 0 to {WAIT} seconds.")


def unanswered(turns: Sequence[Turn]) -> list[Called]:
    """The calls of the model's last turn that nobody has answered. Raises BadInput for what is no conversation."""
    waits = dict[str, Called]()
    for turn in turns:
        if turn.role == "tool":
            if waits.pop(turn.call, None) is None:
                raise BadInput(what="A turn of a tool answers a call of the turn before it, once.")
            continue
        if waits:
            raise BadInput(what="A call is answered before anything else is said.")
        if (turn.calls and turn.role != "assistant") or len(turn.calls) > CALLED:
            raise BadInput(what=f"A model calls, {CALLED} times in a turn at most.")
        waits = {call.id: call for call in turn.calls}
        if len(waits) < len(turn.calls):
            raise BadInput(what="Calls of one turn have ids of their own.")
    return list(waits.values())


def call_of(turns: Sequence[Turn], call: Called) -> CallRequest:
    """The run that it asks for: the same one for the same conversation, and another one in any other."""
    last = max(at for at, turn in enumerate(turns) if call in turn.calls)
    before = msgspec.json.encode([turns[: last + 1], call.id], order="deterministic")
    return CallRequest(call.arguments, f"talk:{hashlib.sha384(before).hexdigest()[:48]}")


def chat_of(asked: TalkRequest, turns: Sequence[Turn], tools: Sequence[dict[str, Any]], language: str) -> Chat:
    """What the model is asked."""
    offered = tuple(
        Tool(
            each["function"]["name"],
            each["function"]["description"],
            msgspec.json.encode(each["function"]["parameters"]),
        )
        for each in tools
    )
    return Chat(
        model=asked.model,
        messages=tuple(_messages(turns)),
        knowledge=(),
        mode="single",
        max_tokens=TOKENS,
        temperature=0.0,
        tools=offered,
        language=language,
    )


def added(deltas: Iterable[Delta]) -> Turn:
    """What a model said, as a turn. A call that it gave no id gets that of its place."""
    text, calls = "", dict[int, Called]()
    for delta in deltas:
        text += delta.text
        piece = delta.call
        if piece is not None:
            was = calls.get(piece.index, Called(f"call_{piece.index}", ""))
            calls[piece.index] = Called(piece.id or was.id, piece.name or was.name, was.arguments + piece.arguments)
    return Turn("assistant", text, tuple(calls[at] for at in sorted(calls)))


def _messages(turns: Sequence[Turn]) -> Iterator[Message]:
    """Answers to calls stand together in a user's turn."""
    results = list[ToolResult]()
    for turn in turns:
        if turn.role == "tool":
            results.append(ToolResult(turn.call, (Text(turn.content),)))
            continue
        if results:
            yield Message("user", tuple(results))
            results = []
        words = (Text(turn.content),) if turn.content else ()
        yield Message(turn.role, (*words, *(ToolCall(one.id, one.name, one.arguments) for one in turn.calls)))
    if results:
        yield Message("user", tuple(results))
