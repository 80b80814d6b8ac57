"""What is computed beside the loop that serves everybody: each label domain has threads of its own.

A domain that has more to compute than its threads can do waits by itself. A pool for all of them would be a queue that
a higher session can fill and a lower one waits in (flow.md, rule 2). What stays shared is the processor.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["Threads"]

T = TypeVar("T")
EACH = 2


class Threads:
    """At most `EACH` threads for each domain, started when it first needs one."""

    def __init__(self) -> None:
        self._pools: dict[str, ThreadPoolExecutor] = {}

    async def run(self, domain: str, work: Callable[..., T], *args: object) -> T:
        """What `work` gives, or raises. `domain` is the id of an access class."""
        pool = self._pools.get(domain)
        if pool is None:
            pool = self._pools[domain] = ThreadPoolExecutor(EACH, thread_name_prefix="beside")
        return await asyncio.get_running_loop().run_in_executor(pool, work, *args)

    async def close(self) -> None:
        """End those that wait for work; what is under way ends by itself."""
        while self._pools:
            self._pools.popitem()[1].shutdown(wait=False)
