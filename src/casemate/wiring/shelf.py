"""The shelf over the relay: a wire calls it in a data process, the answer process does it in the same flow.

Each call is a verb of `models.Shelf` with its arguments; both sides read the same table of what these are. What is no
verb of it, or does not fit, is refused by whoever does the call: nothing else of the answer process can be reached.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from casemate.access import Flow
from casemate.errors import Internal
from casemate.models.shelf import Attribute, BaseSeen, FileSeen, NewBase, Search, Searched, Shelf
from casemate.wiring.relay import Performs, called

__all__ = ["FarShelf", "performing"]

_Attributes = dict[str, Attribute]
_VERBS: dict[str, tuple[Any, Any]] = {  # what goes with the flow, and what comes back
    "make": (tuple[NewBase], BaseSeen),
    "change": (tuple[str, NewBase], BaseSeen),
    "bases": (tuple[()], list[BaseSeen]),
    "base": (tuple[str], BaseSeen),
    "remove": (tuple[str], None),
    "attach": (tuple[str, str, _Attributes], FileSeen),
    "files": (tuple[str], list[FileSeen]),
    "file": (tuple[str, str], FileSeen),
    "describe": (tuple[str, str, _Attributes], FileSeen),
    "known": (tuple[tuple[str, ...]], list[FileSeen]),
    "content": (tuple[str, str], list[str]),
    "detach": (tuple[str, str], None),
    "search": (tuple[Search], Searched),
}


class _Call(msgspec.Struct, frozen=True):
    verb: str
    given: msgspec.Raw


class FarShelf:
    """Implements `models.Shelf` in a process that holds no knowledge."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    async def make(self, flow: Flow, new: NewBase) -> BaseSeen:
        found: BaseSeen = await self._call(flow, "make", new)
        return found

    async def change(self, flow: Flow, name: str, new: NewBase) -> BaseSeen:
        found: BaseSeen = await self._call(flow, "change", name, new)
        return found

    async def bases(self, flow: Flow) -> list[BaseSeen]:
        found: list[BaseSeen] = await self._call(flow, "bases")
        return found

    async def base(self, flow: Flow, name: str) -> BaseSeen:
        found: BaseSeen = await self._call(flow, "base", name)
        return found

    async def remove(self, flow: Flow, name: str) -> None:
        await self._call(flow, "remove", name)

    async def attach(self, flow: Flow, base: str, file: str, attributes: dict[str, Attribute]) -> FileSeen:
        found: FileSeen = await self._call(flow, "attach", base, file, attributes)
        return found

    async def files(self, flow: Flow, base: str) -> list[FileSeen]:
        found: list[FileSeen] = await self._call(flow, "files", base)
        return found

    async def file(self, flow: Flow, base: str, id: str) -> FileSeen:
        found: FileSeen = await self._call(flow, "file", base, id)
        return found

    async def describe(self, flow: Flow, base: str, id: str, attributes: dict[str, Attribute]) -> FileSeen:
        found: FileSeen = await self._call(flow, "describe", base, id, attributes)
        return found

    async def known(self, flow: Flow, documents: tuple[str, ...]) -> list[FileSeen]:
        found: list[FileSeen] = await self._call(flow, "known", documents)
        return found

    async def content(self, flow: Flow, base: str, id: str) -> list[str]:
        found: list[str] = await self._call(flow, "content", base, id)
        return found

    async def detach(self, flow: Flow, base: str, id: str) -> None:
        await self._call(flow, "detach", base, id)

    async def search(self, flow: Flow, search: Search) -> Searched:
        found: Searched = await self._call(flow, "search", search)
        return found

    async def _call(self, flow: Flow, verb: str, *given: object) -> Any:
        call = _Call(verb, msgspec.Raw(msgspec.msgpack.encode(given)))
        return msgspec.msgpack.decode(await called(self._socket, flow, call), type=_VERBS[verb][1])


def performing(shelf: Shelf) -> Performs:
    """What an answer process does with a call: this shelf does it."""

    async def perform(flow: Flow, raw: msgspec.Raw) -> bytes:
        try:
            call = msgspec.msgpack.decode(raw, type=_Call)
            given = msgspec.msgpack.decode(call.given, type=_VERBS[call.verb][0])
        except (msgspec.DecodeError, KeyError):
            raise Internal from None
        return msgspec.msgpack.encode(await getattr(shelf, call.verb)(flow, *given))

    return perform
