"""The guard before which a region brings what goes and what comes: each side a fenced child.

Words, which Python alone reads, of one access class share the two children; every other file has two of its own. A
channel names no schema: a document of JSON may hold anything that is one. It must never judge in this process.
"""

from __future__ import annotations

from casemate.engines.guard import CellGuard
from casemate.transfer.guard import Format
from casemate.transfer.region import Looking

__all__ = ["FencedGuards"]

ANYTHING = b'{"is":"anything"}'


class FencedGuards:
    """Implements `transfer.region.Guards`."""

    def __init__(self, guard: CellGuard) -> None:
        self._guard = guard

    async def look(self, name: str, format: Format, head: bytes, size: int, domain: str) -> Looking:
        """Raises SandboxMissing: then nothing was parsed."""
        schema = ANYTHING if format in ("json", "jsonl") else b""
        shared = domain if format == "text" else None
        looked = await self._guard.judge(name, format, "in", head, size, schema, shared)
        verdict = looked.verdict
        return Looking(verdict.format, verdict.rule, verdict.digest, looked.canonical)
