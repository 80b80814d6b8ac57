"""How the tests of the sandbox ask the probe."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from casemate.engines.cell import Cell, Program
from casemate.engines.sandbox import Limits, Sandbox, support

PROBE = str(Path(__file__).with_name("probe.py"))
needs_kernel = pytest.mark.skipif(bool(support().why), reason=f"no sandbox here: {support().why}")


def ask(told, *, limits=None, reads=(), arguments=(), deadline=30.0, type=object, protect=()):
    """One question to a fresh probe."""

    async def go():
        sandbox = Sandbox(protect=protect)
        cell = Cell(sandbox, Program("probe", PROBE, tuple(reads), limits or Limits(), tuple(arguments), deadline))
        try:
            return await cell.ask(told, type)
        finally:
            await cell.close()
            sandbox.close()

    return asyncio.run(go())
