"""A region in the split form inside this process: control publishes, data and answer processes stand on it.

The world of the laws is the control process here (it holds the writer and the loops); the two others are opened beside
it over the same folder, with the sockets that they would have. Time is the world's.
"""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from casemate.clock import Loop
from casemate.engines.writer_socket import WriterServer
from casemate.ids import DerivedEntropy
from casemate.wiring import House, open_house
from tests.laws.world import Seen, World


class NoDirectory:
    """A reader that holds no directory: whoever asks it for one has read it from the store."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._reader, name)

        def asked(*args: Any, **more: Any) -> Any:
            assert not (args and str(args[0]).startswith("directory.")), f"{name}({args[0]}) on a request path"
            return found(*args, **more)

        return asked


@dataclass
class Split:
    """`control` is a world, `data` and `answer` are houses; `connected` names every socket that was connected to."""

    control: World
    data: House
    answer: House | None
    connected: list[str] = field(default_factory=list)

    async def publish(self) -> None:
        await loop_of(self.control.house, "snapshot.publish").step()

    async def follow(self) -> None:
        for house in filter(None, (self.data, self.answer)):
            await loop_of(house, "snapshot.follow").step()

    async def spread(self) -> None:
        """What control knows, the others know."""
        await self.publish()
        await self.follow()

    async def call(self, who: str, method: str, target: str, body: Any = None, **more: Any) -> Seen:
        """One request at the data process."""
        other = World(self.data, self.control.folder, self.control.clock, [])
        other.keys, other.signers = self.control.keys, self.control.signers
        return await other.call(who, method, target, body, **more)


def loop_of(house: House, name: str) -> Loop:
    [found] = [loop for loop in house.loops if loop.name == name]
    return found


@asynccontextmanager
async def a_split(world: World, answer: bool = False) -> AsyncIterator[Split]:
    """The data process of a world, and on demand its answer process."""
    writer = WriterServer(world.house.folder.writer_socket, world.house.gate.vault.committer)
    await writer.start()
    await loop_of(world.house, "snapshot.publish").step()
    houses: list[House] = []
    try:
        for role in ("answer", "data") if answer else ("data",):
            entropy = DerivedEntropy(role.encode())
            house = await open_house(world.house.folder, role, world.clock, entropy, durable=False)
            houses.append(house)
            object.__setattr__(house.gate.vault, "reader", NoDirectory(house.gate.vault.reader))
        yield Split(world, houses[-1], houses[0] if answer else None)
    finally:
        for house in reversed(houses):
            await house.close()
            house.gate.vault.reader.close()
        await writer.stop()


@contextmanager
def watched(split: Split, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Note the name of every socket that this process connects to."""
    connect = socket.socket.connect

    def noted(self: socket.socket, address: Any) -> None:
        split.connected.append(str(address).rpartition("/")[2] if isinstance(address, str) else str(address))
        connect(self, address)

    with monkeypatch.context() as patched:
        patched.setattr(socket.socket, "connect", noted)
        yield
