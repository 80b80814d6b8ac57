"""Vector stores as a client of a whole region uses them: what is brought is read by the region's own loops."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tests.laws.openai_operations import FORM
from tests.laws.world import Seen, World, a_world

LOW = "agency=EXERCISE"
SECRET = "agency=EXERCISE + us:SECRET//REL=USA"
TOP = "agency=EXERCISE + us:TOP SECRET//REL=USA//SCI=SI"
STORES = "/v1/vector_stores"


@dataclass
class Client:
    """Somebody with a key, who acts at one label."""

    world: World
    who: str
    label: str = LOW

    def at(self, label: str) -> Client:
        return Client(self.world, self.who, label)

    async def call(self, method: str, path: str, body: Any = None, **more: Any) -> Seen:
        return await self.world.call(self.who, method, path, body, self.label, **more)

    async def got(self, method: str, path: str, body: Any = None) -> Any:
        seen = await self.call(method, path, body)
        assert seen.status == 200, (method, path, seen.body)
        return seen.json

    async def post(self, path: str, **body: Any) -> Any:
        return await self.got("POST", path, body)

    async def get(self, path: str) -> Any:
        return await self.got("GET", path)

    async def store(self, **body: Any) -> str:
        made = await self.post(STORES, **body)
        return str(made["id"])

    async def file(self, text: str, name: str = "note.txt") -> str:
        """A file of his."""
        fields = b'--law\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nassistants\r\n'
        head = f'--law\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
        sent = fields + head + text.encode() + b"\r\n--law--\r\n"
        seen = await self.call("POST", "/v1/files", sent, headers=(FORM,))
        assert seen.status == 200, seen.body
        return str(seen.json["id"])

    async def brought(self, store: str, text: str, name: str = "note.txt", **more: Any) -> str:
        """A file of his in a store, read."""
        id = await self.file(text, name)
        await self.post(f"{STORES}/{store}/files", file_id=id, **more)
        await self.read()
        return id

    async def read(self) -> None:
        """What waits is read."""
        await self.world.step("knowledge.ingest")

    async def found(self, store: str, query: Any, **more: Any) -> list[Any]:
        told = await self.post(f"{STORES}/{store}/search", query=query, **more)
        return list(told["data"])


@asynccontextmanager
async def clients(*names: str, clearance: str = TOP) -> AsyncIterator[list[Client]]:
    """A region and some who may act up to a label."""
    async with a_world() as world:
        for name in names:
            await world.person(name, clearance)
        yield [Client(world, name) for name in names]
