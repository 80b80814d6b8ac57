"""Somebody with a browser that runs no script: cookies, forms, redirects; and a region with a few documents in it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

from casemate.access import Gate
from casemate.identity import Peer
from casemate.knowledge import add
from casemate.policy import Action
from tests.laws.world import Seen, World, a_world

HOST = "region.test"
SECRET, TOP = "us:SECRET//NOFORN", "us:TOP SECRET//SI//NOFORN"
FEVER = "What caused the fever aboard the Calder Star?"
LOW = (
    "UNCLASSIFIED\n\n(U) Fever bulletin\n\n(U) Nobody knows what caused the fever aboard the Calder Star.\n\n"
    "UNCLASSIFIED\n"
)
HIGH = (
    "SECRET//NOFORN\n\n(U) Fever report\n\n(S//NF) Velspira caused the fever aboard the Calder Star.\n\n"
    "(U) The fever aboard the Calder Star began on Friday.\n\nSECRET//NOFORN\n"
)
FORM = "application/x-www-form-urlencoded"


@dataclass
class Visitor:
    """A browser. `get` and `post` do not follow redirects; `go` does."""

    world: World
    language: str = "en"
    accept: str = "text/html,*/*;q=0.8"
    cookies: dict[str, str] = field(default_factory=dict)

    async def send(self, method: str, target: str, body: bytes = b"", *more: tuple[str, str]) -> Seen:
        headers = [("accept", self.accept), ("accept-language", self.language), *more]
        if self.cookies:
            headers.append(("cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items())))
        seen = await self.world.call("somebody", method, target, body, headers=tuple(headers))
        for name, value in seen.headers:
            if name == "set-cookie":
                self._keep(value)
        return seen

    def _keep(self, said: str) -> None:
        name, _, value = said.split(";", maxsplit=1)[0].partition("=")
        if "Max-Age=0" in said:
            self.cookies.pop(name, None)
        else:
            self.cookies[name] = value

    async def get(self, target: str, *more: tuple[str, str]) -> Seen:
        return await self.send("GET", target, b"", *more)

    async def post(self, target: str, fields: dict[str, str], *more: tuple[str, str]) -> Seen:
        """A form of one of our own pages."""
        raw = urlencode(fields).encode()
        own = (("content-type", FORM), ("origin", f"http://{HOST}"), ("sec-fetch-site", "same-origin"))
        return await self.send("POST", target, raw, *own, *more)

    async def go(self, target: str) -> Seen:
        seen = await self.get(target)
        for _ in range(5):
            if seen.status != 303:
                break
            seen = await self.get(seen.header("location"))
        return seen

    async def sign_in(self, who: str) -> Visitor:
        """Consent, key, and the whole range of the key."""
        await self.post("/consent", {})
        seen = await self.post("/sign-in", {"key": self.world.keys[who]})
        assert seen.status == 303, seen.body
        return self


@asynccontextmanager
async def a_region(*documents: tuple[str, str]) -> AsyncIterator[World]:
    """A region of the policies us and house, with an auditor, an analyst and a visitor, and these documents."""
    async with a_world(policies=("us", "house")) as world:
        ceiling = world.house.gate.vault.region.ceiling.text
        await world.person("guest", "us:UNCLASSIFIED")
        await world.person("analyst", SECRET)
        await world.person("auditor", ceiling, ("auditor", "officer", "operator", "user"))
        await fill(world, documents or (("bulletin.txt", LOW), ("report.txt", HIGH)))
        yield world


async def fill(world: World, documents: Any) -> None:
    """Documents that the owner brings."""
    gate: Gate = world.house.gate
    for name, text in documents:
        flow = await gate.open(gate.admit(Peer(0)), Action("add", "document"))
        await add(flow, name, "default", text.encode())
    await world.step("knowledge.ingest")


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.told: list[str] = []
        self.inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        self.inside.append(tag)

    def handle_data(self, data: str) -> None:
        self.told.append(data)


@dataclass(frozen=True)
class Page:
    """A page taken apart."""

    tags: list[tuple[str, dict[str, str]]]
    text: str
    source: str

    @classmethod
    def of(cls, seen: Seen) -> Page:
        source = seen.body.decode()
        parser = _Page()
        parser.feed(source)
        return cls(parser.tags, " ".join(" ".join(parser.told).split()), source)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def banners(self) -> list[str]:
        """The words of its banners."""
        found = re.findall(r'<div class="banner[^>]*>([^<]*)</div>', self.source)
        return [words.replace("&#39;", "'").replace("&amp;", "&") for words in found]
