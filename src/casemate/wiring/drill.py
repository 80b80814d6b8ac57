"""What was brought back is opened as a region, and held against what its source said of itself at that commit."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from casemate.access import Gate, Vault, audit
from casemate.custody.backup import Point, Table
from casemate.custody.backup_plan import Plan
from casemate.custody.backups import Drilled
from casemate.engines.backup_tables import damaged_rows, tables_of
from casemate.errors import CasemateError, Unavailable
from casemate.policy import Action
from casemate.store import Batch, Receipt
from casemate.wiring.engines import vault_of
from casemate.wiring.folder import Folder

__all__ = ["compared"]

DRILL = Action("drill", "backup")


class _Nothing:
    """A Committer that makes nothing durable: what was brought back is looked at, and then it goes."""

    async def commit(self, batch: Batch) -> Receipt:
        del batch
        raise Unavailable(what="store")


async def compared(folder: Folder, way: Plan, point: Point, private: tuple[bytes, ...] = ()) -> Drilled:
    """Every table by its digest, every row by its own, every blob by its name, every log by its verdict."""
    settings = folder.settings()
    differs: list[str] = []
    tables: dict[str, Table] = {}
    if point.tables:
        tables = await asyncio.to_thread(tables_of, folder.records)
        differs += sorted(name for name in point.tables | tables if point.tables.get(name) != tables.get(name))
        differs += await asyncio.to_thread(damaged_rows, folder.records)
    there = {str(path.relative_to(folder.path)) for path in folder.path.rglob("*") if path.is_file()}
    differs += sorted(taken.member.path for taken in way.files if taken.member.path not in there)
    if not point.tables:  # a server keeps the records: there is no region to open without it
        return Drilled(way.commit, 0, 0.0, 0, 0, 0, tuple(differs))
    nothing: Any = _Nothing()
    vault = vault_of(folder, settings, nothing, private=private)
    blobs, wrong = await _blobs(vault, folder.blobs)
    logs, bad = await _logs(vault)
    rows = sum(table.rows for table in tables.values())
    return Drilled(way.commit, 0, 0.0, rows, blobs, logs, (*differs, *wrong, *bad))


async def _blobs(vault: Vault, folder: Path) -> tuple[int, list[str]]:
    """Every blob that lies in the folder is opened, frame by frame."""
    count, wrong = 0, []
    for path in await asyncio.to_thread(lambda: sorted(folder.glob("*/*/*"))):
        class_id, name = path.parent.parent.name, path.name
        try:
            async for _ in vault.blobs.frames(class_id, name):
                pass
            count += 1
        except CasemateError:
            wrong.append(f"blob {name[:16]}")
    return count, wrong


async def _logs(vault: Vault) -> tuple[int, list[str]]:
    """Every log that a label makes is verified against its own checkpoints."""
    gate = Gate(vault)
    whole = gate.classes.of(vault.region.ceiling)
    flow = await gate.open(gate.service("custody", whole), DRILL)
    found = await asyncio.to_thread(audit.verdicts, flow, [])
    bad = [f"log {access.id}" for access, verdict in found if verdict.state in ("tampered", "forked", "incomplete")]
    return len(found), bad
