"""A region that answers on loopback, in a thread of its own, and a Chromium to look at it with."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from casemate.wiring.serve import serve
from casemate.wiring.tcp import listen_tcp
from tests.console.visitor import a_region
from tests.laws.world import World

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@dataclass
class Live:
    """Where it answers, and a way to do something in its own loop."""

    address: str
    world: World
    run: Callable[[Coroutine[Any, Any, Any]], Any]


@contextmanager
def a_live_region(*documents: tuple[str, str]) -> Iterator[Live]:
    """A region with its loops running; it ends with the block."""
    loop = asyncio.new_event_loop()
    started: asyncio.Future[Live] = loop.create_future()
    stop = asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(_serve(documents, started, stop),), daemon=True)
    thread.start()

    def run(work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result(60)

    async def wait() -> Live:
        return await started

    live = run(wait())
    live.run = run
    try:
        yield live
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(60)
        loop.close()


async def _serve(documents: tuple[tuple[str, str], ...], started: asyncio.Future[Live], stop: asyncio.Event) -> None:
    async with a_region(*documents) as world:
        tcp = listen_tcp("127.0.0.1", 0)
        address = f"http://127.0.0.1:{tcp.getsockname()[1]}"

        def ready() -> None:
            started.set_result(Live(address, world, print))

        await serve(world.house, tcp, None, ready, stop)
