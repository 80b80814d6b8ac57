"""An open region in one process, and how wires hang in its frame."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from casemate.access import Gate, Sections
from casemate.accounts import Meter
from casemate.buckets import Buckets, Gatherer
from casemate.clock import Loop
from casemate.custody.scrub import Scrub
from casemate.doors.frame import App, Route, Table
from casemate.models import Answerer, Catalogue, Gateway
from casemate.models.shelf import Shelf
from casemate.policy import Action
from casemate.settings import Settings
from casemate.wiring.folder import Folder

if TYPE_CHECKING:
    from casemate.custody.backups import Backing
    from casemate.jobs import Jobs
    from casemate.knowledge import Extractor
    from casemate.models.registry import Registry

__all__ = ["House", "Role", "gatherer", "hang", "wires"]

Role = Literal["all", "data", "answer", "control", "writer"]


@dataclass(slots=True)
class House:
    """An open region: its gate, its ASGI application and its loops; `close` in the reverse order of opening."""

    folder: Folder
    settings: Settings
    gate: Gate
    catalogue: Catalogue
    app: App
    loops: list[Loop] = field(default_factory=list)
    closers: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    sections: Sections = field(default_factory=Sections)
    answerer: Answerer | None = None
    meter: Meter | None = None
    gateway: Gateway | None = None
    records: Registry | None = None
    extractor: Extractor | None = None
    shelf: Shelf | None = None
    backing: Backing | None = None
    buckets: Buckets = field(default_factory=Buckets)
    scrub: Scrub = field(default_factory=lambda: Scrub(()))

    async def close(self) -> None:
        """Let go of everything, last opened first."""
        while self.closers:
            await self.closers.pop()()


def wires(house: House, answerer: Answerer, jobs: Jobs) -> list[Route]:
    """The routes of the protocols that existing clients speak."""
    from casemate.doors import anthropic, batch, bedrock, hec, openai, s3
    from casemate.jobs.queues import Queues

    collector = house.settings.missions.collector
    return [
        *anthropic.routes(house.gate, house.catalogue, answerer),
        *openai.routes(house.gate, house.catalogue, answerer, house.shelf),
        *bedrock.routes(house.gate, house.catalogue, answerer, house.shelf),
        *s3.routes(house.buckets),
        *batch.routes(jobs, Queues(house.gate)),
        *hec.routes(gatherer(house, hec.SEND, collector.seconds), collector.bucket, collector.prefix),
    ]


def gatherer(house: House, action: Action, seconds: float) -> Gatherer:
    """What makes few objects of much that comes in; where a law drives the region nothing waits for more."""
    return Gatherer(house.gate, house.buckets, action, 0.0 if house.extractor else seconds)


def hang(house: House, routes: list[Route]) -> None:
    """Hang routes in the frame; each protocol brings its brackets."""
    from casemate.doors import anthropic, batch, bedrock, hec, openai, s3

    brought = (
        openai.PLANE,
        bedrock.PLANE,
        bedrock.AGENT,
        anthropic.PLANE,
        s3.PLANE,
        batch.PLANE,
        batch.LOGS,
        hec.PLANE,
    )
    planes = {plane.name: plane for plane in (*house.app.planes.values(), *brought)}
    house.app = App(house.gate, Table([*house.app.table.routes, *routes]), planes.values())
